"""Nearest neighbours: every feature of the picture against that of the style most like it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ..checks import check_integer
from .moments import check_comparable, positions
from .statistic import Moments, Part

MOST_CANDIDATES = 2**20
STRIP_NUMBERS = 2**21  # cosines that are compared at once: 8 MB
FLAT = 1e-4  # of the mean square: a style whose variance is less
SHORTEST = 1e-3  # of the style's typical distance from its mean: what is less has no direction


@dataclass(frozen=True)
class NearestNeighbours:
    """Mean over the picture's positions p of the cosine distance to the nearest style feature.

        distance = Σ share_p min over q of (1 - cos(f_p(x) - m_x, f_q(y) - m_y)),

    m being each picture's mean feature. Li & Wand 2016, "Combining Markov Random Fields and
    Convolutional Neural Networks for Image Synthesis" (arXiv 1601.04589, equation 2), compare
    patches of features with their nearest by normalised cross-correlation; Kolkin, Kucera, Paris,
    Sýkora, Shechtman & Shakhnarovich 2022, "Neural Neighbor Style Transfer" (arXiv 2203.13215),
    single features by centred cosine, as here.

    Each picture's own mean is subtracted, as in the authors' code. With the style's subtracted
    from both, the features of a content that is brighter, say, all point the same way, and are
    matched with the few style features that lie there: skies came out as one texture. The price is
    that shifting all features of a layer costs nothing, nor does stretching them about their mean.
    If the style is flat, nothing is subtracted from either, since nothing would be left of it.

    Every evaluation matches anew, exactly, so that the objective is one continuous function without
    memory: runs go on from checkpoints bit for bit, and tiles agree. Time goes into the products,
    M · candidates · C; so at most so many style features are candidates, drawn once by `seed`.

    A distance of 0 means that each feature of the picture is one of the style's, up to its distance
    from the mean, not that all of the style's occur: nothing keeps the picture from using few of
    them again and again, and what makes it various is its content. A sum with a kernel of moments
    brings back what is free: {"sum": [[1, "nearest_neighbours"], [0.1, "bn"]]}.

    Not additive, but exact in tiles: the statistic is the features themselves, 4 (C + 1) bytes a
    position in float32, twice while parts are put together; the gradient takes as much once more.

    Parameters
    ----------
    candidates
        How many style features are candidates; fewer if the style has fewer. Where a mask is below
        half of its largest value, there are none.
    """

    candidates: int = 2048
    seed: int = 0
    additive = False

    def __post_init__(self):
        count = check_integer("candidates", self.candidates, 1, MOST_CANDIDATES)
        object.__setattr__(self, "candidates", count)
        object.__setattr__(self, "seed", check_integer("seed", self.seed, 0))

    def description(self) -> dict:
        return {"name": "nearest_neighbours", **asdict(self)}

    def kept(self, channels: int, positions: int) -> int:
        """How many numbers the statistic of a layer has."""
        return (channels + 1) * positions

    def statistic(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, M, C + 1): the features of each position, and at last its share, of sum 1."""
        height, width = features.shape[2:]
        return _rows(features, _shares((height, width), mask, features)).flatten(1, 2)

    def contribution(self, features: Tensor, place: Part) -> Tensor:
        """The rows of a part's positions at their places, and zeros elsewhere."""
        shares = _shares(place.size, place.mask, features)[:, place.rows, place.columns]
        rows = _rows(features, shares)
        whole = rows.new_zeros(len(rows), *place.size, rows.shape[3])
        whole[:, place.rows, place.columns] = rows
        return whole.flatten(1, 2)

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        check_comparable(x[:, :1], y[:, :1])
        styles = [self._style(rows) for rows in y]
        styles = styles * (len(x) // len(styles))  # one for all pictures, or one for each
        costs = [_MatchingCost.apply(rows, *style) for rows, style in zip(x, styles, strict=True)]
        return torch.stack(costs).sum()

    def _style(self, y: Tensor) -> tuple[Tensor, bool, float]:
        """Of a style's rows (M, C + 1): directions (B, C) of candidates; if centred; SHORTEST."""
        drawn = y[self._drawn(y[:, -1]), :-1]
        apart = drawn - _mean(y)
        variance, square = (float(z.detach().square().sum(dim=1).mean()) for z in (apart, drawn))
        centred = not variance <= FLAT * square
        vectors, scale = (apart, variance) if centred else (drawn, square)
        shortest = max(SHORTEST * scale**0.5, torch.finfo(y.dtype).tiny)
        return vectors / _length(vectors, shortest), centred, shortest

    def _drawn(self, shares: Tensor) -> Tensor:
        """The style's positions that may be nearest."""
        counting = (shares >= shares.max() / 2).nonzero()[:, 0]
        if len(counting) <= self.candidates:
            return counting
        return counting[_drawn(len(counting), self.candidates, self.seed).to(counting.device)]

    def magnitude(self, y: Tensor) -> Tensor:
        """1, the distance of any style from a flat picture of its mean colour."""
        return torch.ones((), dtype=y.dtype, device=y.device)

    def fitted(self, target: Moments) -> NearestNeighbours:
        return self


def _rows(features: Tensor, shares: Tensor) -> Tensor:
    """(N, H, W, C + 1)."""
    F = positions(features).unflatten(1, features.shape[2:])
    return torch.cat([F, shares.expand(len(F), -1, -1, -1)], dim=3)


def _shares(size: tuple[int, int], mask: Tensor | None, features: Tensor) -> Tensor:
    """How much each position of a layer counts, (1, H, W, 1), of sum 1."""
    mask = torch.ones(1, 1, *size, dtype=torch.float32) if mask is None else mask
    dtype = torch.float64 if features.dtype == torch.float64 else torch.float32
    mask = mask.to(features.device, dtype).permute(0, 2, 3, 1)
    return mask / mask.sum()


@lru_cache(maxsize=64)
@torch.inference_mode(False)  # the next to ask may need a gradient
def _drawn(count: int, candidates: int, seed: int) -> Tensor:
    """Some of the numbers below `count`, none of them twice."""
    shuffled = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return shuffled[:candidates].clone()  # not a view, which would hold all of them


def _mean(y: Tensor) -> Tensor:
    """The mean feature (C) of rows (M, C + 1)."""
    counting = (y[:, -1] > 0).nonzero()[:, 0]  # what does not count may be anything
    return y[counting, -1] @ y[counting, :-1]


def _length(vectors: Tensor, shortest: float) -> Tensor:
    """(M, C) → (M, 1): the norms, at least `shortest`, so that none pulls without bound."""
    return vectors.norm(dim=1, keepdim=True).clamp(min=shortest)


class _MatchingCost(torch.autograd.Function):
    """Σ share · (1 - cosine) of a picture's rows (M, C + 1) and their nearest directions (B, C).

    Of all that matching leaves behind only the slope is kept.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, directions: Tensor, centred: bool, shortest: float) -> Tensor:
        inputs = x.detach(), directions.detach()
        slopes = {i: torch.zeros_like(inputs[i]) for i in range(2) if ctx.needs_input_grad[i]}
        strips = _strips(*inputs)
        mean = x.new_zeros(x.shape[1] - 1)
        for strip in strips if centred else ():
            mean += x[strip, -1] @ x[strip, :-1]
        total = x.new_zeros(())
        for strip in strips:
            features, shares = inputs[0][strip, :-1] - mean, inputs[0][strip, -1]
            leaves = features, inputs[1].detach()
            wanted = [leaves[i].requires_grad_() for i in slopes]
            with torch.set_grad_enabled(bool(slopes)):
                cost = _matching_cost(*leaves, shares, shortest)
            total += cost.detach()
            parts = torch.autograd.grad(cost, wanted) if slopes else ()
            places = (strip, slice(-1)), slice(None)
            for i, part in zip(slopes, parts, strict=True):
                slopes[i][places[i]] += part
        if centred and 0 in slopes:  # the mean moves with every feature, by its share
            pull = slopes[0][:, :-1].sum(dim=0)
            slopes[0][:, :-1].addr_(inputs[0][:, -1], pull, alpha=-1)
        ctx.save_for_backward(slopes.get(0), slopes.get(1))
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor | None, ...]:
        slopes = (None if slope is None else factor * slope for slope in ctx.saved_tensors)
        return *slopes, None, None


def _strips(x: Tensor, directions: Tensor) -> tuple[Tensor, ...]:
    """Few positions at a time, of those that count."""
    counting = (x[:, -1] > 0).nonzero()[:, 0]
    return counting.split(max(1, STRIP_NUMBERS // len(directions)))


def _matching_cost(features: Tensor, directions: Tensor, shares: Tensor, shortest: float) -> Tensor:
    with torch.no_grad():
        nearest = (features @ directions.mT).argmax(dim=1)
    products = (features * directions[nearest]).sum(dim=1)
    return (shares * (1 - products / _length(features, shortest)[:, 0])).sum()
