"""The same loss and gradient as `losses.Objective`, in less memory: in one piece or in tiles.

`losses.Objective` lets autograd do everything and shows what is computed. Here the order is chosen:

1. Run the network forward and add up the statistics S, tile by tile.
2. D = ∂L/∂S, once for the whole picture (Galerne et al., arXiv 2212.13459, section 3).
3. Run the network backward. Where a layer with a style term is passed, the gradient of <D, S> is
   added in place, in strips of rows that stay in the processor's cache.

With several tiles the network runs forward twice, since their features are not kept; with one it
runs once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest
from typing import TypeVar, cast

import torch
from torch import Tensor

from ..checks import warn
from ..images.resizing import shape_of
from ..kernels.statistic import Moments, reach_of
from ..losses.objective import Evaluation, Objective
from ..losses.terms import LocalTerm, Style
from ..machine.memory import is_out_of_memory
from ..vgg.layers import LAYERS
from .contributions import (
    add_part,
    contribution,
    exact,
    pull_of_strip,
    reaches_of,
    strips_of,
    value_and_slope,
)
from .targets import Tiles
from .windows import FeatureWindow, Window, can_be_cut

SMALLEST_TILE = 64

Outcome = TypeVar("Outcome")


class Engine:
    """An `Objective`, evaluated exactly and with little memory.

    Parameters
    ----------
    objective
        What to evaluate.
    tile
        Side of the tiles in pixels; None: the picture in one piece. If the memory does not suffice,
        it is halved, with a warning, and the evaluation begins anew.
    """

    def __init__(self, objective: Objective, tile: int | None = None):
        self.objective, self.tile = objective, tile

    @property
    def term_weights(self) -> dict[str, float]:
        """Term → its weight in the total."""
        return self.objective.term_weights

    def reweight(self, weights: Mapping[str, float]) -> None:
        """Give the terms other weights."""
        self.objective = Objective(self.objective.model, self.objective.terms, weights)

    def alone(self, name: str) -> Engine:
        """The same with one of its terms only, at weight 1."""
        terms = {name: self.objective.terms[name]}
        return Engine(Objective(self.objective.model, terms, {name: 1.0}), self.tile)

    def value_and_gradient(self, image: Tensor) -> Evaluation:
        """Evaluate the loss and its gradient at an image (1, 3, H, W), sRGB, 0..1."""

        def evaluate(tile: int | None) -> Evaluation:
            self.tile = tile
            return self._evaluate(image.detach())

        model, layers = self.objective.model, self.objective.layers
        if model.padding == "circular" and not can_be_cut(
            shape_of(image), layers, reaches_of(self.objective.terms.values())
        ):
            return evaluate(self.tile)
        return with_smaller_tiles(evaluate, self.tile, max(shape_of(image)), image.device)

    def _evaluate(self, image: Tensor) -> Evaluation:
        terms, weights = self.objective.terms, self.term_weights
        reaches = reaches_of(terms.values())
        tiles = Tiles.of(self.objective.model, image, self.objective.layers, self.tile, reaches)
        kept: _Seen | None = None  # the whole picture is looked at once, tiles are twice

        # Forward: what each style's statistic is for the whole picture
        statistics: dict[str, Moments] = {}
        for window, block in tiles:
            seen = self._look(block, graph=tiles.whole)
            self._add_statistics(statistics, window, seen)
            kept = seen if tiles.whole else None
            del seen  # before the next tile needs the memory
        values: dict[str, Tensor] = {}
        slopes: dict[str, Moments] = {}
        for name, term in terms.items():
            if isinstance(term, Style):
                values[name], slopes[name] = value_and_slope(term, statistics[name], weights[name])

        # Backward: from <D, S> and from the terms that are sums over positions anyway
        gradient = torch.zeros_like(tiles.picture)
        for window, block in tiles:
            seen = kept or self._look(block, graph=True)
            window.cut(gradient).add_(self._pull_back(window, seen, slopes, values))
            del seen
        return _evaluation(terms, weights, values, tiles.unwrapped(gradient))

    def _look(self, block: Tensor, graph: bool) -> _Seen:
        """The features of a block, with the graph that leads back to it if wanted."""
        model, layers = self.objective.model, self.objective.layers
        with torch.set_grad_enabled(graph):
            block = block.detach().requires_grad_(graph)
            return _Seen(block, model.look(block, layers) if layers else {})

    def _add_statistics(self, totals: dict[str, Moments], window: Window, seen: _Seen) -> None:
        for name, term in self.objective.terms.items():
            if isinstance(term, Style):
                reach = reach_of(term.kernel)
                own = window.own(seen.features[term.layer].detach(), term.layer, reach)
                part = contribution(term.kernel, own, window.at(term.layer, term.mask))
                add_part(totals, name, part)

    def _pull_back(
        self,
        window: Window,
        seen: _Seen,
        slopes: Mapping[str, Moments],
        values: dict[str, Tensor],
    ) -> Tensor:
        """The gradient of a window's block; adds to the values of terms that are sums."""
        terms, weights = self.objective.terms, self.term_weights
        styles = {n: t for n, t in terms.items() if isinstance(t, Style)}
        others = {n: cast(LocalTerm, t) for n, t in terms.items() if n not in styles}

        def add_terms(layer: str, gradient: Tensor) -> None:
            """Add what the terms at a layer pull to the gradient of the block's features there."""
            features = seen.features[layer].detach()
            for name, style in styles.items():
                if style.layer == layer:
                    reach = reach_of(style.kernel)
                    around = window.own(features, layer, reach)
                    pulled = window.own(gradient, layer, reach)
                    _add_pull(style, around, window.at(layer, style.mask), slopes[name], pulled)
            own, gradient = window.own(features, layer), window.own(gradient, layer)
            for name, other in others.items():
                if layer in other.layers:
                    leaf = exact(own).detach().requires_grad_()
                    with torch.enable_grad():
                        value = other.part({layer: leaf}, own, window)
                        (pull,) = torch.autograd.grad(weights[name] * value, leaf)
                    gradient.add_(pull.to(gradient.dtype))
                    _accumulate(values, name, value.detach())

        gradient = _through_layers(window, seen, add_terms)
        for name, other in others.items():
            if not other.layers:
                leaf = seen.block.detach().requires_grad_()
                with torch.enable_grad():
                    value = other.part({}, leaf, window)
                    (pull,) = torch.autograd.grad(weights[name] * value, leaf)
                gradient = gradient + pull
                _accumulate(values, name, value.detach())
        return gradient


def _accumulate(values: dict[str, Tensor], name: str, more: Tensor) -> None:
    values[name] = values[name] + more if name in values else more


@dataclass(frozen=True)
class _Seen:
    """A block of a picture as the network has seen it."""

    block: Tensor
    features: dict[str, Tensor]


def _evaluation(
    terms: Iterable[str],
    weights: Mapping[str, float],
    values: Mapping[str, Tensor],
    gradient: Tensor,
) -> Evaluation:
    names = list(terms)
    total = reduce(torch.add, (weights[name] * values[name] for name in names))
    numbers = torch.stack([v.to(total.dtype) for v in (total, *(values[n] for n in names))])
    first, *rest = numbers.tolist()  # one wait for the device
    return Evaluation(first, dict(zip(names, rest, strict=True)), gradient)


# --- backward --------------------------------------------------------------------------------


def _add_pull(
    term: Style, own: Tensor, place: FeatureWindow, slope: Moments, gradient: Tensor
) -> None:
    """Add the gradient of <D, S>, S being what a part adds to the statistic, strip by strip."""
    for rows, strip in strips_of(term.kernel, own, place):
        pull = pull_of_strip(term.kernel, own[:, :, rows], strip, slope)
        gradient[:, :, rows].add_(pull.to(gradient.dtype))  # adding two types is slow


def _through_layers(
    window: Window, seen: _Seen, add_terms: Callable[[str, Tensor], None]
) -> Tensor:
    """The gradient of the block: from the deepest layer upwards, each adding what its terms pull.

    One `autograd.grad` for each segment of the network between two layers with terms.
    """
    if not seen.features:
        return torch.zeros_like(seen.block)
    layers = sorted(seen.features, key=LAYERS.index, reverse=True)
    gradient = torch.zeros_like(seen.features[layers[0]])
    for layer, shallower in zip_longest(layers, layers[1:]):
        add_terms(layer, gradient)
        to = seen.block if shallower is None else seen.features[shallower]
        (gradient,) = torch.autograd.grad(seen.features[layer], to, gradient)
    return gradient


# --- out of memory ---------------------------------------------------------------------------


def with_smaller_tiles(
    work: Callable[[int | None], Outcome], tile: int | None, longer: int, device: torch.device
) -> Outcome:
    """Return work(tile); where the memory does not suffice, the same with half the tile's side.

    `longer` is the longer side of the picture, and so of a tile where there are none.
    """
    while True:
        try:
            return work(tile)
        except Exception as error:  # libraries raise anything when the memory is at its end
            side = min(tile or longer, longer)
            if not is_out_of_memory(error) or side // 2 < SMALLEST_TILE:
                raise
        tile = side // 2
        if device.type == "cuda":
            torch.cuda.empty_cache()
        warn(f"not enough memory for tiles of {side} pixels; going on with {tile}")
