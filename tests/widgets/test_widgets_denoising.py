import io
import re
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from tensors import white

from nst_tutorial.noise.filters import denoise, find_strength
from nst_tutorial.noise.strength import level_of
from nst_tutorial.widgets import denoising_explorer, to_jpeg


@pytest.fixture
def noisy(temple):
    return (temple + 5 / 255 * white(*temple.shape, seed=4).float()).clamp(0, 1)


def told(explorer):
    assert explorer.error is None, explorer.words.value
    return tuple(map(float, re.search(r"noise ([\d.]+) → ([\d.]+)", explorer.words.value).groups()))


def before_and_after(image, smooth):
    return [to_jpeg(image), to_jpeg(smooth)]


def seen(explorer):
    return [picture.light for picture in explorer.pictures]


def near(slider, strength):
    """The mark that is nearest to it."""
    return min(slider.options, key=lambda mark: abs(mark - strength))


def test_it_begins_with_what_auto_takes(noisy, temple):
    explorer = denoising_explorer(noisy, temple)
    wanted = find_strength(noisy, guide=temple)
    slider = explorer.controls["strength"]
    assert slider.value == pytest.approx(wanted)
    steps = [b - a for a, b in pairwise(slider.options)]
    assert steps == pytest.approx([steps[0]] * len(steps))
    assert slider.options[0] == 0
    assert 2 * slider.value <= slider.options[-1] + 1e-9
    wanted = before_and_after(noisy, denoise(noisy, "bilateral", temple))
    assert seen(explorer) == wanted


def test_the_slider_removes_noise_and_the_numbers_say_so(noisy, temple):
    explorer = denoising_explorer(noisy, temple)
    after = []
    for strength in (near(explorer.controls["strength"], wanted) for wanted in (0.0, 2.0, 6.0)):
        explorer.controls["strength"].value = strength
        smooth = denoise(noisy, "bilateral", temple, strength, "flat")
        assert seen(explorer) == before_and_after(noisy, smooth)
        after.append(told(explorer)[1])
    assert after[0] > after[1] > after[2]
    assert after[0] == told(explorer)[0] == pytest.approx(level_of(noisy, temple), abs=0.01)


@pytest.mark.parametrize("method", ["poisson", "guided", "total-variation"])
def test_methods_and_places(noisy, temple, method):
    explorer = denoising_explorer(noisy, temple)
    before, strength = seen(explorer), explorer.controls["strength"].value
    explorer.controls["method"].value = method
    for where in ("flat", "everywhere"):
        explorer.controls["where"].value = where
        smooth = denoise(noisy, method, temple, strength, where)
        assert seen(explorer) == before_and_after(noisy, smooth) != before


def test_the_style_error_is_told_if_there_is_a_measure(noisy, temple):
    measure = lambda x: 1 + float((x - noisy).abs().mean())  # noqa: E731
    explorer = denoising_explorer(noisy, temple, measure=measure)
    explorer.controls["strength"].value = 0.0
    assert "style error +0.0%" in explorer.words.value
    explorer.controls["strength"].value = near(explorer.controls["strength"], 8.0)
    assert re.search(r"style error \+[\d.]*[1-9]", explorer.words.value)


def test_crop_and_zoom(noisy, temple):
    explorer = denoising_explorer(noisy, temple, crop=(slice(0, 30), slice(10, 50)), zoom=4)
    shown = Image.open(io.BytesIO(explorer.pictures[0].light))
    assert shown.size == (4 * 40, 4 * 30)
    left = torch.from_numpy(np.array(shown)).float().mean(dim=(0, 1)) / 255
    assert torch.allclose(left, noisy[0, :, :30, 10:50].mean(dim=(1, 2)), atol=0.02)


def test_every_control_is_labelled(noisy, temple):
    explorer = denoising_explorer(noisy, temple)
    assert list(explorer.controls) == ["method", "strength", "where"]
    assert all(control.description for control in explorer.controls.values())
    assert not explorer.controls["strength"].continuous
    assert "kernel" in repr(explorer)


def test_a_picture_without_noise_can_be_explored():
    blank = torch.full((1, 3, 24, 32), 0.5)
    explorer = denoising_explorer(blank, blank)
    explorer.controls["strength"].value = explorer.controls["strength"].options[-1]
    assert told(explorer) == (0.0, 0.0)
    assert seen(explorer) == before_and_after(blank, blank)
