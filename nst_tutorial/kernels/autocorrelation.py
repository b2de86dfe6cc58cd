"""The Gram matrix and the autocorrelation of each channel: what stands at which distance.

A Gram matrix only knows what is at the same place: it stays the same if positions are shuffled. So
a wall has bricks, but courses no longer than what a unit of the network sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from ..checks import check_integer, check_number
from .moments import check_comparable, gram_matrix, mean
from .statistic import Moments, Part

FARTHEST = 4096  # positions, more than which hardly any picture has
CHUNK = 2**21  # numbers in the channels that are transformed at once: 8 MB
FLAT = 1e-6  # of the second moments: that is what rounding may leave of a covariance

Region = tuple[slice, slice]  # rows and columns
Lags = tuple[int, int]  # the longest shift down and the longest one across
Lagged = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Autocorrelation:
    """Gram matrix G, and the autocovariance A of each channel c over all shifts Δ up to `reach`:

        A_c(Δ) = mean over p of f_c(p) f_c(p + Δ) - μ_c²,

        distance = ‖G(x) - G(y)‖² / ‖G(y)‖² + weight · ‖A(x) - A(y)‖² / ‖A(y)‖².

    For regular textures, as Sendik & Cohen-Or 2017, "Deep Correlations for Texture Synthesis" (doi
    10.1145/3015461). All shifts together cost a few Fourier transforms (Wiener-Khinchin theorem);
    Berger & Memisevic 2017 (arXiv 1606.01286) take whole Gram matrices of features against shifted
    ones instead, each as dear as the Gram matrix. Without taking off μ², which that knows already,
    A would mostly say how large features are, since those of a ReLU are never negative.

    Only pairs inside the picture count, under a mask each as much as the product of both ends. No
    mean over positions, since pairs straddle the edges of tiles, but exact in tiles: their margins
    grow by `reach` positions, those of relu5_1 by 512 pixels if reach is 32. Give deep layers a
    shorter one where memory is short (`kernel={"relu5_1": …}`).

    Parameters
    ----------
    reach
        The longest shift down and across, in positions of the layer, of `vgg.stride` pixels each.
        Shifts beyond a quarter of a layer's side are left out: few pairs would tell of them. Of two
        pictures those shifts are compared that both have.
    weight
        Of the autocovariance beside the Gram matrix.
    """

    reach: int = 32
    weight: float = 10.0
    additive = False

    def __post_init__(self):
        object.__setattr__(self, "reach", check_integer("reach", self.reach, 1, FARTHEST))
        object.__setattr__(self, "weight", check_number("weight", self.weight))

    def description(self) -> dict:
        return {"name": "autocorrelation", **asdict(self)}

    def statistic(self, features: Tensor, mask: Tensor | None = None) -> Lagged:
        """The Gram matrix (N, C, C), mean f_c(p) f_c(p + Δ), and the mean (N, C).

        The second is (N, C, 1 + d, 1 + 2a) for shifts down from 0 to d and across from -a to a; -Δ
        would give the same as Δ.
        """
        height, width = features.shape[2:]
        whole = _Whole((height, width), slice(0, height), slice(0, width), mask)
        return self.contribution(features, whole)

    def contribution(self, features: Tensor, place: Part) -> Lagged:
        """What the pairs that begin in a part add; the features reach beyond it on every side.

        By `reach` positions, or as far as the layer goes.
        """
        features = features if features.dtype == torch.float64 else features.float()
        height, width = place.size
        lags = min(self.reach, height // 4), min(self.reach, width // 4)
        top, left = (max(0, part.start - self.reach) for part in (place.rows, place.columns))
        own = _moved(place.rows, -top), _moved(place.columns, -left)
        F = features[(..., *own)]
        if place.mask is None:
            pairs = _numbers_of_pairs(place.size, lags).to(features)
            share = F.shape[2] * F.shape[3] / (height * width)
            products = _LaggedProducts.apply(features, own, lags) / pairs
            return share * gram_matrix(F), products, share * mean(F)
        mask = place.mask.to(features)
        pairs = _weights_of_pairs(mask, lags)
        around = mask[..., top : top + features.shape[2], left : left + features.shape[3]]
        products = _LaggedProducts.apply(around * features, own, lags) / pairs
        inside = around[(..., *own)]
        share = float(inside.sum() / mask.sum())
        return share * gram_matrix(F, inside), products, share * mean(F, inside)

    def distance(self, x: Lagged, y: Lagged) -> Tensor:
        check_comparable(x[0], y[0])
        lags = [min(a, b) for a, b in zip(_lags_of(x[1]), _lags_of(y[1]), strict=True)]
        (G, A, _), (H, B, second) = (_of_lags(z, lags) for z in (x, y))
        small = FLAT * _squared(second)
        grams = _squared(G - H) / _nonzero(_squared(H))
        return (grams + self.weight * _squared(A - B) / _nonzero(_squared(B) + small)).sum()

    def magnitude(self, y: Lagged) -> Tensor:
        zero = tuple(torch.zeros_like(part) for part in y)
        return self.distance(zero, y)  # type: ignore[arg-type]  # three parts, as y

    def fitted(self, target: Moments) -> Autocorrelation:
        return self


class _Whole(NamedTuple):
    """A layer as a part of itself."""

    size: tuple[int, int]
    rows: slice
    columns: slice
    mask: Tensor | None


def _moved(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)


def _lags_of(products: Tensor) -> Lags:
    return products.shape[2] - 1, products.shape[3] // 2


def _of_lags(moments: Lagged, lags: list[int]) -> Lagged:
    """The Gram matrix, the covariance and the mean product of each channel, up to some lags."""
    G, products, means = moments
    down, across = lags
    middle = products.shape[3] // 2
    products = products[:, :, : down + 1, middle - across : middle + across + 1]
    return G, products - means.square()[:, :, None, None], products


def _squared(tensor: Tensor) -> Tensor:
    """‖·‖² of each picture, (N,)."""
    return tensor.square().flatten(1).sum(dim=1)


def _nonzero(squares: Tensor) -> Tensor:
    """What to divide by: 1 where a black style has nothing."""
    return torch.where(squares > 0, squares, torch.ones_like(squares))


def _numbers_of_pairs(size: tuple[int, int], lags: Lags) -> Tensor:
    """How many pairs of positions of a layer there are for each shift."""
    down, across = torch.arange(lags[0] + 1), torch.arange(-lags[1], lags[1] + 1)
    return (size[0] - down)[:, None] * (size[1] - across.abs())


def _weights_of_pairs(mask: Tensor, lags: Lags) -> Tensor:
    """Σ over pairs of the product of the mask at both ends, for each shift."""
    everywhere = slice(0, mask.shape[2]), slice(0, mask.shape[3])
    weights = _LaggedProducts.apply(mask, everywhere, lags)[0, 0]
    if not weights.min() > 1e-5 * weights.max():  # the largest is of no shift; else rounding
        down, across = divmod(int(weights.argmin()), weights.shape[1])
        raise ValueError(
            f"no two positions of the mask are ({down}, {across - lags[1]}) apart, down and "
            "across: take a shorter reach, a larger mask, or shallower layers"
        )
    return weights


# --- products at all shifts ------------------------------------------------------------------


class _LaggedProducts(torch.autograd.Function):
    """Σ over p in a region of f(p) f(p + Δ), (N, C, H, W) → (N, C, 1 + d, 1 + 2a)."""

    @staticmethod
    def forward(ctx, features: Tensor, region: Region, lags: Lags) -> Tensor:
        ctx.save_for_backward(features)
        ctx.region, ctx.lags = region, lags
        down, across = lags
        size = _padded(features, lags)
        parts = []
        for _, some in _chunks(features):
            first, second = _spectra(some, region, size)
            products = torch.fft.irfft2(first.conj() * second, s=size)[:, :, : down + 1]
            parts.append(products.roll(across, dims=3)[..., : 2 * across + 1])
        return torch.cat(parts, dim=1)

    @staticmethod
    def backward(ctx, slopes: Tensor) -> tuple[Tensor, None, None]:
        """Σ_Δ D(Δ) f(p + Δ) where a pair begins, Σ_Δ D(Δ) f(p - Δ) where it ends."""
        (features,) = ctx.saved_tensors
        (down, across), region = ctx.lags, ctx.region
        size = _padded(features, ctx.lags)
        height, width = features.shape[2:]
        gradient = torch.empty_like(features)
        for channels, some in _chunks(features):
            D = some.new_zeros(*some.shape[:2], *size)
            D[:, :, : down + 1, : 2 * across + 1] = slopes[:, channels]
            D = torch.fft.rfft2(D.roll(-across, dims=3))
            first, second = _spectra(some, region, size)
            ends = torch.fft.irfft2(D * first, s=size)[..., :height, :width]
            begins = torch.fft.irfft2(D.conj() * second, s=size)[(..., *region)]
            gradient[:, channels] = ends
            gradient[(slice(None), channels, *region)] += begins
        return gradient, None, None


def _padded(features: Tensor, lags: Lags) -> tuple[int, int]:
    """Sides so long that no shift leads around, and quick to transform."""
    height, width = (
        next_fast_len(side + lag, real=True)
        for side, lag in zip(features.shape[2:], lags, strict=True)
    )
    return height, width


def _chunks(features: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Channels of about CHUNK numbers, each channel in one piece."""
    step = max(1, CHUNK // features[:, 0].numel())
    for start in range(0, features.shape[1], step):
        channels = slice(start, start + step)
        yield channels, features[:, channels].contiguous()


def _spectra(features: Tensor, region: Region, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Fourier transforms of the features in a region, zero elsewhere, and of all of them."""
    everything = torch.fft.rfft2(features, s=size)
    rows, columns = region
    if (rows.stop - rows.start, columns.stop - columns.start) == tuple(features.shape[2:]):
        return everything, everything
    inside = torch.zeros_like(features)
    inside[(..., *region)] = features[(..., *region)]
    return torch.fft.rfft2(inside, s=size), everything
