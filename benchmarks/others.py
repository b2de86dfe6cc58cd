"""Seconds an iteration and peak memory of style-transfer-pytorch, beside ours.

    pip install aiohttp; git clone https://github.com/crowsonkb/style-transfer-pytorch
    python benchmarks/others.py style-transfer-pytorch [--size 512] [--iterations 8] [--rounds 3]

Its default objective is the Wasserstein distance at five layers, content at one and total
variation, its default method Adam; ours runs with its own defaults, and with the same distance. One
size, square pictures, each side in fresh processes that take turns; medians of all iterations but
the first two. Time and memory do not depend on what the network has learnt: theirs gets the weights
that torchvision's VGG19 has before training, so that nothing is downloaded.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import time
from itertools import pairwise

import torch
from peers import PAIRS, headline, in_a_fresh_process, peak_memory

import nst_tutorial as nst
from nst_tutorial.images.reading import to_pil


def pictures(size: int):
    return [nst.resize(nst.load_image(name), (size, size)).clamp(0, 1) for name in PAIRS[0]]


def report(ends: list[float], device: str = "cpu") -> None:
    each = [b - a for a, b in pairwise(ends[1:])]
    on_cuda = torch.device(device).type == "cuda"
    memory = torch.cuda.max_memory_allocated() / 1e9 if on_cuda else peak_memory()
    print(json.dumps({"seconds": each, "memory": memory}))


def theirs(size: int, iterations: int, checkout: str, device: str = "cpu") -> None:
    """In a fresh process: the seconds of each iteration, and the peak memory, of a GPU its own."""
    import torchvision

    plain = torchvision.models.vgg19
    torchvision.models.vgg19 = lambda weights=None: plain(weights=None)
    sys.path.insert(0, checkout)
    from style_transfer.style_transfer import StyleTransfer

    content, style = map(to_pil, pictures(size))
    ends: list[float] = []
    with contextlib.redirect_stdout(sys.stderr):
        StyleTransfer(devices=[device]).stylize(
            content, [style], min_scale=size, end_scale=size, initial_iterations=iterations,
            callback=lambda _: ends.append(time.perf_counter()),
        )  # fmt: skip
    report(ends, device)


def ours(size: int, iterations: int, kernel: str) -> None:
    """The same of `stylize`."""
    ends: list[float] = []

    def watch(_) -> None:
        ends.append(time.perf_counter())

    nst.stylize(
        *pictures(size), steps=iterations, kernel=kernel, coarse_to_fine=False, device="cpu",
        callback=watch,
    )  # fmt: skip
    report(ends)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", nargs="?", help="folder of style-transfer-pytorch")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--iterations", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        name, size, iterations, *what = options.run
        globals()[name](int(size), int(iterations), *what)
        return
    if options.checkout is None:
        parser.error("name the folder of a checkout of style-transfer-pytorch")
    print(headline())
    sides = {
        "style-transfer-pytorch": ("theirs", options.checkout),
        "ours, Gram": ("ours", "gram"),
        "ours, Wasserstein": ("ours", "wasserstein"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    memory: dict[str, float] = {}
    for _ in range(options.rounds):
        for name, (function, what) in sides.items():
            line = in_a_fresh_process(
                __file__, "--run", function, options.size, options.iterations, what
            )
            found = json.loads(line)
            seconds[name] += found["seconds"]
            memory[name] = max(memory.get(name, 0), found["memory"])
    theirs_each = statistics.median(seconds["style-transfer-pytorch"])
    print(f"{options.size}×{options.size}")
    for name in sides:
        each = statistics.median(seconds[name])
        print(f"{name:24} {each:6.2f} s an iteration, {theirs_each / each:4.2f} times as fast, "
              f"{memory[name]:.2f} GB")  # fmt: skip


if __name__ == "__main__":
    main()
