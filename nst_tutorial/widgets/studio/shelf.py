"""The results of a studio, the last one and those before it, with the knobs that made them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ...images.film import Film
from ...optimize.result import Result
from .recipe import Recipe

MOST_RESULTS = 24
MOST_BYTES = 300_000_000  # of all their pictures, e.g. nine of 4096×2731 pixels


@dataclass(frozen=True)
class Kept:
    """One result as it is kept: in 8 bits a channel, as it would be saved."""

    recipe: Recipe
    knobs: Mapping[str, Any]
    content: Tensor  # (1, 3, H, W), uint8
    picture: Tensor  # of the same shape
    without_picture: Result
    film: Film

    @property
    def result(self) -> Result:
        return replace(self.without_picture, image=self.picture.float() / 255)

    @property
    def bytes(self) -> int:
        return self.content.nbytes + self.picture.nbytes


def in_8_bits(image: Tensor) -> Tensor:
    """(1, 3, H, W) in 0..1 as the grey levels that a file of 8 bits holds."""
    return (image.detach().cpu().float().clamp(0, 1) * 255).round().byte()


class Shelf:
    """Results by number. The oldest are given up where there are too many."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Kept] = OrderedDict()
        self._next = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, key: int) -> Kept:
        return self._kept[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self._kept)

    def keep(
        self,
        recipe: Recipe,
        knobs: Mapping[str, Any],
        content: Tensor,
        result: Result,
        film: Film,
    ) -> int:
        """Keep a result; return its number."""
        key, self._next = self._next, self._next + 1
        nothing = torch.empty(1, 3, 0, 0)
        self._kept[key] = Kept(
            recipe, knobs, in_8_bits(content), in_8_bits(result.image),
            replace(result, image=nothing), film,
        )  # fmt: skip
        while len(self) > 1 and (len(self) > MOST_RESULTS or self._bytes > MOST_BYTES):
            self._kept.popitem(last=False)
        return key

    @property
    def _bytes(self) -> int:
        return sum(kept.bytes for kept in self._kept.values())
