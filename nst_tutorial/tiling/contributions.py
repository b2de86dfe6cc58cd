"""What the parts of a picture add to its statistics, strip by strip, and the loss's slope there.

A strip holds so few features that they stay in the processor's cache while they are worked on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import cast

import torch
from torch import Tensor

from ..kernels.registry import WeightedSum
from ..kernels.statistic import (
    Moments,
    PullingStatistic,
    SpatialStatistic,
    Statistic,
    pulls,
    reach_of,
)
from ..losses.terms import Style
from .windows import FeatureWindow

STRIP_NUMBERS = 2**21  # features worked on at once for a statistic: 8 MB


def exact(features: Tensor) -> Tensor:
    """The same in float32 at least, which is what statistics and losses are computed in."""
    return features if features.dtype == torch.float64 else features.float()


def contribution(kernel: Statistic, own: Tensor, place: FeatureWindow) -> Moments | None:
    """What a part adds to the statistic of the whole; None: nothing.

    `own` are its features and those around it that the kernel reaches, here and below.
    """
    total = None
    with torch.no_grad():
        for rows, strip in strips_of(kernel, own, place):
            total = _plus(total, statistic_of_strip(kernel, exact(own[:, :, rows]), strip))
    return total


def strips_of(
    kernel: Statistic, own: Tensor, place: FeatureWindow
) -> Iterator[tuple[slice, FeatureWindow]]:
    """Strips of rows that hold few features and count for something; the whole if not additive."""
    numbers = own.shape[1] * own.shape[3] * own.shape[0]
    if not numbers or not own.shape[2]:
        return
    strips = place.in_strips(max(1, STRIP_NUMBERS // numbers)) if kernel.additive else [place]
    for strip in strips:
        mask = strip.cut_mask()
        if mask is None or mask.any():
            begin = strip.rows.start - place.rows.start
            length = strip.rows.stop - strip.rows.start if kernel.additive else own.shape[2]
            yield slice(begin, begin + length), strip


def statistic_of_strip(kernel: Statistic, features: Tensor, place: FeatureWindow) -> Moments:
    if isinstance(kernel, WeightedSum):
        seen = place.around(kernel.reach)
        each = ((part, place.around(reach_of(part))) for _, part in kernel.parts)
        return tuple(
            statistic_of_strip(part, less.of(features, seen), place) for part, less in each
        )
    if not kernel.additive:
        return cast(SpatialStatistic, kernel).contribution(features, place)
    return _times(kernel.statistic(features, place.cut_mask()), place.share)


def pull_of_strip(
    kernel: Statistic, features: Tensor, place: FeatureWindow, slope: Moments
) -> Tensor:
    """∂<D, S>/∂features, S being what a strip adds to the statistic and D the slope."""
    if isinstance(kernel, WeightedSum) and kernel.additive:
        parts = zip((part for _, part in kernel.parts), slope, strict=True)
        return reduce(torch.add, (pull_of_strip(part, features, place, d) for part, d in parts))
    if kernel.additive and pulls(kernel):
        pull = cast(PullingStatistic, kernel).pull
        return pull(features, leaves_of(slope), place.cut_mask()) * place.share
    with torch.enable_grad():
        leaf = exact(features).detach().requires_grad_()
        moments = leaves_of(statistic_of_strip(kernel, leaf, place))
        return torch.autograd.grad(moments, leaf, leaves_of(slope))[0]


def add_part(totals: dict[str, Moments], name: str, more: Moments | None) -> None:
    total = _plus(totals.get(name), more)
    if total is not None:
        totals[name] = total


def _plus(total: Moments | None, more: Moments | None) -> Moments | None:
    """total + more, in place where there is a total."""
    if total is None or more is None:
        return more if total is None else total
    if isinstance(total, tuple):
        return tuple(_plus(a, b) for a, b in zip(total, more, strict=True))
    return total.add_(cast(Tensor, more))


def _times(moments: Moments, factor: float) -> Moments:
    if isinstance(moments, tuple):
        return tuple(_times(part, factor) for part in moments)
    return moments * factor


def leaves_of(moments: Moments) -> list[Tensor]:
    if isinstance(moments, tuple):
        return [leaf for part in moments for leaf in leaves_of(part)]
    return [moments]


def value_and_slope(term: Style, statistic: Moments, weight: float) -> tuple[Tensor, Moments]:
    """The term's value before its weight, and D = ∂(weight · value)/∂S, of the same parts as S."""
    leaves = [leaf.detach().requires_grad_() for leaf in leaves_of(statistic)]
    with torch.enable_grad():
        value = term.of(_rebuilt(statistic, iter(leaves)))
        slope = torch.autograd.grad(weight * value, leaves)
    return value.detach(), _rebuilt(statistic, iter(slope))


def _rebuilt(like: Moments, leaves: Iterator[Tensor]) -> Moments:
    if isinstance(like, tuple):
        return tuple(_rebuilt(part, leaves) for part in like)
    return next(leaves)


def reaches_of(terms: Iterable[object]) -> dict[str, int]:
    """Layer → how many positions around a part the styles compared there need."""
    reaches: dict[str, int] = {}
    for term in terms:
        if isinstance(term, Style):
            reaches[term.layer] = max(reaches.get(term.layer, 0), reach_of(term.kernel))
    return reaches
