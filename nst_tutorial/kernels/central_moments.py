"""Central moments of each channel: its whole distribution, as far as a few numbers tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from itertools import accumulate
from math import comb

import torch
from torch import Tensor

from ..checks import check_integer, check_number
from .moments import check_comparable, mean
from .statistic import Moments

LARGEST_ORDER = 8
"""Of moments: the eighth power of float16's largest number is the last that float32 holds."""


@dataclass(frozen=True)
class CentralMoments:
    """Mean and central moments c_k of each channel, up to an order K: Σ_k Σ_c (r_k(x) - r_k(y))².

    After the central moment discrepancy (Zellinger et al. 2017, arXiv 1702.08811, definition 1),
    for style transfer Kalischek, Wegner & Schindler 2021 (arXiv 2103.07208). Order 1 is
    the mean, 2 the variance; 3 says to which side a channel leans, which no Gram matrix sees.

    Moments of different orders have different units: that of order k goes with the k-th power of
    the features. Those papers confine the features to an interval, the second by a sigmoid. Here
    moments are brought to the unit of the features, by a signed k-th root that is softened:

        r_k = c_k / (c_k² + δ^{2k})^{(k-1)/2k}     for k ≥ 2, and the mean itself for k = 1.

    Far from zero that is the k-th root of |c_k| with the sign of c_k, so that no order drowns the
    others; about zero, where a root's slope has no bound, it is c_k / δ^{k-1}. δ is the standard
    deviation of the channel in the style y, δ² = variance + `epsilon` · second moment + 1e-8, where
    `epsilon` keeps the rounding of flat channels from counting. Unlike the papers', distances
    are squared, as those of the other statistics.

    Parameters
    ----------
    order
        K, from 2 to 8: higher powers of float16's largest number are none in float32.
    """

    order: int = 5
    epsilon: float = 1e-2
    additive = True

    def __post_init__(self):
        order = check_integer("order", self.order, 2)
        if order > LARGEST_ORDER:
            raise ValueError(
                f"order must be at most {LARGEST_ORDER}, since higher powers of features are too "
                f"large for float32; got {self.order!r}"
            )
        object.__setattr__(self, "order", order)
        object.__setattr__(self, "epsilon", check_number("epsilon", self.epsilon))

    def description(self) -> dict:
        return {"name": "central_moments", **asdict(self)}

    def statistic(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, K, C): the raw moments of each channel, which are additive, in float64.

        A central moment is the small difference of large raw ones: float32 would lose its digits.
        (Apple's MPS has no float64; there it must do.)
        """
        return _RawMoments.apply(features, mask, self.order)

    def pull(
        self, features: Tensor, slopes: Sequence[Tensor], mask: Tensor | None = None
    ) -> Tensor:
        """The gradient of <slope, statistic(features, mask)> with respect to the features."""
        (slope,) = slopes
        return _pull(features, slope, mask)

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        check_comparable(x, y)
        device, dtype = x.device, x.dtype
        x, y = map(_in_float64, (x, y))
        unit = self._unit(y)
        gap = _roots(about_the_mean(x), unit) - _roots(about_the_mean(y), unit)
        return gap.square().sum().to(device, dtype)

    def magnitude(self, y: Tensor) -> Tensor:
        device, dtype = y.device, y.dtype
        y = _in_float64(y)
        return _roots(about_the_mean(y), self._unit(y)).square().sum().to(device, dtype)

    def fitted(self, target: Moments) -> CentralMoments:
        return self

    def _unit(self, y: Tensor) -> Tensor:
        """δ, (N, 1, C): the standard deviation of each channel of a style, and a little more."""
        first, second = y[:, 0], y[:, 1]
        variance = (second - first.square()).clamp(min=0)
        return (variance + self.epsilon * second + 1e-8).sqrt()[:, None]


def about_the_mean(raw: Tensor) -> Tensor:
    """Raw moments m_k of orders 1 to K, (N, K, C) → the mean, and the central moments c_k.

    By the binomial theorem, c_k = mean (f - μ)^k = Σ_j binom(k, j) m_j (-μ)^{k-j}, with m_0 = 1.

    >>> about_the_mean(torch.tensor([[[2.0], [5.0], [14.0]]]))  # of the two values 1 and 3
    tensor([[[2.],
             [1.],
             [0.]]])
    """
    m = [torch.ones_like(raw[:, 0]), *raw.unbind(dim=1)]
    central = [m[1]]
    for k in range(2, len(m)):
        terms = (comb(k, j) * m[j] * (-m[1]) ** (k - j) for j in range(k + 1))
        central.append(reduce(torch.add, terms))
    return torch.stack(central, dim=1)


def _roots(central: Tensor, unit: Tensor) -> Tensor:
    """r_k of each c_k, both (N, K, C)."""
    k = torch.arange(1, central.shape[1] + 1, dtype=central.dtype)[:, None].to(central.device)
    scaled = central / unit**k
    return unit * scaled / (1 + scaled.square()) ** ((k - 1) / (2 * k))


def _in_float64(moments: Tensor) -> Tensor:
    return moments.cpu().double() if moments.device.type == "mps" else moments.double()


class _RawMoments(torch.autograd.Function):
    """mean f, mean f², …, mean f^K of each channel; backward keeps the features, not their powers.

    (N, C, H, W) → (N, K, C).
    """

    @staticmethod
    def forward(ctx, features: Tensor, mask: Tensor | None, order: int) -> Tensor:
        ctx.save_for_backward(features, mask)
        F = _precise(features)
        powers = accumulate([F] * order, torch.mul)
        return torch.stack([mean(power, mask) for power in powers], dim=1)

    @staticmethod
    def backward(ctx, slope: Tensor) -> tuple[Tensor, None, None]:
        features, mask = ctx.saved_tensors
        return _pull(features, slope, mask), None, None


def _pull(features: Tensor, slope: Tensor, mask: Tensor | None) -> Tensor:
    """share · Σ_k k slope_k f^{k-1}, by Horner's rule."""
    F = _precise(features)
    D = slope[..., None, None]  # (N, K, C, 1, 1)
    order = D.shape[1]
    total = (order * D[:, -1]).expand_as(F)
    for k in range(order - 1, 0, -1):
        total = total * F + k * D[:, k - 1]
    share = 1 / (F.shape[2] * F.shape[3]) if mask is None else mask.to(F) / mask.to(F).sum()
    return (share * total).to(features.dtype)


def _precise(features: Tensor) -> Tensor:
    return features.float() if features.device.type == "mps" else features.double()
