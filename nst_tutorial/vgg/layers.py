"""VGG19's layers by name: their order, strides, and how far they see."""

from __future__ import annotations

from collections.abc import Iterable

BLOCKS = (2, 2, 4, 4, 4)  # convolutions in each of the five blocks
CHANNELS = (64, 128, 256, 512, 512)


def _layer_names() -> tuple[str, ...]:
    names = []
    for block, convolutions in enumerate(BLOCKS, start=1):
        for i in range(1, convolutions + 1):
            names += [f"conv{block}_{i}", f"relu{block}_{i}"]
        names.append(f"pool{block}")
    return tuple(names)


LAYERS = _layer_names()
"""All layers in order. The position of a name is its index in torchvision's `vgg19().features`."""

CONVOLUTIONS = tuple(name for name in LAYERS if name.startswith("conv"))


def check_layers(layers: Iterable[str]) -> list[str]:
    """Return the names as a list; a ValueError names the first that is no layer of VGG19."""
    layers = list(layers)
    for name in layers:
        if name not in LAYERS:
            raise ValueError(f"unknown layer {name!r}; VGG19 has {', '.join(LAYERS)}")
    return layers


def stride(layer: str) -> int:
    """Pixels from one position of a layer to the next."""
    return 2 ** sum(name.startswith("pool") for name in LAYERS[: LAYERS.index(layer) + 1])


def reach(layer: str) -> int:
    """How far a position of a layer sees beyond its own stride × stride pixels, to each side."""
    path = LAYERS[: LAYERS.index(layer) + 1]
    return sum(stride(name) for name in path if name.startswith("conv"))


def margin(layers: Iterable[str]) -> int:
    """Pixels around a tile that must be seen: the reach, in whole strides; 1 without layers."""
    deepest = max(layers, key=LAYERS.index, default=None)
    if deepest is None:
        return 1
    step = stride(deepest)
    return -(-reach(deepest) // step) * step
