"""Values from outside, checked: every error names the value and what would be right."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from torch import Tensor

# torch is imported where it is needed, so that the command line can check a word without it.

SMALLEST_SIDE = 16  # pixels: relu5_1 has one unit for 16×16 of them
LARGEST_SIZE = 30_000  # pixels of the longer side after resizing
LARGEST_STYLE_SCALE = LARGEST_SIZE / SMALLEST_SIDE  # of two pictures there can be
LARGEST_INTEGER = 2**63 - 1  # that a tensor can hold


def check_choice(what: str, value: object, choices: Iterable[str]) -> None:
    """Raise a ValueError unless `value` is one of the choices."""
    choices = list(choices)
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{what} must be one of {', '.join(choices)}; got {value!r}")


def check_integer(what: str, value: object, least: int, most: int = LARGEST_INTEGER) -> int:
    """Return a whole number from `least` to `most` as int, or raise a ValueError.

    numpy's numbers and whole floats are taken too, truth values are not.
    """
    whole = _is_finite(value) and value == math.floor(value)
    if not whole or value < least:
        raise ValueError(f"{what} must be a whole number ≥ {least}, got {value!r}")
    if value > most:
        raise ValueError(f"{what} must be at most {most}, got {value!r}")
    return int(value)


def check_number(
    what: str, value: object, *, above: float | None = None, most: float = math.inf
) -> float:
    """Return a finite number ≥ 0, or above `above`, up to `most`, as float, or raise a ValueError.

    numpy's numbers are taken too, truth values are not.
    """
    right = _is_finite(value)
    if above is not None and not (right and value > above):
        raise ValueError(f"{what} must be a number above {above:g}, got {value!r}")
    if not (right and value >= 0):
        raise ValueError(f"{what} must be finite and ≥ 0, got {value!r}")
    if value > most:
        raise ValueError(f"{what} must be at most {most:g}, got {value!r}")
    return float(value)


def _is_finite(value: object) -> TypeGuard[float]:
    """Whether it is a number that a float can hold."""
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer of more than 308 digits
        return False


def check_layer_weights(what: str, value: object) -> dict[str, float]:
    """Return layer → weight as a dict of its own, or raise a ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} must be a mapping of layer names to weights, got {value!r}")
    return {name: check_number(f"the weight of {name} in {what}", w) for name, w in value.items()}


def check_pictures(pictures: Mapping[str, Tensor]) -> None:
    """A ValueError names the first that is no picture (1, 3, H, W) of finite values."""
    import torch

    for name, image in pictures.items():
        if not isinstance(image, torch.Tensor) or image.dim() != 4 or image.shape[:2] != (1, 3):
            shape = tuple(image.shape) if isinstance(image, torch.Tensor) else type(image).__name__
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
    sides = tuple(check_integer("size", side, SMALLEST_SIDE) for side in sides)
    if len(sides) != 2 or max(sides) > LARGEST_SIZE:
        raise ValueError(f"size must be one or two numbers up to {LARGEST_SIZE}, got {size!r}")
    return sides
