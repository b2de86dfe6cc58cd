"""What "auto" aims at, and that it gets there at every size and with grain of every kind."""

import math

import pytest
import torch
from scipy.ndimage import gaussian_filter
from tensors import disc, white

from nst_tutorial.noise import strength as module
from nst_tutorial.noise.filters import FILTERS, denoise, find_strength
from nst_tutorial.noise.level import GREY, flat_regions
from nst_tutorial.noise.strength import (
    FROM_ROUNDING,
    STRONGEST,
    level_of,
    level_to_reach,
    visible_grain,
    weakest,
)


def scene(size):
    """A smooth sky with a bright disc in it, and fine stripes below: (1, 3, ¾ size, size)."""
    height = 3 * size // 4
    sky = torch.linspace(0.35, 0.65, height)[:, None].expand(height, size)
    image = 0.7 * sky + 0.3 * disc(height, size, radius=0.3, y=-0.4)[0, 0].float()
    stripes = 0.1 * torch.sin(torch.arange(size) * 2.0)
    image[height // 2 :] += stripes
    return image.clamp(0, 1).expand(1, 3, -1, -1).contiguous()


def grain(size, level, blur=0.0, seed=0):
    """Noise of this level in grey levels, by the measure; the blur makes it coarser."""
    noise = white(1, 3, 3 * size // 4, size, seed=seed).float()
    if blur:
        noise = torch.from_numpy(gaussian_filter(noise.numpy(), (0, 0, blur, blur)))
    return level / GREY * noise / (module.noise_level(0.5 + noise / GREY))


# --- what is aimed at --------------------------------------------------------------------------


def test_a_third_or_the_photographs_own():
    assert level_to_reach(6.0, None) == level_to_reach(6.0, 1.0) == 2.0
    assert level_to_reach(6.0, 3.0) == 3.0
    assert level_to_reach(0.3, 0.0) == FROM_ROUNDING  # a third is less than rounding brings


def test_what_the_style_wants_is_not_noise():
    """Beyond a style of 3 grey levels, 5 have √(5² - 3²) = 4: no more is taken off."""
    style = 0.5 + grain(400, 5.0, seed=6)
    own = visible_grain(style, flat_regions(style))
    assert own == pytest.approx(5 * math.sqrt(0.299**2 + 0.587**2 + 0.114**2), rel=0.1)
    for level in (1.1, 1.2, 1.5, 2.0, 5.0):
        left = level_to_reach(level * own, 0.0, style) / own
        assert left == pytest.approx(max(level / 3, level - math.sqrt(level**2 - 1)))
    assert level_to_reach(0.9 * own, 0.0, style) == 0.9 * own


def test_a_picture_like_its_style_is_left_alone():
    content = scene(192)
    noisy = content + grain(192, 4.0)
    style = 0.5 + grain(192, 6.0, seed=1)
    assert torch.equal(denoise(noisy, "bilateral", content, style=style), noisy.clamp(0, 1))
    assert not torch.equal(denoise(noisy, "bilateral", content), noisy.clamp(0, 1))


def test_grain_is_seen_in_whole_grey_levels():
    image = scene(96) + grain(96, 3.0)
    where = flat_regions(scene(96))
    rounded = (GREY * image.clamp(0, 1)).round() / GREY
    assert visible_grain(image, where) == visible_grain(rounded, where)
    assert visible_grain(torch.full((1, 3, 8, 8), 0.5), torch.ones(1, 1, 8, 8).bool()) == 0.0


# --- the search ---------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0.0, 0.01, 0.4, 0.7, 1.0, 1.01, 2.0, 3.9])
def test_the_weakest_that_suffices(threshold):
    asked = []

    def suffices(strength):
        asked.append(strength)
        return strength >= threshold

    answer = weakest(suffices, 4.0)
    assert suffices(answer)
    assert answer - threshold <= (0.5 if threshold <= 0.5 else 3.5) / 32
    assert len(asked) == module.HALVINGS + 1


def test_if_none_suffices_the_strongest():
    assert weakest(lambda strength: False, 7.0) == 7.0


@pytest.mark.parametrize("size", [128, 256, 384])
@pytest.mark.parametrize(("level", "blur"), [(1.5, 0.0), (6.0, 0.0), (2.0, 0.5), (4.0, 0.8)])
def test_planted_grain_falls_to_a_third_at_every_size(size, level, blur):
    """And no further than it must: at two thirds of the strength it would not get there."""
    content = scene(size)
    noisy = (content + grain(size, level, blur)).clamp(0, 1)
    flat = flat_regions(content)
    before, photograph = visible_grain(noisy, flat), visible_grain(content, flat)
    aim = level_to_reach(before, photograph)
    strength = find_strength(noisy, "bilateral", content)
    assert 0 < strength < STRONGEST * before
    cleaned = denoise(noisy, "bilateral", content)
    assert visible_grain(cleaned, flat) <= aim < before
    weaker = denoise(noisy, "bilateral", content, 2 / 3 * strength)
    assert visible_grain(weaker, flat) > aim


@pytest.mark.parametrize("method", FILTERS)
def test_every_filter_gets_there(method):
    content = scene(192)
    noisy = (content + grain(192, 5.0, 0.4)).clamp(0, 1)
    flat = flat_regions(content)
    aim = level_to_reach(visible_grain(noisy, flat), visible_grain(content, flat))
    assert visible_grain(denoise(noisy, method, content), flat) <= aim


def test_as_little_as_a_grainy_photograph_has_and_no_less():
    photograph = (scene(256) + grain(256, 3.0, seed=5)).clamp(0, 1)
    noisy = (scene(256) + grain(256, 5.0)).clamp(0, 1)
    flat = flat_regions(photograph)
    left = visible_grain(denoise(noisy, "bilateral", photograph), flat)
    assert 0.8 * visible_grain(photograph, flat) <= left <= visible_grain(photograph, flat)


def test_a_sample_of_a_large_picture_tells_nearly_the_same(monkeypatch):
    content = scene(512)
    noisy = (content + grain(512, 4.0)).clamp(0, 1)
    whole = find_strength(noisy, "bilateral", content)
    monkeypatch.setattr(module, "SAMPLE_PIXELS", 512 * 384 // 2)
    assert module._sample(noisy).shape == (1, 3, 3 * module.BAND, 512)
    assert torch.equal(module._sample(noisy)[:, :, module.BAND], noisy[:, :, 2 * module.BAND])
    sampled = find_strength(noisy, "bilateral", content)
    assert sampled == pytest.approx(whole, rel=0.15)


def test_without_a_guide_the_pictures_flat_regions_count():
    noisy = (scene(192) + grain(192, 5.0)).clamp(0, 1)
    flat = flat_regions(noisy)
    before, after = visible_grain(noisy, flat), visible_grain(denoise(noisy), flat)
    assert before / 5 <= after <= before / 3
    assert level_of(denoise(noisy)) < level_of(noisy)
