"""The main job: a content picture in the style of another (Gatys et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from . import __version__
from .allocator import keep_freed_memory
from .balance import balanced_weights, starting_norms
from .checkpoint import Checkpoint, fingerprint
from .checks import whole
from .denoising import denoise as remove_noise
from .engine import Engine, features_of, statistics_of, with_smaller_tiles
from .files import check_can_write
from .images import resize
from .inputs import (
    check_pictures,
    check_settings,
    denoise_options,
    kernels_of_layers,
    narrowest_side,
)
from .kernels import Kernel
from .losses import (
    Content,
    Objective,
    OutOfRange,
    Style,
    Term,
    TotalVariation,
    content_factor,
    style_factor,
)
from .optimize import Callback
from .planning import Stage, plan
from .presets import Settings, get_preset
from .scales import Result, through_scales
from .vgg import VGG19, choose_device, load_vgg19


def stylize(
    content: Tensor,
    style: Tensor,
    *,
    preset: str = "default",
    steps: int | None = None,
    style_weight: float | None = None,
    content_weight: float | None = None,
    tv_weight: float | None = None,
    range_weight: float | None = None,
    balance: str | None = None,
    style_scale: float | None = None,
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
        Pictures (1, 3, H, W), sRGB, 0..1, as `load_image` gives them; any two sizes.
    preset
        A name from `PRESETS`: "default", "gatys2016", "gatys2016-code", …
    steps
        Evaluations of loss and gradient, over all scales; 0 returns the start.
    style_weight, content_weight
        The balance. With the default normalisation, twice the style weight is twice as much style
        at every size of the pictures.
    tv_weight, range_weight
        Weights of the total variation and of the penalty on values outside 0..1.
    style_scale
        Longer side of the style picture over that of the content, at every scale: below 1 for
        finer strokes. The style is made smaller to fit, never enlarged.
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
        "content", "noise" (drawn with `seed`), "style", or a picture (1, 3, H, W).
    coarse_to_fine
        First a small version of the picture, then twice its size, and so on: structures larger
        than the network's receptive field, in less time.
    parameters, method, learning_rate, history
        The optimiser, see `optimize.minimize`.
    denoise
        Remove noise from the finished picture where the content is flat, as far as the style itself
        is not as fine: a method ("bilateral"), or a mapping with options of `denoising.denoise`
        ({"method": "bilateral", "strength": 2.0}).
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
    pictures = {"content": content, "style": style}
    if isinstance(settings.start, Tensor):
        pictures["start"] = settings.start
    check_pictures(pictures)
    check_settings(settings)
    narrowest = narrowest_side(content, style, settings)
    seed = whole("seed", seed, 0)
    settings = replace(settings, steps=whole("steps", settings.steps, 0))
    model = choose_model(settings, device, model)
    content, style = content.detach().to(model.mean), style.detach().to(model.mean)
    start = _start(settings.start, content, style, seed)
    height, width = content.shape[2:]
    stages = plan(
        height, width, settings=settings, tile=tile, memory=memory, device=model.device,
        narrowest=narrowest,
    ).stages  # fmt: skip
    made_with = {"preset": preset, **record(settings, model, seed)}
    balance: dict[str, float] = {}
    notes = None
    if checkpoint is not None:
        every = whole("checkpoint_every", checkpoint_every, 1)
        identity = _identity(made_with, pictures, model)
        notes = Checkpoint(check_can_write(checkpoint), identity, every)
        stages, balance = notes.begin(stages, balance, model.device)

    def objective_at(stage: Stage) -> Engine:
        here = resize(content, (stage.height, stage.width))
        style_size = _style_size(style, max(here.shape), settings)
        # A style larger than the content must not need more memory than was planned.
        side = stage.tile or (max(here.shape) if style_size > max(here.shape) else None)
        objective = Engine(
            with_smaller_tiles(
                lambda side: make_objective(model, here, resize(style, style_size), settings, side),
                side,
                here,
            ),
            stage.tile,
        )
        if settings.balance == "gradient":
            if not balance:  # at the first scale, and kept from then on
                begin = resize(start, (stage.height, stage.width))
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
        used = resize(style, _style_size(style, max(content.shape), settings)).cpu()
        result.image = remove_noise(result.image, guide=content.cpu(), style=used, **cleaning)
    result.gradient_norms = balance
    sizes = {"content_size": list(content.shape[2:]), "style_size": list(style.shape[2:])}
    result.settings = {**made_with, **sizes, "tile": stages[-1].tile}
    return result


def _style_size(style: Tensor, longer: int, settings: Settings) -> int:
    """The longer side in which the style is used beside a content of that longer side."""
    return min(max(style.shape[2:]), round(longer * settings.style_scale))


def _identity(made_with: Mapping, pictures: Mapping[str, Tensor], model: VGG19) -> dict:
    looks = {f"{name} picture": fingerprint(picture) for name, picture in pictures.items()}
    return {**made_with, **looks, "padding": model.padding, "network": _fingerprint_of(model)}


def _fingerprint_of(model: VGG19) -> str:
    """A short name of the network's weights: a file of the same name may hold others."""
    return fingerprint(torch.cat([b.detach().flatten().float().cpu() for b in model.buffers()]))


def record(settings: Settings, model: VGG19, seed: int) -> dict:
    """Return everything that decides a result but its pictures, as JSON can hold it."""
    network = {
        "weights": model.weights,
        "pooling": model.pooling,
        "rescale": model.rescaled,
        "convolutions": model.convolutions,
        "precision": "bfloat16" if model.reduced else "float32",
    }
    return {**settings.as_dict(), **network, "seed": seed, "version": __version__}


def settings_from(preset: str, given: Mapping) -> Settings:
    """Return the preset with the given options put in their place."""
    options = {name: given[name] for name in Settings.__dataclass_fields__ if name in given}
    settings = get_preset(preset)
    if options.get("balance") == "gradient" and settings.balance != "gradient":
        ones = {
            "content_weight": 1.0,
            "style_weight": 1.0,
            "content_layers": dict.fromkeys(settings.content_layers, 1.0),
            "style_layers": dict.fromkeys(settings.style_layers, 1.0),
        }
        options = {**ones, **options}
    return replace(settings, **options)


def choose_model(
    settings: Settings, device: str, model: VGG19 | None, padding: str = "zeros"
) -> VGG19:
    """Return the network that the settings ask for, or the given one; set up the allocator."""
    if model is None:
        name = str(choose_device(device))
        model = load_vgg19(settings.weights, settings.pooling, settings.rescale, padding, name)
    if model.device.type == "cpu":
        keep_freed_memory()
    return model


def make_objective(
    model: VGG19,
    content: Tensor | None,
    style: Tensor | None,
    settings: Settings,
    tile: int | None = None,
) -> Objective:
    """Return the objective of `stylize` for pictures (1, 3, H, W) at one scale.

    Without a content only the style's terms are there, and the other way round. `tile` is the side
    of the tiles in which the two pictures are looked at; None: in one piece.
    """
    terms: dict[str, Term] = {}
    weights: dict[str, float] = {}
    if content is not None:
        for layer, target in features_of(model, content, settings.content_layers, tile).items():
            factor = content_factor(settings.content_normalization, target)
            terms[f"content {layer}"] = Content(layer, target, factor)
            weights[f"content {layer}"] = settings.content_weight * settings.content_layers[layer]
    if style is not None:
        kernels = kernels_of_layers(settings.kernel, settings.style_layers)
        for layer, (target, shape) in statistics_of(model, style, kernels, tile=tile).items():
            kernel = kernels[layer].fitted(target)
            factor = style_factor(settings.style_normalization, kernel, target, shape)
            terms[f"style {layer}"] = Style(layer, kernel, target, factor)
            weights[f"style {layer}"] = settings.style_weight * settings.style_layers[layer]
    if settings.tv_weight:
        terms["total variation"] = TotalVariation()
        weights["total variation"] = settings.tv_weight
    if settings.range_weight:
        terms["out of range"] = OutOfRange()
        weights["out of range"] = settings.range_weight
    return Objective(model, terms, weights)


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
