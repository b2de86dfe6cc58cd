"""Styles to learn from: cut-outs of pictures in many colours, and their statistics."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from ..checks import check_integer
from ..learning.stream import PictureStream
from ..vgg.network import VGG19
from .statistics import mean_and_deviation

VIEWS = 4096  # styles in a training: each is looked at once
RECOLORED = 0.5  # part of the views whose colours are changed

Statistics = dict[str, tuple[Tensor, Tensor]]  # layer → mean and deviation, (1, C, 1, 1)


class StyleViews:
    """Many styles from few pictures: view i is a random cut-out, half of the time in other colours.

    Its statistics at some layers of VGG19 are measured when it is first asked for, and kept: some
    kilobytes each.

    Parameters
    ----------
    streams
        Of cut-outs; each view is of one of them, chosen by chance.
    model, layers
        Where their statistics are measured.
    count, seed
        How many views; which they are.
    """

    def __init__(
        self,
        streams: Iterable[PictureStream],
        model: VGG19,
        layers: Iterable[str],
        *,
        count: int = VIEWS,
        seed: int = 0,
    ):
        self.streams, self.model, self.layers = list(streams), model, list(layers)
        self.count, self.seed = check_integer("count", count, 1), check_integer("seed", seed, 0)
        self._known: dict[int, Statistics] = {}

    def picture(self, i: int) -> Tensor:
        """View i itself, (1, 3, size, size), sRGB, 0..1."""
        numbers = np.random.default_rng([self.seed, 1, i])
        picture = self.streams[int(numbers.integers(len(self.streams)))].draw(numbers)
        return recolored(picture, numbers) if numbers.random() < RECOLORED else picture

    def statistics(self, i: int) -> Statistics:
        """Mean and deviation of view i at each layer."""
        if i not in self._known:
            with torch.no_grad():
                features = self.model(self.picture(i).to(self.model.mean), self.layers)
            self._known[i] = {name: mean_and_deviation(f) for name, f in features.items()}
        return self._known[i]

    def draw(self, count: int, numbers: np.random.Generator) -> Statistics:
        """The statistics of random views, (count, C, 1, 1) each."""
        drawn = [self.statistics(int(numbers.integers(self.count))) for _ in range(count)]
        return {
            layer: (
                torch.cat([one[layer][0] for one in drawn]),
                torch.cat([one[layer][1] for one in drawn]),
            )
            for layer in self.layers
        }


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
