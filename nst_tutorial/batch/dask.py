"""A batch on Dask: local processes, or any cluster that is there already."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING

import torch

from .. import __version__
from ..machine.device import choose_device
from ..machine.memory import usable
from .connection import connected
from .one_picture import failed
from .tasks import Task

if TYPE_CHECKING:
    from distributed import Client, Future, as_completed

PACKAGE = "nst_tutorial"
PART_OF_LIMIT = 0.7  # of a worker's memory limit: at four fifths Dask pauses the worker
WAITING_FOR_WORKERS = 60  # seconds
EACH = 2  # tasks with a worker: the one that it works on, and the next
SECONDS_BETWEEN_LOOKS = 0.05  # at what the workers have done
SECONDS_OF_SILENCE = 5.0  # then it is looked whether there still are workers


@contextmanager
def runner(
    work: Callable[..., dict],
    client: Client | str | None,
    workers: int = 0,
    threads: int | None = None,
    memory: float | None = None,
    device: str = "auto",
) -> Iterator[Callable[[Sequence[Task]], Generator[dict, None, None]]]:
    """A function that does tasks on a cluster and yields their rows as they come in.

    `work(task, memory=…, worker=…)` returns the row of one task; the other arguments are those of
    `sweep`.
    """
    with connected(client, workers) as client:
        _wait_for_workers(client)
        _check_versions(client)
        known = client.run(_about).values()
        hosts = Counter(about["host"] for about in known)
        # A GPU for each picture, if there are workers that declare them.
        needs = {"GPU": 1} if any(about["GPU"] for about in known) else None
        work = partial(on_worker, work, dict(hosts), threads, memory, device)
        yield partial(_run, client, work, needs)


def _wait_for_workers(client: Client) -> None:
    from distributed import TimeoutError as TookTooLong

    asking = client.submit(int, pure=False)  # for a cluster that starts workers when it has work
    try:
        client.wait_for_workers(1, WAITING_FOR_WORKERS)
    except TookTooLong as error:
        raise _no_workers(client) from error
    finally:
        asking.release()


def _no_workers(client: Client, needs: dict | None = None) -> ConnectionError:
    address = client.scheduler.address
    kind, option = ("worker with a GPU", ' --resources "GPU=1"') if needs else ("worker", "")
    return ConnectionError(
        f"the scheduler {address} has had no {kind} for {WAITING_FOR_WORKERS:g} s; start some "
        f"(dask worker {address}{option}); the same command goes on from here"
    )


def _scheduler_gone() -> ConnectionError:
    return ConnectionError("the scheduler is gone; the same command goes on from here")


def _check_versions(client: Client) -> None:
    ours = __version__
    for address, theirs in client.run(version, PACKAGE, on_error="return").items():
        if theirs != ours:
            installed = theirs if isinstance(theirs, str) else f"none ({theirs})"
            raise ValueError(
                f"the worker {address} has {PACKAGE} {installed}, but here it is {ours}; "
                "install the same version everywhere"
            )


def _about(dask_worker) -> dict:
    """Where a worker is, and the GPUs that it declares."""
    return {"host": _host(dask_worker), "GPU": dask_worker.state.total_resources.get("GPU", 0)}


def _host(worker) -> str:
    from distributed.comm import get_address_host

    return get_address_host(worker.address)


def _run(
    client: Client, work: Callable, needs: dict | None, tasks: Sequence[Task]
) -> Generator[dict, None, None]:
    """Yield the rows as they come in.

    When a worker dies, Dask suspects all tasks that it had. So a task that is given up for that is
    done once more at the end, with no other beside it: if it is given up again, it is to blame.
    """
    from distributed import KilledWorker

    for alone in (False, True):
        suspects = []
        with closing(_as_they_end(client, work, needs, tasks, alone)) as ended:
            for task, future in ended:
                error = future.exception()
                if isinstance(error, KilledWorker) and not alone:
                    suspects.append(task)
                else:
                    yield future.result() if error is None else failed(task, error)
        tasks = suspects


def _as_they_end(
    client: Client, work: Callable, needs: dict | None, tasks: Sequence[Task], alone: bool
) -> Generator[tuple[Task, Future], None, None]:
    """Do the tasks, one at a time if `alone`, else no more than keep the workers busy."""
    from distributed import as_completed

    run = f"stylize-{secrets.token_hex(4)}"
    waiting, ended = iter(tasks), as_completed(loop=client.loop)
    futures: dict[Future, Task] = {}

    def submit() -> None:
        most = 1 if alone else EACH * max(1, _count_workers(client))
        for task in islice(waiting, max(0, most - len(futures))):
            future = client.submit(work, task, key=(run, task.file), resources=needs, pure=False)
            futures[future] = task
            ended.add(future)

    try:
        submit()
        for future in _watched(client, ended, needs):
            if future.status in ("lost", "pending"):  # its worker died with the row
                ended.add(future)  # Dask does the task again
                continue
            task = futures.pop(future)
            if future.status == "cancelled":
                raise _scheduler_gone()
            submit()
            yield task, future
    finally:
        with suppress(Exception):  # there may be nobody left to ask
            client.cancel(list(futures))


def _count_workers(client: Client) -> int:
    try:
        return len(client.nthreads())
    except (OSError, ValueError) as error:  # ValueError: the client has closed itself
        raise _scheduler_gone() from error


def _watched(client: Client, ended: as_completed, needs: dict | None) -> Iterator[Future]:
    """The futures as they end. Dask waits for ever for workers to come back; this does not."""
    alive = asked = time.monotonic()  # when there was a worker, and when that was asked
    while not ended.is_empty():
        if ended.has_ready():
            yield next(ended)
            alive = asked = time.monotonic()
            continue
        time.sleep(SECONDS_BETWEEN_LOOKS)
        if time.monotonic() - asked > SECONDS_OF_SILENCE:
            asked = time.monotonic()
            if _has_workers(client, needs):
                alive = asked
            elif asked - alive > WAITING_FOR_WORKERS:
                raise _no_workers(client, needs)


def _has_workers(client: Client, needs: dict | None) -> bool:
    """Whether there is a worker that could do a task; no answer counts as yes.

    (That the scheduler is gone is seen by the futures.)
    """
    try:
        known = client.run(_about, on_error="ignore").values()
    except (OSError, TimeoutError, ValueError):  # ValueError: the client has closed itself
        return True
    return any(about["GPU"] or not needs for about in known)


def on_worker(
    work: Callable[..., dict],
    neighbours: Mapping[str, int],
    threads: int | None,
    memory: float | None,
    device: str,
    task: Task,
) -> dict:
    """Do a task with this worker's share of its machine's cores and memory.

    `neighbours` is the number of workers by host.
    """
    from dask.system import CPU_COUNT
    from distributed import get_worker

    worker = get_worker()
    sharing = max(1, neighbours.get(_host(worker), 1))
    torch.set_num_threads(threads or max(1, CPU_COUNT // sharing))
    place = choose_device(device)
    if memory is None and place.type == "cpu":
        limit = worker.memory_manager.memory_limit
        most = PART_OF_LIMIT * limit if limit else usable(place, sharing)
        memory = None if most is None else most / 1e9
    return work(task, memory=memory, worker=worker.address)
