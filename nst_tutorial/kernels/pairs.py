"""The Gaussian kernel, estimated on pairs of positions: unbiased, and easily fooled."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from ..checks import check_integer
from .bandwidth import SMALLEST, bell, check_bandwidth, squared_gaps
from .moments import check_comparable, positions
from .statistic import Part

MOST_NUMBERS = 2**24  # that are drawn from a layer unless told otherwise: 64 MB
MOST_KEPT = 2**21  # positions in one drawing that is kept for the next evaluation: 16 MB


@dataclass(frozen=True)
class GaussianPairs:
    """k(a, b) = exp(-‖a - b‖² / 2σ²), estimated on disjoint pairs of positions.

    Nothing here is additive. The estimator takes time linear in the number of pairs and is unbiased
    (Gretton et al. 2012, "A Kernel Two-Sample Test", lemma 14):

        mean over pairs i of  k(x_i, x'_i) + k(y_i, y'_i) - k(x_i, y'_i) - k(x'_i, y_i).

    It may come out below zero. The positions are drawn by `seed` and their number alone, so they
    stay the same for a whole optimisation: drawing anew would make the objective jump. The price is
    that an optimiser which may move every pixel partly fits the pairs instead of the distribution:
    results are noisier than those of every other kernel, `GaussianFeatures` among them.

    Parameters
    ----------
    bandwidth
        σ, or a rule for it, applied once to the style's features by `fitted`: "mean" is 2σ² = mean
        squared distance of a pair, "median" is 2σ² = median (the mean where that is nearly zero).
        Li et al.'s code takes the mean as well, but over pairs within and across both pictures,
        and draws them anew at every step.
    pairs
        How many pairs; None: as many as there are, up to 16 million numbers in a layer (those of a
        picture of 512×512 in relu1_1). Fewer are taken if the picture has fewer.
    """

    bandwidth: float | str = "mean"
    pairs: int | None = None
    seed: int = 0
    additive = False

    def __post_init__(self):
        object.__setattr__(self, "bandwidth", check_bandwidth(self.bandwidth, ("mean", "median")))
        if self.pairs is not None:
            object.__setattr__(self, "pairs", check_integer("pairs", self.pairs, 1))
        object.__setattr__(self, "seed", check_integer("seed", self.seed, 0))

    def description(self) -> dict:
        return {"name": "gaussian", "estimator": "pairs", **asdict(self)}

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        return bell(squared_gaps(a, b), self.bandwidth)

    def kept(self, channels: int, positions: int) -> int:
        """How many numbers the statistic of a layer has."""
        return 2 * channels * min(self._most(channels), positions // 2)

    def statistic(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, 2, pairs, C): the features at both ends of each pair.

        Positions where a mask is below ½ are left out.
        """
        _, channels, height, width = features.shape
        drawn = self._drawn((channels, height, width), mask).to(features.device)
        return positions(features)[:, drawn].unflatten(1, (2, -1))

    def contribution(self, features: Tensor, place: Part) -> Tensor:
        """What a part of a picture adds to the statistic of the whole: zeros elsewhere.

        `features` are those of the part, `place` says where it lies, as
        `tiling.windows.FeatureWindow` does.
        """
        drawn = self._drawn((features.shape[1], *place.size), place.mask).to(features.device)
        down, across = drawn // place.size[1] - place.rows.start, drawn % place.size[1]
        across = across - place.columns.start
        height, width = features.shape[2:]
        here = (down >= 0) & (down < height) & (across >= 0) & (across < width)
        F = positions(features)
        ends = F.new_zeros(F.shape[0], len(drawn), F.shape[2])
        ends[:, here] = F[:, (down * width + across)[here]]
        return ends.unflatten(1, (2, -1))

    def _most(self, channels: int) -> int:
        """Pairs."""
        return max(1, MOST_NUMBERS // (2 * channels)) if self.pairs is None else self.pairs

    def _drawn(self, shape: tuple[int, int, int], mask: Tensor | None) -> Tensor:
        """The positions that make the pairs, in features of shape (C, H, W): first ends first."""
        channels, height, width = shape
        most = self._most(channels)
        if mask is None:
            count = height * width
        else:
            inside = (mask.flatten() >= 0.5).nonzero().flatten().cpu()
            count = len(inside)
        pairs = min(most, count // 2)
        if pairs == 0:
            raise ValueError(
                "a Gaussian kernel needs a layer with features at two positions at least, got "
                f"{count} of {width}×{height}: take larger pictures or shallower layers"
            )
        drawn = _shuffled(count, self.seed, 2 * pairs)
        return drawn if mask is None else inside[drawn]

    def fitted(self, target: Tensor) -> GaussianPairs:
        if not isinstance(self.bandwidth, str):
            return self
        first, second = target.detach().unbind(dim=1)
        squared = (first - second).square().sum(dim=-1)
        mean = float(squared.mean())
        middle = mean if self.bandwidth == "mean" else float(squared.median())
        if middle < 1e-3 * mean:  # most of the picture is flat, and its median tells nothing
            middle = mean
        bandwidth = (middle / 2) ** 0.5
        return replace(self, bandwidth=bandwidth if bandwidth > SMALLEST else 1.0)  # 1 if flat

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        pairs = min(x.shape[2], y.shape[2])
        check_comparable(x[:, :, :pairs], y[:, :, :pairs])
        (x1, x2), (y1, y2) = (z[:, :, :pairs].unbind(dim=1) for z in (x, y))

        def k(a: Tensor, b: Tensor) -> Tensor:
            return bell((a - b).square().sum(dim=-1), self.bandwidth)

        return (k(x1, x2) + k(y1, y2) - k(x1, y2) - k(x2, y1)).mean(dim=-1).sum()

    def magnitude(self, y: Tensor) -> Tensor:
        return torch.ones((), dtype=y.dtype, device=y.device)  # k is at most 1


def _shuffled(count: int, seed: int, first: int) -> Tensor:
    """Return the first `first` of the shuffled numbers below `count`; kept if they are few."""
    return (_kept if first <= MOST_KEPT else _drawn_anew)(count, seed, first)


@torch.inference_mode(False)  # the next to ask may need a gradient
def _drawn_anew(count: int, seed: int, first: int) -> Tensor:
    shuffled = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return shuffled[:first].clone()  # not a view, which would hold all of them


_kept = lru_cache(maxsize=8)(_drawn_anew)
