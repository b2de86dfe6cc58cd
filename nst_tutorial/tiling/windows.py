"""Parts of a picture: where a tile lies, and what the network must see around it.

A loss of additive statistics S = Σ φ(f_p) needs no picture in one piece (Galerne, Raad, Lezama &
Morel, "Scaling Painting Style Transfer", arXiv 2212.13459). What `engine` does with the windows
defined here is exact, not an approximation:

* A tile is seen with a margin as wide as the network's reach, so that the features in its own part
  are those of the whole picture. Only they count.
* The gradient reaches into the margin too, and is added up over the tiles that overlap there.
* Tiles begin at multiples of the deepest layer's stride, where poolings of the whole picture begin.
* A statistic of pairs of positions also needs features around the part: the margin is wider by
  their reach, so that those are the whole picture's too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor

from ..vgg.layers import LAYERS, margin, stride
from ..vgg.layers import reach as reach_of_layer


@dataclass(frozen=True)
class FeatureWindow:
    """A part of a layer's features, and how much each position counts (mask, or all the same)."""

    size: tuple[int, int]  # of the whole layer
    rows: slice
    columns: slice
    mask: Tensor | None = None  # (1, 1, H, W), of the whole layer

    def cut(self, whole: Tensor) -> Tensor:
        """The part's own positions of a tensor (…, H, W) of the layer's size, as a view."""
        return whole[..., self.rows, self.columns]

    def cut_mask(self) -> Tensor | None:
        """The mask at the part's own positions."""
        return None if self.mask is None else self.cut(self.mask)

    @property
    def share(self) -> float:
        """What part of the whole lies here: of the positions, or of the mask's sum."""
        if self.mask is not None:
            return float(self.cut(self.mask).sum() / self.mask.sum())
        height, width = self.size
        return _length(self.rows) * _length(self.columns) / (height * width)

    def around(self, reach: int) -> FeatureWindow:
        """The part and `reach` positions on every side of it, or as many as the layer has there."""
        rows, columns = (
            slice(max(0, part.start - reach), min(side, part.stop + reach))
            for part, side in zip((self.rows, self.columns), self.size, strict=True)
        )
        return FeatureWindow(self.size, rows, columns, self.mask)

    def of(self, features: Tensor, larger: FeatureWindow) -> Tensor:
        """The part's positions of the features of a larger part that it lies in, as a view."""
        top, left = self.rows.start - larger.rows.start, self.columns.start - larger.columns.start
        height, width = _length(self.rows), _length(self.columns)
        return features[..., top : top + height, left : left + width]

    def in_strips(self, rows: int) -> list[FeatureWindow]:
        """The same part cut into strips of at most `rows` rows."""
        edges = range(self.rows.start, self.rows.stop, rows)
        return [
            FeatureWindow(
                self.size, slice(a, min(a + rows, self.rows.stop)), self.columns, self.mask
            )
            for a in edges
        ]


@dataclass(frozen=True)
class Window:
    """A tile of a picture: its own pixels, and the block around them that the network sees.

    With `circular` the picture continues on its opposite side; the block is then one of the picture
    as `wrapped` by the margin.
    """

    size: tuple[int, int]  # height and width of the picture
    rows: slice
    columns: slice
    margin: int
    circular: bool = False

    @property
    def block(self) -> tuple[slice, slice]:
        """Rows and columns of the block, in the picture (or the wrapped picture)."""
        rows, columns = self.rows, self.columns
        if self.circular:
            return self._widened(rows), self._widened(columns)
        height, width = self.size
        return self._around(rows, height), self._around(columns, width)

    def _widened(self, own: slice) -> slice:
        return slice(own.start, own.stop + 2 * self.margin)

    def _around(self, own: slice, side: int) -> slice:
        return slice(max(0, own.start - self.margin), min(side, own.stop + self.margin))

    def cut(self, picture: Tensor) -> Tensor:
        """The block, as a view."""
        rows, columns = self.block
        return picture[..., rows, columns]

    def pixels(self, block: Tensor) -> Tensor:
        """The window's own pixels of its block."""
        return self.of_picture(block, self.rows, self.columns)

    def of_picture(self, block: Tensor, rows: slice, columns: slice) -> Tensor:
        """These rows and columns of the picture, which must lie in the block."""
        top, left = self._offset
        down, across = top - self.rows.start, left - self.columns.start
        return block[
            ...,
            rows.start + down : rows.stop + down,
            columns.start + across : columns.stop + across,
        ]

    def at(self, layer: str, mask: Tensor | None = None) -> FeatureWindow:
        """Where the window lies in a layer."""
        step = stride(layer)
        rows, columns = (slice(s.start // step, s.stop // step) for s in (self.rows, self.columns))
        return FeatureWindow((self.size[0] // step, self.size[1] // step), rows, columns, mask)

    def own(self, features: Tensor, layer: str, reach: int = 0) -> Tensor:
        """The window's own part of its block's features at a layer, and `reach` positions around.

        As a view.
        """
        (top, left), step, place = self._offset, stride(layer), self.at(layer)
        a, b = place.rows.start - top // step, place.columns.start - left // step
        height, width = features.shape[-2:]
        block = FeatureWindow(place.size, slice(a, a + height), slice(b, b + width))
        return place.around(reach).of(features, block)

    @property
    def _offset(self) -> tuple[int, int]:
        """Where the window's own pixels begin in its block."""
        rows, columns = self.block
        if self.circular:
            return self.margin, self.margin
        return self.rows.start - rows.start, self.columns.start - columns.start


def _length(part: slice) -> int:
    return part.stop - part.start


Reaches = Mapping[str, int]
"""Layer → how many positions around a part its statistics need; layers that need none may lack."""


def margin_of(layers: Iterable[str], reaches: Reaches | None = None) -> int:
    """Pixels around a tile that must be seen, with what statistics of pairs need around it."""
    layers = list(layers)
    step = max(map(stride, layers), default=1)
    beyond = [reach_of_layer(name) + stride(name) * more for name, more in (reaches or {}).items()]
    return max(margin(layers), -(-max(beyond, default=0) // step) * step)


def split_into_windows(
    size: tuple[int, int],
    tile: int | None,
    layers: Iterable[str],
    circular: bool = False,
    reaches: Reaches | None = None,
) -> list[Window]:
    """Cut a picture of that height and width into tiles of at most about tile × tile pixels.

    Sides are multiples of the deepest layer's stride, and about equal. None: one window.
    """
    layers = list(layers)
    deepest = max(layers, key=LAYERS.index, default=None)
    step = 1 if deepest is None else stride(deepest)
    if tile is None or (tile >= size[0] and tile >= size[1]):
        return [Window(size, slice(0, size[0]), slice(0, size[1]), 0)]
    around = margin_of(layers, reaches)
    if circular and not can_be_cut(size, layers, reaches):
        raise ValueError(
            f"a picture that continues on its opposite side can be cut into tiles if its sides are "
            f"multiples of {step} and at least {around}; got {size[1]}×{size[0]}"
        )
    rows, columns = (_cuts(side, max(tile, step), step) for side in size)
    return [Window(size, r, c, around, circular) for r in rows for c in columns]


def can_be_cut(
    size: tuple[int, int], layers: Iterable[str], reaches: Reaches | None = None
) -> bool:
    """Whether a picture that continues on its opposite side can be worked on in tiles."""
    layers = list(layers)
    step = max(map(stride, layers), default=1)
    return not any(side % step for side in size) and min(size) >= margin_of(layers, reaches)


def _cuts(side: int, tile: int, step: int) -> list[slice]:
    count = -(-side // tile)
    length = -(-side // count // step) * step
    edges = [*range(0, side - step + 1, length), side]  # what is left over joins the last
    return [slice(a, b) for a, b in pairwise(edges)]


def wrapped(picture: Tensor, around: int) -> Tensor:
    """The picture with its opposite sides continued by `around` pixels."""
    return F.pad(picture, (around,) * 4, mode="circular")


def folded(gradient: Tensor, around: int) -> Tensor:
    """The gradient of a picture from that of the `wrapped` one."""
    for dim in (2, 3):
        side = gradient.shape[dim] - 2 * around
        inner = gradient.narrow(dim, around, side).clone()
        inner.narrow(dim, side - around, around).add_(gradient.narrow(dim, 0, around))
        inner.narrow(dim, 0, around).add_(gradient.narrow(dim, side + around, around))
        gradient = inner
    return gradient
