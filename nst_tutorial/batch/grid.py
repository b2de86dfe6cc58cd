"""The grid of a batch: lists of values by setting, every combination checked before any work."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import torch

from ..checks import LARGEST_SIZE, SMALLEST_SIDE, check_integer, check_number
from ..kernels.registry import kernels_of_layers
from ..looks.grid import grid_shape
from ..optimize.grid import check_cells
from ..presets import RENAMED, Settings, current_names, normalized_mix
from ..transfer.options import settings_from
from ..vgg.layers import CHANNELS
from ..vgg.weights import NAMED, check_weights, read_weights, weights_file

SIZE = 512  # pixels of the longer side, where the grid does not say
SETTINGS = (
    *("size", "preset", "seed"),
    *(name for name in Settings.__dataclass_fields__ if name != "source"),
)
"""What a grid may list values of: the options of `stylize` that JSON can hold, and the size."""

MOST_PICTURES = 100_000  # of a batch: days of work; their list takes half a gigabyte


def combinations(grid: Mapping[str, Sequence]) -> list[dict]:
    """Return every combination of the grid's values, {setting: value}, each one checked.

    {"style_weight": [5, 15], "kernel": ["gram", "bn"]} has four; an empty grid has one, all
    settings as they are by default. Settings may be called as in version 0.1.0.

    Raises
    ------
    ValueError
        An unknown setting, no list of values, a value that `stylize` would refuse, or more than
        `MOST_PICTURES` combinations.
    FileNotFoundError
        No such file of weights.
    """
    check_count(grid)
    grid = current_names(grid)
    options = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    for each in options:
        _check(each)
    return options


def check_count(grid: Mapping[str, Sequence], pairs: int = 1) -> None:
    """Refuse what is no grid, or too large a one, before any list is made of it."""
    if not isinstance(grid, Mapping):
        raise ValueError(f"the grid must map settings to lists of values, got {grid!r}")
    for name, values in grid.items():
        if name not in SETTINGS and name not in RENAMED:
            raise ValueError(f"unknown setting {name!r} in the grid; there are {_known()}")
        if isinstance(values, str | Mapping) or not isinstance(values, Sequence) or not values:
            raise ValueError(f"{name} in the grid must be a list of values, got {values!r}")
    count = math.prod(len(values) for values in grid.values())
    if pairs * count > MOST_PICTURES:
        times = f", for {pairs:,} pairs of pictures" if pairs > 1 else ""
        raise ValueError(
            f"the grid has {count:,} combinations of settings{times}; a batch may have "
            f"{MOST_PICTURES:,} pictures: shorten its lists, or make several batches of it"
        )


def _known() -> str:
    return ", ".join(SETTINGS)


def _check(options: Mapping) -> None:
    size = check_integer("size", options.get("size", SIZE), SMALLEST_SIDE, LARGEST_SIZE)
    check_integer("seed", options.get("seed", 0), 0)
    settings = settings_from(options.get("preset", "default"), options)
    scale = check_number("style_scale", settings.style_scale, above=0)  # one: one style each
    if scale * size < SMALLEST_SIDE:
        raise ValueError(
            f"style_scale {scale:g} leaves the style smaller than {SMALLEST_SIDE} pixels at size "
            f"{size}"
        )
    if settings.parametrization == "grid":  # of the narrowest picture, which has the fewest cells
        check_cells(grid_shape(SMALLEST_SIDE, size, settings.grid_size, settings.grid_depth))
    normalized_mix(settings.style_mix, 1)
    if settings.vgg_weights not in NAMED:
        weights_file(settings.vgg_weights)
    kernels = kernels_of_layers(settings.kernel, settings.style_layers).values()
    for kernel in {id(kernel): kernel for kernel in kernels}.values():  # mostly one for all layers
        kernel.statistic(torch.ones(1, 2, 2, 2))  # a polynomial of degree 3 has none


def check_networks(names: Iterable[str], *, download: bool) -> None:
    """Read each set of weights once, so that a damaged one ends a batch before it begins.

    `download`: torchvision's too.

    Raises
    ------
    ValueError
        A file that holds no weights of VGG19.
    OSError
        Weights that are not there, or cannot be fetched.
    """
    unchecked = {"random"} if download else {"random", "torchvision"}
    for weights in sorted({*names} - unchecked):
        arrays, _, source = read_weights(weights, None, CHANNELS, 0)
        check_weights(arrays, CHANNELS, source)
