"""Batches in one process: all results, none twice, resumable, one bad picture alone."""

import errno
import itertools
import os
from types import SimpleNamespace

import pytest
import torch
from batches import GRID, TINY, pictures_in, run
from folders import names_in
from PIL import Image

from nst_tutorial import load_image, load_settings, plots
from nst_tutorial.batch import one_picture as perform
from nst_tutorial.batch import sweeps as batch
from nst_tutorial.batch import tasks
from nst_tutorial.batch.manifest import read_manifest
from nst_tutorial.batch.tasks import make_tasks
from nst_tutorial.images.reading import save_image
from nst_tutorial.optimize.result import Result
from nst_tutorial.presets import options_from
from nst_tutorial.transfer.style_transfer import stylize


def test_all_results_and_their_table(tmp_path):
    found = run(tmp_path, contents=["temple", "cat"])
    rows = read_manifest(tmp_path)
    assert found.rows == sorted(
        rows, key=lambda r: [x["file"] for x in found.rows].index(r["file"])
    )
    assert len({row["file"] for row in rows}) == len(rows) == 4
    assert names_in(tmp_path) == sorted(["manifest.csv", *(row["file"] for row in rows)])
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
    result = Result(torch.zeros(1, 3, 8, 8))
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


def test_results_in_the_folder_of_the_pictures_are_not_repainted(tmp_path):
    for name in ("temple", "cat"):
        save_image(load_image(name, 48), tmp_path / f"{name}.png")
    counts = []
    for _ in range(3):
        done = run(tmp_path, contents=tmp_path, styles=tmp_path, grid=TINY)
        counts.append((len(done.done) - done.skipped, done.skipped, len(pictures_in(tmp_path))))
    assert counts == [(4, 0, 6), (0, 4, 6), (0, 4, 6)]


@pytest.mark.skipif(os.name == "nt", reason="names of any bytes")
def test_names_that_are_not_utf_8_or_as_long_as_a_name_may_be(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    names = [b"caf\xe9.png", b"x" * 251 + b".png", "絵".encode() * 83 + b"y.png"]
    for i, name in enumerate(names):
        save_image(torch.full((1, 3, 48, 48), 0.2 * i), folder / "new.png")
        (folder / "new.png").rename(folder / os.fsdecode(name))
    (folder / os.fsdecode(b"bad\xff\x1b[2J.png")).write_bytes(b"x")
    done = run(tmp_path / "out", contents=folder, grid=TINY)
    told = ["caf\\udce9.png", "x" * 251 + ".png", "絵" * 83 + "y.png"]
    assert {row["content"] for row in done.done} == set(told)
    assert all(len(row["file"].encode()) <= 240 for row in done.rows)
    (bad,) = done.failed
    assert bad["content"] == "bad\\udcff\\x1b[2J.png"
    assert f"{folder}/bad\\udcff\\x1b[2J.png: cannot be read as a picture" in bad["error"]
    assert read_manifest(tmp_path / "out") == sorted(done.rows, key=lambda row: row["file"])
    assert run(tmp_path / "out", contents=folder, grid=TINY).skipped == 3


def test_a_record_in_a_picture_says_no_more_than_what_was_measured(tmp_path):
    """Anybody may have written it."""
    (row,) = run(tmp_path, grid=TINY).rows
    path = tmp_path / row["file"]
    settings = load_settings(path)
    settings["batch"]["row"] |= {"file": "../../x.png\x1b[2J", "error": "\x1b[2J", "steps": "\x1b",
                                 "worker": "\x1b[2J", "seconds": "\x1b[2J"}  # fmt: skip
    save_image(load_image(path), path, settings)
    (again,) = run(tmp_path, grid=TINY).rows
    expected = {name: value for name, value in row.items() if name != "seconds"}
    assert again == {**expected, "worker": "\\x1b[2J"}


def test_damaged_weights_end_a_batch_before_it_begins(tmp_path, monkeypatch):
    monkeypatch.setattr(perform, "stylize", None)
    weights = tmp_path / "vgg.pth"
    weights.write_bytes(b"x")
    with pytest.raises(ValueError, match=r"vgg\.pth: cannot be read as weights"):
        run(tmp_path / "out", grid={**TINY, "weights": [str(weights)]})


class Gone:
    """A progress bar on a terminal that has been closed."""

    def __getattr__(self, name):
        def write(*arguments, **options):
            raise OSError(errno.EIO, "Input/output error")

        return write


def test_a_terminal_that_is_gone_stops_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("tqdm.auto.tqdm", lambda **options: Gone())
    assert len(run(tmp_path).done) == 2
    assert len(read_manifest(tmp_path)) == 2


def test_a_long_table_is_written_less_often(tmp_path, monkeypatch):
    """Writing takes a twentieth of the time at most."""
    now, writes = [0.0], []

    def write(folder, rows):
        now[0] += 1.0
        writes.append(now[0])

    monkeypatch.setattr(batch, "write_manifest", write)
    monkeypatch.setattr(batch, "time", SimpleNamespace(monotonic=lambda: now[0]))
    notes = batch._Notes(batch.Sweep(tmp_path), 200, False, None)
    for i in range(200):
        now[0] += 1.0
        notes.add({"file": f"{i}.png", "status": "done"})
    pauses = [after - before for before, after in itertools.pairwise(writes)]
    assert len(pauses) > 5
    assert set(pauses) == {22.0}  # 20 of pause, and the second in which it is written
