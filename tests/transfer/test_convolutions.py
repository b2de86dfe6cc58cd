"""By which convolutions a run computes: chosen, recorded, and taken again."""

import re
from dataclasses import replace

import pytest
import torch

import nst_tutorial as nst
from nst_tutorial.cli.sources import available_here
from nst_tutorial.presets import options_from
from nst_tutorial.settings import BEFORE
from nst_tutorial.tiling.planning import plan
from nst_tutorial.transfer import builder
from nst_tutorial.transfer.request import request_transfer
from nst_tutorial.vgg import paths
from nst_tutorial.vgg.network import VGG19

MIXED = "direct-bfloat16,direct,winograd-bfloat16,winograd,direct"


@pytest.fixture
def free(monkeypatch):
    """Nothing fixes the convolutions but the test."""
    monkeypatch.delenv("NST_CONVOLUTIONS", raising=False)


@pytest.fixture
def network(free):
    return VGG19("random", channels=(32,) * 5, device="cpu")


def measured(monkeypatch, convolutions):
    """As if these had been measured to be the fastest."""

    def fastest(model, pixels):
        return model if model.paths_are_chosen else model.with_paths(convolutions)

    monkeypatch.setattr(builder, "fastest", fastest)


@pytest.mark.parametrize("convolutions", ["direct", "winograd-bfloat16", MIXED])
def test_a_result_is_repeated_bit_for_bit_from_its_record(
    network, temple, starry, monkeypatch, convolutions
):
    measured(monkeypatch, convolutions)
    first = nst.stylize(temple, starry, steps=4, model=network)
    assert first.settings["convolutions"] == convolutions
    assert first.settings["precision"] == ("float32" if convolutions == "direct" else "bfloat16")
    measured(monkeypatch, "winograd")  # another machine, or another day
    options = options_from(first.settings)
    again = nst.stylize(temple, starry, **options, model=network)
    assert torch.equal(again.image, first.image)
    assert again.settings == first.settings
    other = nst.stylize(temple, starry, **{**options, "convolutions": "auto"}, model=network)
    assert not torch.equal(other.image, first.image)
    assert other.settings["convolutions"] == "winograd"


def test_an_unfinished_run_goes_on_by_the_convolutions_it_began_with(
    network, temple, starry, monkeypatch, tmp_path
):
    def run(**options):
        return nst.stylize(temple, starry, steps=8, start="noise", model=network, **options)

    measured(monkeypatch, MIXED)
    whole = run()
    path = tmp_path / "run.ckpt"
    run(checkpoint=path, checkpoint_every=2, callback=lambda progress: progress.evaluation == 4)
    measured(monkeypatch, "winograd")
    finished = run(checkpoint=path)
    assert torch.equal(finished.image, whole.image)
    assert finished.settings["convolutions"] == MIXED
    with pytest.raises(ValueError, match="convolutions was '.*' and is 'direct' now"):
        run(checkpoint=path, convolutions="direct")


def test_an_unfinished_run_whose_convolutions_there_are_not_here(
    network, temple, starry, monkeypatch, tmp_path
):
    path = tmp_path / "run.ckpt"
    measured(monkeypatch, "direct-bfloat16")
    nst.stylize(temple, starry, steps=4, model=network, checkpoint=path, checkpoint_every=1)
    elsewhere = replace(paths.PATHS["direct-bfloat16"], devices=("cuda",))
    monkeypatch.setitem(paths.PATHS, "direct-bfloat16", elsewhere)
    message = (
        f"{re.escape(str(path))} cannot go on here: .*direct-bfloat16 cannot be computed on cpu"
    )
    with pytest.raises(ValueError, match=message):
        nst.stylize(temple, starry, steps=4, model=network, checkpoint=path)


def test_records_of_the_first_version(free):
    record = {"vgg_weights": "original", "convolutions": "auto", "precision": "float32"}
    expected = {"vgg_weights": "original", "convolutions": "winograd"}
    assert options_from(record) == BEFORE | expected
    record |= {"precision": "bfloat16"}
    assert options_from(record)["convolutions"] == "direct-bfloat16"
    assert "convolutions" not in options_from({"vgg_weights": "original"})


def test_like_a_result_of_another_kind_of_machine(free, capsys):
    options = {"steps": 3, "convolutions": "winograd", "pooling": "max"}
    assert available_here(options, "a.png", "cpu") == options
    assert available_here({"steps": 3}, "a.png", "cpu") == {"steps": 3}
    for name in ("direct-float16", "of a later version"):
        options["convolutions"] = name
        assert available_here(options, "a.png", "cpu") == {"steps": 3, "pooling": "max"}
        told = " ".join(capsys.readouterr().err.split())
        assert f"a.png was made with convolutions that cpu lacks, {name}; its digits" in told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"convolutions": "nonsense"}, "convolutions must be auto, or one or five of direct, "),
        ({"convolutions": 3}, "convolutions must be a name or several, got 3"),
        ({"precision": "half"}, "precision"),
        ({"convolutions": ["direct"] * 4}, "one path or 5"),
    ],
)
def test_convolutions_that_there_are_not(temple, starry, options, message):
    with pytest.raises(ValueError, match=message):
        nst.stylize(temple, starry, steps=1, **options)


@pytest.mark.parametrize("size", [64, 300, 800])
def test_the_pixels_of_a_run_are_those_of_its_plan(size):
    content, style = torch.rand(2, 1, 3, size, size // 2)
    settings = nst.PRESETS["default"]
    request = request_transfer(content, style, settings)
    stages = plan(size, size // 2, tile="whole", device="cpu", settings=settings).stages
    assert request.pixels == pytest.approx(sum(stage.work for stage in stages), rel=0.02)
