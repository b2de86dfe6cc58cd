"""What becomes of results: interrupted runs, full disks, names that are taken."""

import signal
import time

import pytest
import torch
import typer
from folders import names_in
from runs import QUICK, start

from nst_tutorial import cli, load_image
from nst_tutorial.cli.terminal import SIGNALS, deliver, plain_errors
from nst_tutorial.images import writing
from nst_tutorial.optimize.result import Result
from nst_tutorial.storage.atomic import free_name
from nst_tutorial.tiling.engine import Engine


def test_the_default_name_is_numbered(tmp_path):
    for expected in ("a.png", "a-2.png", "a-3.png"):
        path = free_name(tmp_path / "a.png")
        assert path.name == expected
        path.touch()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "kill"]
)
def test_interrupted_runs_save_the_picture_so_far(tmp_path, number, code):
    process = start(tmp_path / "out.png")
    time.sleep(3)  # on a busy machine an evaluation may take one
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == code, error
    assert "this is the best so far" in error
    assert names_in(tmp_path) == ["out.png"]
    image = load_image(tmp_path / "out.png")
    assert (image - load_image("temple", 64)).abs().mean() > 0.005  # not the start


def test_ctrl_c_before_the_first_evaluation_writes_nothing(tmp_path, monkeypatch, capsys):
    def interrupted(self, image):
        raise KeyboardInterrupt

    monkeypatch.setattr("nst_tutorial.tiling.engine.Engine.value_and_gradient", interrupted)
    with pytest.raises(SystemExit) as ended:
        cli.app(["stylize", "temple", "starry_night", *QUICK, "--out", str(tmp_path / "a.png")])
    assert ended.value.code == 130
    assert "before there was a picture" in capsys.readouterr().err
    assert names_in(tmp_path) == []


def test_two_runs_at_once_do_not_overwrite_each_other(tmp_path, monkeypatch, capsys):
    """Somebody writes the file while we work: both pictures are kept."""
    out = tmp_path / "a.png"
    evaluate = Engine.value_and_gradient

    def meanwhile(self, image):
        out.write_bytes(b"another run's result")
        return evaluate(self, image)

    monkeypatch.setattr(Engine, "value_and_gradient", meanwhile)
    with pytest.raises(SystemExit) as ended:
        cli.app(["stylize", "temple", "starry_night", *QUICK, "--out", str(out)])
    assert ended.value.code == 0
    assert out.read_bytes() == b"another run's result"
    assert load_image(tmp_path / "a-2.png").shape[3] == 64
    assert "a-2.png" in capsys.readouterr().out


def test_a_format_that_cannot_hold_the_result_loses_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = Result(torch.rand(1, 3, 16, 17000), [{}])
    with pytest.raises(typer.Exit) as ended:
        deliver(result, tmp_path / "long.webp", {})
    assert ended.value.exit_code == 1
    assert "long.webp: WEBP cannot hold it" in capsys.readouterr().err
    assert load_image(tmp_path / "nst_result.png").shape[3] == 17000


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("can't allocate memory: 9 GB"),
        SystemError("error return without exception set"),
    ],
)
def test_too_little_memory_is_said_in_words(tmp_path, monkeypatch, capsys, error):
    def fail(self, image):
        raise error

    monkeypatch.setattr(Engine, "value_and_gradient", fail)
    with pytest.raises(SystemExit) as ended:
        cli.app(["stylize", "temple", "starry_night", *QUICK, "--out", str(tmp_path / "a.png")])
    assert ended.value.code == 2
    assert "not enough memory; take a smaller --size" in capsys.readouterr().err


def test_signal_handlers_are_put_back():
    before = [signal.getsignal(number) for number in SIGNALS]
    with pytest.raises(SystemExit):
        cli.app(["presets"])
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_signal_that_is_ignored_stays_so():
    """As `nohup` sets it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with plain_errors():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def rows(*totals, event="", size=64):
    noted = {"event": event} if event else {}
    return [{"total": total, "size": size, **noted} for total in totals]


@pytest.mark.parametrize(
    ("history", "code", "words"),
    [
        ([], 0, "no evaluation: this is the start itself; more --steps change it"),
        (rows(3.0), 0, "the first evaluation only measures the start: this is the start itself"),
        (rows(3.0) + rows(2.0, size=128), 0, "the first evaluation only measures the start"),
        (rows(3.0, 2.0), 0, ""),
        (rows(1e20, 1e20, 1e20 * (1 - 1e-7)), 1, "of 3 evaluations none was better than the start, "
         "which this picture is (its loss 1e+20)"),
        (rows(0.0) + rows(5.0, 6.0, event="diverged: back"), 1,
         "none was better than the start, which this picture is (its loss 0; 2 went wrong (diver"),
        (rows(3.0, 2.0) + rows(1e9, event="not finite: back"), 0,
         "of 3 evaluations 1 went wrong (not finite); this is the best of the others"),
        (rows(3.0, 3.0) + rows(4.0, 3.9, size=128), 0, ""),
        (rows(3.0, 2.0) + rows(2.0, event="no better for 50 evaluations: back"), 0, ""),
    ],
)  # fmt: skip
def test_what_went_otherwise_than_meant_is_said(tmp_path, capsys, history, code, words):
    result = Result(torch.rand(1, 3, 16, 16), history)
    path = tmp_path / "a.png"
    if code:
        with pytest.raises(typer.Exit) as ended:
            deliver(result, path, {})
        assert ended.value.exit_code == code
    else:
        deliver(result, path, {})
    shown = capsys.readouterr()
    assert shown.out.endswith("a.png\n")  # kept all the same
    assert words in shown.err
    assert bool(words) == bool(shown.err)


def test_a_full_disk_at_the_end_loses_nothing(tmp_path, capsys, full_disk):
    """The picture goes to the folder for temporary files, and the exit code tells."""
    spare = full_disk(writing)
    out = tmp_path / "results" / "out.png"
    with pytest.raises(SystemExit) as ended:
        cli.app(["stylize", "temple", "starry_night", *QUICK, "--out", str(out)])
    assert ended.value.code == 1
    shown = capsys.readouterr()
    assert "out.png could not be written (No space left on device)" in shown.err
    assert str(spare / "nst_result.png") in shown.out.replace("\n", "")
    assert load_image(spare / "nst_result.png").shape[3] == 64
    assert names_in(tmp_path / "results") == []
