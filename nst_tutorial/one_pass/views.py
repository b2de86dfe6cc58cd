"""Styles to learn from: cut-outs of pictures, in many colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..learning.stream import PictureStream

RECOLORED = 0.5  # part of the styles whose colours are changed


def draw_styles(
    streams: Sequence[PictureStream], count: int, numbers: np.random.Generator
) -> Tensor:
    """Return many styles from few pictures, (count, 3, size, size), sRGB, 0..1.

    Each is a random cut-out of one of the streams, half of the time in other colours.
    """
    styles = []
    for _ in range(count):
        style = streams[int(numbers.integers(len(streams)))].draw(numbers)
        styles.append(recolored(style, numbers) if numbers.random() < RECOLORED else style)
    return torch.cat(styles)


def recolored(picture: Tensor, numbers: np.random.Generator) -> Tensor:
    """The picture with its channels exchanged, perhaps inverted, and stretched or dulled.

    (1, 3, H, W), 0..1. Light and dark stay where they were, or change places; so do edges.
    """
    picture = picture[:, torch.from_numpy(numbers.permutation(3))]
    if numbers.random() < 0.25:
        picture = 1 - picture
    contrast = torch.tensor(numbers.uniform(0.6, 1.4, 3), dtype=picture.dtype).view(1, 3, 1, 1)
    shift = torch.tensor(numbers.uniform(-0.15, 0.15, 3), dtype=picture.dtype).view(1, 3, 1, 1)
    return ((picture - 0.5) * contrast + 0.5 + shift).clamp(0, 1)
