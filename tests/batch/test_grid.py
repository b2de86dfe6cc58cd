"""The grid of a batch: what it may hold, and what is refused before any work."""

import inspect
import time

import pytest
import torch

from nst_tutorial.batch import grid as grids
from nst_tutorial.batch.grid import MOST_PICTURES, SETTINGS, check_networks, combinations
from nst_tutorial.batch.tasks import make_tasks
from nst_tutorial.transfer import stylize


def test_the_grid_knows_all_json_options_of_stylize():
    options = set(inspect.signature(stylize).parameters)
    how = {"content", "style", "device", "model", "tile", "memory", "checkpoint",
           "checkpoint_every", "callback", "content_masks", "style_masks",
           "mode"}  # fmt: skip
    assert set(SETTINGS) == options - how | {"size"}


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
        ({"parametrization": ["wavelet"]}, "parametrization must be one of pixel, fourier"),
        ({"content_normalization": ["x"]}, "content_normalization must be one of"),
        ({"style_normalization": [3]}, "style_normalization must be one of"),
        ({"learning_rate": [0]}, "learning_rate must be a number above 0"),
        ({"lbfgs_pairs": [0]}, "lbfgs_pairs must be a whole number ≥ 1"),
        ({"vgg_weights": [3]}, "vgg_weights must be a name or a file, got 3"),
        ({"rescale": ["yes"]}, "rescale must be True or False, got 'yes'"),
        ({"start": ["temple"]}, "start must be a picture or one of content, noise, style"),
        ({"style_layers": [{"relu9_1": 1}]}, "unknown layer 'relu9_1'"),
        ({"style_layers": ["relu1_1"]}, "style_layers must be a mapping"),
        ({"balance": [None]}, "balance must be one of"),
        ({"style_mix": [[1, 2]]}, "style_mix must hold as many numbers as there are styles, 1"),
        ({"style_scale": [[1.0]]}, "style_scale must be a number above 0"),
        ({"coarse_to_fine": [1]}, "coarse_to_fine must be True or False, got 1"),
        ({"kernel": ["bn", {"name": "polynomial", "degree": 3}]}, "of degree 3 has no statistic"),
        ({"kernel": [{"sum": [[1, "bn"], [1, {"name": "polynomial", "degree": 4}]]}]}, "degree 4"),
        (
            {
                "kernel": [{"relu1_1": {"name": "polynomial", "degree": 3}}],
                "style_layers": [{"relu1_1": 1}],
            },
            "of degree 3 has no statistic",
        ),
        (
            {"size": [64, 40], "style_scale": [0.3]},
            "style_scale 0.3 leaves the style smaller than 16 pixels at size 40",
        ),
    ],
)
def test_bad_grids(grid, message):
    with pytest.raises(ValueError, match=message):
        combinations(grid)


@pytest.mark.parametrize("weights", ["orginal", "nowhere.pth"])
def test_unknown_weights_are_refused_at_once(weights):
    with pytest.raises(FileNotFoundError, match=r"no such weights; give a file, \"original\""):
        combinations({"vgg_weights": [weights]})


def test_a_style_of_sixteen_pixels_is_large_enough():
    assert len(combinations({"size": [64], "style_scale": [0.25]})) == 1


@pytest.mark.parametrize(
    "lists", [{"seed": range(10**9)}, {"seed": range(10**5), "steps": range(10**4)}]
)
def test_a_grid_too_large_is_refused_before_it_is_spread_out(lists):
    message = (
        "the grid has 1,000,000,000 combinations of settings; a batch may have 100,000 pictures"
    )
    begin = time.perf_counter()
    with pytest.raises(ValueError, match=message):
        combinations(lists)
    assert time.perf_counter() - begin < 1


def test_a_grid_too_large_for_its_pictures_is_refused(monkeypatch):
    monkeypatch.setattr(grids, "MOST_PICTURES", 6)
    grid = {"seed": [0, 1, 2]}
    assert len(make_tasks(["temple", "cat"], "tissue_stain", grid)) == 6
    message = "has 3 combinations of settings, for 4 pairs of pictures; a batch may have 6 pictures"
    with pytest.raises(ValueError, match=message):
        make_tasks(["temple", "cat"], ["tissue_stain", "stained_glass"], grid)


def test_the_largest_grid_may_be_used():
    assert MOST_PICTURES == 100_000
    grids.check_count({"seed": range(MOST_PICTURES)})


def test_weights_are_read_before_any_work(tmp_path):
    path = tmp_path / "vgg.pth"
    path.write_bytes(b"x")
    with pytest.raises(ValueError, match=r"vgg\.pth: cannot be read as weights"):
        check_networks([str(path)], download=False)
    torch.save({"features.0.weight": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match=r"vgg\.pth: no features\.0\.weight and features\.0\.bias"):
        check_networks(["random", str(path)], download=False)


def test_torchvision_is_left_to_the_workers_of_another_machine(monkeypatch):
    names = []

    def read(weights, *rest):
        names.append(weights)
        raise OSError("no network")

    monkeypatch.setattr(grids, "read_weights", read)
    check_networks(["torchvision", "random"], download=False)
    assert names == []
    with pytest.raises(OSError, match="no network"):
        check_networks(["torchvision", "random"], download=True)
    assert names == ["torchvision"]
