"""The Gaussian kernel by random Fourier features: a mean over positions, as the Gram matrix is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ..checks import check_integer
from .bandwidth import SMALLEST, bell, check_bandwidth, chosen, squared_gaps
from .moments import check_comparable, mean, positions, shares

FEWEST, MOST = 128, 1024  # features of a layer, unless told otherwise
MOST_FEATURES = 2**16
STRIP_NUMBERS = 2**17  # angles that are in memory at once: 512 KB, which stay in the cache
FLAT = 1e-4  # a style whose spread is below a hundredth of the bandwidth


@dataclass(frozen=True)
class GaussianFeatures:
    """k(a, b) = exp(-‖a - b‖² / 2σ²), by a feature map that is short and nearly exact.

    The Gaussian is the Fourier transform of a Gaussian, so that for frequencies w drawn from
    N(0, I/σ²) the mean of cos w·(a - b) is k(a, b). D/2 of them make a feature map of D numbers
    (Rahimi & Recht 2007, "Random Features for Large-Scale Kernel Machines"),

        φ(a) = √(2/D) (cos Wa, sin Wa),    k(a, b) = <φ(a), φ(b)> + O(1/√D),

    and a statistic that is a mean over positions, S = mean φ(f_p), with MMD² = ‖S_x - S_y‖². It is
    the characteristic function of the features at D/2 places. W is drawn once by `seed`: a squared
    distance of D numbers is what is minimised, exactly, not an estimate that changes.

    C rows of W at a time are orthogonal (Yu et al. 2016, "Orthogonal Random Features"). Over VGG
    features that halves the error of MMD² as soon as D/2 reaches C, as 4 D independent ones would.

    Parameters
    ----------
    bandwidth
        σ, or "mean": 2σ² = mean squared distance of two positions of the style, as Li et al.'s code
        has it, chosen by `fitted`. It is twice the trace of the features' covariance, so no pairs
        are needed. As long as it is not chosen, the statistic is `preliminary`: those moments.
    features
        D, an even number; None: two for each channel, but 128 at least and 1024 at most. With D/2 =
        C frequencies, one block of orthogonal ones, statistic and gradient take 3 M C² products of
        numbers where the Gram matrix takes 2 M C², and 3 M C cosines.
    """

    bandwidth: float | str = "mean"
    features: int | None = None
    seed: int = 0
    additive = True

    def __post_init__(self):
        object.__setattr__(self, "bandwidth", check_bandwidth(self.bandwidth, ("mean",)))
        if self.features is not None:
            object.__setattr__(self, "features", _check_features(self.features))
        object.__setattr__(self, "seed", check_integer("seed", self.seed, 0))

    def description(self) -> dict:
        return {"name": "gaussian", "estimator": "features", **asdict(self)}

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """The kernel that the features approximate: (M, C), (M', C) → (M, M')."""
        return bell(squared_gaps(a, b), self.bandwidth)

    @property
    def preliminary(self) -> bool:
        """Whether the bandwidth is still to be chosen, from moments instead of features."""
        return isinstance(self.bandwidth, str)

    def statistic(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, D), mean φ(f_p): cosines first. While `preliminary` (N, C + 1): mean f, mean ‖f‖²."""
        if self.preliminary:
            return _mean_and_square(features, mask)
        F, W = positions(features), self._frequencies_for(features)
        weights = None if mask is None else shares(mask, F)[0]
        return _MeanOfWaves.apply(F, W, weights)

    def pull(
        self, features: Tensor, slopes: Sequence[Tensor], mask: Tensor | None = None
    ) -> Tensor:
        """∂<slope, S>/∂features, (N, C, H, W); the only slope is (N or 1, D)."""
        F, W = positions(features.detach()), self._frequencies_for(features)
        weights = None if mask is None else shares(mask, F)[0]
        pulled = _pull(F, W, weights, slopes[0].detach())
        return pulled.unflatten(1, features.shape[2:]).permute(0, 3, 1, 2)

    def _frequencies_for(self, features: Tensor) -> Tensor:
        channels = features.shape[1]
        count = (self.features or min(MOST, max(FEWEST, 2 * channels))) // 2
        dtype = torch.float64 if features.dtype == torch.float64 else torch.float32
        return _scaled(channels, count, self.seed, chosen(self.bandwidth), dtype, features.device)

    def fitted(self, target: Tensor) -> GaussianFeatures:
        if not self.preliminary:
            return self
        first, second = target[0, :-1], target[0, -1]
        variance, size = float(second - first.square().sum()), float(second)
        rounding = 1e-10 if target.dtype == torch.float64 else 1e-5
        if variance < rounding * size:  # a flat style: any other is far from it
            variance = size
        bandwidth = max(variance, 0.0) ** 0.5
        return replace(self, bandwidth=bandwidth if bandwidth > SMALLEST else 1.0)

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        chosen(self.bandwidth)
        check_comparable(x, y)
        return (x - y).square().sum()

    def magnitude(self, y: Tensor) -> Tensor:
        """How far y is from itself when all its features move by half of their spread.

        Moving them by δ turns the phases of S; for directions at random ‖S_x - S_y‖² is, to first
        order, ‖S_y‖² ‖δ‖²/σ². The spread is known from S_y, too: positions that differ by √2 of it
        have ‖S_y‖² = exp(-spread²/σ²). The distance from zero, ‖S_y - φ(0)‖², would be no unit for
        a kernel that falls off: all that is far is equally far.
        """
        square = y.square().sum()
        spread = -square.clamp(max=1).log()  # in units of σ, squared
        return torch.where(spread > FLAT, square * spread / 4, torch.ones_like(square))


def _check_features(features: object) -> int:
    count = check_integer("features", features, 2, MOST_FEATURES)
    if count % 2:
        raise ValueError(f"features must be even, a cosine and a sine each; got {count}")
    return count


def _mean_and_square(features: Tensor, mask: Tensor | None) -> Tensor:
    """(N, C + 1): mean f and mean ‖f‖², in float64, since a variance is their small difference."""
    features = features if features.device.type == "mps" else features.double()
    size = features.square().sum(dim=1, keepdim=True)
    return torch.cat([mean(features, mask), mean(size, mask)], dim=1)


# --- frequencies -----------------------------------------------------------------------------


@lru_cache(maxsize=64)
@torch.inference_mode(False)  # the next to ask may need a gradient
def _scaled(
    channels: int, count: int, seed: int, bandwidth: float, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """W, (count, C), on a device."""
    return (orthogonal_frequencies(channels, count, seed) / bandwidth).to(device, dtype)


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def orthogonal_frequencies(channels: int, count: int, seed: int) -> Tensor:
    """W for σ = 1, (count, C), in float64 and on the CPU: the same for every device.

    Each row is normally distributed, but C of them at a time are orthogonal (Yu et al. 2016,
    "Orthogonal Random Features", section 3): uniform directions, with the norms of normal vectors.
    """
    shape = (2, -(-count // channels), channels, channels)  # blocks of C rows
    generator = torch.Generator().manual_seed(seed)
    normal, another = torch.randn(shape, generator=generator, dtype=torch.float64)
    Q, R = torch.linalg.qr(normal)
    signs = R.diagonal(dim1=1, dim2=2).sign()  # that make Q uniform: LAPACK chooses its own
    W = another.norm(dim=2, keepdim=True) * (Q * signs[:, None]).mT
    return W.flatten(0, 1)[:count].clone()


# --- means of cosines and sines --------------------------------------------------------------


class _MeanOfWaves(torch.autograd.Function):
    """mean √(2/D) (cos Wf, sin Wf) over the positions: (N, M, C) → (N, D).

    Nothing but F is kept for the gradient. The angles, as many as positions times D/2, are computed
    once more instead.
    """

    @staticmethod
    def forward(ctx: Any, F: Tensor, W: Tensor, weights: Tensor | None) -> Tensor:
        ctx.save_for_backward(F, W, weights)
        total = F.new_zeros(F.shape[0], 2, len(W))
        for strip in _strips(F, W):
            angles = F[:, strip] @ W.T
            for i, wave in enumerate((torch.cos, torch.sin)):
                values = wave(angles)
                total[:, i] += (values if weights is None else weights[strip] * values).sum(dim=1)
        scale = 1 if weights is not None else 1 / F.shape[1]
        return total.flatten(1) * (scale / math.sqrt(len(W)))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        F, W, weights = ctx.saved_tensors
        return _pull(F, W, weights, slope), None, None


def _pull(F: Tensor, W: Tensor, weights: Tensor | None, slope: Tensor) -> Tensor:
    """∂<slope, S>/∂F, (N, M, C).

    For a frequency with the slopes a of its cosine and b of its sine it is (b cos θ - a sin θ) w =
    r cos(θ + ψ) w with r² = a² + b² and tan ψ = a/b: one cosine, not two waves.
    """
    a, b = slope.to(F).unflatten(1, (2, -1)).unbind(dim=1)
    scale = 1 if weights is not None else 1 / F.shape[1]
    amplitude = torch.hypot(a, b) * (scale / math.sqrt(len(W)))  # (N, D/2)
    phase, rows = torch.atan2(a, b)[:, None], amplitude[:, :, None] * W
    pulled = torch.empty_like(F)
    for strip in _strips(F, W):
        angles = torch.baddbmm(phase, F[:, strip], W.T.expand(len(F), -1, -1))
        wave = angles.cos_() if weights is None else angles.cos_().mul_(weights[strip])
        pulled[:, strip] = wave @ rows
    return pulled


def _strips(F: Tensor, W: Tensor) -> Iterator[slice]:
    """Slices of positions with few angles each."""
    length = max(1, STRIP_NUMBERS // (F.shape[0] * len(W)))
    return (slice(at, at + length) for at in range(0, F.shape[1], length))
