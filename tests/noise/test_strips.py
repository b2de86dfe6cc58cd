"""Filters in strips of rows: exactly what they are on the whole picture."""

import subprocess
import sys

import pytest
import torch
from tensors import white

from nst_tutorial.images.reading import load_image
from nst_tutorial.noise import strips as module
from nst_tutorial.noise.filters import FILTERS, denoise
from nst_tutorial.noise.level import flatness, noise_level, smoothed_gradient
from nst_tutorial.noise.strips import in_strips, strips


@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 3), (100, 64), (333, 10), (3, 5000)])
def test_strips_are_all_rows_once_in_like_parts(monkeypatch, height, width):
    monkeypatch.setattr(module, "STRIP_PIXELS", 640)
    parts = list(strips(height, width))
    assert [row for part in parts for row in range(height)[part]] == list(range(height))
    sizes = {part.stop - part.start for part in parts}
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) * width <= 1.5 * max(640, width)


def test_rows_out_of_reach_are_not_seen_and_those_within_are(monkeypatch):
    monkeypatch.setattr(module, "STRIP_PIXELS", 5 * 8)
    image = torch.arange(40 * 8.0).view(1, 1, 40, 8)
    heights = []

    def sums_of_five_rows(strip):
        heights.append(strip.shape[2])
        return torch.nn.functional.avg_pool2d(strip, (5, 1), 1, (2, 0), divisor_override=1)

    found = in_strips(sums_of_five_rows, image, reach=2)
    assert heights == [7, 9, 9, 9, 9, 9, 9, 7]
    assert torch.equal(found, sums_of_five_rows(image))


@pytest.fixture(scope="module")
def noisy():
    clean = load_image("temple", 300)
    return clean, (clean + 5 / 255 * white(*clean.shape, seed=4).float()).clamp(0, 1)


def in_one_and_in_parts(monkeypatch, work):
    monkeypatch.setattr(module, "STRIP_PIXELS", 2**40)
    whole = work()
    # Not so few that kornia takes another way for a strip than for the whole
    monkeypatch.setattr(module, "STRIP_PIXELS", 24_000)
    return whole, work()


@pytest.mark.parametrize("method", FILTERS)
@pytest.mark.parametrize("where", ["flat", "everywhere"])
def test_denoised_in_strips_as_in_one_piece(monkeypatch, noisy, method, where):
    clean, image = noisy
    assert len(list(strips(*image.shape[2:]))) == 1
    whole, parts = in_one_and_in_parts(
        monkeypatch, lambda: denoise(image, method, clean, 5.0, where)
    )
    assert len(list(strips(*image.shape[2:]))) >= 2
    assert torch.equal(whole, parts)
    assert not torch.equal(whole, image)


def test_levels_and_gradients_in_strips_as_in_one_piece(monkeypatch, noisy):
    clean, image = noisy
    for work in (
        lambda: noise_level(image),
        lambda: noise_level(image, flatness(clean) == 1),
        lambda: noise_level(image, octave=1),
    ):
        whole, parts = in_one_and_in_parts(monkeypatch, work)
        assert whole == parts > 1
    whole, parts = in_one_and_in_parts(monkeypatch, lambda: smoothed_gradient(image))
    assert torch.equal(whole, parts)


PEAK = """
import resource, sys
import torch
from nst_tutorial.noise import denoise

def peak():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

method, size = sys.argv[1], 1536
small = torch.rand(1, 3, 64, 64)
denoise(small, method, small)
begin = peak()
guide = torch.nn.functional.interpolate(small, size=(size, size), mode="bilinear")
image = torch.rand(1, 3, size, size).mul_(0.1).add_(guide).clamp_(0, 1)
denoise(image, method, guide)
print((peak() - begin) / size**2)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is counted in KiB on Linux")
@pytest.mark.parametrize("method", ["bilateral", "guided", "poisson", "total-variation"])
def test_memory_for_a_large_picture(method):
    """Bytes a pixel, 24 of them being the picture and its guide: 2 GB for 4096×4096."""
    command = [sys.executable, "-c", PEAK, method]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(found.stdout) < 130
