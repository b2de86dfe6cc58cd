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

import torch
from torch import Tensor

from ..kernels.moments import Moments, Statistic
from ..kernels.registry import WeightedSum
from ..losses.objective import Evaluation, Objective
from ..losses.terms import Style
from ..machine.memory import is_out_of_memory
from ..vgg.layers import LAYERS, stride
from ..vgg.network import VGG19
from .windows import FeatureWindow, Window, can_be_cut, folded, split_into_windows, wrapped

STRIP_NUMBERS = 2**21  # features worked on at once for a statistic: 8 MB
SMALLEST_TILE = 64


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
    def weights(self) -> dict[str, float]:
        """Term → its weight in the total."""
        return self.objective.weights

    def reweight(self, weights: Mapping[str, float]) -> None:
        """Give the terms other weights."""
        self.objective.weights = dict(weights)

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
        if model.padding == "circular" and not can_be_cut(tuple(image.shape[2:]), layers):
            return evaluate(self.tile)
        return with_smaller_tiles(evaluate, self.tile, image)

    def _evaluate(self, image: Tensor) -> Evaluation:
        objective, weights = self.objective, self.weights
        model, layers = objective.model, objective.layers
        styles = {name: t for name, t in objective.terms.items() if isinstance(t, Style)}
        others = {name: t for name, t in objective.terms.items() if name not in styles}
        parts = split_into_windows(
            tuple(image.shape[2:]), self.tile, layers, model.padding == "circular"
        )
        in_one_piece = len(parts) == 1
        around = parts[0].margin if parts[0].circular else 0
        picture = wrapped(image, around) if around else image
        gradient = torch.zeros_like(picture)

        # Forward: what each style's statistic is for the whole picture
        statistics: dict[str, Moments] = {}
        for window in parts:
            with torch.set_grad_enabled(in_one_piece):
                block = window.cut(picture).detach().requires_grad_(in_one_piece)
                features = model(block, layers) if layers else {}
            for name, term in styles.items():
                own = window.own(features)[term.layer].detach()
                _add(statistics, name, _contribution(term, own, window.at(term.layer, term.mask)))
            own = None
            if not in_one_piece:
                features = block = None
        values: dict[str, Tensor] = {}
        slopes: dict[str, Moments] = {}
        for name, term in styles.items():
            value, slopes[name] = _value_and_slope(term, statistics[name], weights[name])
            values[name] = value

        # Backward: from <D, S> and from the terms that are sums over positions anyway
        for window in parts:
            if not in_one_piece:
                block = window.cut(picture).detach().requires_grad_()
                with torch.enable_grad():
                    features = model(block, layers) if layers else {}
            pulls: dict[str, Callable[[Tensor], None]] = {}
            for layer in layers:
                here = {n: t for n, t in styles.items() if t.layer == layer}
                there = {n: t for n, t in others.items() if layer in t.layers}
                own = window.own({layer: features[layer].detach()})[layer]
                pulls[layer] = _puller(window, layer, own, here, slopes, there, weights, values)
            found = _pull_back(block, features, window, pulls)
            for name, term in others.items():
                if not term.layers:
                    found = found + _of_pixels(name, term, block, window, weights[name], values)
            window.cut(gradient).add_(found)
            features = block = own = pulls = found = None  # before the next tile needs the memory
        if around:
            gradient = folded(gradient, around)

        names = list(objective.terms)
        total = sum(weights[name] * values[name] for name in names)
        numbers = torch.stack([v.to(total.dtype) for v in (total, *map(values.get, names))])
        numbers = numbers.tolist()  # one wait for the device
        return Evaluation(numbers[0], dict(zip(names, numbers[1:], strict=True)), gradient)


# --- pictures whose features are wanted themselves -------------------------------------------


@torch.no_grad()
def features_of(
    model: VGG19, image: Tensor, layers: list[str], tile: int | None = None
) -> dict[str, Tensor]:
    """Return the features of an image at some layers, put together from tiles."""
    _check_size(image, layers)
    found: dict[str, Tensor] = {}
    for window in split_into_windows(
        tuple(image.shape[2:]), tile, layers, model.padding == "circular"
    ):
        around = window.margin if window.circular else 0
        block = window.cut(wrapped(image, around) if around else image)
        for layer, own in window.own(model(block, layers)).items():
            place = window.at(layer)
            if layer not in found:
                found[layer] = own.new_empty(
                    (*own.shape[:2], *place.size)
                ).contiguous(memory_format=torch.channels_last)  # fmt: skip
            place.cut(found[layer]).copy_(own)
    return found


@torch.no_grad()
def statistics_of(
    model: VGG19,
    image: Tensor,
    kernels: Mapping[str, Statistic],
    masks: Mapping[str, Tensor] | None = None,
    tile: int | None = None,
) -> dict[str, tuple[Moments, tuple[int, ...]]]:
    """Return layer → (the statistic of its kernel, the shape of its features)."""
    layers = list(kernels)
    _check_size(image, layers)
    found: dict[str, Moments] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for window in split_into_windows(
        tuple(image.shape[2:]), tile, layers, model.padding == "circular"
    ):
        around = window.margin if window.circular else 0
        block = window.cut(wrapped(image, around) if around else image)
        for layer, own in window.own(model(block, layers)).items():
            place = window.at(layer, (masks or {}).get(layer))
            shapes[layer] = (*own.shape[:2], *place.size)
            _add(found, layer, _contribution_of(kernels[layer], own, place))
    return {layer: (found[layer], shapes[layer]) for layer in layers}


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


def _contribution(term: Style, own: Tensor, place: FeatureWindow) -> Moments | None:
    return _contribution_of(term.kernel, own, place)


def _contribution_of(kernel: Statistic, own: Tensor, place: FeatureWindow) -> Moments | None:
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
        if place.mask is None or strip.cut(strip.mask).any():
            begin = strip.rows.start - place.rows.start
            yield slice(begin, begin + strip.rows.stop - strip.rows.start), strip


def _of_strip(kernel: Statistic, features: Tensor, place: FeatureWindow) -> Moments:
    if isinstance(kernel, WeightedSum):
        return tuple(_of_strip(part, features, place) for _, part in kernel.parts)
    if not kernel.additive:
        return kernel.contribution(features, place)
    return _times(kernel.statistic(features, place.cut(place.mask)), place.share)


def _add(totals: dict[str, Moments], name: str, more: Moments | None) -> None:
    totals[name] = _plus(totals.get(name), more)


def _plus(total: Moments | None, more: Moments | None) -> Moments | None:
    """total + more, in place where there is a total."""
    if total is None or more is None:
        return more if total is None else total
    if isinstance(total, tuple):
        return tuple(_plus(a, b) for a, b in zip(total, more, strict=True))
    return total.add_(more)


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


def _puller(window, layer, own, styles, slopes, others, weights, values):
    """Return a function that adds the gradient of a layer's terms to a gradient of its own part."""

    def pull(gradient: Tensor) -> None:
        with torch.enable_grad():
            for name, term in styles.items():
                place = window.at(layer, term.mask)
                for rows, strip in _strips(term.kernel, own, place):
                    leaf = own[:, :, rows].detach().requires_grad_()
                    moments = _leaves(_of_strip(term.kernel, leaf, strip))
                    inner = sum((d * m).sum() for d, m in zip(slopes[name], moments, strict=True))
                    gradient[:, :, rows].add_(torch.autograd.grad(inner, leaf)[0])
            for name, term in others.items():
                leaf = own.detach().requires_grad_()
                value = term.part({layer: leaf}, own, window)
                gradient.add_(torch.autograd.grad(weights[name] * value, leaf)[0])
                values[name] = values.get(name, 0) + value.detach()

    return pull


def _pull_back(
    block: Tensor, features: dict[str, Tensor], window: Window, pulls: Mapping[str, Callable]
) -> Tensor:
    """The gradient of the block from what each layer's terms add on the way."""
    if not features:
        return torch.zeros_like(block)
    deepest = max(features, key=LAYERS.index)
    for layer, whole in features.items():
        if layer != deepest:

            def on_the_way(gradient: Tensor, layer: str = layer) -> Tensor:
                pulls[layer](window.own({layer: gradient})[layer])
                return gradient

            whole.register_hook(on_the_way)
    begin = torch.zeros_like(features[deepest])
    pulls[deepest](window.own({deepest: begin})[deepest])
    (gradient,) = torch.autograd.grad(features[deepest], block, begin)
    return gradient


def _of_pixels(name, term, block, window, weight, values) -> Tensor:
    leaf = block.detach().requires_grad_()
    with torch.enable_grad():
        value = term.part({}, leaf, window)
        (gradient,) = torch.autograd.grad(weight * value, leaf)
    values[name] = values.get(name, 0) + value.detach()
    return gradient


# --- out of memory ---------------------------------------------------------------------------


def with_smaller_tiles(work: Callable[[int | None], object], tile: int | None, image: Tensor):
    """Return work(tile); where the memory does not suffice, the same with half the tile's side."""
    while True:
        try:
            return work(tile)
        except Exception as error:  # libraries raise anything when the memory is at its end
            side = min(tile or max(image.shape[2:]), max(image.shape[2:]))
            if not is_out_of_memory(error) or side // 2 < SMALLEST_TILE:
                raise
        tile = side // 2
        if image.device.type == "cuda":
            torch.cuda.empty_cache()
        warnings.warn(
            f"not enough memory for tiles of {side} pixels; going on with {tile}", stacklevel=3
        )
