"""By what terms are multiplied: the normalisations of papers, and ours."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..kernels.moments import BatchNormStatistics, Polynomial
from ..kernels.pairs import GaussianPairs
from ..kernels.random_features import GaussianFeatures
from ..kernels.statistic import Moments, Statistic
from ..presets import CONTENT_NORMALIZATIONS, STYLE_NORMALIZATIONS

# --- factors ---------------------------------------------------------------------------------


def content_factor(normalization: str, target: Tensor) -> float:
    """Return the factor of Σ (F - P)² under a name from CONTENT_NORMALIZATIONS."""
    if normalization == "sum":
        return 0.5
    if normalization == "mean":
        return 1 / target.numel()
    if normalization == "relative":
        return 1 / _nonzero(target.square().mean()) / target.numel()
    raise ValueError(
        f"unknown normalization {normalization!r} of the content loss; there are "
        + ", ".join(CONTENT_NORMALIZATIONS)
    )


def style_factor(
    normalization: str, kernel: Statistic, target: Moments, shape: Sequence[int]
) -> float:
    """Return the factor of the statistic's distance under a name from STYLE_NORMALIZATIONS.

    `shape` (1, C, H, W) is that of the style's features, from which `target` was made.
    """
    channels = shape[1]
    if normalization == "sum":
        return 1.0
    if normalization == "paper":
        return 1 / (4 * channels**2)
    if normalization == "code":
        return 1e3 / channels**4
    if normalization == "relative":
        return 1 / _nonzero(kernel.magnitude(target))
    if normalization == "li2017-code":
        return _li2017_code(kernel, channels, shape[2] * shape[3])
    raise ValueError(
        f"unknown normalization {normalization!r} of the style loss; there are "
        + ", ".join(STYLE_NORMALIZATIONS)
    )


def _li2017_code(kernel: Statistic, C: int, M: int) -> float:
    """The factors that Li et al.'s code amounts to, before their style weight.

    They are written there for sums over the M positions, and into the gradients; here they stand
    before distances of means, hence the powers of M.
    """
    if isinstance(kernel, Polynomial) and kernel.degree == 2:
        return 0.1 * M / (4 * C**2)
    if isinstance(kernel, Polynomial) and kernel.degree == 1:
        return 2e3 * M / (2 * C)
    if isinstance(kernel, GaussianPairs | GaussianFeatures):
        return 3e14 / (4 * C)
    if isinstance(kernel, BatchNormStatistics):
        return 1e3 * M / (2 * C)
    raise ValueError(f"the code of Li et al. 2017 has no factor for {kernel}")


def _nonzero(magnitude: Tensor) -> float:
    """The magnitude, or 1 where the features are all zero (a black picture in a dead layer)."""
    value = float(magnitude)
    return value if value > 0 else 1.0
