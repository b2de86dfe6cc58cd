"""A batch on Dask: local processes, or any cluster that is there already."""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import torch

from . import __version__
from .perform import failed
from .planning import usable
from .tasks import Task
from .vgg import choose_device

if TYPE_CHECKING:
    from distributed import Client

PACKAGE = "nst_tutorial"
PART_OF_LIMIT = 0.7  # of a worker's memory limit: at four fifths Dask pauses the worker
CONNECTING = 10  # seconds
# Code for each local worker: a terminal sends Ctrl-C to them too, but ending them is our part.
LEAVE_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"


@contextmanager
def runner(
    work: Callable[..., dict],
    client: Client | str | None,
    workers: int = 0,
    threads: int | None = None,
    memory: float | None = None,
) -> Iterator[Callable[[Sequence[Task]], Iterator[dict]]]:
    """A function that does tasks on a cluster and yields their rows as they come in.

    `work(task, memory=…, worker=…)` returns the row of one task; the other arguments are those of
    `sweep`.
    """
    with _connected(client, workers) as client:
        _check_versions(client)
        known = client.run(_about).values()
        hosts = Counter(about["host"] for about in known)
        # A GPU for each picture, if there are workers that declare them.
        needs = {"GPU": 1} if any(about["GPU"] for about in known) else None
        yield partial(_run, client, partial(on_worker, work, dict(hosts), threads, memory), needs)


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
    from distributed import as_completed

    run = f"stylize-{secrets.token_hex(4)}"
    futures = {
        client.submit(work, task, key=(run, task.file), resources=needs, pure=False): task
        for task in tasks
    }
    try:
        for future in as_completed(list(futures)):
            task = futures.pop(future)
            if future.status not in ("finished", "error"):
                raise ConnectionError("the scheduler is gone; the same command goes on from here")
            error = future.exception()
            yield future.result() if error is None else failed(task, error)
            future.release()
    finally:
        with suppress(Exception):  # there may be nobody left to ask
            client.cancel(list(futures))


def on_worker(
    work: Callable[..., dict],
    neighbours: Mapping[str, int],
    threads: int | None,
    memory: float | None,
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
    if memory is None and choose_device().type == "cpu":
        limit = worker.memory_manager.memory_limit
        free = usable(torch.device("cpu"))
        if limit:
            memory = PART_OF_LIMIT * limit / 1e9
        elif free is not None:
            memory = free / sharing / 1e9
    return work(task, memory=memory, worker=worker.address)
