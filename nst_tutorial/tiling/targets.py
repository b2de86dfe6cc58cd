"""Features and statistics of the pictures that a result is compared with, whole or in tiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..images.resizing import shape_of
from ..kernels.statistic import Moments, Statistic, is_preliminary, reach_of
from ..vgg.layers import stride
from ..vgg.network import VGG19
from .contributions import add_part, contribution
from .windows import Reaches, Window, folded, split_into_windows, wrapped


@dataclass(frozen=True)
class Tiles:
    """The windows of a picture, and the picture that their blocks are cut from."""

    windows: list[Window]
    picture: Tensor  # (1, 3, H, W); continued on its opposite sides if the windows are circular
    around: int  # pixels by which it is continued

    @classmethod
    def of(
        cls,
        model: VGG19,
        image: Tensor,
        layers: Iterable[str],
        tile: int | None,
        reaches: Reaches | None = None,
    ) -> Tiles:
        circular = model.padding == "circular"
        windows = split_into_windows(shape_of(image), tile, layers, circular, reaches)
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
    reaches = {layer: reach_of(kernel) for layer, kernel in kernels.items()}
    for window, block in Tiles.of(model, image, layers, tile, reaches):
        for layer, seen in model.look(block, layers).items():
            own = window.own(seen, layer, reaches[layer])
            place = window.at(layer, (masks or {}).get(layer))
            shapes[layer] = (*own.shape[:2], *place.size)
            add_part(totals, layer, contribution(kernels[layer], own, place))
    return {layer: (totals[layer], shapes[layer]) for layer in layers}


def fit_kernels(
    model: VGG19,
    image: Tensor,
    kernels: Mapping[str, Statistic],
    masks: Mapping[str, Tensor | None] | None = None,
    tile: int | None = None,
) -> dict[str, tuple[Statistic, Moments, tuple[int, ...]]]:
    """Return layer → (its kernel, fitted to the style `image`; the target; the features' shape).

    As `kernels.fit`, but the features are never in memory all at once. Kernels that are preliminary
    take a second look at the picture.
    """
    measured = statistics_of(model, image, kernels, masks, tile)
    fitted = {layer: kernels[layer].fitted(target) for layer, (target, _) in measured.items()}
    again = {layer: fitted[layer] for layer in kernels if is_preliminary(kernels[layer])}
    if again:
        measured |= statistics_of(model, image, again, masks, tile)
        fitted |= {layer: kernel.fitted(measured[layer][0]) for layer, kernel in again.items()}
    return {layer: (fitted[layer], *measured[layer]) for layer in kernels}


def _check_size(image: Tensor, layers: Iterable[str]) -> None:
    """A layer of which a picture has not even one unit would be missing from the result."""
    height, width = image.shape[2:]
    for layer in layers:
        if min(height, width) < stride(layer):
            raise ValueError(
                f"{layer} needs pictures of at least {stride(layer)} pixels on each side, "
                f"got {width}×{height}"
            )
