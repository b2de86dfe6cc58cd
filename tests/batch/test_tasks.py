"""Batches as lists of tasks: the grid, names, and whether a result is what is asked for."""

import json
from pathlib import Path

import pytest
import torch

from nst_tutorial.batch.tasks import (
    RECORD,
    SETTINGS,
    combinations,
    finished,
    list_pictures,
    make_tasks,
    told_apart,
)
from nst_tutorial.images.reading import save_image
from nst_tutorial.presets import PRESETS
from nst_tutorial.transfer.style_transfer import stylize


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


def test_the_grid_knows_all_json_options_of_stylize():
    import inspect

    options = set(inspect.signature(stylize).parameters)
    how = {"content", "style", "device", "model", "tile", "memory", "checkpoint",
           "checkpoint_every", "callback", "content_masks", "style_masks"}  # fmt: skip
    assert set(SETTINGS) == options - how | {"size"}


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


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"style_wait": [1]}, "unknown setting 'style_wait' in the grid; there are size, preset"),
        ({"model": [1]}, "unknown setting 'model'"),
        ({"device": ["cpu"]}, "unknown setting 'device'"),
        ({"steps": 3}, "steps in the grid must be a list of values, got 3"),
        ({"kernel": "gram"}, "kernel in the grid must be a list of values, got 'gram'"),
        ({"kernel": {"name": "gram"}}, "kernel in the grid must be a list of values"),
        ({"steps": []}, r"steps in the grid must be a list of values, got \[\]"),
        ([1], r"the grid must map settings to lists of values, got \[1\]"),
        ({"steps": [3, -1]}, "steps must be a whole number ≥ 0, got -1"),
        ({"steps": [True]}, "steps must be a whole number ≥ 0, got True"),
        ({"size": [8]}, "size must be a whole number ≥ 16, got 8"),
        ({"size": [40000]}, "size must be at most 30000, got 40000"),
        ({"size": [None]}, "size must be a whole number ≥ 16, got None"),
        ({"seed": [1.5]}, "seed must be a whole number ≥ 0, got 1.5"),
        ({"style_weight": [float("nan")]}, "style_weight must be finite"),
        ({"style_weight": ["5"]}, "style_weight must be finite"),
        ({"style_scale": [0]}, "style_scale must be a number above 0"),
        ({"kernel": ["grams"]}, "unknown kernel 'grams'"),
        ({"preset": ["gatys2015"]}, "unknown preset 'gatys2015'"),
        ({"pooling": ["mean"]}, "pooling must be one of max, average; got 'mean'"),
        ({"method": ["sgd"]}, "method must be one of lbfgs, adam; got 'sgd'"),
        ({"parameters": ["wavelet"]}, "parameters must be one of pixel, fourier"),
        ({"content_normalization": ["x"]}, "content_normalization must be one of"),
        ({"style_normalization": [3]}, "style_normalization must be one of"),
        ({"learning_rate": [0]}, "learning_rate must be a number above 0"),
        ({"history": [0]}, "history must be a whole number ≥ 1"),
        ({"rescale": ["yes"]}, "rescale must be True or False, got 'yes'"),
        ({"start": ["temple"]}, "start must be a picture or one of content, noise, style"),
        ({"style_layers": [{"relu9_1": 1}]}, "unknown layer 'relu9_1'"),
        ({"style_layers": ["relu1_1"]}, "style_layers must be a mapping"),
        ({"balance": [None]}, "balance must be one of"),
        ({"style_mix": [[1, 2]]}, "style_mix must hold as many numbers as there are styles, 1"),
        ({"style_scale": [[1.0]]}, "style_scale must be a number above 0"),
        ({"coarse_to_fine": [1]}, "coarse_to_fine must be True or False, got 1"),
    ],
)
def test_bad_grids(grid, message):
    with pytest.raises(ValueError, match=message):
        combinations(grid)


@pytest.mark.parametrize("weights", ["orginal", "nowhere.pth", 3, None, ["original"]])
def test_unknown_weights_are_refused_at_once(weights):
    with pytest.raises(FileNotFoundError, match=r"no such weights; give a file, \"original\""):
        combinations({"weights": [weights]})


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
