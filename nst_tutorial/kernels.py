"""Style statistics: what is kept of a layer's features when their positions are forgotten.

Write f_p for the C features at position p, M for the number of positions. Matching statistics of
two pictures x and y means minimising the squared maximum mean discrepancy under a kernel k (Li et
al. 2017, "Demystifying Neural Style Transfer", arXiv 1701.01036, section 3),

    MMD²(x, y) = mean k(f_p(x), f_q(x)) + mean k(f_p(y), f_q(y)) - 2 mean k(f_p(x), f_q(y)),

over all pairs of positions p, q. A kernel k(a, b) = <φ(a), φ(b)> with a finite feature map φ needs
no pairs: MMD² = ‖S_x - S_y‖² with the statistic S = mean φ(f_p). For k = (aᵀb)² the map is
φ(a) = a aᵀ, so S is the Gram matrix, and this is the style loss of Gatys et al. 2016.

Each class here is one statistic. They share a face (`Statistic`) and hold no state, so that every
user of one can switch to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

Moments = Tensor | tuple  # a tensor, or a tuple of such


class Statistic(Protocol):
    """What a style can be: something of a layer's features, and a distance between two of them.

    If `additive`, the statistic is a mean over positions, so that of a large picture is the mean
    of those of its tiles, weighted with their numbers of positions.
    """

    additive: bool

    def statistic(self, features: Tensor) -> Moments:
        """(N, C, H, W) → the statistic of each of the N, in float32 at least."""

    def distance(self, x: Moments, y: Moments) -> Tensor:
        """The squared distance of two statistics, summed over the batch: a scalar."""

    def magnitude(self, y: Moments) -> Tensor:
        """The distance of y from features that are all zero, or its natural unit: a scalar."""

    def fitted(self, features: Tensor) -> Statistic:
        """The statistic with every free constant chosen for a style's features, once for all."""


# --- features --------------------------------------------------------------------------------


def positions(features: Tensor) -> Tensor:
    """(N, C, H, W) → (N, M, C): one feature vector a position. A view if channels are last."""
    if features.dim() != 4 or features.numel() == 0:
        raise ValueError(
            f"features must have shape (N, C, H, W), none of them 0; got {tuple(features.shape)}"
        )
    features = features if features.dtype == torch.float64 else features.float()
    return features.permute(0, 2, 3, 1).flatten(1, 2)


class _SecondMoment(torch.autograd.Function):
    """FᵀF / M for F of shape (N, M, C), with half the work in the gradient: F (D + Dᵀ) / M."""

    @staticmethod
    def forward(ctx, F: Tensor) -> Tensor:
        ctx.save_for_backward(F)
        return F.transpose(1, 2) @ F / F.shape[1]

    @staticmethod
    def backward(ctx, D: Tensor) -> Tensor:
        (F,) = ctx.saved_tensors
        return F @ ((D + D.transpose(1, 2)) / F.shape[1])


def gram_matrix(features: Tensor) -> Tensor:
    """Return the Gram matrices F Fᵀ / M, (N, C, C), of features (N, C, H, W).

    Gatys et al. 2016, equation 3, divided by the number of positions M, so that pictures of
    different sizes can be compared. Computed in float32 at least: float16 would overflow.
    """
    return _SecondMoment.apply(positions(features))


def _squared_distance(x: Tensor, y: Tensor) -> Tensor:
    if x.shape[1:] != y.shape[1:]:
        raise ValueError(
            f"statistics of different layers cannot be compared: {tuple(x.shape)} and "
            f"{tuple(y.shape)}"
        )
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
        if isinstance(self.degree, bool) or self.degree != int(self.degree) or self.degree < 1:
            raise ValueError(f"degree must be a whole number of at least 1, got {self.degree!r}")
        if not 0 <= self.offset < float("inf"):
            raise ValueError(f"offset must be finite and ≥ 0, got {self.offset!r}")

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.transpose(-1, -2) + self.offset) ** self.degree

    def statistic(self, features: Tensor) -> Moments:
        if self.degree == 1:
            return positions(features).mean(dim=1)
        if self.degree == 2 and self.offset == 0:
            return gram_matrix(features)
        if self.degree == 2:
            mean = positions(features).mean(dim=1)
            return gram_matrix(features), (2 * self.offset) ** 0.5 * mean
        raise ValueError(
            f"a polynomial kernel of degree {self.degree} has no statistic small enough for a "
            "style loss; use degree 1 or 2, or mmd2 on few positions"
        )

    def distance(self, x: Moments, y: Moments) -> Tensor:
        if isinstance(x, tuple):
            return sum(_squared_distance(a, b) for a, b in zip(x, y, strict=True))
        return _squared_distance(x, y)

    def magnitude(self, y: Moments) -> Tensor:
        return sum(part.square().sum() for part in (y if isinstance(y, tuple) else (y,)))

    def fitted(self, features: Tensor) -> Polynomial:
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

    def statistic(self, features: Tensor) -> Tensor:
        """(N, 2, C): the first and the second moment of each channel."""
        F = positions(features)
        return torch.stack([F.mean(dim=1), F.square().mean(dim=1)], dim=1)

    def _mean_and_deviation(self, moments: Tensor) -> Tensor:
        mean, square = moments.unbind(dim=1)
        variance = (square - mean.square()).clamp(min=0)
        return torch.stack([mean, (variance + self.epsilon).sqrt()], dim=1)

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        return _squared_distance(self._mean_and_deviation(x), self._mean_and_deviation(y))

    def magnitude(self, y: Tensor) -> Tensor:
        return self._mean_and_deviation(y).square().sum()

    def fitted(self, features: Tensor) -> BatchNormStatistics:
        return self


@dataclass(frozen=True)
class Wasserstein:
    """Squared 2-Wasserstein distance of the Gaussians with the features' means and covariances:

        ‖μ_x - μ_y‖² + tr(Σ_x + Σ_y - 2 (Σ_y^½ Σ_x Σ_y^½)^½)

    (Dowson & Landau 1982, doi 10.1016/0047-259X(82)90077-X, equation 4). Covariances have
    `epsilon` times the mean variance of y added to their diagonals, since silent channels make
    them singular. Computed in float64.
    """

    epsilon: float = 1e-4
    additive = True

    def statistic(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return positions(features).mean(dim=1), gram_matrix(features)

    def distance(self, x: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        _squared_distance(x[0], y[0])  # refuses different channels
        device, dtype = x[0].device, x[0].dtype
        (mean_x, cov_x), (mean_y, cov_y) = map(_mean_and_covariance, (x, y))
        identity = torch.eye(cov_y.shape[-1], dtype=cov_y.dtype, device=cov_y.device)
        variance = cov_y.diagonal(dim1=-2, dim2=-1).mean(dim=-1).clamp(min=0)
        # A flat picture has no variance, and float32 moments round it to below zero.
        rounding = 0.0 if dtype == torch.float64 else 1e-6
        second = y[1].diagonal(dim1=-2, dim2=-1).mean(dim=-1).to(variance)
        ridge = (self.epsilon * variance + rounding * second + 1e-8)[:, None, None] * identity
        cov_x, cov_y = cov_x + ridge, cov_y + ridge
        # Σ_y = L Lᵀ: the eigenvalues of Lᵀ Σ_x L are those of Σ_y^½ Σ_x Σ_y^½.
        L = torch.linalg.cholesky(cov_y)
        eigenvalues = torch.linalg.eigvalsh(L.transpose(-1, -2) @ cov_x @ L)
        overlap = eigenvalues.clamp(min=1e-24).sqrt().sum()
        traces = (cov_x + cov_y).diagonal(dim1=-2, dim2=-1).sum()
        distance = (mean_x - mean_y).square().sum() + traces - 2 * overlap
        return distance.to(device, dtype)

    def magnitude(self, y: tuple[Tensor, Tensor]) -> Tensor:
        return y[1].diagonal(dim1=-2, dim2=-1).sum()  # ‖μ‖² + tr Σ

    def fitted(self, features: Tensor) -> Wasserstein:
        return self


def _mean_and_covariance(moments: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    mean, second = moments
    if mean.device.type == "mps":  # which has no float64
        mean, second = mean.cpu(), second.cpu()
    mean, second = mean.double(), second.double()
    return mean, second - mean[:, :, None] * mean[:, None, :]


# --- a kernel without a finite feature map ---------------------------------------------------


@dataclass(frozen=True)
class Gaussian:
    """k(a, b) = exp(-‖a - b‖² / 2σ²), estimated on disjoint pairs of positions.

    There is no finite feature map, so nothing is additive. The estimator takes time linear in the
    number of pairs and is unbiased (Gretton et al. 2012, "A Kernel Two-Sample Test", lemma 14):

        mean over pairs i of  k(x_i, x'_i) + k(y_i, y'_i) - k(x_i, y'_i) - k(x'_i, y_i).

    It may come out below zero. The positions are drawn by `seed` and their number alone, so they
    stay the same for a whole optimisation: drawing anew would make the objective jump.

    Parameters
    ----------
    bandwidth
        σ, or a rule for it, applied once to the style's features by `fitted`: "mean" is 2σ² = mean
        squared distance of a pair (the authors' code), "median" is 2σ² = median.
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
        elif not 0 < self.bandwidth < float("inf"):
            raise ValueError(f"bandwidth must be above 0, got {self.bandwidth!r}")
        if self.pairs is not None and (
            isinstance(self.pairs, bool) or self.pairs != int(self.pairs) or self.pairs < 1
        ):
            raise ValueError(f"pairs must be a whole number of at least 1, got {self.pairs!r}")

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
            raise ValueError("a Gaussian kernel needs features at two positions at least, got 1")
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(F.shape[1], generator=generator)[: 2 * pairs]
        return F[:, order.to(F.device)].unflatten(1, (2, pairs))

    def fitted(self, features: Tensor) -> Gaussian:
        if not isinstance(self.bandwidth, str):
            return self
        first, second = self.statistic(features.detach()).unbind(dim=1)
        squared = (first - second).square().sum(dim=-1)
        middle = squared.mean() if self.bandwidth == "mean" else squared.median()
        return replace(self, bandwidth=float((middle / 2).sqrt()) or 1.0)  # 1 for a flat picture

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        pairs = min(x.shape[2], y.shape[2])
        if x.shape[-1] != y.shape[-1]:
            raise ValueError(f"different channels: {x.shape[-1]} and {y.shape[-1]}")
        (x1, x2), (y1, y2) = (z[:, :, :pairs].unbind(dim=1) for z in (x, y))

        def k(a: Tensor, b: Tensor) -> Tensor:
            return self._of_gaps((a - b).square().sum(dim=-1))

        return (k(x1, x2) + k(y1, y2) - k(x1, y2) - k(x2, y1)).mean(dim=-1).sum()

    def magnitude(self, y: Tensor) -> Tensor:
        return torch.ones((), dtype=y.dtype, device=y.device)  # k is at most 1


# --- combinations ----------------------------------------------------------------------------


@dataclass(frozen=True)
class WeightedSum:
    """Several statistics at once; the distance is Σ weight · distance of each.

    Distances come in very different units. If `relative`, `fitted` divides each by its magnitude
    for the style, so that equal weights mean equal say.
    """

    parts: tuple[tuple[float, Statistic], ...]
    relative: bool = True
    additive: bool = field(init=False)

    def __post_init__(self):
        if not self.parts:
            raise ValueError("a weighted sum of kernels needs at least one")
        for weight, kernel in self.parts:
            if not 0 <= weight < float("inf"):
                raise ValueError(f"the weight of {kernel} must be finite and ≥ 0, got {weight}")
        object.__setattr__(self, "additive", all(kernel.additive for _, kernel in self.parts))

    def statistic(self, features: Tensor) -> tuple[Moments, ...]:
        return tuple(kernel.statistic(features) for _, kernel in self.parts)

    def distance(self, x: tuple[Moments, ...], y: tuple[Moments, ...]) -> Tensor:
        triples = zip(self.parts, x, y, strict=True)
        return sum(weight * kernel.distance(a, b) for (weight, kernel), a, b in triples)

    def magnitude(self, y: tuple[Moments, ...]) -> Tensor:
        return sum(
            weight * kernel.magnitude(b) for (weight, kernel), b in zip(self.parts, y, strict=True)
        )

    def fitted(self, features: Tensor) -> WeightedSum:
        parts = []
        for weight, kernel in self.parts:
            kernel = kernel.fitted(features)
            unit = float(kernel.magnitude(kernel.statistic(features))) if self.relative else 1.0
            parts.append((weight / (unit or 1.0), kernel))
        return WeightedSum(tuple(parts), relative=False)


KERNELS = {
    "gram": Gram,
    "linear": Linear,
    "polynomial": Polynomial,
    "gaussian": Gaussian,
    "bn": BatchNormStatistics,
    "wasserstein": Wasserstein,
}

Kernel = str | Mapping | Statistic


def get_kernel(kernel: Kernel) -> Statistic:
    """Return a statistic from its description.

    A name ("gram"); a mapping with a name and parameters ({"name": "polynomial", "offset": 1});
    a mapping {"sum": [[weight, description], …]}; or a statistic, which is returned as it is.

    Raises
    ------
    ValueError
        An unknown name or parameter; the message lists what there is.
    """
    if isinstance(kernel, str):
        kernel = {"name": kernel}
    if not isinstance(kernel, Mapping):
        if not all(hasattr(kernel, name) for name in ("statistic", "distance", "magnitude")):
            raise ValueError(f"a kernel is a name or a statistic, got {kernel!r}")
        return kernel
    if "sum" in kernel:
        parts = tuple((weight, get_kernel(part)) for weight, part in kernel["sum"])
        return WeightedSum(parts, kernel.get("relative", True))
    name = kernel.get("name")
    if name not in KERNELS:
        raise ValueError(f"unknown kernel {name!r}; there are {', '.join(KERNELS)}")
    parameters = {key: value for key, value in kernel.items() if key != "name"}
    try:
        return KERNELS[name](**parameters)
    except TypeError as error:
        raise ValueError(f"kernel {name} takes no such parameters: {parameters}") from error


def describe(kernel: Statistic) -> dict:
    """Return the description from which `get_kernel` makes an equal statistic, as JSON holds it."""
    if isinstance(kernel, WeightedSum):
        parts = [[weight, describe(part)] for weight, part in kernel.parts]
        return {"sum": parts, "relative": kernel.relative}
    for name in ("polynomial", "gaussian", "bn", "wasserstein"):
        if type(kernel) is KERNELS[name]:
            return {"name": name, **asdict(kernel)}
    return {"name": repr(kernel)}


def mmd2(x: Tensor, y: Tensor, kernel) -> Tensor:
    """Return MMD² of two sets of features by brute force, over *all* pairs, equal ones too.

    Li et al. 2017, equation 2. Memory grows with the product of the numbers of positions: meant
    for small sets, and for kernels of any degree.

    Parameters
    ----------
    x, y
        Features (1, C, H, W), of any two sizes.
    kernel
        A function of (M, C) and (M', C) to the kernel matrix (M, M'): `Polynomial`, `Gaussian` (a
        bandwidth that is a rule is fitted to y), or your own.
    """
    if not callable(kernel):
        raise ValueError(f"{kernel} is a distance of moments, not a kernel k(a, b)")
    a, b = positions(x)[0], positions(y)[0]
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"features have different channels: {a.shape[1]} and {b.shape[1]}")
    kernel = kernel.fitted(y) if hasattr(kernel, "fitted") else kernel
    return kernel(a, a).mean() + kernel(b, b).mean() - 2 * kernel(a, b).mean()
