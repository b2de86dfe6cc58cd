"""Batches on Dask: two local processes, one killed in the middle of its work."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import dask
import psutil
import pytest
import torch
from batches import TINY, command, pictures_in, start, wait_for_pictures, whole_pictures
from distributed import Client, LocalCluster, get_worker
from folders import names_in

from nst_tutorial import sweep
from nst_tutorial.batch import connection
from nst_tutorial.batch import dask as cluster
from nst_tutorial.batch.manifest import read_manifest
from nst_tutorial.batch.one_picture import perform
from nst_tutorial.batch.tasks import make_tasks

pytestmark = pytest.mark.cluster


@contextmanager
def two_workers(**options):
    options = {"n_workers": 2, "threads_per_worker": 1, "memory_limit": 0, **options}
    with LocalCluster(
        **options, dashboard_address=None, silence_logs=logging.CRITICAL
    ) as local, Client(local) as client:  # fmt: skip
        yield client


@pytest.fixture(scope="module")
def client():
    """Two workers for the tests that leave them alive."""
    with two_workers() as found:
        yield found


def run(out, grid, **options):
    return sweep("temple", "starry_night", {**TINY, **grid}, out, progress=False, **options)


def test_a_worker_is_killed_in_the_middle(tmp_path):
    """All results are there, none was made twice, and the table is right."""
    before = {}
    with two_workers() as client:
        pids = client.run(os.getpid)

        def kill(row):
            if len(pictures_in(tmp_path)) >= 3 and not before:
                before.update(pictures_in(tmp_path))
                os.kill(next(iter(pids.values())), signal.SIGKILL)

        found = run(tmp_path, {"seed": list(range(12)), "steps": [4]}, client=client, callback=kill)
        assert set(client.run(os.getpid)) != set(pids)
    assert before
    rows = read_manifest(tmp_path)
    assert (len(found.done), found.failed, found.stopped) == (12, [], None)
    assert sorted(row["seed"] for row in rows) == list(range(12))
    assert {row["file"] for row in rows} == set(pictures_in(tmp_path))
    assert len(whole_pictures(tmp_path)) == 12
    assert before.items() <= pictures_in(tmp_path).items()  # not written again
    assert set(pids) <= {row["worker"] for row in rows}  # both had a share


def dies_once(folder, task, memory=None, worker=None):
    """Kill this very process in the middle of a picture, the first time."""
    mark = Path(folder, "mark")
    if task.options["seed"] == 1 and not mark.exists():
        mark.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    row = perform(task, Path(folder, "out"), "cpu", memory, worker)
    return {**row, "pid": os.getpid()}


def test_the_task_of_a_killed_worker_is_done_by_another(tmp_path):
    tasks = make_tasks("temple", "starry_night", {**TINY, "seed": [0, 1, 2, 3]})
    (tmp_path / "out").mkdir()
    with two_workers() as client:
        work = partial(dies_once, str(tmp_path))
        with cluster.runner(work, client) as run_on:
            rows = list(run_on(tasks))
    assert [row["status"] for row in rows] == ["done"] * 4
    (again,) = [row for row in rows if row["seed"] == 1]
    assert again["pid"] != int((tmp_path / "mark").read_text())
    assert len(names_in(tmp_path / "out")) == 4


def dies_with_the_row_before(folder, task, memory=None, worker=None):
    """Seed 2 kills the worker, the first time, with the row of seed 1 still there."""
    mark = Path(folder, "mark")
    if task.options["seed"] == 2 and not mark.exists():
        mark.write_text("")
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
    return {"seed": task.options["seed"]}


def test_a_row_that_is_lost_with_its_worker_is_made_again(tmp_path):
    tasks = make_tasks("temple", "starry_night", {**TINY, "seed": [0, 1, 2, 3]})
    work = partial(dies_with_the_row_before, str(tmp_path))
    with (
        two_workers(n_workers=1) as client,
        cluster.runner(work, client) as run_on,
        closing(run_on(tasks)) as rows,
    ):
        found = [next(rows)["seed"]]
        until = time.monotonic() + 60
        while not any(state.status == "lost" for state in client.futures.values()):
            assert time.monotonic() < until
            time.sleep(0.01)
        found += [row["seed"] for row in rows]
    assert sorted(found) == [0, 1, 2, 3]


def always_dies(task, memory=None, worker=None):
    if task.options["seed"] == 1:
        time.sleep(0.5)  # until the worker has its next tasks
        os.kill(os.getpid(), signal.SIGKILL)
    return {"seed": task.options["seed"], "status": "done"}


def test_a_picture_that_kills_every_worker_fails_alone():
    tasks = make_tasks("temple", "starry_night", {**TINY, "seed": [0, 1, 2]})
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        two_workers() as client,
        cluster.runner(always_dies, client) as run_on,
    ):
        rows = sorted(run_on(tasks), key=lambda row: row["seed"])
    assert [row["status"] for row in rows] == ["done", "failed", "done"]
    assert rows[1]["error"].startswith("KilledWorker: ")


@pytest.mark.parametrize("resources", [{}, {"GPU": 1}])
def test_a_picture_that_kills_its_worker_takes_no_other_with_it(resources):
    """All the others are with the same worker, or to be."""
    tasks = make_tasks("temple", "starry_night", {**TINY, "seed": list(range(8))})
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        two_workers(n_workers=1, resources=resources) as client,
        cluster.runner(always_dies, client) as run_on,
    ):
        rows = sorted(run_on(tasks), key=lambda row: row["seed"])
    assert [row["status"] for row in rows] == ["done", "failed", *["done"] * 6]


def test_only_a_few_tasks_are_with_the_workers(client):
    """So that a worker that dies casts suspicion on a few only."""
    tasks = make_tasks("temple", "starry_night", {**TINY, "seed": list(range(20))})
    with cluster.runner(tell, client) as run_on, closing(run_on(tasks)) as rows:
        next(rows)
        assert len(client.futures) < 10
        assert len(list(rows)) == 19


def tell(task, memory=None, worker=None):
    """A row that says how the worker was set up."""
    return {"threads": torch.get_num_threads(), "memory": memory, "key": get_worker().name}


@pytest.mark.parametrize(
    ("threads", "expected"), [(None, max(1, dask.system.CPU_COUNT // 2)), (3, 3)]
)
def test_workers_share_the_cores(client, threads, expected):
    tasks = make_tasks("temple", "starry_night", {**TINY, "seed": [0, 1, 2, 3]})
    with cluster.runner(tell, client, threads=threads) as run_on:
        rows = list(run_on(tasks))
    assert {row["threads"] for row in rows} == {expected}
    assert all(row["memory"] > 0.1 for row in rows)


def test_the_limit_of_a_worker_is_kept():
    tasks = make_tasks("temple", "starry_night", TINY)
    with two_workers(memory_limit="4GB") as client:
        with cluster.runner(tell, client) as run_on:
            assert [row["memory"] for row in run_on(tasks)] == [pytest.approx(2.8)]
        with cluster.runner(tell, client, memory=1.5) as run_on:
            assert [row["memory"] for row in run_on(tasks)] == [1.5]


def test_the_workers_plan_for_the_device_that_is_asked_for(client, tmp_path, monkeypatch):
    def asked(work, *rest):
        raise ValueError(f"asked for {rest[-1]}")

    monkeypatch.setattr(cluster, "runner", asked)
    with pytest.raises(ValueError, match="asked for cpu"):
        run(tmp_path, {}, client=client, device="cpu")


def busy(folder, task, memory=None, worker=None):
    """Counts how many run at the same time on one GPU."""
    mark = Path(folder, str(os.getpid()))
    alone = not mark.exists()
    mark.write_text("")
    time.sleep(0.1)
    mark.unlink(missing_ok=True)
    return {"alone": alone, "GPU": get_worker().state.total_resources.get("GPU")}


def test_a_gpu_has_one_picture_at_a_time(tmp_path):
    """A worker with several threads that declares one GPU."""
    tasks = make_tasks("temple", "starry_night", {**TINY, "seed": list(range(6))})
    work = partial(busy, str(tmp_path))
    with (
        two_workers(n_workers=1, threads_per_worker=4, resources={"GPU": 1}) as client,
        cluster.runner(work, client) as run_on,
    ):
        rows = list(run_on(tasks))
    assert rows == [{"alone": True, "GPU": 1}] * 6


def test_several_threads_of_a_worker_do_one_picture_at_a_time(tmp_path):
    with two_workers(n_workers=1, threads_per_worker=3) as client:
        found = run(tmp_path, {"seed": [0, 1, 2, 3]}, client=client)
    assert (len(found.done), found.failed) == (4, [])


def test_another_version_on_the_workers_is_refused(client, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "__version__", "9.9")
    with pytest.raises(ValueError, match=r"has nst_tutorial .*, but here it is 9.9; install"):
        run(tmp_path, {}, client=client)
    monkeypatch.setattr(cluster, "PACKAGE", "no_such_package")
    with pytest.raises(ValueError, match="has no_such_package none"):
        run(tmp_path, {}, client=client)
    assert pictures_in(tmp_path) == {}


def test_a_scheduler_without_workers(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "WAITING_FOR_WORKERS", 0.3)
    with two_workers(n_workers=0) as client:
        message = (
            r"the scheduler (tcp://\S+) has had no worker for 0.3 s; start some \(dask worker "
        )
        with pytest.raises(ConnectionError, match=message + r"\1\)"):
            run(tmp_path, {}, client=client.scheduler.address)
    assert pictures_in(tmp_path) == {}


def test_an_address_will_do_and_nothing_is_started_for_nothing(client, tmp_path, monkeypatch):
    found = run(tmp_path, {"seed": [0, 1]}, client=client.scheduler.address)
    assert len(found.done) == 2
    assert len(client.nthreads()) == 2  # the cluster goes on
    monkeypatch.setattr(cluster, "runner", None)
    assert run(tmp_path, {"seed": [0, 1]}, workers=2).skipped == 2


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_with_workers(tmp_path):
    out = tmp_path / "out"
    grid = {"size": [48], "steps": [8], "seed": list(range(10))}
    arguments = command(out, grid, "--workers", "2")
    process = start(arguments)
    wait_for_pictures(out, 2, process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1] == "nst: interrupted; the same command goes on from here"
    assert "Traceback" not in errors
    made = len(whole_pictures(out))
    assert 2 <= made < 10
    assert len(read_manifest(out)) <= made
    process = start(arguments)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert f"{10 - made} made, {made} there before, 0 failed" in output.replace("\n", " ")
    assert len(read_manifest(out)) == len(whole_pictures(out)) == 10


@contextmanager
def dask_process(*arguments):
    command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler and a worker as on other machines: (address, scheduler, worker)."""
    file = tmp_path / "scheduler.json"
    place = ["--host", "127.0.0.1", "--scheduler-file", str(file), "--no-dashboard"]
    with (
        dask_process("scheduler", "--port", "0", *place) as scheduler,
        dask_process("worker", *place, "--nthreads", "1", "--no-nanny") as worker,
    ):
        until = time.monotonic() + 60
        while not file.exists() or not file.read_text():
            assert time.monotonic() < until
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"], scheduler, worker


@pytest.mark.parametrize(
    ("which", "message"),
    [
        (1, "the scheduler is gone; the same command goes on from here"),
        (2, r"the scheduler (tcp://\S+) has had no worker for 1 s; start some \(dask worker \1\); "
            "the same command goes on from here"),
    ],
    ids=["scheduler", "worker"],
)  # fmt: skip
def test_a_cluster_that_dies_ends_a_batch_in_words(
    tmp_path, scheduler, monkeypatch, capfd, which, message
):
    monkeypatch.setattr(connection, "CONNECTING", 5)  # and so long for a new connection
    monkeypatch.setattr(cluster, "SECONDS_OF_SILENCE", 0.2)

    def kill(row):
        monkeypatch.setattr(cluster, "WAITING_FOR_WORKERS", 1)
        with suppress(ProcessLookupError):
            os.killpg(scheduler[which].pid, signal.SIGKILL)

    with pytest.raises(ConnectionError, match=message):
        run(tmp_path / "out", {"seed": list(range(50))}, client=scheduler[0], callback=kill)
    assert capfd.readouterr().err == ""
    assert 1 <= len(read_manifest(tmp_path / "out")) < 50


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("wait", [0.0, 0.5, 1.5])
def test_ctrl_c_while_the_workers_start(tmp_path, wait):
    process = start(command(tmp_path / "out", TINY, "--workers", "2"))
    until = time.monotonic() + 60
    while not psutil.Process(process.pid).children():
        assert time.monotonic() < until
        time.sleep(0.01)
    time.sleep(wait)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (
        130, "nst: interrupted; the same command goes on from here\n",
    )  # fmt: skip
