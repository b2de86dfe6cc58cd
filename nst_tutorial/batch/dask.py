"""A batch on Dask: local processes, or any cluster that is there already."""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING

import torch

from .. import __version__
from ..machine.device import choose_device
from ..machine.memory import usable
from .one_picture import failed
from .tasks import Task

if TYPE_CHECKING:
    from distributed import Client, Future

PACKAGE = "nst_tutorial"
PART_OF_LIMIT = 0.7  # of a worker's memory limit: at four fifths Dask pauses the worker
CONNECTING = 10  # seconds
WAITING_FOR_WORKERS = 60  # seconds
EACH = 2  # tasks with a worker: the one that it works on, and the next
# Code for each local worker: a terminal sends Ctrl-C to them too, but ending them is our part.
LEAVE_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"


@contextmanager
def runner(
    work: Callable[..., dict],
    client: Client | str | None,
    workers: int = 0,
    threads: int | None = None,
    memory: float | None = None,
    device: str = "auto",
) -> Iterator[Callable[[Sequence[Task]], Iterator[dict]]]:
    """A function that does tasks on a cluster and yields their rows as they come in.

    `work(task, memory=…, worker=…)` returns the row of one task; the other arguments are those of
    `sweep`.
    """
    with _connected(client, workers) as client:
        _wait_for_workers(client)
        _check_versions(client)
        known = client.run(_about).values()
        hosts = Counter(about["host"] for about in known)
        # A GPU for each picture, if there are workers that declare them.
        needs = {"GPU": 1} if any(about["GPU"] for about in known) else None
        work = partial(on_worker, work, dict(hosts), threads, memory, device)
        yield partial(_run, client, work, needs)


@contextmanager
def _connected(client: Client | str | None, workers: int) -> Iterator[Client]:
    from distributed import Client, LocalCluster

    if client is None:
        # No limit of memory: each picture is planned to fit into the worker's share of it.
        local = LocalCluster(
            n_workers=workers, threads_per_worker=1, memory_limit=0,
            dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL, preload=[LEAVE_CTRL_C],
        )  # fmt: skip
        with local, Client(local) as client:
            yield client
    elif isinstance(client, str):
        with Client(client, timeout=CONNECTING) as client:
            yield client
    else:
        yield client


def _wait_for_workers(client: Client) -> None:
    from distributed import TimeoutError as TookTooLong

    asking = client.submit(int, pure=False)  # for a cluster that starts workers when it has work
    try:
        client.wait_for_workers(1, WAITING_FOR_WORKERS)
    except TookTooLong as error:
        address = client.scheduler.address
        raise ConnectionError(
            f"the scheduler {address} has had no worker for {WAITING_FOR_WORKERS} s; start some "
            f"(dask worker {address}) and try again"
        ) from error
    finally:
        asking.release()


def _check_versions(client: Client) -> None:
    ours = __version__
    for address, theirs in client.run(version, PACKAGE, on_error="return").items():
        if theirs != ours:
            found = theirs if isinstance(theirs, str) else f"none ({theirs})"
            raise ValueError(
                f"the worker {address} has {PACKAGE} {found}, but here it is {ours}; "
                "install the same version everywhere"
            )


def _about(dask_worker) -> dict:
    """Where a worker is, and the GPUs that it declares."""
    return {"host": _host(dask_worker), "GPU": dask_worker.state.total_resources.get("GPU", 0)}


def _host(worker) -> str:
    from distributed.comm import get_address_host

    return get_address_host(worker.address)


def _run(client: Client, work: Callable, needs: dict | None, tasks: Sequence[Task]):
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
) -> Iterator[tuple[Task, Future]]:
    """Do the tasks, one at a time if `alone`, else no more than keep the workers busy."""
    from distributed import as_completed

    run = f"stylize-{secrets.token_hex(4)}"
    waiting, futures, ended = iter(tasks), {}, as_completed(loop=client.loop)

    def submit() -> None:
        most = 1 if alone else EACH * max(1, len(client.nthreads()))
        for task in islice(waiting, max(0, most - len(futures))):
            future = client.submit(work, task, key=(run, task.file), resources=needs, pure=False)
            futures[future] = task
            ended.add(future)

    try:
        submit()
        for future in ended:
            if future.status in ("lost", "pending"):  # its worker died with the row
                ended.add(future)  # Dask does the task again
                continue
            task = futures.pop(future)
            if future.status == "cancelled":
                raise ConnectionError("the scheduler is gone; the same command goes on from here")
            submit()
            yield task, future
    finally:
        with suppress(Exception):  # there may be nobody left to ask
            client.cancel(list(futures))


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
