"""The Gaussian kernel, by either of two estimators."""

from __future__ import annotations

from ..checks import check_choice
from .pairs import GaussianPairs
from .random_features import GaussianFeatures

ESTIMATORS = ("features", "pairs")


def Gaussian(
    bandwidth: float | str = "mean",
    *,
    estimator: str | None = None,
    features: int | None = None,
    pairs: int | None = None,
    seed: int = 0,
) -> GaussianFeatures | GaussianPairs:
    """k(a, b) = exp(-‖a - b‖² / 2σ²): MMD² is 0 only where two distributions are one.

    Parameters
    ----------
    bandwidth
        σ, or a rule for it: "mean"; for pairs "median" as well.
    estimator
        "features" (`GaussianFeatures`): random Fourier features, a statistic that is a mean over
        positions. "pairs" (`GaussianPairs`): unbiased, but an optimiser learns the pairs by heart.
        None: pairs if their number is stated, else features.
    features, pairs
        How many, of the one or the other.
    seed
        Which frequencies, or which pairs.
    """
    if estimator is None:
        estimator = "features" if pairs is None else "pairs"
    check_choice("estimator", estimator, ESTIMATORS)
    if estimator == "pairs":
        if features is not None:
            raise ValueError(
                f"features={features!r} belong to estimator='features', not to 'pairs'"
            )
        return GaussianPairs(bandwidth, pairs, seed)
    if pairs is not None:
        raise ValueError(f"pairs={pairs!r} belong to estimator='pairs', not to 'features'")
    if bandwidth == "median":
        raise ValueError("the median of distances needs pairs: estimator='pairs', or take 'mean'")
    return GaussianFeatures(bandwidth, features, seed)
