"""How long each block's convolutions take by each path, and how far reduced precision leads astray.

One layer stands for each block: as many channels in as out, on a picture of few rows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..images.reading import load_image
from . import half
from .layers import BLOCKS, CHANNELS
from .network import VGG19
from .paths import FLOAT16, PATHS
from .products import PRODUCTS
from .winograd_layers import Conv3x3ReLU

BUDGET = 2.0  # seconds: what measuring should take, and no round begins after it
MOST_ROUNDS = 4
HOPELESS = 1.6  # times the fastest: not measured again
GAIN = 0.9  # of float32's time: what reduced precision must stay below
LEAST_COSINE = 0.99
SIZES = ((64, 256), (64, 128), (32, 128), (32, 64), (16, 32))  # of the five layers: rows, columns
FEWEST_ROWS = 8
LAYERS_LIKE_THE_LAST = 9  # multiplications of all five layers over those of the last
ON_A_GPU = 4  # times as many rows and columns
PROBED = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")

clock: Callable[[], float] = time.perf_counter
Seconds = tuple[dict[str, float], ...]  # block by block: path → forward and back


class BusyError(Exception):
    """Others compute on this machine, so that nothing can be measured in time."""


def measure(names: Sequence[str], device: torch.device, limit: float = math.inf) -> Seconds:
    """Return the least seconds of each path for each block, measured in turns.

    Each runs once to warm up. Paths that were hopelessly slow then are not measured again.

    Raises
    ------
    BusyError
        It takes more than `limit` seconds.
    """
    sizes = _sizes(names, device)
    begin = clock()  # what is made once, such as threads, is made
    works = {
        (block, name): layer(name, CHANNELS[block], sizes[block], device)
        for block in range(len(BLOCKS))
        for name in names
    }
    seconds: dict[tuple[int, str], float] = {}

    def run(keys: Iterable[tuple[int, str]]) -> None:
        for key in keys:
            if clock() - begin > limit:
                raise BusyError
            seconds[key] = min(seconds.get(key, math.inf), _timed(works[key], device))

    run(works)
    best = [min(seconds[block, name] for name in names) for block in range(len(BLOCKS))]
    promising = [key for key in works if seconds[key] < HOPELESS * best[key[0]]]
    run(promising)  # the first one also paid for what is made once
    for _ in range(MOST_ROUNDS):
        if clock() - begin < BUDGET:
            run(promising)
    return tuple({name: seconds[block, name] for name in names} for block in range(len(BLOCKS)))


def _sizes(names: Iterable[str], device: torch.device) -> list[tuple[int, int]]:
    """Rows and columns of the layers, such that two rounds of the paths take about `BUDGET`."""
    expected = 0.0
    for name in names:
        last = layer(name, CHANNELS[-1], SIZES[-1], device)
        _timed(last, device)
        expected += 2 * LAYERS_LIKE_THE_LAST * _timed(last, device)
    share = min(1.0, BUDGET / max(expected, 1e-9))
    return [(max(FEWEST_ROWS, 4 * round(share * rows / 4)), columns) for rows, columns in SIZES]


def layer(
    name: str, channels: int, size: tuple[int, int], device: torch.device
) -> Callable[[], object]:
    """Return a function that runs one layer forward and back by a path."""
    path = PATHS[name]
    rows, columns = (side * (ON_A_GPU if device.type == "cuda" else 1) for side in size)
    dtype = torch.float32 if name == FLOAT16 else path.dtype  # what `half.run` is given
    x = torch.rand(1, channels, rows, columns, device=device, dtype=dtype)
    x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
    bias = torch.zeros(channels, device=device, dtype=torch.float32)
    convolve: Callable[[], Tensor]
    if name in PRODUCTS:
        products = PRODUCTS[name](torch.full((36, channels, channels), 0.01, dtype=torch.float32))

        def convolve() -> Tensor:
            return Conv3x3ReLU.apply(x, products, bias)
    else:
        weight = torch.full((channels, channels, 3, 3), 0.01, device=device, dtype=path.dtype)
        weight = weight.contiguous(memory_format=torch.channels_last)

        def step(x: Tensor) -> Tensor:
            return F.conv2d(x, weight, bias.to(path.dtype), padding=1).relu_()

        def convolve() -> Tensor:
            return half.run(x, [step], 1.0) if name == FLOAT16 else step(x)

    upstream = torch.ones_like(x)

    def forward_and_back() -> object:
        return torch.autograd.grad(convolve(), x, upstream)

    return forward_and_back


def _timed(work: Callable[[], object], device: torch.device) -> float:
    begin = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock() - begin


# --- the choice ------------------------------------------------------------------------------


def quickest(seconds: Iterable[Mapping[str, float]], names: Sequence[str]) -> tuple[str, ...]:
    """Return the fastest of the named paths for each block.

    Reduced precision must be the faster one by more than what one would not notice.
    """
    return tuple(
        min(
            (name for name in names if name in times),
            key=lambda name: times[name] / (1 if PATHS[name].precision == "float32" else GAIN),
        )
        for times in seconds
    )


def cosine_with_float32(model: VGG19, paths: Sequence[str]) -> float:
    """Return the cosine between the gradients of a probe, by these paths and in float32.

    The probe is ½ Σ ‖F(x) - F(y)‖² / ‖F(y)‖² over one layer of each block, y being a photograph and
    x the same with noise: without that, two equal pixels under a pooling would leave it to rounding
    which of them gets the gradient.
    """
    like = model.mean
    y = load_image("temple", 128)
    generator = torch.Generator().manual_seed(0)
    x = (y + 0.1 * torch.randn(y.shape, generator=generator)).to(like)
    y = y.to(like)

    def gradient(network: VGG19) -> Tensor:
        with torch.no_grad():
            targets = network(y, PROBED)
        leaf = x.clone().requires_grad_()
        with torch.enable_grad():
            features = network(leaf, PROBED)
            loss = torch.stack(
                [
                    (features[name] - targets[name]).square().sum() / targets[name].square().sum()
                    for name in PROBED
                ]
            ).sum()
            return torch.autograd.grad(loss, leaf)[0].double().flatten()

    reduced, exact = gradient(model.with_paths(paths)), gradient(model.with_paths("direct"))
    return float(torch.cosine_similarity(reduced, exact, dim=0))
