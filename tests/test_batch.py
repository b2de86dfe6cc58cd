"""Batches in one process: all results, none twice, resumable, one bad picture alone."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from conftest import COMMAND, names_in
from PIL import Image

from nst_tutorial import batch, load_image, load_settings, perform, plots, sweep, tasks
from nst_tutorial.cli.batch import MOST_ON_A_SHEET, _on_sheets
from nst_tutorial.files import claimed
from nst_tutorial.images import save_image
from nst_tutorial.manifest import read_manifest
from nst_tutorial.presets import options_from
from nst_tutorial.tasks import make_tasks
from nst_tutorial.transfer import stylize

TINY = {"size": [48], "steps": [2]}
GRID = {**TINY, "style_weight": [5.0, 50.0]}


def run(out, contents="temple", styles="starry_night", grid=GRID, **options):
    return sweep(contents, styles, grid, out, **{"progress": False, "device": "cpu", **options})


def pictures_in(folder):
    return {p.name: p.stat().st_mtime_ns for p in folder.glob("*.png")}


def test_all_results_and_their_table(tmp_path):
    found = run(tmp_path, contents=["temple", "cat"])
    rows = read_manifest(tmp_path)
    assert found.rows == sorted(
        rows, key=lambda r: [x["file"] for x in found.rows].index(r["file"])
    )
    assert len({row["file"] for row in rows}) == len(rows) == 4
    there = [name for name in names_in(tmp_path) if name != "manifest.parquet"]
    assert there == sorted(["manifest.csv", *(row["file"] for row in rows)])
    assert (found.skipped, found.stopped, found.failed) == (0, None, [])
    for row in rows:
        image = load_image(tmp_path / row["file"])
        assert max(image.shape[2:]) == 48
        settings = load_settings(tmp_path / row["file"])
        assert settings["style_weight"] == row["style_weight"]
        assert settings["content"] == row["content"]
        assert row["evaluations"] == 2
        assert 0 < row["seconds"] < 60


def test_a_result_is_what_stylize_gives(tmp_path):
    grid = {"size": [56], "steps": [3], "style_scale": [0.5], "kernel": ["bn"], "seed": [7],
            "start": ["noise"]}  # fmt: skip
    (row,) = run(tmp_path, grid=grid).rows
    content, style = load_image("temple", 56), load_image("starry_night", 28)
    options = {"steps": 3, "style_scale": 0.5, "kernel": "bn", "seed": 7, "start": "noise"}
    result = stylize(content, style, **options, device="cpu")
    saved = load_image(tmp_path / row["file"])
    assert (saved - result.image).abs().max() <= 0.51 / 255
    best = min(result.history, key=lambda r: r["total"])
    layers = result.settings["style_layers"]
    assert row["total_loss"] == pytest.approx(best["total"])
    assert row["content_loss"] == pytest.approx(best["content relu4_2"])
    style_loss = sum(weight * best[f"style {layer}"] for layer, weight in layers.items())
    assert row["style_loss"] == pytest.approx(style_loss)
    recorded = options_from(load_settings(tmp_path / row["file"]))
    assert {name: recorded[name] for name in options} == options


def test_losses_are_those_of_the_finest_scale():
    result = batch.Sweep(Path())  # anything with these three
    result.settings = {"content_layers": {"relu4_2": 2.0}, "style_layers": {"relu1_1": 0.5}}
    terms = [(64, 1.0, 0.1, 0.2), (128, 5.0, 0.3, 0.4), (128, 4.0, 0.5, 0.6), (128, 6.0, 0.7, 0.8)]
    result.history = [
        {"size": s, "total": t, "content relu4_2": c, "style relu1_1": e} for s, t, c, e in terms
    ]
    found = perform._losses(result)
    assert (found["total_loss"], found["content_loss"], found["style_loss"]) == (4.0, 1.0, 0.3)


def test_what_is_there_is_not_made_again(tmp_path, monkeypatch):
    first = run(tmp_path)
    before = pictures_in(tmp_path)
    (tmp_path / "manifest.csv").unlink()  # rows come back from the pictures
    with monkeypatch.context() as patch:
        patch.setattr(perform, "stylize", None)
        again = run(tmp_path)
    assert (again.skipped, len(again.done)) == (2, 2)
    assert pictures_in(tmp_path) == before
    assert read_manifest(tmp_path) == sorted(first.rows, key=lambda r: r["file"])
    more = run(tmp_path, grid={**GRID, "style_weight": [5.0, 500.0]})
    assert (more.skipped, len(more.done)) == (1, 2)
    assert before.items() < pictures_in(tmp_path).items()
    assert len(read_manifest(tmp_path)) == 3


def test_another_picture_of_the_same_name_is_made_again(tmp_path):
    source = tmp_path / "photo.png"
    out = tmp_path / "out"
    for value in (0.2, 0.8):
        save_image(torch.full((1, 3, 48, 48), value), source)
        assert run(out, contents=source, grid=TINY).skipped == 0
    assert len(pictures_in(out)) == 2
    assert run(out, contents=source, grid=TINY).skipped == 1


def test_a_file_under_the_right_name_with_wrong_settings_is_made_again(tmp_path):
    (row,) = run(tmp_path, grid=TINY).rows
    path = tmp_path / row["file"]
    settings = load_settings(path)
    settings["batch"]["identity"]["steps"] = 300
    save_image(torch.zeros(1, 3, 48, 48), path, settings)
    assert run(tmp_path, grid=TINY).skipped == 0
    assert load_image(path).mean() > 0.1
    path.write_bytes(path.read_bytes()[:-20])  # cut off by a full disk, or a broken copy
    assert run(tmp_path, grid=TINY).skipped == 0
    assert load_image(path).mean() > 0.1


def test_one_bad_picture_fails_alone(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "c"):
        load = load_image("temple" if name == "a" else "cat", 48)
        save_image(load, folder / f"{name}.png")
    (folder / "b.png").write_bytes(b"not a picture")
    (folder / "d.png").symlink_to(tmp_path / "gone.png")
    Image.new("RGB", (9, 9)).save(folder / "e.png")
    out = tmp_path / "out"
    found = run(out, contents=folder)
    assert [row["content"] for row in found.done] == ["a.png", "a.png", "c.png", "c.png"]
    reasons = {row["content"]: row["error"] for row in found.failed}
    assert "b.png: cannot be read as a picture" in reasons["b.png"]
    assert "d.png" in reasons["d.png"]
    assert "only 9×9 pixels" in reasons["e.png"]
    assert len(found.failed) == 6
    assert [row for row in read_manifest(out) if row["status"] == "failed"] == sorted(
        found.failed, key=lambda row: row["file"]
    )
    assert len(pictures_in(out)) == 4
    save_image(load_image("coffee", 48), folder / "b.png")  # mended
    again = run(out, contents=folder)
    assert (again.skipped, len(again.done), len(again.failed)) == (4, 6, 4)
    assert sum(row["status"] == "failed" for row in read_manifest(out)) == 4


def test_an_error_of_any_kind_fails_alone(tmp_path, monkeypatch):
    def broken(content, style, style_weight, **options):
        if style_weight == 5.0:
            raise RuntimeError("CUDA out of\nmemory")
        return stylize(content, style, style_weight=style_weight, **options)

    monkeypatch.setattr(perform, "stylize", broken)
    found = run(tmp_path)
    assert [row["error"] for row in found.failed] == ["RuntimeError: CUDA out of memory"]
    assert [row["style_weight"] for row in found.done] == [50.0]


@pytest.mark.parametrize("error", [ValueError("PNG cannot hold it"), MemoryError("33 GB")])
def test_a_result_that_cannot_be_saved_fails_alone(tmp_path, monkeypatch, error):
    def save(image, path, settings):
        if settings["style_weight"] == 5.0:
            raise error
        return save_image(image, path, settings)

    monkeypatch.setattr(perform, "save_image", save)
    found = run(tmp_path)
    assert [row["style_weight"] for row in found.done] == [50.0]
    assert [row["style_weight"] for row in found.failed] == [5.0]
    assert str(error) in found.failed[0]["error"]


def test_another_version_makes_its_own_results(tmp_path, monkeypatch):
    first = run(tmp_path)
    assert run(tmp_path).skipped == 2
    monkeypatch.setattr(tasks, "__version__", "99.9")
    again = run(tmp_path)
    assert (again.skipped, len(again.done)) == (0, 2)
    assert [row["file"] for row in again.rows] == [row["file"] for row in first.rows]
    assert len(read_manifest(tmp_path)) == 2
    assert run(tmp_path).skipped == 2


def test_pictures_of_the_same_name_are_told_apart_by_their_folders(tmp_path):
    paths = [tmp_path / folder / "1.png" for folder in "ab"]
    for path, name in zip(paths, ("temple", "cat"), strict=True):
        path.parent.mkdir()
        save_image(load_image(name, 48), path)
    out = tmp_path / "out"
    assert [row["content"] for row in run(out, contents=paths[0], grid=TINY).rows] == ["1.png"]
    found = run(out, contents=paths, grid=TINY)
    assert [row["content"] for row in found.rows] == ["a/1.png", "b/1.png"]
    assert found.skipped == 1
    figure = plots.contact_sheet(found.rows, out)
    shown = [label.get_text().split("\n")[0] for label in figure.axes[0].get_yticklabels()]
    assert shown == ["a/1.png", "b/1.png"]


def test_a_picture_that_changes_meanwhile_is_refused(tmp_path):
    save_image(torch.rand(1, 3, 48, 48), tmp_path / "photo.png")
    (task,) = make_tasks(tmp_path / "photo.png", "tissue_stain", TINY)
    save_image(torch.rand(1, 3, 48, 48), tmp_path / "photo.png")
    row = perform.perform(task, tmp_path)
    assert row["status"] == "failed"
    assert "photo.png: has changed since the batch began" in row["error"]


def test_a_full_disk_ends_the_batch(tmp_path, monkeypatch):
    calls = []

    def full(*arguments, **options):
        calls.append(1)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(perform, "save_image", full)
    with pytest.raises(OSError, match="cannot be written .*No space left on device"):
        run(tmp_path)
    assert len(calls) == 1
    assert pictures_in(tmp_path) == {}
    monkeypatch.undo()
    assert len(run(tmp_path).done) == 2


def test_nothing_is_done_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(perform, "stylize", None)
    with pytest.raises(ValueError, match="unknown setting 'stepz'"):
        run(tmp_path / "out", grid={"stepz": [1]})
    assert not (tmp_path / "out").exists()
    (tmp_path / "manifest.csv").write_text("name,age\n")
    with pytest.raises(ValueError, match="not the manifest of a batch"):
        run(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot write in the folder"):
        run(tmp_path / "file")
    for options, message in (
        ({"workers": -1}, "workers must be a whole number"),
        ({"workers": 2, "client": "tcp://x:1"}, "either a client or a number of workers"),
        ({"threads": 0}, "threads must be a whole number ≥ 1"),
        ({"memory": 0}, "memory must be a number above 0"),
        ({"device": "x"}, "device 'x' cannot be used here"),
    ):
        with pytest.raises(ValueError, match=message):
            run(tmp_path / "other", **options)


def test_the_callback_sees_each_picture_as_it_comes(tmp_path):
    seen = []

    def look(row):
        assert (tmp_path / row["file"]).exists()
        seen.append((row["file"], len(pictures_in(tmp_path))))

    found = run(tmp_path, callback=look)
    assert seen == [(row["file"], i) for i, row in enumerate(found.rows, 1)]
    assert len(seen) == 2


def test_pictures_and_network_are_loaded_once(tmp_path, monkeypatch):
    perform._load.cache_clear()
    loaded = []
    real = perform.load_image
    monkeypatch.setattr(
        perform, "load_image", lambda path, *a, **k: loaded.append(path) or real(path, *a, **k)
    )
    run(tmp_path, grid={**TINY, "style_weight": [1, 2, 3, 4]})
    assert sorted(path.stem for path in loaded) == ["starry_night", "temple"]
    assert perform._load.cache_info().currsize == 0  # their memory is free again


# --- stopped, and several at once -------------------------------------------------------------


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


def command(out, grid, *more):
    (out.parent / "grid.json").write_text(json.dumps(grid))
    folders = []
    for kind, name in (("contents", "temple"), ("styles", "starry_night")):
        folder = out.parent / kind
        folder.mkdir(exist_ok=True)
        save_image(load_image(name, 48), folder / f"{name}.png")
        folders += [f"--{kind}", folder]
    return [*COMMAND, "batch", *map(str, folders), "--grid", str(out.parent / "grid.json"),
            "--out", str(out), "--device", "cpu", *more]  # fmt: skip


def start(arguments):
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip


def wait_for_pictures(out, count, process, most=300):
    until = time.monotonic() + most
    while len(list(out.glob("*.png"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)


def whole_pictures(out):
    return [load_image(path).shape for path in out.glob("*.png")]


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
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


def test_two_runs_into_one_folder_share_the_work(tmp_path):
    out = tmp_path / "out"
    arguments = command(out, {"size": [48], "steps": [3], "seed": list(range(8))})
    processes = [start(arguments) for _ in range(2)]
    ended = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ended
    made = sum(int(text.split(" made")[0].split()[-1]) for text, _ in ended)
    assert made == 8  # none twice
    assert len(read_manifest(out)) == len(whole_pictures(out)) == 8
    suffixes = sorted(p.suffix for p in out.iterdir() if p.suffix != ".parquet")
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


# --- the command ------------------------------------------------------------------------------


def called(arguments):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=300)


def test_the_command(tmp_path):
    out = tmp_path / "out"
    arguments = command(out, GRID)
    (tmp_path / "contents" / "bad.png").write_bytes(b"x")
    found = called(arguments)
    assert found.returncode == 1
    assert found.stderr.count("nst: bad.png in starry_night.png: ") == 2
    assert "2 made, 0 there before, 2 failed; the table is" in found.stdout.replace("\n", " ")
    assert Image.open(out / "contact_sheet.jpg").size[0] > 250
    (tmp_path / "contents" / "bad.png").unlink()
    found = called(arguments)
    assert found.returncode == 0
    assert "0 made, 2 there before, 0 failed" in found.stdout.replace("\n", " ")


def test_ctrl_c_during_the_contact_sheet_tells_the_truth(tmp_path, capsys, monkeypatch):
    from nst_tutorial import cli

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(plots, "contact_sheet", interrupted)
    with pytest.raises(SystemExit) as ended:
        cli.app(command(tmp_path / "out", TINY)[len(COMMAND) :])
    assert ended.value.code == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "nst: interrupted; the same command goes on from here"


def test_a_contact_sheet_that_cannot_be_made_is_a_warning(tmp_path, monkeypatch, capsys):
    from nst_tutorial import cli

    def too_large(rows, folder):
        raise OSError("encoder error -2 when writing image file")

    monkeypatch.setattr(plots, "contact_sheet", too_large)
    with pytest.raises(SystemExit) as ended:
        cli.app(command(tmp_path / "out", TINY)[len(COMMAND) :])
    assert ended.value.code == 0
    said = capsys.readouterr().err
    assert "contact_sheet.jpg cannot be made (encoder error -2 when writing image file)" in said


@pytest.mark.parametrize(("pairs", "settings"), [(1, 1000), (3, 500), (50, 20), (900, 1)])
def test_no_sheet_is_too_large_and_none_is_left_out(pairs, settings):
    rows = [
        {"content": f"{i}.jpg", "style": "s.jpg", "file": f"{i}_{j}.png"}
        for j in range(settings)
        for i in range(pairs)
    ]
    sheets = list(_on_sheets(rows))
    assert max(map(len, sheets)) <= MOST_ON_A_SHEET
    assert sorted(r["file"] for sheet in sheets for r in sheet) == sorted(r["file"] for r in rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"steps": [1], "steps": [2]}', "not a grid (a setting is there twice)"),
        ("{'steps': [1]}", "grid.json: not a grid (Expecting property name"),
        ('{"stepz": [1]}', "unknown setting 'stepz' in the grid; there are size, preset, seed,"),
        ("[3]", "the grid must map settings to lists of values"),
        ("\udcff", "grid.json: not a grid ("),
        (None, "grid.json: No such file"),
    ],
)
def test_grid_files_that_cannot_be_used(tmp_path, text, message, capsys, monkeypatch):
    from nst_tutorial import cli

    arguments = command(tmp_path / "out", GRID)[len(COMMAND) :]
    path = tmp_path / "grid.json"
    path.unlink()
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SystemExit) as ended:
        cli.app(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_batch_here_needs_no_dask(tmp_path):
    script = (
        "import sys, nst_tutorial as nst; "
        f"nst.sweep('temple', 'tissue_stain', {TINY}, {str(tmp_path)!r}, progress=False); "
        "print('dask' in sys.modules or 'distributed' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.stdout == "False\n", found.stderr
