"""How much memory an evaluation of loss and gradient takes at its peak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ..kernels.registry import WeightedSum
from ..kernels.statistic import Statistic, kept_of, reach_of
from ..vgg.calibration import likely_paths
from ..vgg.layers import CHANNELS, stride
from .windows import Reaches, can_be_cut, split_into_windows

# Bytes, measured by benchmarks/memory.py for five style layers and one content layer.
BASE = {"cpu": 0.72e9, "cuda": 0.9e9}  # torch, VGG19
TRANSFORMED_WEIGHTS = {
    "winograd": 0.32e9, "winograd-onednn": 0.62e9, "winograd-bfloat16": 0.3e9,
}  # fmt: skip
PER_SEEN_PIXEL = {  # of the block that the network works on, by its path
    "direct": 2500, "winograd": 1400, "winograd-onednn": 1400,
    "direct-bfloat16": 1450, "winograd-bfloat16": 900, "direct-float16": 2300,
}  # fmt: skip
PER_SEEN_PIXEL_ON_CUDA = 3500
# How the numbers of the network's features, and of its weights, are spread over the five blocks
FEATURES_OF_BLOCKS = (0.43, 0.22, 0.22, 0.10, 0.03)
WEIGHTS_OF_BLOCKS = (0.00, 0.02, 0.16, 0.64, 0.18)
IN_TILES = 1.25  # times as much, since blocks of several sizes leave gaps in the memory
OF_SUMS = 0.2e9, 200  # more, and more for each pixel seen, where a style is a sum of statistics
PER_PIXEL = 70  # of the whole picture: itself, its gradient, the content's features
PER_KEPT_NUMBER = (
    28  # of a statistic that keeps its positions: itself, its parts, slopes, the style
)


def memory_of_evaluation(
    shape: tuple[int, int],
    tile: int | None,
    layers: Sequence[str],
    device: torch.device,
    circular: bool = False,
    paths: Sequence[str] | None = None,
    kernels: Mapping[str, Statistic] | None = None,
) -> float:
    """Return the bytes at the peak of one evaluation of loss and gradient, torch included.

    `kernels` are those of the style layers; None: additive ones.
    """
    kernels = kernels or {}
    reaches = {layer: reach_of(kernel) for layer, kernel in kernels.items()}
    seen = pixels_seen(shape, tile, layers, circular, reaches)
    paths = likely_paths(device) if paths is None else paths
    if device.type == "cuda":
        base, each = BASE["cuda"], float(PER_SEEN_PIXEL_ON_CUDA)
    else:
        base = BASE["cpu"] + _weighted(TRANSFORMED_WEIGHTS, paths, WEIGHTS_OF_BLOCKS)
        each = _weighted(PER_SEEN_PIXEL, paths, FEATURES_OF_BLOCKS)
    each *= IN_TILES if len(seen) > 1 else 1
    if device.type != "cuda" and any(isinstance(k, WeightedSum) for k in kernels.values()):
        base, each = base + OF_SUMS[0], each + OF_SUMS[1]
    whole = PER_PIXEL * shape[0] * shape[1] + PER_KEPT_NUMBER * numbers_kept(shape, kernels)
    return base + each * max(seen) + whole


def _weighted(amounts: Mapping[str, float], paths: Sequence[str], shares: Sequence[float]) -> float:
    return sum(share * amounts.get(path, 0.0) for path, share in zip(paths, shares, strict=True))


def numbers_kept(shape: tuple[int, int], kernels: Mapping[str, Statistic]) -> int:
    """How many numbers the statistics of a picture (H, W) keep that are no means over positions."""
    total = 0
    for layer, kernel in kernels.items():
        height, width = (side // stride(layer) for side in shape)
        total += kept_of(kernel, CHANNELS[int(layer[4]) - 1], height * width)
    return total


def pixels_seen(
    shape: tuple[int, int],
    tile: int | None,
    layers: Sequence[str],
    circular: bool,
    reaches: Reaches | None,
) -> list[int]:
    """Pixels of each tile with its margin."""
    circular = circular and can_be_cut(shape, layers, reaches)
    windows = split_into_windows(shape, tile, layers, circular, reaches)
    blocks = [window.block for window in windows]
    return [(r.stop - r.start) * (c.stop - c.start) for r, c in blocks]
