"""Values from outside, checked: every error names the value and what would be right."""

from __future__ import annotations

import difflib
import math
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar, cast

if TYPE_CHECKING:
    from torch import Tensor

Function = TypeVar("Function", bound=Callable)

# torch is imported where it is needed, so that the command line can check a word without it.

_PACKAGE = str(Path(__file__).parent)

SMALLEST_SIDE = 16  # pixels: relu5_1 has one unit for 16×16 of them
LARGEST_SIZE = 30_000  # pixels of the longer side after resizing
LARGEST_STYLE_SCALE = LARGEST_SIZE / SMALLEST_SIDE  # of two pictures there can be
LARGEST_INTEGER = 2**63 - 1  # that a tensor can hold

MOST_UPLOAD = 10_000_000  # bytes of one picture; Jupyter's own connection takes hardly more


_TURNS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")  # of the direction


def printable(text: str) -> str:
    r"""The text with control characters and half characters spelt out, as \x1b and \udcff.

    A file's name, or what is stored in it, could otherwise clear a terminal; and a name that is not
    UTF-8 can neither be printed nor written into a table.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode() if _is_control(c) else c for c in text)


def _is_control(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(character) in _TURNS


def check_choice(what: str, value: object, choices: Iterable[str]) -> None:
    """Raise a ValueError unless `value` is one of the choices; it names the one that is meant."""
    choices = list(choices)
    if not isinstance(value, str) or value not in choices:
        raise ValueError(
            f"{what} must be one of {', '.join(choices)}; got {value!r}"
            f"{did_you_mean(value, choices)}"
        )


def did_you_mean(value: object, choices: Iterable[str]) -> str:
    """The end of a message: "; did you mean gram?", or "" if nothing is close."""
    by_small = {choice.casefold(): choice for choice in choices}
    close = difflib.get_close_matches(str(value).casefold(), by_small, n=1)
    return f"; did you mean {by_small[close[0]]}?" if close else ""


def check_integer(what: str, value: object, least: int, most: int = LARGEST_INTEGER) -> int:
    """Return a whole number from `least` to `most` as int, or raise a ValueError.

    numpy's numbers and whole floats are taken too, truth values are not.
    """
    if not _is_finite(value) or value != math.floor(value) or value < least:
        raise ValueError(f"{what} must be a whole number ≥ {least}, got {value!r}")
    if value > most:
        raise ValueError(f"{what} must be at most {most}, got {value!r}")
    return int(value)


def check_number(
    what: str, value: object, *, above: float | None = None, most: float = math.inf
) -> float:
    """Return a finite number ≥ 0, or above `above`, up to `most`, as float, or raise a ValueError.

    `most` is the largest that means anything. numpy's numbers are taken too, truth values are not.
    """
    if above is not None and not (_is_finite(value) and value > above):
        raise ValueError(f"{what} must be a number above {above:g}, got {value!r}")
    if not _is_finite(value) or value < 0:
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


def check_image(name: str, image: object) -> None:
    """A ValueError unless it is a tensor (1, 3, H, W) of finite floating point numbers."""
    import torch

    if not isinstance(image, torch.Tensor):
        array = hasattr(image, "__array__")
        remedy = "; torch.from_numpy makes a tensor of an array" if array else ""
        kind = type(image).__name__
        raise ValueError(f"{name} must be a picture (1, 3, H, W); got {kind}{remedy}")
    if image.dim() != 4 or image.shape[:2] != (1, 3) or not image.numel():
        raise ValueError(f"{name} must be a picture (1, 3, H, W); got {tuple(image.shape)}")
    if not image.is_floating_point():
        raise ValueError(f"{name} must hold floating point numbers in 0..1, got {image.dtype}")
    # Extremes of numbers, one of which is none, are none; `isfinite` would copy a large picture.
    if not torch.isfinite(torch.stack(image.detach().aminmax())).all():
        raise ValueError(f"{name} has values that are not finite")


def check_pictures(pictures: Mapping[str, Tensor]) -> None:
    """A ValueError names the first that is no picture (1, 3, H, W), large enough, in 0..1.

    A picture that has been resized, or matched in its colours, leaves 0..1: -1..2 is let pass.
    """
    for name, image in pictures.items():
        check_image(name, image)
        if min(image.shape[2:]) < SMALLEST_SIDE:
            raise ValueError(
                f"{name} must have at least {SMALLEST_SIDE} pixels a side, got {tuple(image.shape)}"
            )
        if image.min() < -1 or image.max() > 2:
            raise ValueError(
                f"{name} must have values in 0..1, by no means outside -1..2; "
                f"got {image.min():.3g} to {image.max():.3g}"
            )


def output_shape(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return (H, W) of a result from the side of a square or from (H, W), or raise a ValueError."""
    sides = tuple(size) if isinstance(size, Iterable) else (size, size)
    checked = [check_integer("size", side, SMALLEST_SIDE) for side in sides]
    if len(checked) != 2 or max(checked) > LARGEST_SIZE:
        raise ValueError(f"size must be one or two numbers up to {LARGEST_SIZE}, got {size!r}")
    return checked[0], checked[1]


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside this package from which it was called, however deep we are."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def old_keywords(**renamed: str) -> Callable[[Function], Function]:
    """Let a function take keywords by the names that they had in version 0.1.0, with a warning.

    `renamed` maps each to its name now. One given under both names is a TypeError.
    """

    def decorate(function: Function) -> Function:
        @wraps(function)
        def call(*arguments: Any, **keywords: Any) -> Any:
            for old in set(renamed) & set(keywords):
                if renamed[old] in keywords:
                    raise TypeError(f"{old} is now called {renamed[old]}; give only {renamed[old]}")
                warnings.warn(
                    f"{old} is now called {renamed[old]}", DeprecationWarning, stacklevel=2
                )
                keywords[renamed[old]] = keywords.pop(old)
            return function(*arguments, **keywords)

        return cast(Function, call)

    return decorate
