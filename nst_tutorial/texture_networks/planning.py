"""How much memory a generator takes, for pictures and for a training, before either begins."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ..checks import check_number
from ..machine.memory import usable
from ..presets import STYLE_LAYERS
from ..tiling.memory_needs import memory_of_evaluation
from .strips import rows_of_strip

IN_ONE_PIECE = (
    2**20
)  # pixels; of larger pictures each layer leaves the cache, and strips are faster
WAYS = ("whole", "stored", "recomputed")  # the fastest first; the last two are in strips

# Measured with the paper's design
BASE = {"cpu": 0.7e9, "cuda": 0.1e9}  # bytes: torch, and the first passes
LAYERS_AT_ONCE = 6.0  # of the last join, in one piece
LAYERS_OF_A_STRIP = 8.0
LAYERS_IN_TRAINING = 22.0  # that the backward pass needs, all scales together


def choose_way(
    design: Mapping, shape: tuple[int, int], count: int, device: torch.device, memory: float | None
) -> str:
    """Return the fastest of `WAYS` to make `count` pictures of a size that fits into the memory.

    Parameters
    ----------
    design, device
        Of the generator.
    shape
        (H, W) in pixels.
    memory
        GB that the process may use; None: four fifths of what is free, and what it has already.

    Raises
    ------
    ValueError
        None fits.
    """
    budget = _budget(device, memory)
    height, width = shape
    if budget is None:
        return WAYS[height * width > IN_ONE_PIECE]
    ways = WAYS if height * width <= IN_ONE_PIECE else WAYS[1:]
    for way in ways:
        need = memory_of_sample(design, shape, count, way, device)
        if need <= budget:
            return way
    pictures = "a picture" if count == 1 else f"{count} pictures"
    raise ValueError(
        f"{pictures} of {width}×{height} pixels would take {need / 1e9:.1f} GB, more than the "
        f"{budget / 1e9:.1f} GB that may be used: take a smaller size"
    )


def memory_of_sample(
    design: Mapping, shape: tuple[int, int], count: int, way: str, device: torch.device
) -> float:
    """Return the bytes at the peak, torch and the content included."""
    height, width = shape
    channels = design["scales"] * design["width"]
    # The others' noise and pictures; this one's content, and its noise at first, itself at last
    kept = (count - 1) * (4 / 3 * design["depth"] + 3)
    kept += 3 * design["stylizes"] + max(3, design["depth"])
    if way == "whole":
        pictures = min(count, max(1, IN_ONE_PIECE // (height * width)))
        numbers = pictures * LAYERS_AT_ONCE * channels * height * width
    else:  # the branch's result at this scale, the join's at half of it, and what is in work
        stored = design["width"] + (channels - design["width"]) / 4
        stored += 2 * channels if way == "stored" else 0
        rows = min(height, rows_of_strip(width, channels))
        numbers = (stored * height + LAYERS_OF_A_STRIP * channels * rows) * width
    return _base(device) + 4 * (numbers + kept * height * width)


def check_training(design: Mapping, size: int, batch: int, device: torch.device) -> None:
    """A ValueError says that pictures of this size, `batch` a step, do not fit into the memory."""
    generator = 4 * LAYERS_IN_TRAINING * design["scales"] * design["width"] * batch * size**2
    need = memory_of_evaluation((size, size), None, list(STYLE_LAYERS), device)
    _refuse_if_above(need + generator, size, batch, device)


PAINTER_IN_TRAINING = 160.0  # bytes for each pixel and channel of `width`: estimated


def check_memory_of_training(width: int, size: int, batch: int, device: torch.device) -> None:
    """The same for a painter of that width."""
    need = memory_of_evaluation((size, size), None, list(STYLE_LAYERS), device)
    _refuse_if_above(need + PAINTER_IN_TRAINING * width * batch * size**2, size, batch, device)


def _refuse_if_above(need: float, size: int, batch: int, device: torch.device) -> None:
    budget = _budget(device, None)
    if budget is not None and need > budget:
        raise ValueError(
            f"a batch of {batch} pictures of {size} pixels a side would take {need / 1e9:.1f} GB, "
            f"more than the {budget / 1e9:.1f} GB that may be used: take a smaller batch or size"
        )


def _base(device: torch.device) -> float:
    return BASE["cuda" if device.type == "cuda" else "cpu"]


def _budget(device: torch.device, memory: float | None) -> float | None:
    """Bytes that may be used; None: not known."""
    return usable(device) if memory is None else check_number("memory", memory, above=0) * 1e9
