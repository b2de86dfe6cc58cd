"""The sliced Wasserstein distance: whole distributions of features, by sorting projections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from ..checks import check_integer
from .moments import check_comparable, positions
from .random_features import orthogonal_frequencies
from .statistic import Moments, Part

MOST_DIRECTIONS = 2**14
FLAT = 1e-4  # of the mean square: a style whose variance is less
STRIP_NUMBERS = 2**21  # projections that are sorted at once, of both pictures: 8 MB


@dataclass(frozen=True)
class SlicedWasserstein:
    """Mean over directions θ of the squared 2-Wasserstein distance of the projections θᵀf.

    In one dimension the best way to carry one distribution to another keeps the order, so that

        distance = mean over θ of ∫ (Q_θ(u; x) - Q_θ(u; y))² du over 0 ≤ u ≤ 1,

    Q_θ(u) being the value below which a share u of the projections lies. For as many positions in
    both pictures that is the mean squared difference of sorted projections: Heitz, Vanhoey,
    Chambon & Belcour 2021, "A Sliced Wasserstein Loss for Neural Texture Synthesis" (arXiv
    2006.07229). Otherwise Q is a flight of stairs with steps as wide as the positions' shares, and
    the integral is computed exactly, step by step; so masks are weights. Over all directions the
    distance is 0 only where the distributions are one (Cramér & Wold); Gram matrices are equal long
    before.

    Heitz et al. draw directions at every evaluation. Here they are drawn once by `seed`, since an
    objective that jumps is none for L-BFGS, and C at a time are orthogonal: a basis, so that there
    is no direction that none of them sees, and means that agree along all agree altogether.

    Not additive, but exact in tiles: the statistic is the projections, 4 (P + 1) bytes a position
    in float32, twice while parts are put together, and twice for the style, once in order; the
    gradient takes as much once more. Time goes into sorting, P M log M.

    Parameters
    ----------
    directions
        P; None: one for each channel, as Heitz et al.
    """

    directions: int | None = None
    seed: int = 0
    additive = False

    def __post_init__(self):
        if self.directions is not None:
            count = check_integer("directions", self.directions, 1, MOST_DIRECTIONS)
            object.__setattr__(self, "directions", count)
        object.__setattr__(self, "seed", check_integer("seed", self.seed, 0))

    def description(self) -> dict:
        return {"name": "sliced_wasserstein", **asdict(self)}

    def kept(self, channels: int, positions: int) -> int:
        """How many numbers the statistic of a layer has."""
        return ((self.directions or channels) + 1) * positions

    def statistic(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, P + 1, M): the projections of each position, and at last its share, of sum 1."""
        height, width = features.shape[2:]
        return self._rows(features, _shares((height, width), mask, features)).flatten(2)

    def contribution(self, features: Tensor, place: Part) -> Tensor:
        """The rows of a part's positions at their places, and zeros elsewhere."""
        shares = _shares(place.size, place.mask, features)[..., place.rows, place.columns]
        rows = self._rows(features, shares)
        whole = rows.new_zeros(*rows.shape[:2], *place.size)
        whole[..., place.rows, place.columns] = rows
        return whole.flatten(2)

    def _rows(self, features: Tensor, shares: Tensor) -> Tensor:
        """(N, P + 1, H, W)."""
        F = positions(features)
        channels = F.shape[2]
        theta = _directions(channels, self.directions or channels, self.seed, F.dtype, F.device)
        projections = (theta @ F.mT).unflatten(2, features.shape[2:])
        return torch.cat([projections, shares.expand(len(F), -1, -1, -1)], dim=1)

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        check_comparable(x[..., :1], y[..., :1])
        return _TransportCost.apply(x, y) / (x.shape[1] - 1)

    def magnitude(self, y: Tensor) -> Tensor:
        """The distance of y from flat features with its mean: the mean variance along a direction.

        1 is as far as a picture that has nothing but the right mean. With the distance from zero
        as the unit, gradients would be half as large, and pictures paler than those of Gram
        matrices at the same style weight. For a style that is flat itself it is that, though.
        """
        projections, shares = y[:, :-1], y[:, -1:]
        mean = (shares * projections).sum(dim=2, keepdim=True)
        variance = (shares * (projections - mean).square()).sum() / projections.shape[1]
        square = (shares * projections.square()).sum() / projections.shape[1]
        return torch.where(variance > FLAT * square, variance, square)

    def fitted(self, target: Moments) -> SlicedWasserstein:
        return self


def _shares(size: tuple[int, int], mask: Tensor | None, features: Tensor) -> Tensor:
    """How much each position of a layer counts, (1, 1, H, W), of sum 1."""
    mask = torch.ones(1, 1, *size, dtype=torch.float32) if mask is None else mask
    dtype = torch.float64 if features.dtype == torch.float64 else torch.float32
    mask = mask.to(features.device, dtype)
    return mask / mask.sum()


@lru_cache(maxsize=64)
@torch.inference_mode(False)  # the next to ask may need a gradient
def _directions(
    channels: int, count: int, seed: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """θ, (P, C): unit vectors, C of them at a time orthogonal."""
    normal = orthogonal_frequencies(channels, count, seed)
    return (normal / normal.norm(dim=1, keepdim=True)).to(device, dtype)


# --- transport in one dimension --------------------------------------------------------------

Steps = tuple[Tensor, Tensor, Tensor]


class _TransportCost(torch.autograd.Function):
    """Σ W₂² over pictures and directions, of statistics (N, P + 1, M) and (N or 1, P + 1, M').

    Of all that sorting leaves behind only the slope is kept, and a style's projections in order.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        steps_of = _steps_of(*(z.detach()[:, -1:] for z in (x, y)))
        pictures = x.detach(), y.detach() if ctx.needs_input_grad[1] else _in_order(y)
        slopes = {i: torch.zeros_like(pictures[i]) for i in range(2) if ctx.needs_input_grad[i]}
        total = x.new_zeros(())
        for strip in _strips(*pictures):
            projections = pictures[0][:, strip], pictures[1][:, strip]
            leaves = [projections[i].requires_grad_() for i in slopes]
            with torch.set_grad_enabled(bool(slopes)):
                cost = _transport_cost(*projections, steps_of)
            total += cost.detach()
            parts = torch.autograd.grad(cost, leaves) if slopes else ()
            for slope, part in zip(slopes.values(), parts, strict=True):
                slope[:, strip] = part
        ctx.save_for_backward(slopes.get(0), slopes.get(1))
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor | None, ...]:
        return tuple(None if slope is None else factor * slope for slope in ctx.saved_tensors)


_ordered: MutableMapping[Tensor, tuple[int, Tensor]] = WeakTensorKeyDictionary()


def _in_order(y: Tensor) -> Tensor:
    """A statistic with its projections sorted, once for all evaluations.

    The shares stay where they are, so that this is the same statistic if they are all the same.
    Otherwise it is y itself.
    """
    whole = y.detach()
    if y.is_inference() or not _is_even(whole[:, -1:]):
        return whole
    version, ordered = _ordered.get(y, (None, whole))
    if version != y._version:  # not sorted yet, or changed since
        ordered = torch.cat([whole[:, :-1].sort(dim=2).values, whole[:, -1:]], dim=1)
        _ordered[y] = y._version, ordered
    return ordered


def _is_even(shares: Tensor) -> bool:
    return bool((shares == shares[..., :1]).all())


def _strips(x: Tensor, y: Tensor) -> Iterator[slice]:
    """Slices of few directions each; the last row is none."""
    directions = x.shape[1] - 1
    step = max(1, STRIP_NUMBERS // (x[:, 0].numel() + y[:, 0].numel()))
    return (slice(at, min(at + step, directions)) for at in range(0, directions, step))


def _transport_cost(x: Tensor, y: Tensor, steps_of: Callable[[Tensor, Tensor], Steps]) -> Tensor:
    """Σ ∫ (Q(u; x) - Q(u; y))² du over projections (N, p, M) and (N or 1, p, M')."""
    (x, x_order), (y, y_order) = _sorted(x), _sorted(y)
    widths, i, j = steps_of(x_order, y_order)
    gaps = x.take_along_dim(i, 2) - y.take_along_dim(j, 2)
    return (widths.to(gaps.dtype) * gaps.square()).sum()


def _sorted(x: Tensor) -> tuple[Tensor, Tensor]:
    """As `sort`, but for what is in order already, as a style that was sorted before."""
    if not x.requires_grad and bool((x.diff(dim=2) >= 0).all()):
        return x, torch.arange(x.shape[2], device=x.device).expand(x.shape)
    values, order = x.sort(dim=2)
    return values, order


def _steps_of(x_shares: Tensor, y_shares: Tensor) -> Callable[[Tensor, Tensor], Steps]:
    """What the orders of the positions along some directions, (N, p, M), make of the shares.

    Where all positions count the same, the steps are those of every direction, (1, 1, …).
    """
    if _is_even(x_shares) and _is_even(y_shares):
        same = _steps(*(_even_ends(shares) for shares in (x_shares, y_shares)))
        return lambda *_: same
    return lambda x_order, y_order: _steps(_ends(x_shares, x_order), _ends(y_shares, y_order))


def _even_ends(shares: Tensor) -> Tensor:
    count = shares.shape[2]
    ends = torch.arange(1, count + 1, dtype=_precise(shares), device=shares.device)
    return ends[None, None] / count


def _ends(shares: Tensor, order: Tensor) -> Tensor:
    """The u at which each position's step ends, in order: (N, p, M)."""
    ends = shares.to(_precise(shares)).take_along_dim(order, 2).cumsum(dim=2)
    return ends / ends[..., -1:]


def _precise(shares: Tensor) -> torch.dtype:
    """For sums of many small shares; Apple's MPS has no float64."""
    return torch.float32 if shares.device.type == "mps" else torch.float64


def _steps(x_ends: Tensor, y_ends: Tensor) -> Steps:
    """Intervals of u on which both stairs are level: their widths, and which step of each it is.

    A position of share 0 has no step: the first whose end is reached is another.
    """
    rows = torch.broadcast_shapes(x_ends.shape[:2], y_ends.shape[:2])
    x_ends, y_ends = (ends.expand(*rows, -1).contiguous() for ends in (x_ends, y_ends))
    if torch.equal(x_ends, y_ends):
        ends = x_ends
    else:
        ends = torch.cat([x_ends, y_ends], dim=2).sort(dim=2).values
    widths = ends.diff(dim=2, prepend=torch.zeros_like(ends[..., :1]))
    return widths, torch.searchsorted(x_ends, ends), torch.searchsorted(y_ends, ends)
