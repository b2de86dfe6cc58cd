"""What a run is given, checked before any work: pictures and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .checks import number, one_of, whole
from .images import LARGEST_SIZE, SMALLEST_SIDE
from .kernels import Kernel, Statistic, get_kernel
from .losses import CONTENT_NORMALIZATIONS, STYLE_NORMALIZATIONS
from .methods import METHODS
from .parameters import PARAMETERS
from .presets import BALANCES, COLOR_METHODS, COLORS, DENOISERS, PLACES, STARTS, Settings
from .tiles import stride
from .vgg import check_layers
from .weights import LAYERS


def check_pictures(pictures: Mapping[str, Tensor]) -> None:
    """A ValueError names the first that is no picture (1, 3, H, W) of finite values."""
    for name, image in pictures.items():
        if not isinstance(image, Tensor) or image.dim() != 4 or image.shape[:2] != (1, 3):
            shape = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
            raise ValueError(f"{name} must be a picture (1, 3, H, W); got {shape}")
        if min(image.shape[2:]) < SMALLEST_SIDE:
            raise ValueError(
                f"{name} must have at least {SMALLEST_SIDE} pixels a side, got {tuple(image.shape)}"
            )
        if not image.is_floating_point():
            raise ValueError(f"{name} must hold floating point numbers in 0..1, got {image.dtype}")
        if not torch.isfinite(image).all():
            raise ValueError(f"{name} has values that are not finite")
        if image.min() < -1 or image.max() > 2:
            raise ValueError(
                f"{name} must have values in 0..1, got {image.min():.3g} to {image.max():.3g}"
            )


def output_shape(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return (H, W) of a result from the side of a square or from (H, W), or raise a ValueError."""
    try:
        sides = tuple(size)
    except TypeError:
        sides = (size, size)
    sides = tuple(whole("size", side, SMALLEST_SIDE) for side in sides)
    if len(sides) != 2 or max(sides) > LARGEST_SIZE:
        raise ValueError(f"size must be one or two numbers up to {LARGEST_SIZE}, got {size!r}")
    return sides


def check_settings(settings: Settings) -> None:
    """A ValueError names the first setting that is out of range or unknown."""
    for name in ("content_weight", "style_weight", "tv_weight", "grain_weight", "range_weight"):
        number(name, getattr(settings, name))
    if not check_layers([*settings.content_layers, *settings.style_layers]):
        raise ValueError("content_layers and style_layers must name at least one layer together")
    kernels_of_layers(settings.kernel, settings.style_layers)
    whole("steps", settings.steps, 0)
    if settings.style_mix is not None:
        normalized_mix(settings.style_mix)
    scales = settings.style_scale
    for scale in scales if isinstance(scales, list | tuple) else [scales]:
        number("style_scale", scale, above=0)
    one_of("color", settings.color, COLORS)
    one_of("color_method", settings.color_method, COLOR_METHODS)
    denoise_options(settings.denoise)
    one_of("balance", settings.balance, BALANCES)
    start = settings.start
    if not isinstance(start, Tensor) and not (isinstance(start, str) and start in STARTS):
        raise ValueError(f"start must be a picture or one of {', '.join(STARTS)}; got {start!r}")
    one_of("content_normalization", settings.content_normalization, CONTENT_NORMALIZATIONS)
    one_of("style_normalization", settings.style_normalization, STYLE_NORMALIZATIONS)
    one_of("pooling", settings.pooling, ("max", "average"))
    check_optimizer(settings)


def check_optimizer(settings: Settings) -> None:
    """A ValueError names the first setting of the descent that is out of range or unknown."""
    for name in ("coarse_to_fine", "rescale"):
        if not isinstance(getattr(settings, name), bool):
            raise ValueError(f"{name} must be True or False, got {getattr(settings, name)!r}")
    one_of("parameters", settings.parameters, PARAMETERS)
    one_of("method", settings.method, METHODS)
    whole("history", settings.history, 1)
    if settings.learning_rate is not None:
        number("learning_rate", settings.learning_rate, above=0)


def denoise_options(given: object) -> dict | None:
    """Return what `stylize(denoise=…)` was given as options of `denoise`, or raise a ValueError."""
    if given is None:
        return None
    options = dict(given) if isinstance(given, Mapping) else {"method": given}
    if set(options) - {"method", "strength", "where"} or "method" not in options:
        raise ValueError(
            "denoise must be a method, or a mapping with a method and, if wanted, strength and "
            f"where; got {given!r}"
        )
    one_of("the method of denoise", options["method"], DENOISERS)
    if options.get("where") is not None:
        one_of("where in denoise", options["where"], PLACES)
    if options.get("strength", "auto") != "auto":
        number("the strength of denoise", options["strength"])
    return options


def as_list(style: Tensor | Sequence[Tensor]) -> list[Tensor]:
    """One picture, or a sequence of several, as a list."""
    if not isinstance(style, list | tuple):
        return [style]
    if not style:
        raise ValueError("style must be a picture, or a sequence of at least one; it is empty")
    return list(style)


def style_names(count: int) -> list[str]:
    """Names of so many styles: "style", or "style 1", "style 2", …"""
    return ["style"] if count == 1 else [f"style {i}" for i in range(1, count + 1)]


def normalized_mix(mix: object, count: int | None = None) -> list[float]:
    """Return how much of each of so many styles, of sum 1; None: the same of each.

    Raises
    ------
    ValueError
        Not one number for each style; one that is not finite and ≥ 0; none above 0.
    """
    if mix is None:
        return [1 / count] * count
    if not isinstance(mix, list | tuple) or count not in (None, len(mix)):
        wanted = "numbers" if count is None else f"as many numbers as there are styles, {count}"
        raise ValueError(f"style_mix must hold {wanted}; got {mix!r}")
    parts = [number("a number in style_mix", part) for part in mix]
    if not any(parts):
        raise ValueError(f"style_mix must hold a number above 0, got {mix!r}")
    parts = [part / max(parts) for part in parts]
    return [part / sum(parts) for part in parts]


def scales_of(scale: object, count: int) -> list[float]:
    """Return the style scale of each style, from one for all or one for each."""
    if not isinstance(scale, list | tuple):
        return [scale] * count
    if len(scale) != count:
        raise ValueError(f"style_scale must be a number, or {count}, one for each style; got "
                         f"{scale!r}")  # fmt: skip
    return list(scale)


def narrowest_side(
    content: Tensor, styles: Sequence[tuple[Tensor, float]], settings: Settings
) -> float:
    """Return the shorter side of the narrowest picture at size 1, for `scales.schedule`.

    `styles` are pictures with their style scales.

    Raises
    ------
    ValueError
        A style scale leaves its style too small at full size.
    """
    shape = content.shape[2:]
    narrowest = min(shape) / max(shape)
    for style, scale in styles:
        other = style.shape[2:]
        side = min(other) / max(other) * min(scale, max(other) / max(shape))
        if side * max(shape) < SMALLEST_SIDE:
            raise ValueError(
                f"style_scale {scale} leaves the style smaller than {SMALLEST_SIDE} pixels"
            )
        narrowest = min(narrowest, min(other) / max(other) * scale)
    deepest = max(map(stride, [*settings.content_layers, *settings.style_layers]))
    return narrowest * room_for_pairs(settings) * min(1, SMALLEST_SIDE / deepest)


def room_for_pairs(settings: Settings) -> float:
    """½ if a kernel needs pairs of positions, and so pictures twice as large; else 1."""
    kernels = kernels_of_layers(settings.kernel, settings.style_layers).values()
    return 1.0 if all(kernel.additive for kernel in kernels) else 0.5


def kernels_of_layers(
    kernel: Kernel | Mapping[str, Kernel], layers: Mapping[str, float]
) -> dict[str, Statistic]:
    """Return layer → statistic from one description for all layers, or one for each."""
    if not isinstance(kernel, Mapping) or not set(kernel) & set(LAYERS):
        return dict.fromkeys(layers, get_kernel(kernel))
    if set(kernel) != set(layers):
        raise ValueError(f"kernels for layers {sorted(kernel)}, but styles at {sorted(layers)}")
    return {layer: get_kernel(kernel[layer]) for layer in layers}
