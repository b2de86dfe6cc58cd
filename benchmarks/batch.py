"""What a batch costs over its single runs, and what a second worker brings.

    python benchmarks/batch.py [--size 192] [--steps 20] [--pictures 8] [--rounds 3]

Overhead: `sweep` in this process against the same pictures loaded, stylized and saved one after
the other, both taking turns. Workers: the same batch on one Dask worker and on two, each with one
thread, the workers being warm; and again with the start of the workers and their first load of
the network, as `nst batch --workers` does it.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from distributed import Client, LocalCluster
from peers import PAIRS, headline

import nst_tutorial as nst
from nst_tutorial.machine.malloc import keep_freed_memory


def batch(grid: dict, **options) -> float:
    """Seconds of a batch into a fresh folder; every picture must be there."""
    with tempfile.TemporaryDirectory() as out:
        begin = time.perf_counter()
        found = nst.sweep(*PAIRS[0], grid, out, progress=False, device="cpu", **options)
        seconds = time.perf_counter() - begin
        assert len(found.done) == len(grid["seed"]), found.failed
        assert len(list(Path(out).glob("*.png"))) == len(grid["seed"])
    return seconds


def one_by_one(grid: dict) -> float:
    """Seconds of the same pictures, each loaded, stylized and saved on its own."""
    (size,), (steps,) = grid["size"], grid["steps"]
    with tempfile.TemporaryDirectory() as out:
        begin = time.perf_counter()
        for seed in grid["seed"]:
            content, style = (nst.load_image(name, size) for name in PAIRS[0])
            result = nst.stylize(content, style, steps=steps, seed=seed, device="cpu")
            nst.save_image(result.image, Path(out, f"{seed}.png"), result.settings)
        return time.perf_counter() - begin


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[Client]:
    """A cluster whose workers have loaded the network."""
    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, memory_limit=0, dashboard_address=None,
            silence_logs=logging.ERROR,
        ) as local,
        Client(local) as client,
    ):  # fmt: skip
        client.run(warm)
        yield client


def warm() -> None:
    torch.set_num_threads(1)
    nst.stylize(*(nst.load_image(name, 64) for name in PAIRS[0]), steps=2, device="cpu")


def overhead(grid: dict, rounds: int) -> None:
    warm_grid = {**grid, "seed": [0]}
    batch(warm_grid), one_by_one(warm_grid)
    seconds = [(batch(grid), one_by_one(grid)) for _ in range(rounds)]
    ratio = statistics.median(a / b for a, b in seconds)
    together, alone = (statistics.median(column) for column in zip(*seconds, strict=True))
    print(f"in one process: {together:.2f} s; one by one: {alone:.2f} s; overhead "
          f"{ratio - 1:+.1%} (median of {rounds}; goal ≤ 5 %)", flush=True)  # fmt: skip


def scaling(grid: dict, rounds: int) -> None:
    with cluster(1) as one, cluster(2) as two:
        seconds = [
            (batch(grid, client=one, threads=1), batch(grid, client=two, threads=1))
            for _ in range(rounds)
        ]
    ratio = statistics.median(a / b for a, b in seconds)
    single, double = (statistics.median(column) for column in zip(*seconds, strict=True))
    print(f"one worker: {single:.2f} s; two workers: {double:.2f} s; {ratio:.2f} times as fast "
          f"(median of {rounds}; goal ≥ 1.6)", flush=True)  # fmt: skip
    single, double = (batch(grid, workers=n, threads=1) for n in (1, 2))
    print(f"with their start: {single:.2f} s and {double:.2f} s; {single / double:.2f} times as "
          "fast", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    keep_freed_memory()
    print(headline())
    seeds = list(range(options.pictures))
    grid = {"size": [options.size], "steps": [options.steps], "seed": seeds}
    print(f"{options.pictures} pictures of {options.size} px, {options.steps} evaluations each")
    overhead(grid, options.rounds)
    scaling(grid, options.rounds)


if __name__ == "__main__":
    main()
