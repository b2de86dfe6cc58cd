"""The main job: a content picture in the style of another (Gatys et al. 2016).

A run goes one way: what is asked for (`request`) → a plan → pictures as the network sees them
(`scene`) → at each scale an objective, minimised (`through_scales`) → the finished picture and its
record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..checks import check_integer, warn
from ..images.color import keep_luminance
from ..noise.filters import denoise as remove_noise
from ..optimize.checkpoint import Checkpoint
from ..optimize.coarse_to_fine import evaluations_at, through_scales
from ..optimize.loop import Callback
from ..optimize.result import Result
from ..presets import Settings, denoise_options
from ..storage.atomic import check_can_write
from ..tiling.engine import is_out_of_memory
from ..tiling.planning import Plan
from ..vgg.network import VGG19
from .builder import choose_model
from .options import Options, chosen_options, preset_for, settings_from, takes_settings
from .placing import place_styles
from .provenance import identity, record_transfer, style_shares, thumbnail
from .request import Request, request_transfer
from .scene import Objectives, Scene, grids_of, prepare
from .styles import check_regions

if TYPE_CHECKING:
    from typing_extensions import Unpack


@takes_settings
def stylize(
    content: Tensor,
    style: Tensor | Sequence[Tensor],
    *,
    content_masks: Tensor | Sequence[Tensor | None] | None = None,
    style_masks: Tensor | Sequence[Tensor | None] | None = None,
    preset: str = "default",
    mode: str = "painting",
    start: str | Tensor | None = None,
    seed: int = 0,
    device: str = "auto",
    model: VGG19 | None = None,
    tile: int | str = "auto",
    memory: float | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 10,
    callback: Callback | None = None,
    **options: Unpack[Options],
) -> Result:
    """Return the content picture repainted in the style of another.

    Minimises content_weight · L_content + style_weight · L_style (Gatys et al. 2016, equation 7)
    over the pixels. The settings are keyword arguments; one left out, or None, is the preset's:
    `print(PRESETS["default"])` shows them.

    >>> import torch
    >>> import nst_tutorial as nst
    >>> content, style = nst.load_image("temple", 64), nst.load_image("starry_night", 64)
    >>> result = nst.stylize(content, style, steps=2, device="cpu")
    >>> result.image.shape, len(result.history)
    (torch.Size([1, 3, 43, 64]), 2)

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
        another size than its picture is resized, with a warning.
    regions
        "auto", or how many: masks of matching regions are found in content and style, by what
        VGG19 sees there, and each region goes to its counterpart. See `regions.match_regions`, and
        `plots.matched_regions` to look at them first.
    keep_faces
        True: the style is weak in faces that are seen in the content, also within masks or regions.
    color
        "style": the style's colours. "luminance": only light and dark are repainted, and the
        content's chroma is put back at the end (a callback sees the picture in grey). "match": the
        style's colours get the mean and covariance of the content's first. "histogram": they get
        their whole distribution, inside masks region by region. See `images.color` and
        `images.transport_colors`, which also does the reverse: colour transfer alone.
    color_method
        For "match": "symmetric", "pca" or "cholesky", see `images.match_color`.
    preset
        A name from `PRESETS`: "default", "photo", "gatys2016", "gatys2016-code", …
    mode
        "painting", or "photo", which is preset="photo": a photograph stays one. What is fitted is a
        grid of colour maps (`looks.grid`), so nothing can be drawn and no grain can be made. The
        result has a `look`, and `result.apply(picture)` gives it to any picture of any size.
    steps
        Evaluations of loss and gradient, over all scales; 0 returns the start. Coarse scales get
        more of them than fine ones, and the finest 30 or 15 % of them at least, see
        `tiling.schedule`. A sequence: one number for each scale, coarse to fine.
    settle
        Above 0, a scale ends when over its last 10 evaluations the best loss fell by less than this
        part of itself, say 0.002, and the next one begins. What was spent where is in the record,
        "evaluations" and "settled".
    style_weight, content_weight
        The balance. With the default normalisation, twice the style weight is twice as much style
        at every size of the pictures.
    tv_weight, grain_weight, range_weight
        Weights of the total variation, of fine grain where the content is flat (200 for
        loud grain, more for faint; see `losses.Grain`), and of the penalty on values outside 0..1.
    style_scale
        Longer side of the style picture over that of the content, at every scale: below 1 for
        finer strokes, however large the content is. Several numbers: one for each style.
    strokes
        What becomes of them where that is more pixels than the style's file has. "grow": it is
        enlarged, so a larger picture is a poster of the small one; the finer a layer looks, the
        less it then counts, for an enlarged picture has nothing to say of strokes finer than its
        pixels. "keep": they are as fine as the file has them, at every scale, which is a smaller
        `style_scale`. "both": the style is made smaller to fit, never enlarged, so large forms grow
        with the picture, and are covered with fine strokes at its last scales.
    style_mix_fine
        With several styles: the mix at the finest scale, `style_mix` being that at the coarsest,
        and in between what lies between: coarse forms of one style, fine strokes of another.
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
        What a term is divided by: see `presets.STYLE_NORMALIZATIONS`, `CONTENT_NORMALIZATIONS`.
    vgg_weights, pooling, rescale, convolutions, precision
        The network, see `VGG19`. `model` gives a network itself instead. By default the fastest
        convolutions of this machine are taken: the first long run measures them. The result
        records which they were; given here, they make it again, on the same machine bit for bit.
    start
        "content", "match" (the content in the style's colours, by an affine map of them), "noise"
        (drawn with `seed`), "style" (the first that counts), "one-pass" (as a trained decoder
        paints it, see `one_pass.paint`), or a picture (1, 3, H, W), resized to the content's size;
        see `begin_at` for a smaller result.
    edges
        What the network's first layer sees beyond a picture's border: "zeros" (a grey), "replicate"
        (the outermost pixels again) or "reflect".
    coarse_to_fine, scale_factor
        First a small version of the picture, then one `scale_factor` times as large, and so on:
        structures larger than the network's receptive field, in less time.
    begin_at
        Scales whose longer side is below this are left out, with their evaluations (of a sequence
        of `steps` each number is for a scale that is left). With a small result of the same pair as
        `start` the run goes on from it, as the whole run would have from its own coarse scales: the
        result is enlarged and gets the content's fine detail, which it could not hold.
    parametrization, method, learning_rate, lbfgs_pairs
        The optimiser, see `optimize.minimize`. With parametrization "grid" what moves are maps of
        the content's colours, see `optimize.Grid`.
    grid_size, grid_depth, smoothness, guide
        Of that grid: cells along the picture's longer side; cells from dark to bright; the weight
        of the mean squared difference of neighbouring cells; and what tells dark from bright,
        "luminance" or "principal" (the direction in which the content's colours differ most).
    average
        Return the mean of the optimiser's pictures at each scale instead of the best, each counting
        this much less than the one after it: 0.99, say, with "adam". See `optimize.minimize`.
    denoise
        Remove noise from the finished picture where the content is flat, as far as the style itself
        (of several the one of the largest share) is not as fine: a method ("bilateral"), or a
        mapping with options of `noise.denoise` ({"method": "bilateral", "strength": 2.0}).
    device
        "auto" (CUDA, else MPS, else CPU) or a name that torch knows.
    tile, memory
        Large pictures are worked on in tiles, with the same result. "auto" takes the largest that
        fit into `memory` (GB of the whole process; None: four fifths of what is free); "whole" none
        at all; a number is their side in pixels. See `tiling.plan`.
    checkpoint, checkpoint_every
        A file, and the number of evaluations after which the state is written to it, again and
        again. If the file is there already, the run goes on from it: killed at any moment and
        started again with the same arguments, it ends with the same picture, on a CPU bit for bit.
        It stays when the run is done.
    callback
        Called after each evaluation with a `Progress` (losses, picture, time); returning True
        stops. Ctrl-C stops too, and both keep the best picture so far.

    Raises
    ------
    TypeError
        An option that there is not; the message names the one that comes closest.
    ValueError
        A wrong shape or value, an unknown name; the message says which and what there is. A
        checkpoint of another run, or one that is damaged.
    OSError
        The checkpoint cannot be written.
    """
    preset = preset_for(mode, preset)
    settings, picture = settings_and_start(preset, start, options)
    request = request_transfer(
        content, style, settings, content_masks=content_masks, style_masks=style_masks,
        start=picture, seed=seed,
    )  # fmt: skip
    model = choose_model(
        request.settings, device, model, pixels=request.pixels, checkpoint=checkpoint
    )
    plan = request.plan(model.device, memory=memory, tile=tile, paths=model.paths)
    warn_if_too_large(request, plan)
    placed = place_styles(request, model)
    scene = prepare(placed, model)
    check_regions(scene.styles, [(s.height, s.width) for s in plan.stages], request.settings)
    record = {"preset": preset, **record_transfer(request, model)}
    stages, saved, notes, norms = plan.stages, None, None, {}
    grids = grids_of(scene, request.settings)
    if checkpoint is not None:
        every = check_integer("checkpoint_every", checkpoint_every, 1)
        run = identity(record, request.pictures, model)
        notes = Checkpoint(check_can_write(checkpoint), run, every)
        saved = notes.read(
            plan.stages, scene.start, None if grids is None else grids.coordinates.shape
        )
        if saved is not None:  # with its tiles, even if there is more or less memory free by now
            stages, norms = saved.stages, saved.gradient_norms
    objectives = Objectives(
        scene, request.settings, model, seed=request.seed, coarsest=request.coarsest,
        gradient_norms=norms,
    )  # fmt: skip
    result = through_scales(
        scene.start, objectives, request.settings, stages, callback,
        detail=scene.detail, grids=grids, checkpoint=notes, saved=saved,
    )  # fmt: skip
    finish(result, placed, scene)
    # How memory was spent decides the last digits: pairs that L-BFGS remembered, side of the tiles
    spent = {
        "pairs": [s.pairs for s in stages], "tile": objectives.tile_of(stages[-1]),
        "evaluations": evaluations_at(stages, result.history), "settled": result.settled,
    }  # fmt: skip
    shares = {} if placed is request else style_shares(placed)
    result.settings = {**record, **shares, **_about_pictures(request), **spent}
    if result.look is not None:
        result.look = replace(result.look, record=result.settings)
    return result


def settings_and_start(
    preset: str, start: str | Tensor | None, options: Mapping
) -> tuple[Settings, Tensor | None]:
    """Return checked settings, and the picture to start from if `start` is one."""
    chosen = chosen_options(options)
    if isinstance(start, Tensor):
        return settings_from(preset, {**chosen, "start": "picture"}), start
    if start is not None:
        chosen["start"] = start
    settings = settings_from(preset, chosen)
    if settings.start == "picture":
        raise ValueError("start must be the picture itself, (1, 3, H, W); got 'picture'")
    return settings, None


def warn_if_too_large(request: Request, plan: Plan) -> None:
    """Warn that more memory will be needed than there is."""
    if plan.budget is not None and not plan.fits:
        height, width = request.shape
        warn(
            f"{width}×{height} pixels need {plan.memory / 1e9:.1f} GB even in small tiles, more "
            f"than the {plan.budget / 1e9:.1f} GB that may be used; a smaller size needs less"
        )


def finish(result: Result, request: Request, scene: Scene) -> None:
    """Remove noise and put back the content's colours, where the settings ask for it."""
    settings = request.settings
    options = denoise_options(settings.denoise)
    if options is not None and scene.content is not None:
        _remove_noise(result, scene.content, _main_style(request, scene), options)
    if settings.color == "luminance" and request.content is not None:
        result.image = keep_luminance(result.image, request.content.detach().to(result.image))


def _main_style(request: Request, scene: Scene) -> Tensor:
    """The style of the largest share, as large as it was beside the result."""
    largest = max(scene.styles, key=lambda source: source.share_at(1))
    return largest.beside(request.shape).picture


def _remove_noise(
    result: Result, content: Tensor, style: Tensor, options: Mapping[str, Any]
) -> None:
    try:
        result.image = remove_noise(result.image, guide=content.cpu(), style=style.cpu(), **options)
    except KeyboardInterrupt:
        result.stopped = "interrupted"
        warn("interrupted while noise was removed; it is all there")
    except Exception as error:  # lack of memory has many types
        if not is_out_of_memory(error):
            raise
        warn(f"noise was not removed, for want of memory ({error})")


def _about_pictures(request: Request) -> dict:
    shapes = [list(shape) for shape in request.style_shapes]
    small = request.start if request.enlarges else None
    thumbnails = {
        name: thumbnail(picture) for name, picture in request.pictures.items() if name != "start"
    }
    return {
        "content_size": list(request.shape),
        "style_size": shapes if len(shapes) > 1 else shapes[0],
        "thumbnails": thumbnails,
        **({} if small is None else {"enlarged_from": list(small.shape[2:])}),
    }
