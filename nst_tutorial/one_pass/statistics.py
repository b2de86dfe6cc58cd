"""Features with the statistics of others, in closed form: AdaIN and WCT.

Optimisation moves a picture until its features have a style's statistics. Here the features are
moved themselves: each by one affine map, after which mean and deviation (AdaIN), or mean and
covariance (WCT), are those of the style, exactly. A `Decoder` makes the picture.

Features are (N, C, H, W), masks (1, 1, H, W) and say how much each position counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..kernels.moments import positions, shares

EPSILON = 1e-5  # added to variances, as in instance normalisation
ROWS = 65536  # positions whose features are in float64 at a time
SMALLEST = 1e-6  # eigenvalues below this part of the largest are noise of rounding


def mean_and_deviation(features: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return each channel's mean and standard deviation, (N, C, 1, 1) each.

    Those are the statistics of `kernels.BatchNormStatistics`, σ = √(variance + ε).
    """
    if mask is None:
        mean = features.mean(dim=(2, 3), keepdim=True)
        variance = features.var(dim=(2, 3), keepdim=True, correction=0)
    else:
        share = mask.to(features) / mask.sum().to(features)
        mean = (share * features).sum(dim=(2, 3), keepdim=True)
        variance = (share * (features - mean).square()).sum(dim=(2, 3), keepdim=True)
    return mean, (variance + EPSILON).sqrt()


def adain(content: Tensor, mean: Tensor, deviation: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return σ(y) (x - μ(x)) / σ(x) + μ(y), for the content's features x and a style's statistics.

    Huang & Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance
    Normalization", arXiv 1703.06868, equation 8. With a mask μ(x) and σ(x) are those inside it.

    >>> import torch
    >>> x, y = torch.rand(1, 3, 4, 4), torch.rand(1, 3, 6, 5)
    >>> moved = adain(x, *mean_and_deviation(y))
    >>> torch.allclose(moved.mean(dim=(2, 3)), y.mean(dim=(2, 3)), atol=1e-5)
    True
    """
    own_mean, own_deviation = mean_and_deviation(content, mask)
    return torch.addcmul(mean, deviation / own_deviation, content - own_mean)


@dataclass(frozen=True)
class Spectrum:
    """Mean (C,) of a layer's features, and the eigenvectors (C, K) and eigenvalues (K,) of their
    covariance that are more than rounding, in float64."""

    mean: Tensor
    vectors: Tensor
    values: Tensor


def spectrum(features: Tensor, mask: Tensor | None = None) -> Spectrum:
    """Return the spectrum of the features (1, C, H, W)."""
    F = positions(features)[0]
    share = torch.ones_like(F[:, :1]) if mask is None else shares(mask, F[None])[0]
    if F.device.type == "mps":  # which has no float64
        F, share = F.cpu(), share.cpu()
    share = share.double() / share.double().sum()
    rows = list(zip(F.split(ROWS), share.split(ROWS), strict=True))
    mean = torch.stack([(w * x).sum(dim=0) for x, w in rows]).sum(dim=0)
    covariance = torch.zeros(len(mean), len(mean)).to(mean)
    for x, w in rows:
        centred = x - mean
        covariance += centred.T @ (w * centred)
    values, vectors = torch.linalg.eigh(covariance)
    seen = values > SMALLEST * values[-1].clamp(min=torch.finfo(F.dtype).tiny)
    return Spectrum(mean, vectors[:, seen], values[seen])


def wct(content: Tensor, style: Spectrum, mask: Tensor | None = None) -> Tensor:
    """Return the content's features (1, C, H, W), whitened, and coloured as a style's are:

        E_y D_y^½ E_yᵀ E_x D_x^-½ E_xᵀ (x - μ(x)) + μ(y)

    Li, Fang, Yang, Wang, Lu & Yang 2017, "Universal Style Transfer via Feature Transforms", arXiv
    1705.08086, equations 1 and 2. Directions in which the content's features do not vary stay
    without variance: with fewer positions than channels the covariance cannot become the style's.
    """
    own = spectrum(content, mask)
    whiten = (own.vectors / own.values.sqrt()) @ own.vectors.T
    color = (style.vectors * style.values.sqrt()) @ style.vectors.T
    F = positions(content)[0]
    moved = (F - own.mean.to(F)) @ (color @ whiten).T.to(F) + style.mean.to(F)
    height, width = content.shape[2:]
    return moved.T.reshape(1, -1, height, width)
