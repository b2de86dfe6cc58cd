"""The main job: a content picture in the style of another (Gatys et al. 2016)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ..checks import check_integer, check_pictures
from ..images.color import grey, keep_luminance
from ..images.resizing import resize
from ..kernels.registry import Kernel
from ..losses.balance import balanced_weights, starting_norms
from ..noise.filters import denoise as remove_noise
from ..optimize.checkpoint import Checkpoint
from ..optimize.coarse_to_fine import through_scales
from ..optimize.loop import Callback
from ..optimize.result import Result
from ..storage.atomic import check_can_write
from ..tiling.engine import Engine, is_out_of_memory, with_smaller_tiles
from ..tiling.planning import Stage, plan
from ..vgg.network import VGG19
from .builder import choose_model, make_objective
from .options import check_settings, denoise_options, narrowest_side, settings_from
from .provenance import how_much_and_where, identity, record
from .styles import as_list, check_regions, normalized_mix, recolored, style_names, style_sources


def stylize(
    content: Tensor,
    style: Tensor | Sequence[Tensor],
    *,
    style_mix: Sequence[float] | None = None,
    content_masks: Tensor | Sequence[Tensor | None] | None = None,
    style_masks: Tensor | Sequence[Tensor | None] | None = None,
    color: str | None = None,
    color_method: str | None = None,
    preset: str = "default",
    steps: int | None = None,
    style_weight: float | None = None,
    content_weight: float | None = None,
    tv_weight: float | None = None,
    grain_weight: float | None = None,
    range_weight: float | None = None,
    balance: str | None = None,
    style_scale: float | Sequence[float] | None = None,
    kernel: Kernel | Mapping[str, Kernel] | None = None,
    style_layers: Mapping[str, float] | None = None,
    content_layers: Mapping[str, float] | None = None,
    style_normalization: str | None = None,
    content_normalization: str | None = None,
    weights: str | None = None,
    pooling: str | None = None,
    rescale: bool | None = None,
    start: str | Tensor | None = None,
    coarse_to_fine: bool | None = None,
    parameters: str | None = None,
    method: str | None = None,
    learning_rate: float | None = None,
    history: int | None = None,
    denoise: str | Mapping | None = None,
    seed: int = 0,
    device: str = "auto",
    model: VGG19 | None = None,
    tile: int | str = "auto",
    memory: float | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 10,
    callback: Callback | None = None,
) -> Result:
    """Return the content picture repainted in the style of another.

    Minimises content_weight · L_content + style_weight · L_style (Gatys et al. 2016, equation 7)
    over the pixels. An option left at None is the preset's; `print(PRESETS["default"])` shows them.

    Parameters
    ----------
    content, style
        Pictures (1, 3, H, W), sRGB, 0..1, as `load_image` gives them; any two sizes. A sequence of
        styles: all of them at once.
    style_mix
        How much of each of several styles: numbers ≥ 0, not all 0; only their ratio counts. None:
        the same of each.
    content_masks, style_masks
        Regions: for each style a mask (1, 1, H, W) in 0..1 where it goes, and one where in its own
        picture it is taken from; None: everywhere. Statistics are taken inside each. A pixel is
        pulled as hard as without masks, and outside of all it keeps its content alone. A mask of
        another size than its picture is resized, with a warning. See `regions`.
    color
        "style": the style's colours. "luminance": only light and dark are repainted, and the
        content's chroma is put back at the end (a callback sees the picture in grey). "match": the
        style's colours get the mean and covariance of the content's first. See `color`.
    color_method
        For "match": "symmetric", "pca" or "cholesky", see `color.match_color`.
    preset
        A name from `PRESETS`: "default", "gatys2016", "gatys2016-code", …
    steps
        Evaluations of loss and gradient, over all scales; 0 returns the start.
    style_weight, content_weight
        The balance. With the default normalisation, twice the style weight is twice as much style
        at every size of the pictures.
    tv_weight, grain_weight, range_weight
        Weights of the total variation, of fine grain where the content is flat (200 for
        loud grain, more for faint; see `losses.Grain`), and of the penalty on values outside 0..1.
    style_scale
        Longer side of the style picture over that of the content, at every scale: below 1 for
        finer strokes, however large the content is. The style is made smaller to fit, never
        enlarged. Several numbers: one for each style.
    balance
        "weights": the weights are used as they are. "gradient": each term starts with a gradient of
        the same norm; all weights count on top of that, and are 1 if not given. A term without a
        gradient at the start, as the content's at the content itself, gets that norm at noise.
    kernel
        The style statistic: a name ("gram"), a description ({"name": "polynomial", "offset": 1}),
        a statistic (`Gaussian(0.5)`), or a mapping from each style layer to one of these.
    style_layers, content_layers
        Layer name → weight.
    style_normalization, content_normalization
        What a term is divided by: see `losses.STYLE_NORMALIZATIONS`, `CONTENT_NORMALIZATIONS`.
    weights, pooling, rescale
        The network, see `VGG19`. `model` gives a network itself instead.
    start
        "content", "noise" (drawn with `seed`), "style" (the first), or a picture (1, 3, H, W).
    coarse_to_fine
        First a small version of the picture, then twice its size, and so on: structures larger
        than the network's receptive field, in less time.
    parameters, method, learning_rate, history
        The optimiser, see `optimize.minimize`.
    denoise
        Remove noise from the finished picture where the content is flat, as far as the style itself
        (of several the one of the largest share) is not as fine: a method ("bilateral"), or a
        mapping with options of `denoising.denoise` ({"method": "bilateral", "strength": 2.0}).
    device
        "auto" (CUDA, else MPS, else CPU) or a name that torch knows.
    tile, memory
        Large pictures are worked on in tiles, with the same result. "auto" takes the largest that
        fit into `memory` (GB of the whole process; None: four fifths of what is free); "whole" none
        at all; a number is their side in pixels. See `planning.plan`.
    checkpoint, checkpoint_every
        A file to which the state is written every so many evaluations. If it is there already, the
        run goes on from it: killed at any moment and started again with the same arguments, it ends
        with the same picture, on a CPU bit for bit. It stays when the run is done.
    callback
        Called after each evaluation with a `Progress` (losses, picture, time); returning True
        stops. Ctrl-C stops too, and both keep the best picture so far.

    Raises
    ------
    ValueError
        A wrong shape or value, an unknown name; the message says which and what there is. A
        checkpoint of another run, or one that is damaged.
    OSError
        The checkpoint cannot be written.
    """
    given = {name: value for name, value in locals().items() if value is not None}
    settings = settings_from(preset, given)
    styles = as_list(style)
    pictures = {"content": content, **dict(zip(style_names(len(styles)), styles, strict=True))}
    if isinstance(settings.start, Tensor):
        pictures["start"] = settings.start
    check_pictures(pictures)
    check_settings(settings)
    seed = check_integer("seed", seed, 0)
    mix = normalized_mix(settings.style_mix, len(styles))
    settings = replace(settings, style_mix=mix if len(mix) > 1 else None)
    settings = replace(settings, steps=check_integer("steps", settings.steps, 0))
    sources = style_sources(content, styles, settings, content_masks, style_masks)
    narrowest = narrowest_side(content, [(s.picture, s.scale) for s in sources], settings)
    model = choose_model(settings, device, model)
    original = content.detach().to(model.mean)
    content, sources = recolored(original, [s.to(model.mean) for s in sources], settings)
    start = _start(settings.start, content, sources[0].picture, seed)
    if settings.color == "luminance":
        start = grey(start)
    height, width = content.shape[2:]
    planned = plan(
        height, width, settings=settings, tile=tile, memory=memory, device=model.device,
        narrowest=narrowest,
    )  # fmt: skip
    if not planned.fits:
        warnings.warn(
            f"{width}×{height} pixels need {planned.memory / 1e9:.1f} GB even in small tiles, more "
            f"than the {planned.budget / 1e9:.1f} GB that may be used; a smaller size needs less",
            stacklevel=2,
        )
    stages = planned.stages
    check_regions(sources, [(stage.height, stage.width) for stage in stages], settings)
    made_with = {"preset": preset, **record(settings, model, seed), **how_much_and_where(sources)}
    balance: dict[str, float] = {}
    notes = None
    if checkpoint is not None:
        every = check_integer("checkpoint_every", checkpoint_every, 1)
        run = identity(made_with, pictures, model)
        notes = Checkpoint(check_can_write(checkpoint), run, every)
        stages, balance = notes.begin(stages, balance, model.device)

    engines: list[Engine] = []

    def objective_at(stage: Stage) -> Engine:
        shape = stage.height, stage.width
        here, styles = resize(content, shape), [source.beside(shape) for source in sources]
        # A style larger than the content must not need more memory than was planned.
        larger = any(max(s.picture.shape[2:]) > max(shape) for s in styles)
        side = stage.tile or (max(shape) if larger else None)
        objective = Engine(
            with_smaller_tiles(
                lambda side: make_objective(model, here, styles, settings, side), side, here
            ),
            stage.tile,
        )
        engines[:] = [objective]  # the coarser ones may go
        if settings.balance == "gradient":
            if not balance:  # at the first scale, and kept from then on
                begin = resize(start, shape)
                balance.update(starting_norms(objective, begin, _noise(here, seed)))
            objective.reweight(balanced_weights(objective.weights, balance))
        return objective

    from_content = isinstance(settings.start, str) and settings.start == "content"
    result = through_scales(
        start, objective_at, settings, stages, callback,
        detail=content if from_content else None, checkpoint=notes,
    )  # fmt: skip
    if settings.denoise is not None:
        cleaning = denoise_options(settings.denoise)
        most = max(sources, key=lambda source: source.share).beside((height, width)).picture
        try:
            result.image = remove_noise(
                result.image, guide=content.cpu(), style=most.cpu(), **cleaning
            )
        except KeyboardInterrupt:
            result.stopped = "interrupted"
            warnings.warn("interrupted while noise was removed; it is all there", stacklevel=2)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            warnings.warn(f"noise was not removed, for want of memory ({error})", stacklevel=2)
    if settings.color == "luminance":
        result.image = keep_luminance(result.image, original.to(result.image))
    result.gradient_norms = balance
    shapes = [list(picture.shape[2:]) for picture in styles]
    sizes = {
        "content_size": [height, width],
        "style_size": shapes if len(shapes) > 1 else shapes[0],
    }
    # How memory was spent decides the last digits: pairs that L-BFGS remembered, side of the tiles
    spent = {
        "pairs": [stage.history for stage in stages],
        "tile": engines[-1].tile if engines else stages[-1].tile,
    }
    result.settings = {**made_with, **sizes, **spent}
    return result


def _start(start: str | Tensor, content: Tensor, style: Tensor, seed: int) -> Tensor:
    shape = tuple(content.shape[2:])
    if isinstance(start, Tensor):
        return resize(start.detach().to(content), shape)
    if start == "content":
        return content
    if start == "style":
        return resize(style, shape)
    return _noise(content, seed)


def _noise(like: Tensor, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same noise on every device
    return torch.rand(like.shape, generator=generator).to(like)
