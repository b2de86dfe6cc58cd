"""The guide of a picture: the value by which a grid tells its bright parts from its dark ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from ..checks import check_choice
from ..images.color import GREY_LEVEL, color_statistics
from ..setting_values import GUIDES

LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601, as `images.luminance`


@dataclass(frozen=True)
class Guide:
    """A value for each pixel, weights · colour + offset, which is in 0..1 for the content."""

    kind: str = "luminance"
    """One of `settings.GUIDES`."""

    weights: tuple[float, float, float] = LUMINANCE
    offset: float = 0.0

    def __post_init__(self) -> None:
        check_choice("guide", self.kind, GUIDES)
        numbers = (*self.weights, self.offset)
        if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"a guide must have three weights and an offset, finite; got {self}")

    def __call__(self, picture: Tensor) -> Tensor:
        """Return (1, 1, H, W) in 0..1 for a picture (1, 3, H, W)."""
        weights = torch.tensor(self.weights).to(picture)
        value = torch.einsum("c,nchw->nhw", weights, picture) + self.offset
        return value[:, None].clamp(0, 1)

    def as_dict(self) -> dict[str, Any]:
        """The guide as JSON can hold it; `guide_from` reads it."""
        return {**asdict(self), "weights": list(self.weights)}


def guide_of(content: Tensor, kind: str = "luminance") -> Guide:
    """Return the guide of a content (1, 3, H, W).

    "luminance" is the same for every content. "principal" runs along the direction in which the
    content's colours differ most, from the one that is farthest down it to the one farthest up;
    up is towards the brighter. It tells a blue sky from a meadow as bright as it is. A content of
    one colour, by less than a grey level, has no such direction, and luminance in its place.
    """
    check_choice("guide", kind, GUIDES)
    if kind == "luminance":
        return Guide()
    variances, directions = torch.linalg.eigh(color_statistics(content)[1])
    if variances[-1] < GREY_LEVEL**2:
        return Guide()
    direction = directions[:, -1]
    if direction @ torch.tensor(LUMINANCE, dtype=torch.float64) < 0:
        direction = -direction
    values = direction @ content[0].detach().flatten(1).cpu().double()
    low, high = values.min(), values.max()
    red, green, blue = (direction / (high - low)).tolist()
    return Guide(kind, (red, green, blue), float(-low / (high - low)))


def guide_from(record: Mapping[str, Any]) -> Guide:
    """Return the guide that `Guide.as_dict` wrote.

    Raises
    ------
    ValueError
        The record is none of a guide.
    """
    try:
        red, green, blue = (float(weight) for weight in record["weights"])
        return Guide(record["kind"], (red, green, blue), float(record["offset"]))
    except (TypeError, LookupError) as error:
        raise ValueError(f"{record!r} is no record of a guide") from error
