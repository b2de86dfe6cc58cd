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

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest
from typing import TypeVar, cast

import torch
from torch import Tensor

from ..images.resizing import shape_of
from ..kernels.moments import Moments, SpatialStatistic, Statistic
from ..kernels.registry import WeightedSum
from ..losses.objective import Evaluation, Objective
from ..losses.terms import LocalTerm, Style
from ..vgg.layers import LAYERS, stride
from ..vgg.network import VGG19
from .windows import FeatureWindow, Window, can_be_cut, folded, split_into_windows, wrapped

STRIP_NUMBERS = 2**21  # features worked on at once for a statistic: 8 MB
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
        if model.padding == "circular" and not can_be_cut(shape_of(image), layers):
            return evaluate(self.tile)
        return with_smaller_tiles(evaluate, self.tile, image)

    def _evaluate(self, image: Tensor) -> Evaluation:
        terms, weights = self.objective.terms, self.term_weights
        tiles = Tiles.of(self.objective.model, image, self.objective.layers, self.tile)
        kept: _Seen | None = None  # the whole picture is looked at once, tiles are twice

        # Forward: what each style's statistic is for the whole picture
        statistics: dict[str, Moments] = {}
        for window, block in tiles:
            seen = self._look(block, graph=tiles.whole)
            self._add_statistics(statistics, window, seen)
            kept = seen if tiles.whole else None
            del seen  # before the next tile needs the memory
        values: dict[str, Tensor] = {}
        slopes: dict[str, list[Tensor]] = {}
        for name, term in terms.items():
            if isinstance(term, Style):
                values[name], slopes[name] = _value_and_slope(term, statistics[name], weights[name])

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
            return _Seen(block, model(block, layers) if layers else {})

    def _add_statistics(self, totals: dict[str, Moments], window: Window, seen: _Seen) -> None:
        for name, term in self.objective.terms.items():
            if isinstance(term, Style):
                own = window.own(seen.features[term.layer].detach(), term.layer)
                part = _contribution(term.kernel, own, window.at(term.layer, term.mask))
                _add(totals, name, part)

    def _pull_back(
        self,
        window: Window,
        seen: _Seen,
        slopes: Mapping[str, list[Tensor]],
        values: dict[str, Tensor],
    ) -> Tensor:
        """The gradient of a window's block; adds to the values of terms that are sums."""
        terms, weights = self.objective.terms, self.term_weights
        styles = {n: t for n, t in terms.items() if isinstance(t, Style)}
        others = {n: cast(LocalTerm, t) for n, t in terms.items() if n not in styles}

        def add_terms(layer: str, gradient: Tensor) -> None:
            """Add what the terms at a layer pull, to the gradient of the window's own part."""
            own = window.own(seen.features[layer].detach(), layer)
            for name, style in styles.items():
                if style.layer == layer:
                    _add_pull(style, own, window.at(layer, style.mask), slopes[name], gradient)
            for name, other in others.items():
                if layer in other.layers:
                    leaf = own.detach().requires_grad_()
                    with torch.enable_grad():
                        value = other.part({layer: leaf}, own, window)
                        (pull,) = torch.autograd.grad(weights[name] * value, leaf)
                    gradient.add_(pull)
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


@dataclass(frozen=True)
class Tiles:
    """The windows of a picture, and the picture that their blocks are cut from."""

    windows: list[Window]
    picture: Tensor  # (1, 3, H, W); continued on its opposite sides if the windows are circular
    around: int  # by so many pixels

    @classmethod
    def of(cls, model: VGG19, image: Tensor, layers: Iterable[str], tile: int | None) -> Tiles:
        windows = split_into_windows(shape_of(image), tile, layers, model.padding == "circular")
        around = windows[0].margin if windows[0].circular else 0
        return cls(windows, wrapped(image, around) if around else image, around)

    @property
    def whole(self) -> bool:
        """Whether there is only one."""
        return len(self.windows) == 1

    def __iter__(self) -> Iterator[tuple[Window, Tensor]]:
        """Each window with its block."""
        return ((window, window.cut(self.picture)) for window in self.windows)

    def unwrapped(self, gradient: Tensor) -> Tensor:
        """The gradient of the picture itself."""
        return folded(gradient, self.around) if self.around else gradient


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


# --- pictures whose features are wanted themselves -------------------------------------------


@torch.no_grad()
def features_of(
    model: VGG19, image: Tensor, layers: Iterable[str], tile: int | None = None
) -> dict[str, Tensor]:
    """Return the features of an image at some layers, put together from tiles."""
    layers = list(layers)
    _check_size(image, layers)
    features: dict[str, Tensor] = {}
    for window, block in Tiles.of(model, image, layers, tile):
        for layer, seen in model(block, layers).items():
            own, place = window.own(seen, layer), window.at(layer)
            if layer not in features:
                features[layer] = own.new_empty(
                    (*own.shape[:2], *place.size)
                ).contiguous(memory_format=torch.channels_last)  # fmt: skip
            place.cut(features[layer]).copy_(own)
    return features


@torch.no_grad()
def statistics_of(
    model: VGG19,
    image: Tensor,
    kernels: Mapping[str, Statistic],
    masks: Mapping[str, Tensor | None] | None = None,
    tile: int | None = None,
) -> dict[str, tuple[Moments, tuple[int, ...]]]:
    """Return layer → (the statistic of its kernel, the shape of its features)."""
    layers = list(kernels)
    _check_size(image, layers)
    totals: dict[str, Moments] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for window, block in Tiles.of(model, image, layers, tile):
        for layer, seen in model(block, layers).items():
            own, place = window.own(seen, layer), window.at(layer, (masks or {}).get(layer))
            shapes[layer] = (*own.shape[:2], *place.size)
            _add(totals, layer, _contribution(kernels[layer], own, place))
    return {layer: (totals[layer], shapes[layer]) for layer in layers}


def _check_size(image: Tensor, layers: Iterable[str]) -> None:
    """A layer of which a picture has not even one unit would be missing from the result."""
    height, width = image.shape[2:]
    for layer in layers:
        if min(height, width) < stride(layer):
            raise ValueError(
                f"{layer} needs pictures of at least {stride(layer)} pixels on each side, "
                f"got {width}×{height}"
            )


# --- statistics of parts ---------------------------------------------------------------------


def _contribution(kernel: Statistic, own: Tensor, place: FeatureWindow) -> Moments | None:
    """What a part adds to the statistic of the whole; None: nothing."""
    total = None
    with torch.no_grad():
        for rows, strip in _strips(kernel, own, place):
            total = _plus(total, _of_strip(kernel, own[:, :, rows], strip))
    return total


def _strips(
    kernel: Statistic, own: Tensor, place: FeatureWindow
) -> Iterator[tuple[slice, FeatureWindow]]:
    """Strips of rows that hold few features and count for something."""
    numbers = own.shape[1] * own.shape[3] * own.shape[0]
    if not numbers or not own.shape[2]:
        return
    rows = max(1, STRIP_NUMBERS // numbers) if kernel.additive else own.shape[2]
    for strip in place.in_strips(rows):
        mask = strip.cut_mask()
        if mask is None or mask.any():
            begin = strip.rows.start - place.rows.start
            yield slice(begin, begin + strip.rows.stop - strip.rows.start), strip


def _of_strip(kernel: Statistic, features: Tensor, place: FeatureWindow) -> Moments:
    if isinstance(kernel, WeightedSum):
        return tuple(_of_strip(part, features, place) for _, part in kernel.parts)
    if not kernel.additive:
        return cast(SpatialStatistic, kernel).contribution(features, place)
    return _times(kernel.statistic(features, place.cut_mask()), place.share)


def _add(totals: dict[str, Moments], name: str, more: Moments | None) -> None:
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


def _leaves(moments: Moments) -> list[Tensor]:
    if isinstance(moments, tuple):
        return [leaf for part in moments for leaf in _leaves(part)]
    return [moments]


def _value_and_slope(term: Style, statistic: Moments, weight: float) -> tuple[Tensor, list[Tensor]]:
    """The term's value before its weight, and D = ∂(weight · value)/∂S, leaf by leaf."""
    leaves = [leaf.detach().requires_grad_() for leaf in _leaves(statistic)]
    with torch.enable_grad():
        value = term.of(_rebuilt(statistic, iter(leaves)))
        slope = torch.autograd.grad(weight * value, leaves)
    return value.detach(), list(slope)


def _rebuilt(like: Moments, leaves: Iterator[Tensor]) -> Moments:
    if isinstance(like, tuple):
        return tuple(_rebuilt(part, leaves) for part in like)
    return next(leaves)


# --- backward --------------------------------------------------------------------------------


def _add_pull(
    term: Style, own: Tensor, place: FeatureWindow, slopes: list[Tensor], gradient: Tensor
) -> None:
    """Add the gradient of <D, S>, S being what a part adds to the statistic, strip by strip."""
    with torch.enable_grad():
        for rows, strip in _strips(term.kernel, own, place):
            leaf = own[:, :, rows].detach().requires_grad_()
            moments = _leaves(_of_strip(term.kernel, leaf, strip))
            inner = reduce(torch.add, ((d * m).sum() for d, m in zip(slopes, moments, strict=True)))
            gradient[:, :, rows].add_(torch.autograd.grad(inner, leaf)[0])


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
        add_terms(layer, window.own(gradient, layer))
        to = seen.block if shallower is None else seen.features[shallower]
        (gradient,) = torch.autograd.grad(seen.features[layer], to, gradient)
    return gradient


# --- out of memory ---------------------------------------------------------------------------


def with_smaller_tiles(
    work: Callable[[int | None], Outcome], tile: int | None, image: Tensor
) -> Outcome:
    """Return work(tile); where the memory does not suffice, the same with half the tile's side."""
    while True:
        try:
            return work(tile)
        except (RuntimeError, MemoryError) as error:
            side = min(tile or max(image.shape[2:]), max(image.shape[2:]))
            if not is_out_of_memory(error) or side // 2 < SMALLEST_TILE:
                raise
        tile = side // 2
        if image.device.type == "cuda":
            torch.cuda.empty_cache()
        warnings.warn(
            f"not enough memory for tiles of {side} pixels; going on with {tile}", stacklevel=3
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that there was not enough memory, on any device."""
    words: tuple[str, ...] = ("out of memory", "not enough memory", "allocate memory")
    words += ("alloc_failed", "allocation_failed")  # of cuBLAS and cuDNN
    return isinstance(error, MemoryError) or any(part in str(error).lower() for part in words)
