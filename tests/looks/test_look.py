import json
import math

import pytest
import torch
from tensors import features

from nst_tutorial.looks import guide_of, identity_grid
from nst_tutorial.looks.grid import apply_grid, read_maps
from nst_tutorial.looks.look import FORMAT, Look, describe, load_look, save_look
from nst_tutorial.storage.tensor_files import write_tensors


@pytest.fixture
def look(picture) -> Look:
    grid = identity_grid(4, 3, 5).double() + 0.3 * features(1, 12, 4, 3, 5, seed=2)
    return Look(grid, guide_of(picture, "principal"), {"style": "dusk.jpg", "smoothness": 0.05})


@pytest.mark.parametrize("strength", [0, 0.3, 1, 1.5])
def test_strength_leads_in_a_straight_line_from_the_picture_to_the_look(look, picture, strength):
    full = apply_grid(look.grid, picture, look.guide(picture))
    expected = picture + strength * (full - picture)
    torch.testing.assert_close(look.apply(picture, strength), expected)
    torch.testing.assert_close(look.with_strength(strength).apply(picture), expected)


@pytest.mark.parametrize("strength", [-0.1, 1.6, math.nan, math.inf, "much", True])
def test_a_strength_that_is_none(look, picture, strength):
    with pytest.raises(ValueError, match="strength must be"):
        look.apply(picture, strength)


def test_a_larger_picture_gets_the_same_colours(look):
    """A picture of four-pixel blocks, and the same with each pixel doubled."""
    small = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(4)).double()
    flat = Look(look.grid[..., :1, :1], look.guide)
    large = small.repeat_interleave(4, 2).repeat_interleave(4, 3)
    found = flat.apply(large)
    torch.testing.assert_close(found[:, :, ::4, ::4], flat.apply(small))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_the_result_is_of_the_pictures_type(look, picture, dtype):
    found = look.apply(picture.to(dtype))
    assert found.dtype == dtype
    error = (found.double() - look.apply(picture)).abs().max()
    assert error < 20 * torch.finfo(dtype).eps
    assert not found.requires_grad


def test_pictures_that_are_none_are_refused(look, picture):
    for wrong, message in ((picture[0], "must be a picture"), (picture / 0, "not finite")):
        with pytest.raises(ValueError, match=message):
            look.apply(wrong)


def test_whether_it_depends_on_position(look):
    assert look.depends_on_position
    one = look.grid[..., 1:2, 2:3]
    assert not Look(one).depends_on_position
    assert not Look(one.expand(-1, -1, -1, 3, 5)).depends_on_position


def test_the_average_is_the_mean_over_all_positions(look):
    """Of the maps of a picture of one guide value, however the grid lies under its pixels."""
    averaged = look.averaged()
    assert not averaged.depends_on_position
    assert averaged.record == look.record
    for value in (0.0, 0.2, 0.61, 1.0):
        guide = torch.full((1, 1, 60, 50), value).double()
        mean = read_maps(look.grid, guide).mean((2, 3))
        torch.testing.assert_close(read_maps(averaged.grid, guide)[:, :, 0, 0], mean)


def test_it_keeps_no_gradient_and_no_graph():
    grid = identity_grid(2, 2, 2).requires_grad_()
    assert not Look(grid * 2).grid.requires_grad


def test_described(look):
    assert describe(look) == {
        "cells": "5×3", "depth": 4, "guide": "principal", "depends on position": True,
        "style": "dusk.jpg", "smoothness": 0.05,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (torch.zeros(12, 8, 3, 3), r"must be \(1, 12, depth, rows, columns\); got \(12, 8, 3, 3\)"),
        (torch.zeros(1, 9, 8, 3, 3), "must be"),
        (torch.zeros(1, 12, 0, 3, 3), "must be"),
        (torch.zeros(1, 12, 1, 1, 1, dtype=torch.int64), "floating point numbers, got torch.int64"),
        (torch.full((1, 12, 1, 1, 1), math.nan), "finite and at most 1e.06"),
        (torch.full((1, 12, 1, 1, 1), 2e6), "finite and at most 1e.06"),
    ],
)
def test_grids_that_are_none(grid, message):
    with pytest.raises(ValueError, match=message):
        Look(grid)


def test_records_that_are_none():
    for record, message in (([1], "must be a mapping, got list"), ({"a": {1}}, "JSON can hold")):
        with pytest.raises(ValueError, match=message):
            Look(identity_grid(1, 1, 1), record=record)


# --- files -----------------------------------------------------------------------------------


def test_saved_and_loaded(tmp_path, look):
    path = save_look(look, tmp_path / "dusk.safetensors")
    again = load_look(path)
    assert torch.equal(again.grid, look.grid.float())
    assert (again.guide, again.record) == (look.guide, look.record)
    assert path.stat().st_size < 4000
    with pytest.raises(FileExistsError):
        save_look(look, path, overwrite=False)
    picture = torch.rand(1, 3, 33, 21)
    saved = Look(look.grid.float(), look.guide)
    assert torch.equal(again.apply(picture), saved.apply(picture))


@pytest.mark.parametrize("name", ["dusk.txt", "dusk", "dusk.safetensors.bak", ".safetensors"])
def test_a_look_is_saved_under_the_suffix_of_looks_alone(tmp_path, look, name):
    with pytest.raises(ValueError, match=f"{name}: a look is a file of the type .safetensors$"):
        save_look(look, tmp_path / name)
    assert not list(tmp_path.iterdir())
    assert save_look(look, tmp_path / "dusk.SafeTensors").exists()


def test_every_damaged_byte_is_noticed(tmp_path, look):
    path = save_look(look, tmp_path / "a.safetensors")
    data = path.read_bytes()
    for place in range(0, len(data), 97):
        path.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        with pytest.raises(ValueError, match="a.safetensors: .*look"):
            load_look(path)
    path.write_bytes(data[:-1])
    with pytest.raises(ValueError, match="not a look, or damaged"):
        load_look(path)


HEADER = {"format": FORMAT, "guide": json.dumps({"kind": "luminance", "weights": [1, 0, 0],
                                                  "offset": 0}), "record": "{}"}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "nst_tutorial look 2"},
         "a look of version 2, and this program reads version 1; update nst_tutorial, or fit"),
        ({"format": "nst_tutorial generator 1"}, "it is a nst_tutorial generator"),
        ({"format": ""}, "it was not made by us"),
        ({"guide": "{"}, "not a look, or damaged"),
        ({"guide": "[]"}, "is no record of a guide"),
        ({"guide": '{"kind": "hue", "weights": [1, 0, 0], "offset": 0}'}, "guide must be one of"),
        ({"guide": '{"kind": "luminance", "weights": [1e300, 0, 0], "offset": 0}'}, "at most 1e"),
        ({"record": "[]"}, "must be a mapping, got list"),
        ({"record": "[" * 100_000}, "not a look, or damaged"),
    ],
)  # fmt: skip
def test_files_that_hold_something_else(tmp_path, change, message):
    path = tmp_path / "b.safetensors"
    write_tensors(path, {"grid": identity_grid(2, 2, 2)}, {**HEADER, **change})
    with pytest.raises(ValueError, match=message) as raised:
        load_look(path)
    assert str(raised.value).startswith(f"{path}: ")


def test_files_without_a_grid(tmp_path):
    path = tmp_path / "b.safetensors"
    for tensors in ({}, {"map": torch.eye(3)}, {"grid": torch.eye(3)}):
        write_tensors(path, tensors, HEADER)
        with pytest.raises(ValueError, match="b.safetensors: not a look, or damaged"):
            load_look(path)
    write_tensors(path, {"grid": identity_grid(2, 2, 2)}, HEADER)
    assert load_look(path).guide.weights == (1, 0, 0)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="a.safetensors: no such file; a look is"):
        load_look(tmp_path / "a.safetensors")
    with pytest.raises(IsADirectoryError, match="is a folder; name the file of a look in it"):
        load_look(tmp_path)
    (tmp_path / "a.png").write_text("x")
    with pytest.raises(ValueError, match="a.png: not a look, or damaged"):
        load_look(tmp_path / "a.png")
