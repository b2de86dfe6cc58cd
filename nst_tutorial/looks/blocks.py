"""A grid of colour maps applied to a picture of any size, block by block.

Between the centres of neighbouring cells a map is bilinear in the position and piecewise linear in
the guide. Inside such a block the four cells at its corners have a say, and no others:

    x(p) = Σ_corners w(p) Σ_k h_k(g(p)) A_k (c(p), 1),    h_k(g) = max(0, 1 - |depth · g - ½ - k|)

The inner sum is one product of matrices, (4 corners · 3) × (4 · depth) times (4 · depth) × pixels.
`grid.apply_grid` sums over all columns of the grid at every pixel, in few calls; this sums over the
two that count, in one call a block, which is twice as fast where blocks are large: for photographs
as cameras take them. It needs memory for a block alone, and has no gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from .grid import hats

BLOCK = 2**20  # pixels · depth of a block at most: its features take 17 MB


@dataclass(frozen=True)
class Span:
    """Pixels of one axis that lie between the centres of the same two cells."""

    pixels: slice
    cells: tuple[int, int]
    share: Tensor
    """Of the second cell, for each of the pixels, 0..1."""


def spans(length: int, cells: int, longest: int) -> Iterator[Span]:
    """Yield all pixels of an axis in order, in spans of at most `longest`.

    Pixel i lies at (i + ½) / length · cells - ½ between cells, whose centres are whole numbers;
    beyond the first and the last centre nothing changes.
    """
    position = (torch.arange(length, dtype=torch.float64) + 0.5) / length * cells - 0.5
    position = position.clamp(0, cells - 1)
    lower = position.long()
    changes = (lower[1:] != lower[:-1]).nonzero().flatten() + 1
    for begin, end in pairwise([0, *changes.tolist(), length]):
        cell = int(lower[begin])
        for first in range(begin, end, longest):
            pixels = slice(first, min(first + longest, end))
            yield Span(pixels, (cell, min(cell + 1, cells - 1)), position[pixels] - cell)


def apply_in_blocks(grid: Tensor, picture: Tensor, guide: Callable[[Tensor], Tensor]) -> Tensor:
    """Return x(p) = A(p) (c(p), 1), as `grid.apply_grid` does, for a picture of any size.

    Parameters
    ----------
    grid
        (1, 12, depth, rows, columns), of the picture's type.
    picture
        (1, 3, H, W).
    guide
        From the pixels (1, 3, h, w) of a block to its guide (1, 1, h, w), 0..1.

    Returns
    -------
    Tensor
        (1, 3, H, W), without a gradient.
    """
    height, width = picture.shape[2:]
    depth, rows, columns = grid.shape[2:]
    pixels = max(1, BLOCK // depth)
    result = torch.empty_like(picture)
    with torch.no_grad():
        for x in spans(width, columns, pixels):
            longest = max(1, pixels // (x.pixels.stop - x.pixels.start))
            for y in spans(height, rows, longest):
                block = picture[:, :, y.pixels, x.pixels]
                corners = grid[:, :, :, y.cells][..., x.cells]
                result[:, :, y.pixels, x.pixels] = _apply_corners(
                    corners, block, guide(block), y.share.to(grid), x.share.to(grid)
                )
    return result


def _apply_corners(
    corners: Tensor, block: Tensor, guide: Tensor, down: Tensor, across: Tensor
) -> Tensor:
    """The colours (3, h, w) of a block from the maps (1, 12, depth, 2, 2) at its corners."""
    depth, (height, width) = corners.shape[2], block.shape[2:]
    colors = torch.cat([block[0].flatten(1), block.new_ones(1, height * width)])  # (4, hw)
    weights = hats(guide.flatten(), depth).T.contiguous()
    features = (colors[:, None] * weights).flatten(0, 1)  # (4 · depth, hw)
    maps = corners.reshape(3, 4, depth, 2, 2).permute(3, 4, 0, 1, 2).reshape(12, 4 * depth)
    upper, lower = (maps @ features).view(2, 2, 3, height, width)
    left, right = torch.lerp(upper, lower, down[:, None])
    return torch.lerp(left, right, across)
