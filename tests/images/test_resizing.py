"""Enlarging a picture without frequencies that it did not have."""

import math

import pytest
import torch
from scipy.fft import dctn

from nst_tutorial.images.resizing import enlarge, resize


def noise(height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)


def cosines(image: torch.Tensor) -> torch.Tensor:
    """The coefficients of its cosines, those of a constant picture being that constant."""
    height, width = image.shape[2:]
    return torch.from_numpy(dctn(image.numpy(), axes=(2, 3), norm="ortho")) / math.sqrt(
        height * width
    )


@pytest.mark.parametrize("shape", [(60, 82), (63, 90), (30, 100), (31, 41)])
def test_a_larger_picture_has_the_cosines_of_the_small_one_and_no_others(shape):
    small = noise(30, 41)
    coefficients = cosines(enlarge(small, shape))
    torch.testing.assert_close(coefficients[..., :30, :41], cosines(small))
    assert coefficients[..., 30:, :].abs().sum() + coefficients[..., 41:].abs().sum() < 1e-9


def test_a_cosine_is_drawn_where_it_would_have_been_drawn_at_that_size():
    def drawn(height: int, width: int) -> torch.Tensor:
        y, x = ((torch.arange(n, dtype=torch.float64) + 0.5) * math.pi / n for n in (height, width))
        wave = 0.5 + 0.3 * torch.cos(7 * y)[:, None] * torch.cos(19 * x)
        return wave.expand(1, 3, height, width)

    torch.testing.assert_close(enlarge(drawn(24, 32), (50, 100)), drawn(50, 100))


def test_smooth_pictures_stand_in_the_same_place_as_when_resized():
    smooth = resize(resize(noise(5, 6), (40, 48)), (80, 96))
    inside = (..., slice(10, -10), slice(10, -10))
    bicubic = resize(smooth, (160, 192))
    assert (enlarge(smooth, (160, 192))[inside] - bicubic[inside]).abs().max() < 1e-3


def test_a_side_that_does_not_grow_is_resized():
    picture = noise(30, 40)
    assert torch.equal(enlarge(picture, (30, 40)), picture)
    assert torch.equal(enlarge(picture, (15, 20)), resize(picture, (15, 20)))
    assert enlarge(picture, (60, 20)).shape == (1, 3, 60, 20)
    assert enlarge(picture.float(), 80).dtype == torch.float32


def test_no_weave_where_bicubic_interpolation_leaves_one():
    """Energy beyond what the small picture could hold."""
    picture = noise(64, 64)

    def beyond(image: torch.Tensor) -> float:
        coefficients = cosines(image)
        coefficients[..., :64, :64] = 0
        return float(coefficients.square().sum())

    assert beyond(enlarge(picture, 128)) < 1e-20
    assert beyond(resize(picture, 128)) > 1e-3


@pytest.mark.parametrize("picture", [torch.rand(3, 4, 4), torch.zeros(1, 3, 0, 4), "cat"])
def test_what_is_no_picture_is_told(picture):
    with pytest.raises(ValueError, match="image must be a tensor"):
        enlarge(picture, 8)
    with pytest.raises(ValueError, match="a side in size must be"):
        enlarge(torch.rand(1, 3, 4, 4), (8, 0))
