import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from test_noise import white

from nst_tutorial.denoising import denoise, level_of
from nst_tutorial.widgets import Denoising


@pytest.fixture
def noisy(temple):
    return (temple + 5 / 255 * white(*temple.shape, seed=4).float()).clamp(0, 1)


def told(explorer):
    return tuple(map(float, re.search(r"noise ([\d.]+) → ([\d.]+)", explorer.text.value).groups()))


def test_it_begins_with_the_measured_noise(noisy, temple):
    explorer = Denoising(noisy, temple)
    assert explorer.strength.value == pytest.approx(level_of(noisy, temple))
    assert torch.equal(explorer.denoised, denoise(noisy, "bilateral", temple))
    shown = Image.open(io.BytesIO(explorer.picture.value))
    assert shown.size == (2 * temple.shape[3], temple.shape[2])


def test_the_slider_removes_noise_and_the_numbers_say_so(noisy, temple):
    explorer = Denoising(noisy, temple)
    after = []
    for strength in (0.0, 2.0, 6.0):
        explorer.strength.value = strength
        assert torch.equal(explorer.denoised, denoise(noisy, "bilateral", temple, strength, "flat"))
        after.append(told(explorer)[1])
    assert after[0] > after[1] > after[2]
    assert after[0] == told(explorer)[0] == pytest.approx(level_of(noisy, temple), abs=0.01)


@pytest.mark.parametrize("method", ["poisson", "guided", "total-variation"])
def test_methods_and_places(noisy, temple, method):
    explorer = Denoising(noisy, temple)
    before = explorer.picture.value
    explorer.method.value = method
    assert torch.equal(explorer.denoised, denoise(noisy, method, temple, explorer.strength.value))
    assert explorer.picture.value != before
    explorer.where.value = "everywhere"
    expected = denoise(noisy, method, temple, explorer.strength.value, "everywhere")
    assert torch.equal(explorer.denoised, expected)


def test_the_style_error_is_told_if_there_is_a_measure(noisy, temple):
    explorer = Denoising(noisy, temple, measure=lambda x: 1 + float((x - noisy).abs().mean()))
    explorer.strength.value = 0.0
    assert "style error +0.0%" in explorer.text.value
    explorer.strength.value = 8.0
    assert re.search(r"style error \+[\d.]*[1-9]", explorer.text.value)


def test_crop_and_zoom(noisy, temple):
    explorer = Denoising(noisy, temple, crop=(slice(0, 30), slice(10, 50)), zoom=4)
    shown = Image.open(io.BytesIO(explorer.picture.value))
    assert shown.size == (2 * 4 * 40, 4 * 30)
    left = torch.from_numpy(np.array(shown)[:, :160]).float().mean(dim=(0, 1)) / 255
    assert torch.allclose(left, noisy[0, :, :30, 10:50].mean(dim=(1, 2)), atol=0.02)


def test_every_control_is_labelled(noisy, temple):
    explorer = Denoising(noisy, temple)
    for control in (explorer.method, explorer.strength, explorer.where):
        assert control.description
    assert not explorer.strength.continuous_update
    assert "kernel" in repr(explorer)


def test_a_picture_without_noise_can_be_explored():
    blank = torch.full((1, 3, 24, 32), 0.5)
    explorer = Denoising(blank, blank)
    explorer.strength.value = explorer.strength.max
    assert torch.allclose(explorer.denoised, blank, atol=1e-5)
