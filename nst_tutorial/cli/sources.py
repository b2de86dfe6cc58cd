"""The pictures and masks that `nst stylize` is given, read at the sizes at which they are used."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

EVERYWHERE = "-"


def mix_from(text: str | None) -> list[float] | None:
    """How much of each style, from "1,2"."""
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"--mix is numbers separated by commas, as in 1,2; got {text!r}") from None


def sizes_of_styles(scale: float | Sequence[float], size: int, count: int) -> list[int]:
    """As large as each will be used, so that a huge painting does not fill the memory."""
    from ..checks import LARGEST_SIZE, SMALLEST_SIDE
    from ..transfer.styles import scales_of

    wanted = [size * each for each in scales_of(scale, count)]
    return [math.ceil(min(max(SMALLEST_SIDE, each), LARGEST_SIZE)) for each in wanted]


def read_styles(paths: Sequence[Path], sizes: Sequence[int]) -> Tensor | list[Tensor]:
    """One picture, or a list of several, as `stylize` takes them."""
    from ..images.reading import load_image

    found = [load_image(p, s, enlarge=False) for p, s in zip(paths, sizes, strict=True)]
    return found if len(found) > 1 else found[0]


def read_masks(
    option: str, names: Sequence[str] | None, sizes: Sequence[int], *, enlarge: bool
) -> list[Tensor | None] | None:
    """A mask for each style as large as its picture; None for everywhere."""
    from ..transfer.masks import load_mask

    if not names:
        return None
    if len(names) != len(sizes):
        raise ValueError(
            f"there must be one {option} for each style, or {EVERYWHERE} for everywhere; got "
            f"{len(names)} for {len(sizes)}"
        )
    return [
        None if name == EVERYWHERE else load_mask(name, size, enlarge=enlarge)
        for name, size in zip(names, sizes, strict=True)
    ]
