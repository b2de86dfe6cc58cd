"""Batches that are stopped, and several into one folder at once."""

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress

import pytest
from batches import GRID, TINY, command, pictures_in, run, start, wait_for_pictures, whole_pictures
from folders import names_in

from nst_tutorial.batch import one_picture as perform
from nst_tutorial.batch import sweeps as batch
from nst_tutorial.batch.manifest import read_manifest
from nst_tutorial.batch.tasks import make_tasks
from nst_tutorial.storage.atomic import claimed
from nst_tutorial.transfer.style_transfer import stylize


@pytest.mark.parametrize("when", [1, 2, 3])
def test_ctrl_c_leaves_what_is_done(tmp_path, monkeypatch, when):
    calls = []

    def interrupted(*arguments, callback=None, **options):
        calls.append(1)
        if len(calls) != when:
            return stylize(*arguments, **options)

        def stop(progress):
            os.kill(os.getpid(), signal.SIGINT)

        return stylize(*arguments, callback=stop, **options)

    monkeypatch.setattr(perform, "stylize", interrupted)
    grid = {**TINY, "style_weight": [1, 2, 3]}
    found = run(tmp_path, grid=grid)
    assert found.stopped == "interrupted"
    assert len(found.rows) == len(pictures_in(tmp_path)) == when - 1
    assert len(read_manifest(tmp_path)) == when - 1
    assert names_in(tmp_path)[-1].endswith(".png") or when == 1  # nothing hidden stays
    again = run(tmp_path, grid=grid)
    assert (again.stopped, again.skipped, len(again.done)) == (None, when - 1, 3)


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.slow
def test_a_process_that_is_ended_leaves_a_batch_that_goes_on(tmp_path, number):
    out = tmp_path / "out"
    arguments = command(out, {"size": [48], "steps": [6], "seed": list(range(12))})
    process = start(arguments)
    wait_for_pictures(out, 2, process)
    os.killpg(process.pid, number)
    output, errors = process.communicate(timeout=180)
    made = len(whole_pictures(out))
    assert 2 <= made < 12
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert process.returncode == 128 + number, errors
        assert "interrupted; the same command goes on from here" in errors
        assert f"{made} made, 0 there before, 0 failed" in output
        assert len(read_manifest(out)) == made
        assert not [name for name in names_in(out) if name.startswith(".")]
    found = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr
    assert f"{12 - made} made, {made} there before, 0 failed" in found.stdout.replace("\n", " ")
    assert len(read_manifest(out)) == len(whole_pictures(out)) == 12


def test_a_picture_that_is_whole_counts_if_the_end_comes_before_its_row(tmp_path, monkeypatch):
    """Ctrl-C right after the second picture was written."""
    made, whole = [], batch.perform

    def interrupted(*arguments, **options):
        made.append(whole(*arguments, **options))
        if len(made) == 2:
            raise KeyboardInterrupt
        return made[-1]

    monkeypatch.setattr(batch, "perform", interrupted)
    result = run(tmp_path, grid={**GRID, "style_weight": [1.0, 2.0, 3.0]})
    assert result.stopped == "interrupted"
    assert [row["status"] for row in result.rows] == ["done"] * 2
    assert result.skipped == 0
    assert len(read_manifest(tmp_path)) == len(pictures_in(tmp_path)) == 2


@pytest.mark.skipif(os.name == "nt", reason="terminals")
def test_closing_the_terminal_leaves_a_batch_that_goes_on(tmp_path):
    """As the end of a session does, with nobody left to read what is said."""
    out = tmp_path / "out"
    import fcntl
    import termios

    terminal, end = os.openpty()
    process = subprocess.Popen(
        command(out, {"size": [48], "steps": [6], "seed": list(range(12))}),
        stdin=end, stdout=end, stderr=end, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(end)
    os.set_blocking(terminal, False)
    until = time.monotonic() + 300
    while len(pictures_in(out)) < 2:
        assert process.poll() is None
        assert time.monotonic() < until
        with suppress(BlockingIOError):
            os.read(terminal, 4096)
        time.sleep(0.02)
    os.close(terminal)
    assert process.wait(timeout=60) == 128 + signal.SIGHUP
    assert 2 <= len(read_manifest(out)) == len(whole_pictures(out)) < 12
    assert not [name for name in names_in(out) if name.startswith(".")]


@pytest.mark.slow
def test_two_runs_into_one_folder_share_the_work(tmp_path):
    out = tmp_path / "out"
    arguments = command(out, {"size": [48], "steps": [3], "seed": list(range(8))})
    processes = [start(arguments) for _ in range(2)]
    ended = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ended
    made = sum(int(text.split(" made")[0].split()[-1]) for text, _ in ended)
    assert made == 8  # none twice
    assert len(read_manifest(out)) == len(whole_pictures(out)) == 8
    suffixes = sorted(p.suffix for p in out.iterdir())
    assert suffixes == [".csv", ".jpg", *[".png"] * 8]


def test_a_picture_that_another_run_is_making_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "SECONDS_BETWEEN_LOOKS", 0.0)
    (first, second) = make_tasks("temple", "starry_night", GRID)
    holder = claimed(tmp_path / first.file)
    assert holder.__enter__()
    seen = []

    def look(row):
        seen.append(row["file"])
        if row["file"] == second.file:
            holder.__exit__(None, None, None)

    found = run(tmp_path, callback=look)
    assert seen == [second.file, first.file]
    assert len(found.done) == 2


def test_who_is_waited_for_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(batch, "SECONDS_OF_SILENCE", 0.1)
    monkeypatch.setattr(batch, "SECONDS_BETWEEN_LOOKS", 0.05)
    (first, second) = make_tasks("temple", "starry_night", GRID)
    holder = claimed(tmp_path / first.file)
    assert holder.__enter__()

    def look(row):
        if row["file"] == second.file:
            threading.Timer(1.0, holder.__exit__, (None, None, None)).start()

    run(tmp_path, callback=look, progress=True)
    assert f"waiting for another run to make {first.file}" in capsys.readouterr().err
