"""Batches on Dask as far as no worker is needed: shares of memory, patience, the log."""

import logging
from types import SimpleNamespace

import distributed  # noqa: F401  (its loggers)
import pytest
import torch

from nst_tutorial import sweep
from nst_tutorial.batch import connection
from nst_tutorial.batch import dask as cluster
from nst_tutorial.machine import memory


def test_what_a_worker_holds_already_is_its_own(monkeypatch):
    """Memory that it has freed after a picture stays with it, and is there for the next one."""
    worker = SimpleNamespace(
        address="tcp://10.0.0.1:9", memory_manager=SimpleNamespace(memory_limit=0)
    )
    monkeypatch.setattr("distributed.get_worker", lambda: worker)
    monkeypatch.setattr(memory, "free_memory", lambda device: 10e9)
    monkeypatch.setattr(memory, "_resident", lambda: 3e9)

    def planned(device):
        def work(task, memory, worker):
            return memory

        return cluster.on_worker(work, {"10.0.0.1": 4}, 1, None, device, None)

    assert planned("cpu") == pytest.approx(3 + 0.8 * 10 / 4)
    # a machine with a GPU
    monkeypatch.setattr(
        cluster,
        "choose_device",
        lambda name="auto": torch.device("cuda" if name == "auto" else name),
    )
    assert planned("cpu") == pytest.approx(3 + 0.8 * 10 / 4)
    assert planned("auto") is None


def test_no_scheduler_at_the_address(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "CONNECTING", 0.5)
    with pytest.raises(OSError, match="Timed out trying to connect"):
        sweep("temple", "starry_night", {}, tmp_path, progress=False, client="tcp://127.0.0.1:9")


class Ended(list):
    """As `as_completed`: the last of its futures never ends."""

    def is_empty(self):
        return not self

    def has_ready(self):
        return len(self) > 1

    def __iter__(self):
        return self

    def __next__(self):
        return self.pop(0)


class Workers:
    """As a client, with another number of workers at each look, then the last for ever."""

    scheduler = SimpleNamespace(address="tcp://a:1")

    def __init__(self, *looks):
        self.looks = list(looks)

    def run(self, function, on_error):
        assert (function, on_error) == (cluster._about, "ignore")
        now = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(now, Exception):
            raise now
        return {str(i): {"host": "a", "GPU": gpus} for i, gpus in enumerate(now)}


@pytest.mark.parametrize(
    ("looks", "needs", "seconds"),
    [
        (([],), None, 65),
        (([0], [0], []), None, 75),
        (([], [0], []), None, 75),
        (([], OSError("busy"), []), None, 75),
        (([1], [0]), {"GPU": 1}, 70),  # a worker without a GPU does not help
    ],
)
def test_workers_are_waited_for_a_minute(monkeypatch, looks, needs, seconds):
    now = [0.0]

    def sleep(seconds):
        now[0] += 1.0
        assert now[0] < 1000

    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    monkeypatch.setattr(cluster, "time", clock)
    monkeypatch.setattr(cluster, "SECONDS_OF_SILENCE", 4.5)
    watched = cluster._watched(Workers(*looks), Ended(["first", "second"]), needs)
    assert next(watched) == "first"
    kind = "worker with a GPU" if needs else "worker"
    with pytest.raises(ConnectionError, match=f"tcp://a:1 has had no {kind} for 60 s; start some"):
        next(watched)
    assert now[0] == seconds


def test_the_log_of_dask_is_quiet_and_as_before_afterwards(caplog):
    loggers = [logging.getLogger(name) for name in ("distributed.client", "asyncio")]
    before = [logger.level for logger in loggers]
    with connection._without_log():
        for logger in loggers:
            logger.error("Traceback")
    assert [logger.level for logger in loggers] == before
    logging.getLogger("asyncio").error("heard")
    assert [record.message for record in caplog.records] == ["heard"]
