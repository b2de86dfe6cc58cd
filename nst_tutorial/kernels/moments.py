"""Style statistics that are means over positions: Gram matrix, means, covariances.

`kernels` explains what they have to do with each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import reduce

import torch
from torch import Tensor

from ..checks import check_integer, check_number
from .statistic import Moments

# --- features --------------------------------------------------------------------------------


def positions(features: Tensor) -> Tensor:
    """(N, C, H, W) → (N, M, C): one feature vector a position. A view if channels are last."""
    if features.dim() != 4 or features.numel() == 0:
        raise ValueError(
            f"features must have shape (N, C, H, W), none of them 0; got {tuple(features.shape)}"
        )
    features = features if features.dtype == torch.float64 else features.float()
    return features.permute(0, 2, 3, 1).flatten(1, 2)


def mean(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the mean feature vector (N, C), each position counting as `mask` says."""
    F = positions(features)
    return F.mean(dim=1) if mask is None else (shares(mask, F) * F).sum(dim=1)


def shares(mask: Tensor, F: Tensor) -> Tensor:
    """The positions' shares in the whole, (1, M, 1), from a mask (1, 1, H, W)."""
    mask = mask.to(F).reshape(1, -1, 1)
    return mask / mask.sum()


PULLED_AT_ONCE = 2**17  # features multiplied at once on a CPU: with the results, 1 MB of its cache


def _pull_of_second_moment(F: Tensor, D: Tensor) -> Tensor:
    """∂<D, FᵀF / M>/∂F = F (D + Dᵀ) / M, for F (N, M, C) and D (N or 1, C, C)."""
    D = ((D + D.transpose(1, 2)) / F.shape[1]).to(F.dtype)
    differentiated = torch.is_grad_enabled() and (F.requires_grad or D.requires_grad)
    if differentiated or F.device.type != "cpu":
        return F @ D
    pull, rows = torch.empty_like(F), max(1, PULLED_AT_ONCE // F.shape[2])
    for n, matrix in enumerate(D.expand(F.shape[0], -1, -1)):
        for first in range(0, F.shape[1], rows):
            some = slice(first, first + rows)
            torch.mm(F[n, some], matrix, out=pull[n, some])
    return pull


class _SecondMoment(torch.autograd.Function):
    """FᵀF / M for F of shape (N, M, C), with half the work in the gradient."""

    @staticmethod
    def forward(ctx, F: Tensor) -> Tensor:
        ctx.save_for_backward(F)
        return F.transpose(1, 2) @ F / F.shape[1]

    @staticmethod
    def backward(ctx, D: Tensor) -> Tensor:
        (F,) = ctx.saved_tensors
        return _pull_of_second_moment(F, D)


def gram_matrix(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the Gram matrices F Fᵀ / M, (N, C, C), of features (N, C, H, W).

    Gatys et al. 2016, equation 3, divided by the number of positions M, so that pictures of
    different sizes can be compared. Computed in float32 at least: float16 would overflow. With a
    mask (1, 1, H, W) the mean over positions is a weighted one.

    >>> gram_matrix(torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]]))  # two channels, two positions
    tensor([[[ 2.5000,  5.5000],
             [ 5.5000, 12.5000]]])
    """
    F = positions(features)
    if mask is not None:
        F = F * (shares(mask, F) * F.shape[1]).sqrt()
    return _SecondMoment.apply(F)


def pull_of_moments(
    features: Tensor,
    first: Tensor | None,
    second: Tensor | None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return ∂(<first, mean> + <second, Gram matrix>)/∂features, (N, C, H, W).

    `first` (N or 1, C) and `second` (N or 1, C, C) are slopes; None counts as zero. Features in
    bfloat16 are pulled in bfloat16: what pulls at them is rounded to that in any case.
    """
    F = features.permute(0, 2, 3, 1).flatten(1, 2)
    F = F if F.dtype == torch.bfloat16 else positions(features)
    pull = torch.zeros_like(F) if second is None else _pull_of_second_moment(F, second)
    if first is not None:
        pull += (first[:, None] / F.shape[1]).to(F.dtype)
    if mask is not None:
        precise = F if F.dtype == torch.float64 else mask.float()
        pull *= (shares(mask, precise) * F.shape[1]).to(F.dtype)
    return pull.unflatten(1, features.shape[2:]).permute(0, 3, 1, 2)


def check_comparable(x: Tensor, y: Tensor) -> None:
    """A ValueError unless y is a statistic of the same layer, for one picture or for as many."""
    if x.shape[1:] != y.shape[1:] or y.shape[0] not in (1, x.shape[0]):
        raise ValueError(
            f"statistics of different layers or numbers of pictures cannot be compared: "
            f"{tuple(x.shape)} and {tuple(y.shape)}"
        )


def _parts(moments: Moments) -> tuple[Tensor, ...]:
    return moments if isinstance(moments, tuple) else (moments,)


def _squared_distance(x: Tensor, y: Tensor) -> Tensor:
    check_comparable(x, y)
    return (x - y).square().sum()


# --- kernels with a finite feature map -------------------------------------------------------


@dataclass(frozen=True)
class Polynomial:
    """k(a, b) = (aᵀb + offset)^degree, for style losses of degree 1 or 2.

    Degree 2: the distance of the Gram matrices plus 2·offset times that of the means (expand the
    square). In practice: features and means side by side, φ(a) = (a aᵀ, √(2·offset) a).
    Higher degrees have feature maps too large for a style loss; `mmd2` evaluates them on pairs.
    """

    degree: int = 2
    offset: float = 0.0
    additive = True

    def __post_init__(self):
        object.__setattr__(self, "degree", check_integer("degree", self.degree, 1))
        object.__setattr__(self, "offset", check_number("offset", self.offset))

    def description(self) -> dict:
        return {"name": "polynomial", **asdict(self)}

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.transpose(-1, -2) + self.offset) ** self.degree

    def statistic(self, features: Tensor, mask: Tensor | None = None) -> Moments:
        if self.degree == 1:
            return mean(features, mask)
        if self.degree == 2 and self.offset == 0:
            return gram_matrix(features, mask)
        if self.degree == 2:
            return gram_matrix(features, mask), (2 * self.offset) ** 0.5 * mean(features, mask)
        raise ValueError(
            f"a polynomial kernel of degree {self.degree} has no statistic small enough for a "
            "style loss; use degree 1 or 2, or mmd2 on few positions"
        )

    def pull(
        self, features: Tensor, slopes: Sequence[Tensor], mask: Tensor | None = None
    ) -> Tensor:
        if self.degree == 1:
            return pull_of_moments(features, slopes[0], None, mask)
        first = (2 * self.offset) ** 0.5 * slopes[1] if self.offset else None
        return pull_of_moments(features, first, slopes[0], mask)

    def distance(self, x: Moments, y: Moments) -> Tensor:
        pairs = zip(_parts(x), _parts(y), strict=True)
        return reduce(torch.add, (_squared_distance(a, b) for a, b in pairs))

    def magnitude(self, y: Moments) -> Tensor:
        return reduce(torch.add, (part.square().sum() for part in _parts(y)))

    def fitted(self, target: Moments) -> Polynomial:
        return self


def Gram() -> Polynomial:
    """The style of Gatys et al. 2016: the Gram matrix, i.e. k(a, b) = (aᵀb)²."""
    return Polynomial(degree=2, offset=0.0)


def Linear() -> Polynomial:
    """k(a, b) = aᵀb: only the mean of the features is kept."""
    return Polynomial(degree=1, offset=0.0)


# --- distances between moments ---------------------------------------------------------------


@dataclass(frozen=True)
class BatchNormStatistics:
    """Mean and standard deviation of each channel: Σ (μ_x - μ_y)² + (σ_x - σ_y)².

    Li et al. 2017, section 3.3. σ = √(variance + epsilon), so that a channel that is silent
    everywhere has a gradient.
    """

    epsilon: float = 1e-5
    additive = True

    def __post_init__(self):
        object.__setattr__(self, "epsilon", check_number("epsilon", self.epsilon))

    def description(self) -> dict:
        return {"name": "bn", **asdict(self)}

    def statistic(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, 2, C): the first and the second moment of each channel, in float64.

        A variance is the small difference of two large moments: float32 would lose its digits.
        (Apple's MPS has no float64; there it must do.)
        """
        F = positions(features)
        F = F if F.device.type == "mps" else F.double()
        if mask is None:
            return torch.stack([F.mean(dim=1), F.square().mean(dim=1)], dim=1)
        share = shares(mask, F)
        return torch.stack([(share * F).sum(dim=1), (share * F.square()).sum(dim=1)], dim=1)

    def _mean_and_deviation(self, moments: Tensor) -> Tensor:
        first, second = moments.unbind(dim=1)
        variance = (second - first.square()).clamp(min=0)
        return torch.stack([first, (variance + self.epsilon).sqrt()], dim=1)

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        return _squared_distance(self._mean_and_deviation(x), self._mean_and_deviation(y))

    def magnitude(self, y: Tensor) -> Tensor:
        return self._mean_and_deviation(y).square().sum()

    def fitted(self, target: Moments) -> BatchNormStatistics:
        return self


@dataclass(frozen=True)
class Wasserstein:
    """Squared 2-Wasserstein distance of the Gaussians with the features' means and covariances:

        ‖μ_x - μ_y‖² + tr(Σ_x + Σ_y - 2 (Σ_y^½ Σ_x Σ_y^½)^½)

    (Dowson & Landau 1982, doi 10.1016/0047-259X(82)90077-X, equation 4). Covariances have
    `epsilon` times the mean variance of y added to their diagonals, since silent channels make
    them singular, and for float32 features a millionth of the mean second moment, below which
    their rounding makes variances meaningless. Where the rounding of a flat or periodic style is
    more than that, twice as much is added until its covariance is positive definite. The distance
    itself is computed in float64.
    """

    epsilon: float = 1e-4
    additive = True

    def __post_init__(self):
        object.__setattr__(self, "epsilon", check_number("epsilon", self.epsilon))

    def description(self) -> dict:
        return {"name": "wasserstein", **asdict(self)}

    def statistic(self, features: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return mean(features, mask), gram_matrix(features, mask)

    def pull(
        self, features: Tensor, slopes: Sequence[Tensor], mask: Tensor | None = None
    ) -> Tensor:
        return pull_of_moments(features, slopes[0], slopes[1], mask)

    def distance(self, x: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        check_comparable(x[0], y[0])
        device, dtype = x[0].device, x[0].dtype
        (mean_x, cov_x), (mean_y, cov_y) = map(_mean_and_covariance, (x, y))
        variance = cov_y.diagonal(dim1=-2, dim2=-1).mean(dim=-1).clamp(min=0)
        # A flat picture has no variance, and float32 moments round it to below zero.
        rounding = 0.0 if dtype == torch.float64 else 1e-6
        second = y[1].diagonal(dim1=-2, dim2=-1).mean(dim=-1).to(variance)
        ridge, L = _positive_definite(cov_y, self.epsilon * variance + rounding * second + 1e-8)
        cov_x, cov_y = cov_x + ridge, cov_y + ridge
        # Σ_y = L Lᵀ: the eigenvalues of Lᵀ Σ_x L are those of Σ_y^½ Σ_x Σ_y^½.
        product = L.transpose(-1, -2) @ cov_x @ L
        if product.isfinite().all():
            overlap = torch.linalg.eigvalsh(product).clamp(min=1e-24).sqrt().sum()
        else:  # of a picture that has diverged: not finite, as every other statistic's distance
            overlap = product.sum() * math.nan
        traces = (cov_x + cov_y).diagonal(dim1=-2, dim2=-1).sum()
        distance = (mean_x - mean_y).square().sum() + traces - 2 * overlap
        return distance.to(device, dtype)

    def magnitude(self, y: tuple[Tensor, Tensor]) -> Tensor:
        return y[1].diagonal(dim1=-2, dim2=-1).sum()  # ‖μ‖² + tr Σ

    def fitted(self, target: Moments) -> Wasserstein:
        return self


def _positive_definite(cov: Tensor, ridge: Tensor) -> tuple[Tensor, Tensor]:
    """Return (ridge · I, L) with L Lᵀ = cov + ridge · I, for covariances (N, C, C).

    A ridge (N,) is doubled until that exists: at the latest when it exceeds the norm of `cov`. L of
    covariances that are not finite is NaN.
    """
    identity = torch.eye(cov.shape[-1], dtype=cov.dtype, device=cov.device)
    finite = cov.isfinite().flatten(1).all(dim=1) & ridge.isfinite()
    while True:
        added = ridge[:, None, None] * identity
        L, failed = torch.linalg.cholesky_ex(cov + added)
        again = (failed > 0) & finite
        if not again.any():
            return added, torch.where(finite[:, None, None], L, math.nan)
        ridge = torch.where(again, 2 * ridge, ridge)


def _mean_and_covariance(moments: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    first, second = moments
    if first.device.type == "mps":  # which has no float64
        first, second = first.cpu(), second.cpu()
    first, second = first.double(), second.double()
    return first, second - first[:, :, None] * first[:, None, :]
