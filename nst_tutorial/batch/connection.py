"""The way to a Dask cluster: one that is there already, or local processes and their signals."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

CONNECTING = 10  # seconds
# A terminal sends Ctrl-C, and its end, to the workers too, but ending them is our part.
LEFT_TO_US = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]
LEAVE_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"  # on Windows


@contextmanager
def connected(client: Client | str | None, workers: int) -> Iterator[Client]:
    """A client of the cluster that is there, or of `workers` processes on this machine."""
    from distributed import Client

    if client is None:
        with _without_log(), _local_cluster(workers) as local, Client(local) as ours:
            yield ours
    elif isinstance(client, str):
        with _without_log(), Client(client, timeout=CONNECTING) as ours:
            yield ours
    else:
        yield client


@contextmanager
def _local_cluster(workers: int) -> Iterator[LocalCluster]:
    """Processes on this machine. Ctrl-C while they start ends them as soon as they have started.

    A cluster that is interrupted in the middle of its start leaves processes behind that complain.
    """
    with ThreadPoolExecutor(1, initializer=_block_signals) as starter:
        start = starter.submit(_start_cluster, workers)
        try:
            local = start.result()
        except KeyboardInterrupt:
            with suppress(Exception):
                start.result().close()
            raise
    with local:
        yield local


def _block_signals() -> None:
    """Keep signals from this thread, and so from all threads and processes that it starts."""
    if os.name == "nt":
        return
    resource_tracker.ensure_running()  # where it is started with the first process, it unblocks
    signal.pthread_sigmask(signal.SIG_BLOCK, LEFT_TO_US)


def _start_cluster(workers: int) -> LocalCluster:
    from distributed import LocalCluster

    # No limit of memory: each picture is planned to fit into the worker's share of it.
    return LocalCluster(
        n_workers=workers, threads_per_worker=1, memory_limit=0,
        dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL, preload=[LEAVE_CTRL_C],
    )  # fmt: skip


@contextmanager
def _without_log() -> Iterator[None]:
    """Keep Dask from writing its tracebacks to the terminal: what goes wrong is raised as well."""
    names = ("asyncio", "tornado.application", *logging.root.manager.loggerDict)
    loggers = [
        logging.getLogger(name)
        for name in dict.fromkeys(names)
        if name in ("asyncio", "tornado.application") or name.split(".")[0] == "distributed"
    ]
    before = {logger: logger.level for logger in loggers}
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in before.items():
            logger.setLevel(level)
