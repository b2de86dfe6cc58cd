"""Many pictures: every combination of contents, styles and settings, here or on a cluster.

    nst.sweep("photos", "paintings", {"style_weight": [5, 15, 50]}, "results")

Each result is a file of its own, complete or not there; so a batch that was stopped in any way goes
on when it is started again. Dask is loaded only if there is a cluster.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..checks import check_integer, check_number
from ..machine.device import choose_device
from ..storage.atomic import check_can_write
from .grid import check_networks
from .manifest import DONE, FAILED, FILE, read_manifest, write_manifest
from .one_picture import BUSY, THERE, UNWRITABLE, forget_pictures, perform, there
from .tasks import Pictures, Task, finished, make_tasks

if TYPE_CHECKING:
    from distributed import Client

SECONDS_BETWEEN_WRITES = 2.0  # of the manifest, at least
PART_FOR_WRITES = 0.05  # of the time, at most: a table of 100,000 rows takes seconds
SECONDS_BETWEEN_LOOKS = 0.5  # at what another run is working on
SECONDS_OF_SILENCE = 5.0  # then the progress bar tells what is waited for

Runner = Callable[[Sequence[Task]], Generator[dict, None, None]]


@dataclass
class Sweep:
    """What became of a batch."""

    out: Path
    """The folder of the results and of their table."""

    rows: list[dict] = field(default_factory=list)
    """One for each picture asked for that was made, was there, or failed, as in the manifest."""

    skipped: int = 0
    """How many others had made, before or meanwhile."""

    seconds: float = 0.0

    stopped: str | None = None
    """None if all is done, or "interrupted" (Ctrl-C): the same call goes on."""

    @property
    def done(self) -> list[dict]:
        """The rows of the pictures that are there."""
        return [row for row in self.rows if row["status"] == DONE]

    @property
    def failed(self) -> list[dict]:
        """The rows of those that could not be made, with "error"."""
        return [row for row in self.rows if row["status"] == FAILED]


def sweep(
    contents: Pictures,
    styles: Pictures,
    grid: Mapping[str, Sequence],
    out: str | Path,
    client: Client | str | None = None,
    *,
    workers: int = 0,
    threads: int | None = None,
    memory: float | None = None,
    device: str = "auto",
    progress: bool = True,
    callback: Callable[[dict], None] | None = None,
) -> Sweep:
    """Stylize every content in every style with every combination of settings.

    Results go to `out` under names that tell pictures and settings, each with its settings inside,
    and a table of them to `out/manifest.csv` (`read_manifest`). What is there already and is what
    is asked for, made by this version, is not made again. A picture that fails is listed with its
    error, and the others go on. Ctrl-C ends early; the same call goes on where it was. Several runs
    may share a folder.

    >>> import tempfile
    >>> import nst_tutorial as nst
    >>> grid = {"size": [32], "steps": [1], "style_weight": [5.0, 50.0]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = nst.sweep("temple", "starry_night", grid, folder, device="cpu", progress=False)
    ...     sorted(row["style_weight"] for row in nst.read_manifest(folder))
    [5.0, 50.0]

    Parameters
    ----------
    contents, styles
        A folder, a picture by path or name, or a list of pictures. A folder may be `out` too: what
        batches have written there is not repainted.
    grid
        Setting → list of values; settings are the options of `stylize` that JSON can hold, and
        "size", the longer side in pixels (512 unless given). Layers and kernels are mappings.
    out
        A folder; it is made.
    client
        A `distributed.Client`, or the address of a Dask scheduler ("tcp://host:8786"). Its workers
        must have this package and see the folders under the same paths. Each does one picture at
        a time; where workers declare a resource "GPU", a picture takes one of it.
    workers
        Number of processes on this machine to use instead; 0: work in this one. (They import the
        program that starts them: a script needs its `if __name__ == "__main__":`.)
    threads
        Of torch in each worker; None: the cores of its machine shared among the workers there. In
        this process nothing is changed.
    memory
        GB that each worker may use; None: a share of what is free, or seven tenths of the worker's
        own limit. See `stylize`.
    device
        As for `stylize`.
    progress
        Show a bar. (Dask's dashboard shows the workers: `client.dashboard_link`.)
    callback
        Called with the row of each picture as soon as it is there, or has failed.

    Raises
    ------
    ValueError
        A grid with an unknown setting or a bad value, or too large; a folder without pictures; an
        unknown device; weights that cannot be used; workers that have another version of this
        package.
    OSError
        `out` cannot be written to; no scheduler at the address, or it has no workers, or is gone.
    """
    if client is not None and workers:
        raise ValueError("give either a client or a number of workers, not both")
    workers = check_integer("workers", workers, 0)
    threads = None if threads is None else check_integer("threads", threads, 1)
    memory = None if memory is None else check_number("memory", memory, above=0)
    if client is None:
        choose_device(device)  # refused now, not once for each picture
    begin = time.perf_counter()
    tasks = make_tasks(contents, styles, grid, out)
    result = Sweep(Path(out).resolve())
    if check_can_write(result.out / FILE).exists():
        read_manifest(result.out)  # not somebody else's
    work = partial(perform, out=result.out, device=device)
    notes = _Notes(result, len(tasks), progress, callback)
    waiting: list[Task] = []
    try:
        waiting = [task for task in tasks if not notes.is_there(task)]
        check_networks((t.identity["vgg_weights"] for t in waiting), download=client is None)
        with ExitStack() as stack:
            run: Runner = partial(_here, partial(work, memory=memory))
            if waiting and (workers or client is not None):
                from .dask import runner

                run = stack.enter_context(runner(work, client, workers, threads, memory, device))
            _until_done(run, waiting, notes)
    except KeyboardInterrupt:
        result.stopped = "interrupted"
        notes.catch_up(waiting)
    finally:
        result.seconds = time.perf_counter() - begin
        notes.close()
    return result


def _here(work: Callable[[Task], dict], tasks: Sequence[Task]) -> Generator[dict, None, None]:
    try:
        for task in tasks:
            yield work(task)
    finally:
        forget_pictures()


def _until_done(run: Runner, waiting: Sequence[Task], notes: _Notes) -> None:
    """Do all tasks; those that another run is busy with are looked at again and again."""
    tasks = {task.file: task for task in waiting}
    while waiting:
        busy = []
        with closing(run(waiting)) as rows:
            for row in rows:
                if row["status"] == BUSY:
                    busy.append(tasks[row["file"]])
                elif row["status"] == UNWRITABLE:  # so would all the others be, after their work
                    raise OSError(f"{row['file']} cannot be written ({row['error']})")
                else:
                    notes.add(row)
        waiting = busy
        if waiting:
            notes.wait_for(waiting[0])
            time.sleep(SECONDS_BETWEEN_LOOKS)


class _Notes:
    """Keeps the rows, the manifest on disk and the progress bar up to date."""

    def __init__(self, result: Sweep, tasks: int, progress: bool, callback):
        from tqdm.auto import tqdm

        self.result, self.callback = result, callback
        self.bar = tqdm(total=tasks, unit="picture", disable=not progress)
        self.added = time.monotonic()
        self.next_write = self.added + SECONDS_BETWEEN_WRITES

    def is_there(self, task: Task) -> bool:
        record = finished(self.result.out / task.file, task)
        if record is not None:
            self.add(there(task, record))
        return record is not None

    def catch_up(self, tasks: Sequence[Task]) -> None:
        """Note what is whole by now but was not noted: the end came between picture and row."""
        noted = {row["file"] for row in self.result.rows}
        for task in tasks:
            record = None if task.file in noted else finished(self.result.out / task.file, task)
            if record is not None:
                self.add({**there(task, record), "status": DONE})

    def add(self, row: dict) -> None:
        if row["status"] == THERE:
            self.result.skipped += 1
            row = {**row, "status": DONE}
        self.result.rows.append(row)
        with suppress(OSError):  # a terminal that is gone
            self.bar.set_postfix_str(row["file"], refresh=False)
            self.bar.update()
        self.added = time.monotonic()
        if time.monotonic() > self.next_write:
            self.write()
        if self.callback is not None:
            self.callback(row)

    def wait_for(self, task: Task) -> None:
        if time.monotonic() - self.added > SECONDS_OF_SILENCE:
            with suppress(OSError):
                self.bar.set_postfix_str(f"waiting for another run to make {task.file}")

    def write(self) -> None:
        begin = time.monotonic()
        write_manifest(self.result.out, self.result.rows)
        end = time.monotonic()
        self.next_write = end + max(SECONDS_BETWEEN_WRITES, (end - begin) / PART_FOR_WRITES)

    def close(self) -> None:
        try:
            self.write()
        finally:
            with suppress(OSError):
                self.bar.set_postfix_str("")
                self.bar.close()
