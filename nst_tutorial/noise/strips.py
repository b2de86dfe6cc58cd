"""Filters in strips of rows: the same result, in memory that grows with the picture alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

STRIP_PIXELS = 2**18  # of a strip: the pixels that a filter needs memory for at once


def strips(height: int, width: int) -> Iterator[slice]:
    """Rows of strips of about `STRIP_PIXELS` pixels; none is much thinner than the others."""
    count = max(1, round(height * width / STRIP_PIXELS))
    edges = [height * i // count for i in range(count + 1)]
    return (slice(a, b) for a, b in pairwise(edges) if b > a)


def in_strips(work: Callable[..., Tensor], *pictures: Tensor, reach: int) -> Tensor:
    """Return work(*pictures), computed in strips of rows.

    Parameters
    ----------
    work
        Pictures (1, C, H, W) to a result (1, C', H, W).
    pictures
        All of the same height and width.
    reach
        How many rows away a pixel may be that has a say in a result. That number of rows is worked
        on with each strip, above and below; what is done beyond the border of a picture happens
        there only.
    """
    height, width = pictures[0].shape[2:]
    result: Tensor | None = None
    for rows in strips(height, width):
        begin, end = max(0, rows.start - reach), min(height, rows.stop + reach)
        part = work(*(picture[:, :, begin:end] for picture in pictures))
        if result is None:
            result = torch.empty(
                (1, part.shape[1], height, width), dtype=part.dtype, device=part.device
            )
        result[:, :, rows] = part[:, :, rows.start - begin : rows.stop - begin]
    assert result is not None  # there is at least one strip
    return result
