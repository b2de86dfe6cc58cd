"""What a run is given, checked before any work: pictures and settings."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .checks import number, whole
from .images import LARGEST_SIZE, SMALLEST_SIDE
from .kernels import Kernel, Statistic, get_kernel
from .presets import BALANCES, STARTS, Settings
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
    for name in ("content_weight", "style_weight", "tv_weight", "range_weight"):
        number(name, getattr(settings, name))
    if not check_layers([*settings.content_layers, *settings.style_layers]):
        raise ValueError("content_layers and style_layers must name at least one layer together")
    kernels_of_layers(settings.kernel, settings.style_layers)
    whole("steps", settings.steps, 0)
    if settings.balance not in BALANCES:
        raise ValueError(f"balance must be one of {', '.join(BALANCES)}; got {settings.balance!r}")
    if isinstance(settings.start, str) and settings.start not in STARTS:
        raise ValueError(
            f"start must be a picture or one of {', '.join(STARTS)}; got {settings.start!r}"
        )


def narrowest_side(content: Tensor, style: Tensor, settings: Settings) -> float:
    """Return the shorter side of the narrower picture at size 1, for `scales.schedule`.

    Raises
    ------
    ValueError
        The style scale is no positive number, or leaves the style too small at full size.
    """
    style_scale = number("style_scale", settings.style_scale, above=0)
    shape, other = content.shape[2:], style.shape[2:]
    style_side = min(other) / max(other) * min(style_scale, max(other) / max(shape))
    if style_side * max(shape) < SMALLEST_SIDE:
        raise ValueError(
            f"style_scale {style_scale} leaves the style smaller than {SMALLEST_SIDE} pixels"
        )
    narrowest = min(min(shape) / max(shape), min(other) / max(other) * style_scale)
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
