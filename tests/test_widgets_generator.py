import io

import pytest
import torch
from PIL import Image

from nst_tutorial.texture_nets import Generator
from nst_tutorial.widgets import GeneratorExplorer, to_jpeg


@pytest.fixture
def explorer():
    painter = Generator(width=2, stylizes=True)
    content = torch.rand(1, 3, 40, 56)
    return GeneratorExplorer({"texture": Generator(width=2), "painter": painter}, content, (32, 48))


def shown(explorer):
    return Image.open(io.BytesIO(explorer.picture.value)).size


def test_each_control_does_what_it_says(explorer):
    texture = explorer.generators["texture"]
    assert explorer.picture.value == to_jpeg(texture.sample(48))
    explorer.controls["seed"].value = 3
    assert explorer.picture.value == to_jpeg(texture.sample(48, 3))
    explorer.controls["size"].value = 32
    assert shown(explorer) == (32, 32)
    explorer.controls["scale 0"].value = 0.0
    explorer.controls["scale 5"].value = 2.0
    wanted = texture.sample(32, 3, strengths=[0.0, 1, 1, 1, 1, 2.0])
    assert explorer.picture.value == to_jpeg(wanted)
    explorer.controls["tiled"].value = True
    assert explorer.picture.value == to_jpeg(wanted.repeat(1, 1, 2, 2))
    assert "64 × 64 pixels; the pass took" in explorer.words.value
    explorer.controls["tiled"].value = False
    explorer.reset.click()
    assert explorer.strengths == [1.0] * 6
    assert explorer.picture.value == to_jpeg(texture.sample(32, 3))
    explorer.controls["generator"].value = "painter"
    assert shown(explorer) == (56, 40)


def test_reset_paints_once(explorer, monkeypatch):
    explorer.controls["scale 0"].value = 0.0
    explorer.controls["scale 1"].value = 0.0
    painted, paint = [], explorer.paint
    monkeypatch.setattr(explorer, "paint", lambda: painted.append(0) or paint())
    explorer.reset.click()
    assert len(painted) == 1


def test_errors_are_shown_and_go_away(explorer, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(Generator, "sample", lambda *a, **k: 1 / 0)
        explorer.controls["seed"].value = 5
        assert isinstance(explorer.error, ZeroDivisionError)
        assert "This cannot be shown" in explorer.words.value
    explorer.controls["seed"].value = 6
    assert explorer.error is None


def test_what_cannot_be_explored():
    with pytest.raises(ValueError, match="one number of scales, got .3, 6."):
        GeneratorExplorer({"a": Generator(width=2), "b": Generator(width=2, scales=3)})
    with pytest.raises(ValueError, match="needs a content"):
        GeneratorExplorer({"a": Generator(width=2, stylizes=True)})


def test_every_control_has_a_label_and_a_page_without_a_kernel_has_words(explorer):
    assert all(control.description for control in explorer.controls.values())
    assert "while a kernel runs" in repr(explorer)
