"""Make the stored records of the course: results of converged runs, by one command.

    python notebooks/records/make.py [NAME …] [--out FOLDER] [--small] [--device auto] [--jobs 4]
                                     [--minutes M]

Without names all records are made, those first that matter most; `--list` names them. Each consists
of cases that are independent of each other; `--jobs` processes take one after the other. A record
is written whenever one of its cases is done, so that what is there is never lost; a case that fails
prints its traceback, is listed in the record as missing, and stops no other. No case is begun after
`--minutes`. The exit status is 1 if a case is missing.

How long it takes, by evaluations and what one of them takes (seconds of a processor, measured on an
AMD EPYC, Zen 4, 2026): all records about 10 hours of one core, so half of that with `--jobs 2` on
two. `--list` says it of each record. A process has one thread, so there should be as many jobs as
cores, and on a graphics card 4.

`--small` takes tiny pictures and a few evaluations: it shows that everything runs, in a minute or
two on a processor, and its numbers mean nothing. Without `--out` the records of the course are
replaced, so `--small` needs one.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import sys
import time
import traceback
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple

import chapter00
import chapter02
import chapter03
import chapter04
import chapter05
import chapter06
import chapter07
import chapter10
import chapter12
import torch
from bench import Case, Experiment
from recorder import Recorder, compressed, words

from nst_tutorial.machine.device import choose_device
from nst_tutorial.records import FOLDER

EXPERIMENTS: tuple[Experiment, ...] = (  # the most worthwhile first
    chapter02.FINE_COLOUR,
    chapter05.FRONT,
    chapter06.RACE,
    chapter07.COORDINATES,
    chapter00.CURVES,
    chapter03.BLOCKS,
    chapter03.FIELDS,
    chapter03.TEXTURES,
    chapter04.TEXTURES,
    chapter02.CONTENT_LAYER,
    chapter05.UNITS,
    chapter04.TRANSFERS,
    chapter02.OUTLINES,
    chapter05.FAILURES,
    chapter06.MEMORY,
    chapter03.SINGLE_LAYERS,
    chapter06.CLIMB,
    chapter02.POOLING,
    chapter12.WALLS,
    chapter12.PRINTS,
    chapter10.NORMALIZATIONS,
    chapter04.WASSERSTEIN,
)
ALL = 3_000_000  # bytes of all records together at most
TRIES = 2  # of a case whose process died


# --- one case, in a process of its own -------------------------------------------------------


def begin() -> None:
    """Set up a process: one thread, float32 as such, and no word about every run."""
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    warnings.simplefilter("ignore", UserWarning)


def measure(name: str, case: Case, settings: Mapping[str, Any], device: str) -> tuple[str, Any]:
    """Return ("done", rows and pictures) or ("failed", the traceback), and never raise."""
    started = time.perf_counter()
    try:
        outcome = _named(name).measure(case, settings, device)
        rows = [{**case, **row} for row in outcome.rows]
        pictures = {key: compressed(picture) for key, picture in outcome.pictures.items()}
    except Exception:
        return "failed", traceback.format_exc()
    return "done", (rows, pictures, time.perf_counter() - started)


# --- all of them -----------------------------------------------------------------------------


class Clock:
    """Tells when no case is to be begun any more."""

    def __init__(self, minutes: float):
        self.began, self.minutes = time.monotonic(), minutes

    @property
    def is_over(self) -> bool:
        return time.monotonic() - self.began > 60 * self.minutes

    def tell(self, *lines: str) -> None:
        print(f"{time.monotonic() - self.began:6.1f} s ", *lines, flush=True)

    def left(self, share: float) -> str:
        """How long the rest takes, if it goes on like this."""
        seconds = (time.monotonic() - self.began) * (1 / share - 1)
        return f"{share:4.0%} done, about {seconds:.0f} s more"


class Task(NamedTuple):
    recorder: Recorder
    index: int
    tries: int = 1

    @property
    def work(self) -> float:
        return self.recorder.experiment.seconds

    def __str__(self) -> str:
        return f"{self.recorder.experiment.name}: {words(self.recorder.cases[self.index])}"


def make(recorders: Sequence[Recorder], jobs: int, clock: Clock) -> None:
    """Measure every case, in the order of the records; tell of each."""
    waiting = deque(Task(r, i) for r in recorders for i in range(len(r.cases)))
    all_work, done, running, pool = sum(task.work for task in waiting), 0.0, {}, processes(jobs)
    clock.tell(f"{len(waiting)} cases, {jobs} at a time")
    while waiting or running:
        while waiting and len(running) < jobs and not clock.is_over:
            if running and any(task.tries > 1 for task in (waiting[0], *running.values())):
                break  # what may bring down its process is tried alone
            task = waiting.popleft()
            running[submit(pool, task)] = task
        if not running:
            clock.tell(f"no case is begun any more, {len(waiting)} are left")
            break
        died: list[Task] = []
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            task = running.pop(future)
            try:
                kind, answer = future.result()
            except BrokenProcessPool:
                died.append(task)
                continue
            done += task.work
            if kind == "failed":
                clock.tell(f"FAILED {task}\n{answer}")
            else:
                rows, pictures, seconds = answer
                task.recorder.take(task.index, rows, pictures)
                left = clock.left(done / all_work)
                clock.tell(f"{left}; {task}: {len(rows)} rows, {seconds:.1f} s")
        if died:  # and all others with it, whichever it was
            died += running.values()
            running.clear()
            pool.shutdown(wait=False)
            pool = processes(jobs)
            again = [task._replace(tries=task.tries + 1) for task in died if task.tries < TRIES]
            clock.tell(f"a process died; tried once more: {', '.join(map(str, again)) or 'none'}")
            waiting.extendleft(again)
    pool.shutdown()


def processes(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=begin)


def submit(pool: ProcessPoolExecutor, task: Task) -> Future:
    r = task.recorder
    return pool.submit(measure, r.experiment.name, r.cases[task.index], r.settings, r.device)


def _named(name: str) -> Experiment:
    return next(experiment for experiment in EXPERIMENTS if experiment.name == name)


def duration(experiment: Experiment) -> str:
    minutes = len(experiment.cases) * experiment.seconds / 60
    long = f"{minutes / 60:.1f} h" if minutes > 90 else f"{max(minutes, 1):.0f} min"
    return f"({len(experiment.cases)} cases, about {long} of one core)"


def size_of(out: Path) -> int:
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file())


def main(arguments: Sequence[str] | None = None) -> None:
    there_are = [experiment.name for experiment in EXPERIMENTS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(there_are)}")
    parser.add_argument("--out", type=Path, help="a folder; default: the records of the course")
    parser.add_argument("--small", action="store_true", help="tiny: shows only that all runs")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--jobs", type=int, default=4, help="processes at a time")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no case after them")
    parser.add_argument(
        "--list",
        action="store_true",
        help="name the records, and make none",
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in there_are]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(there_are)}")
    if options.list:
        for experiment in EXPERIMENTS:
            print(f"{experiment.name}: {experiment.question} {duration(experiment)}")
        return
    if options.small and options.out is None:
        parser.error("--small makes numbers that mean nothing; say with --out where to put them")
    out, device = options.out or FOLDER, str(choose_device(options.device))
    wanted = [e for e in EXPERIMENTS if e.name in options.names or not options.names]
    recorders = [Recorder(experiment, out, options.small, device) for experiment in wanted]
    clock = Clock(options.minutes)
    make(recorders, options.jobs, clock)
    clock.tell(f"{size_of(out) / 1e6:.2f} MB in {out}" + (", TOO MUCH" * (size_of(out) > ALL)))
    gaps = {r.experiment.name: r.missing for r in recorders if r.missing}
    for name, cases in gaps.items():
        print(f"{name}: missing {'; '.join(cases)}")
    sys.exit(1 if gaps else 0)


if __name__ == "__main__":
    main()
