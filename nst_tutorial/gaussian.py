"""The Gaussian kernel: a style statistic without a finite feature map, estimated on pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .checks import number, whole
from .moments import check_comparable, positions


@dataclass(frozen=True)
class Gaussian:
    """k(a, b) = exp(-‖a - b‖² / 2σ²), estimated on disjoint pairs of positions.

    There is no finite feature map, so nothing is additive. The estimator takes time linear in the
    number of pairs and is unbiased (Gretton et al. 2012, "A Kernel Two-Sample Test", lemma 14):

        mean over pairs i of  k(x_i, x'_i) + k(y_i, y'_i) - k(x_i, y'_i) - k(x'_i, y_i).

    It may come out below zero. The positions are drawn by `seed` and their number alone, so they
    stay the same for a whole optimisation: drawing anew would make the objective jump. The price is
    that an optimiser which may move every pixel partly fits the pairs instead of the distribution:
    results are noisier than those of the other kernels.

    Parameters
    ----------
    bandwidth
        σ, or a rule for it, applied once to the style's features by `fitted`: "mean" is 2σ² = mean
        squared distance of a pair, "median" is 2σ² = median (the mean where that is nearly zero).
        Li et al.'s code takes the mean as well, but over pairs within and across both pictures,
        and draws them anew at every step.
    pairs
        How many pairs; None: as many as there are. Fewer are taken if the picture has fewer.
    """

    bandwidth: float | str = "mean"
    pairs: int | None = None
    seed: int = 0
    additive = False

    def __post_init__(self):
        if isinstance(self.bandwidth, str):
            if self.bandwidth not in ("mean", "median"):
                raise ValueError(
                    f"bandwidth must be mean, median or a number; got {self.bandwidth!r}"
                )
        else:
            number("bandwidth", self.bandwidth, above=0)
        if self.pairs is not None:
            object.__setattr__(self, "pairs", whole("pairs", self.pairs, 1))
        object.__setattr__(self, "seed", whole("seed", self.seed, 0))

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        return self._of_gaps((a[:, None] - b[None]).square().sum(dim=-1))

    def _of_gaps(self, squared: Tensor) -> Tensor:
        if isinstance(self.bandwidth, str):
            raise ValueError(
                f"the bandwidth {self.bandwidth!r} is still a rule; use kernel.fitted(features)"
            )
        return torch.exp(squared / (-2 * self.bandwidth**2))

    def statistic(self, features: Tensor) -> Tensor:
        """(N, 2, pairs, C): the features at both ends of each pair."""
        F = positions(features)
        pairs = F.shape[1] // 2 if self.pairs is None else min(self.pairs, F.shape[1] // 2)
        if pairs == 0:
            raise ValueError(
                "a Gaussian kernel needs a layer with features at two positions at least, got "
                f"{features.shape[3]}×{features.shape[2]}: take larger pictures or shallower layers"
            )
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(F.shape[1], generator=generator)[: 2 * pairs]
        return F[:, order.to(F.device)].unflatten(1, (2, pairs))

    def fitted(self, features: Tensor) -> Gaussian:
        if not isinstance(self.bandwidth, str):
            return self
        first, second = self.statistic(features.detach()).unbind(dim=1)
        squared = (first - second).square().sum(dim=-1)
        mean = float(squared.mean())
        middle = mean if self.bandwidth == "mean" else float(squared.median())
        if middle < 1e-3 * mean:  # most of the picture is flat, and its median tells nothing
            middle = mean
        return replace(self, bandwidth=(middle / 2) ** 0.5 or 1.0)  # 1 for a flat picture

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        pairs = min(x.shape[2], y.shape[2])
        check_comparable(x[:, :, :pairs], y[:, :, :pairs])
        (x1, x2), (y1, y2) = (z[:, :, :pairs].unbind(dim=1) for z in (x, y))

        def k(a: Tensor, b: Tensor) -> Tensor:
            return self._of_gaps((a - b).square().sum(dim=-1))

        return (k(x1, x2) + k(y1, y2) - k(x1, y2) - k(x2, y1)).mean(dim=-1).sum()

    def magnitude(self, y: Tensor) -> Tensor:
        return torch.ones((), dtype=y.dtype, device=y.device)  # k is at most 1
