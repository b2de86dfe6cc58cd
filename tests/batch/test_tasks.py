"""Batches as lists of tasks: the grid, names, and whether a result is what is asked for."""

import json
from pathlib import Path

import pytest
import torch

from nst_tutorial.batch.grid import combinations
from nst_tutorial.batch.tasks import RECORD, finished, list_pictures, make_tasks, told_apart
from nst_tutorial.images.reading import save_image
from nst_tutorial.presets import PRESETS


def names(tasks):
    return [task.file for task in tasks]


def test_every_combination_once():
    tasks = make_tasks(
        ["temple", "cat"],
        ["woodcut_waves", "starry_night"],
        {"style_weight": [5, 15], "seed": [0, 1, 2]},
    )
    asked = [
        (t.content.stem, t.style.stem, t.options["style_weight"], t.options["seed"]) for t in tasks
    ]
    assert len(set(asked)) == len(set(names(tasks))) == len(tasks) == 2 * 2 * 2 * 3
    assert all(path.is_absolute() for t in tasks for path in (t.content, t.style))


def test_an_empty_grid_is_one_combination_of_defaults():
    assert combinations({}) == [{}]
    (task,) = make_tasks("temple", "starry_night", {})
    default = PRESETS["default"].as_dict()
    assert {k: task.identity[k] for k in default if k != "source"} == {
        k: v for k, v in default.items() if k != "source"
    }
    assert (task.identity["size"], task.identity["seed"]) == (512, 0)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"size": [64, 32], "grid_size": [33]}, "grid_size must be at most 32, the pixels of"),
        ({"grid_size": [256], "grid_depth": [256]}, "a grid of 256×8 cells of depth 256 needs"),
    ],
)
def test_a_grid_of_colours_that_no_picture_can_have_is_refused_at_once(grid, message):
    with pytest.raises(ValueError, match=message):
        make_tasks(["temple", "cat"], "tissue_stain", {"preset": ["photo"], **grid})


def test_a_grid_of_colours_as_fine_as_the_pixels_is_accepted():
    """Also a finer one where pixels move: that setting is not read."""
    photo = {"size": [32], "grid_size": [32], "grid_depth": [1]}
    assert len(combinations({"preset": ["photo"], **photo})) == 1
    assert len(combinations({"size": [32], "grid_size": [33]})) == 1


def test_names_tell_the_settings_and_fit_every_disk(tmp_path):
    (task,) = make_tasks("temple", "starry_night", {"style_weight": [0.5], "kernel": ["bn"]})
    assert task.file.startswith("temple_starry_night_style-weight=0.5_kernel=bn_")
    (task,) = make_tasks(
        "temple", "tissue_stain", {"kernel": [{"name": "polynomial", "offset": 2}], "size": [64]}
    )
    assert task.file.startswith("temple_tissue_stain_kernel=polynomial+offset-2_size=64_")
    weights = tmp_path / ("𝄞𐍈" * 20 + ".pth")
    weights.write_bytes(b"x")
    layers = {f"relu{b}_1": 0.123456789 for b in range(1, 6)}
    for letters, grid in (
        ("x" * 240, {"weights": [str(weights)], "style_layers": [layers]}),
        ("絵" * 80, {"style_layers": [layers]}),
        ("𐍈" * 60, {"weights": [str(weights)], "style_layers": [layers]}),
    ):
        path = tmp_path / f"{letters} a:b?.png"
        path.write_bytes(b"x")
        (task,) = make_tasks(path, path, grid)
        assert len(task.file.encode()) <= 240
        assert task.file.startswith(letters[:15])
        assert not set(task.file) & set('/\\:*?"<>| ')


def test_names_collide_only_for_the_same_picture(tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    for place, value in ((tmp_path, 0.2), (folder, 0.7)):
        save_image(torch.full((1, 3, 20, 20), value), place / "a.png")
    files = [tmp_path / "a.png", folder / "a.png"]
    assert len(set(names(make_tasks(files, "tissue_stain", {})))) == 2
    assert len(make_tasks([files[0], files[0]], "tissue_stain", {"style_weight": [5, 5.0, 5]})) == 1
    long = [{"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0 + i} for i in (0, 1)]
    assert len(set(names(make_tasks("temple", "tissue_stain", {"style_layers": long})))) == 2


def test_a_link_is_called_by_its_own_name(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    save_image(torch.rand(1, 3, 20, 20), tmp_path / "5f3f379cc2.png")
    (folder / "cat.png").symlink_to(tmp_path / "5f3f379cc2.png")
    for given in (folder, folder / "cat.png", [folder / "cat.png"]):
        (task,) = make_tasks(given, "tissue_stain", {})
        assert task.file.startswith("cat_tissue_stain_")
        assert task.names == {"content": "cat.png", "style": "tissue_stain.jpg"}


def test_files_of_the_same_name_are_told_apart():
    paths = [Path(name) for name in ("/x/a/1.jpg", "/x/b/1.jpg", "/y/b/1.jpg", "/x/b/2.jpg")]
    names = ["a/1.jpg", "/x/b/1.jpg", "/y/b/1.jpg", "2.jpg"]
    assert told_apart(paths) == dict(zip(paths, names, strict=True))


def test_names_in_the_table_are_printable_and_told_apart():
    names = {
        "/x/a\x1b[2Jb.jpg": "a\\x1b[2Jb.jpg",  # clears a terminal
        "/x/a\\x1b[2Jb.jpg": "a\\\\x1b[2Jb.jpg",  # a backslash in the name itself
        "/x/caf\udce9.jpg": "caf\\udce9.jpg",  # Latin-1
        "/x/\u202egpj.exe": "\\u202egpj.exe",  # from right to left
        "/x/絵\n👩\u200d🚀.jpg": "絵\\n👩\u200d🚀.jpg",
    }
    assert told_apart(map(Path, names)) == {Path(path): name for path, name in names.items()}


def test_what_a_batch_has_written_is_not_repainted(tmp_path):
    """Where results go to the folder of the pictures: neither results nor contact sheets."""
    image = torch.rand(1, 3, 20, 20)
    save_image(image, tmp_path / "photo.png")
    save_image(image, tmp_path / "of stylize.png", {"style_weight": 5})
    save_image(image, tmp_path / "result.png", {RECORD: {"identity": {}, "row": {}}})
    save_image(image, tmp_path / "contact_sheet.jpg", {RECORD: "contact sheet"})
    (tmp_path / "damaged.png").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    kept = ["damaged.png", "of stylize.png", "photo.png"]
    for folder, out in ((tmp_path, tmp_path), (tmp_path / "link", tmp_path)):
        assert [path.name for path in list_pictures(folder, "content", out)] == kept
    # In another folder, and asked for one by one, they are pictures as all others.
    everything = sorted([*kept, "result.png", "contact_sheet.jpg"])
    assert [path.name for path in list_pictures(tmp_path, "content", tmp_path / "o")] == everything
    one = tmp_path / "result.png"
    assert list_pictures(one, "content", tmp_path) == list_pictures([one], "content", tmp_path)
    for path in kept:
        (tmp_path / path).unlink()
    with pytest.raises(ValueError, match="no pictures in .*what a batch has written is none"):
        list_pictures(tmp_path, "content", tmp_path)


def test_the_name_does_not_depend_on_the_rest_of_the_grid():
    few = names(make_tasks("temple", "tissue_stain", {"steps": [3]}))
    many = names(
        make_tasks(["cat", "temple"], ["stained_glass", "tissue_stain"], {"steps": [2, 3]})
    )
    assert set(few) < set(many)


def test_a_folder_of_pictures(tmp_path):
    for name in ("b.PNG", "a.jpg", "notes.txt", "._a.jpg", ".hidden.png"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "sub.png").mkdir()
    assert [p.name for p in list_pictures(tmp_path, "content")] == ["a.jpg", "b.PNG"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty: no pictures in this folder \(\.png"):
        list_pictures(tmp_path / "empty", "content")
    with pytest.raises(FileNotFoundError, match="nowhere: no such picture"):
        list_pictures(tmp_path / "nowhere", "content")
    with pytest.raises(ValueError, match="no style pictures are given"):
        list_pictures([], "style")


def test_only_the_picture_that_is_asked_for_is_finished(tmp_path):
    (task,) = make_tasks("temple", "tissue_stain", {"steps": [3]})
    path = tmp_path / task.file
    row = {"file": task.file, "status": "done"}
    image = torch.rand(1, 3, 20, 20)

    def written(record, where=path):
        save_image(image, where, record)
        return finished(path, task)

    assert finished(path, task) is None  # not there
    good = {RECORD: {"identity": task.identity, "row": row}}
    assert written(good)["row"] == row
    assert written(json.loads(json.dumps(good)))["row"] == row
    for name, other in (("steps", 4), ("content", "0" * 16), ("style", "0" * 16), ("size", 64)):
        bad = {RECORD: {"identity": {**task.identity, name: other}, "row": row}}
        assert written(bad) is None, name
    for record in (None, {}, {RECORD: 3}, {RECORD: {"identity": task.identity}}):
        assert written(record) is None
    assert written(good) is not None
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[: len(whole) // 2], b"", b"x" * 100):
        path.write_bytes(damaged)
        assert finished(path, task) is None


def test_a_picture_that_cannot_be_read_has_its_tasks(tmp_path):
    path = tmp_path / "gone.png"
    path.symlink_to(tmp_path / "nowhere.png")
    save_image(torch.rand(1, 3, 20, 20), tmp_path / "here.png")
    tasks = make_tasks(tmp_path, "tissue_stain", {})
    assert sorted(Path(t.content).name for t in tasks) == ["gone.png", "here.png"]
