"""The main job: a content picture in the style of another (Gatys et al. 2016)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .allocator import keep_freed_memory
from .images import SMALLEST_SIDE, resize
from .kernels import get_kernel
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
from .optimize import Callback, Progress, minimize
from .presets import STARTS, Settings, get_preset
from .vgg import VGG19, check_layers, choose_device, load_vgg19

COARSEST = 192  # pixels of the longer side: from smaller ones the content does not survive


@dataclass
class Result:
    """A stylised picture and how it came about."""

    image: Tensor
    """(1, 3, H, W), sRGB, 0..1, on the CPU: the picture of the lowest loss at the finest scale."""

    history: list[dict]
    """One row an evaluation: "evaluation", "size" (longer side), "total", each term by name before
    its weight, and "seconds" since the start."""

    settings: dict
    """Everything that made the picture, as JSON can hold it; goes into `save_image`."""

    weights: dict[str, float]
    """The weight of each term in the total."""

    seconds: float
    """How long it took."""

    stopped: str | None
    """None if all steps were done, else "callback" or "interrupted" (Ctrl-C)."""


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
    style_scale: float | None = None,
    kernel: str | None = None,
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
    seed: int = 0,
    device: str = "auto",
    model: VGG19 | None = None,
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
    kernel
        The style statistic: "gram", …
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
    device
        "auto" (CUDA, else MPS, else CPU) or a name that torch knows.
    callback
        Called after each evaluation with a `Progress` (losses, picture, time); returning True
        stops. Ctrl-C stops too, and both keep the best picture so far.

    Raises
    ------
    ValueError
        A wrong shape or value, an unknown name; the message says which and what there is.
    """
    given = {name: value for name, value in locals().items() if value is not None}
    begin = time.perf_counter()
    settings = replace(
        get_preset(preset),
        **{name: given[name] for name in Settings.__dataclass_fields__ if name in given},
    )
    _check(content, style, settings)
    device = model.device if model is not None else choose_device(device)
    if device.type == "cpu":
        keep_freed_memory()
    if model is None:
        network = settings.weights, settings.pooling, settings.rescale, "zeros", str(device)
        model = load_vgg19(*network)
    content, style = content.to(device), style.to(device)
    full_size = tuple(content.shape[2:])
    image = _start(settings.start, content, style, seed)
    result = Result(image, [], {}, {}, 0.0, None)

    def record(progress: Progress) -> bool | None:
        done = len(result.history) + 1
        progress = replace(
            progress, evaluation=done, steps=settings.steps, seconds=time.perf_counter() - begin
        )
        size = max(progress.size)
        row = {"evaluation": done, "size": size, "total": progress.total, **progress.terms}
        result.history.append({**row, "seconds": progress.seconds})
        return callback(progress) if callback is not None else None

    try:
        before = None  # the content one scale before
        for size, steps in schedule(max(full_size), settings.steps, settings.coarse_to_fine):
            target = resize(content, size)
            image = resize(image, tuple(target.shape[2:]))
            if before is not None and settings.start == "content":
                # The content's fine detail, which the smaller picture could not hold.
                image = image + target - resize(before, tuple(target.shape[2:]))
            style_size = min(max(style.shape[2:]), round(size * settings.style_scale))
            objective = make_objective(model, target, resize(style, style_size), settings)
            result.weights = objective.weights
            found = minimize(
                objective,
                image,
                steps=steps,
                method=settings.method,
                parameters=settings.parameters,
                learning_rate=settings.learning_rate,
                history=settings.history,
                callback=record,
            )
            image, before, result.stopped = found.image, target, found.stopped
            if result.stopped is not None:
                break
    except KeyboardInterrupt:  # between two evaluations of `minimize`
        result.stopped = "interrupted"
    result.image = resize(image, full_size).clamp(0, 1).cpu()
    start = "picture" if isinstance(settings.start, Tensor) else settings.start
    result.settings = {
        **replace(settings, start=start).as_dict(), "preset": preset, "seed": seed,
        "content_size": list(full_size), "style_size": list(style.shape[2:]),
    }  # fmt: skip
    result.seconds = time.perf_counter() - begin
    return result


def schedule(size: int, steps: int, coarse_to_fine: bool = True) -> list[tuple[int, int]]:
    """Return the scales to work at, coarse to fine, as (longer side in pixels, evaluations).

    Each scale doubles the one before and gets half as many evaluations, since each costs four
    times as much and finds most of the work done. Together they are `steps`.
    """
    sizes = [size]
    while coarse_to_fine and sizes[0] >= 2 * COARSEST and len(sizes) < steps:
        sizes.insert(0, round(sizes[0] / 2))
    shares = [2.0**-i for i in range(len(sizes))]
    counts = [max(1, int(steps * share / sum(shares))) for share in shares]
    counts[0] += steps - sum(counts)
    return list(zip(sizes, counts, strict=True))


def make_objective(model: VGG19, content: Tensor, style: Tensor, settings: Settings) -> Objective:
    """Return the objective of `stylize` for pictures (1, 3, H, W) at one scale."""
    kernel = get_kernel(settings.kernel)
    terms: dict[str, Term] = {}
    weights: dict[str, float] = {}
    with torch.no_grad():
        for layer, target in model(content, settings.content_layers).items():
            factor = content_factor(settings.content_normalization, target)
            terms[f"content {layer}"] = Content(layer, target, factor)
            weights[f"content {layer}"] = settings.content_weight * settings.content_layers[layer]
        for layer, features in model(style, settings.style_layers).items():
            target = kernel.statistic(features)
            channels = features.shape[1]
            factor = style_factor(settings.style_normalization, kernel, target, channels)
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
        return resize(start.to(content), shape)
    if start == "content":
        return content
    if start == "style":
        return resize(style, shape)
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same noise on every device
    return torch.rand(content.shape, generator=generator).to(content)


def _check(content: Tensor, style: Tensor, settings: Settings) -> None:
    pictures = {"content": content, "style": style}
    if isinstance(settings.start, Tensor):
        pictures["start"] = settings.start
    elif settings.start not in STARTS:
        raise ValueError(
            f"start must be a picture or one of {', '.join(STARTS)}; got {settings.start!r}"
        )
    for name, image in pictures.items():
        if not isinstance(image, Tensor) or image.dim() != 4 or image.shape[:2] != (1, 3):
            shape = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
            raise ValueError(f"{name} must be a picture (1, 3, H, W); got {shape}")
        if min(image.shape[2:]) < SMALLEST_SIDE:
            raise ValueError(
                f"{name} must have at least {SMALLEST_SIDE} pixels a side, got {tuple(image.shape)}"
            )
        if not torch.isfinite(image).all():
            raise ValueError(f"{name} has values that are not finite")
    for name in ("content_weight", "style_weight", "tv_weight", "range_weight"):
        value = getattr(settings, name)
        if not 0 <= value < float("inf"):
            raise ValueError(f"{name} must be finite and ≥ 0, got {value}")
    shorter = min(style.shape[2:]) / max(style.shape[2:]) * max(content.shape[2:])
    if not SMALLEST_SIDE <= settings.style_scale * shorter < float("inf"):
        raise ValueError(
            f"style_scale {settings.style_scale} leaves the style picture smaller than "
            f"{SMALLEST_SIDE} pixels"
        )
    if not check_layers([*settings.content_layers, *settings.style_layers]):
        raise ValueError("content_layers and style_layers must name at least one layer together")
    if settings.steps != int(settings.steps) or settings.steps < 0:
        raise ValueError(f"steps must be a whole number ≥ 0, got {settings.steps!r}")
