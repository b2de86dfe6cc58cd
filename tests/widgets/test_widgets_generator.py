import io

import pytest
import torch
from PIL import Image

from nst_tutorial.texture_networks.generator import Generator
from nst_tutorial.widgets import generator_explorer, to_jpeg

TEXTURE, PAINTER = Generator(width=2), Generator(width=2, stylizes=True)
SCALES = [f"scale_{k}" for k in range(1, 7)]


@pytest.fixture
def explorer():
    content = torch.rand(1, 3, 40, 56)
    return generator_explorer({"texture": TEXTURE, "painter": PAINTER}, content, (32, 48))


def painted(explorer) -> bytes:
    assert explorer.error is None, explorer.words.value
    return explorer.pictures[0].light


def reset(explorer) -> None:
    explorer.knobs.children[-1].click()


def test_each_control_does_what_it_says(explorer):
    assert painted(explorer) == to_jpeg(TEXTURE.sample(32))
    explorer.controls["seed"].value = 3
    assert painted(explorer) == to_jpeg(TEXTURE.sample(32, 3))
    explorer.controls["size"].value = 48
    assert painted(explorer) == to_jpeg(TEXTURE.sample(48, 3))
    explorer.controls["size"].value = 32
    explorer.controls["scale_1"].value = 0.0
    explorer.controls["scale_6"].value = 2.0
    wanted = TEXTURE.sample(32, 3, strengths=[0.0, 1, 1, 1, 1, 2.0])
    assert painted(explorer) == to_jpeg(wanted)
    explorer.controls["tiled"].value = True
    assert painted(explorer) == to_jpeg(wanted.repeat(1, 1, 2, 2))
    assert "64 × 64 pixels; the pass took" in explorer.words.value
    explorer.controls["tiled"].value = False
    reset(explorer)
    assert [explorer.controls[name].value for name in SCALES] == [1.0] * 6
    assert painted(explorer) == to_jpeg(TEXTURE.sample(32, 3))
    explorer.controls["generator"].value = "painter"
    assert Image.open(io.BytesIO(painted(explorer))).size == (56, 40)


def test_reset_paints_once(explorer, monkeypatch):
    explorer.set(scale_1=0.0, scale_2=0.0)
    asked, answer = [], explorer.answer
    monkeypatch.setattr(explorer, "answer", lambda **values: asked.append(0) or answer(**values))
    reset(explorer)
    assert len(asked) == 1


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
        generator_explorer({"a": TEXTURE, "b": Generator(width=2, scales=3)})
    with pytest.raises(ValueError, match="needs a content"):
        generator_explorer({"a": PAINTER})


def test_every_control_has_a_label_and_a_page_without_a_kernel_has_words(explorer):
    assert all(control.description for control in explorer.controls.values())
    assert "while a kernel runs" in repr(explorer)
