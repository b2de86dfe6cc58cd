import math

import pytest
import torch
from tensors import white

from nst_tutorial.noise.level import (
    fine_detail,
    flat_regions,
    flatness,
    noise_level,
    power_spectrum,
)

# --- noise level -----------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [0.5, 2.0, 12.0])
@pytest.mark.parametrize("octave", [0, 1, 2])
def test_white_noise_has_its_level_and_half_in_each_octave(sigma, octave):
    image = 0.5 + sigma / 255 * white(1, 3, 512, 480)
    assert noise_level(image, octave=octave) == pytest.approx(sigma / 2**octave, rel=0.03)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_measured_in_single(dtype):
    image = (0.5 + 0.05 * white(1, 3, 64, 48)).to(dtype)
    assert noise_level(image) == noise_level(image.float())
    for measure in (flat_regions, flatness):
        assert torch.equal(measure(image), measure(image.float()))


def test_ramps_and_lines_are_not_noise():
    down, across = torch.meshgrid(torch.arange(60.0), torch.arange(80.0), indexing="ij")
    ramp = (0.004 * down + 0.007 * across).double().expand(1, 3, 60, 80).clone()
    assert noise_level(ramp) == pytest.approx(0, abs=1e-9)
    ramp[..., 30:, :] += 0.5
    ramp[..., :, 20:] -= 0.3  # where two edges cross there is one difference
    assert noise_level(ramp) == pytest.approx(0, abs=1e-9)


def test_noise_under_texture_is_found_within_a_tenth(temple):
    clean = noise_level(temple, flat_regions(temple))
    noisy = temple + 3 / 255 * white(*temple.shape, seed=2)
    found = noise_level(noisy, flat_regions(temple))
    assert found == pytest.approx(math.hypot(clean, 3), rel=0.1)


def test_the_mask_counts_only_pixels_that_lie_together():
    image = torch.full((1, 3, 40, 40), 0.5, dtype=torch.float64)
    image[..., 20:] += 4 / 255 * white(1, 3, 40, 20)
    right = torch.zeros(1, 1, 40, 40, dtype=torch.bool)
    right[..., 20:] = True
    assert noise_level(image, ~right) == 0
    assert noise_level(image, right) == pytest.approx(4, rel=0.1)
    assert noise_level(image, right, octave=1) == pytest.approx(2, rel=0.2)
    board = (torch.arange(40)[:, None] + torch.arange(40)) % 2 == 0
    with pytest.raises(ValueError, match="no 2×2 pixels that lie together"):
        noise_level(image, board[None, None])


def test_flat_regions_are_where_nothing_goes_on(temple):
    image = torch.full((1, 3, 64, 96), 0.5, dtype=torch.float64)
    image[..., 32:, :] += 0.2 * white(1, 3, 32, 96)
    flat = flat_regions(image)
    assert flat.shape == (1, 1, 64, 96)
    assert flat[..., :26, :].all()
    assert not flat[..., 34:, :].any()
    share = float(flat_regions(temple).double().mean())
    assert share == pytest.approx(0.25, abs=0.01)
    soft = flatness(temple)
    assert (soft[flat_regions(temple)] == 1).all()
    assert (soft[~flat_regions(temple, 0.38)] == 0).all()
    assert 0 <= soft.min() <= soft.max() == 1
    assert flat_regions(torch.full((1, 3, 20, 20), 0.3)).all()  # a blank picture is flat everywhere
    assert (flatness(torch.full((1, 3, 20, 20), 0.3)) == 1).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.rand(3, 20, 20),), "a picture .1, C, H, W. is wanted, got .3, 20, 20."),
        ((torch.rand(1, 3, 20, 20), torch.ones(1, 1, 20, 19) > 0), "where must be a mask"),
        ((torch.rand(1, 3, 20, 20), torch.ones(1, 1, 20, 20)), "where must be a mask"),
        ((torch.full((1, 3, 20, 20), math.nan),), "not finite"),
        ((torch.rand(1, 3, 20, 20), None, -1), "octave must be a whole number"),
        ((torch.rand(1, 3, 20, 20), None, 5), "no 2×2 pixels in octave 5"),
        (("temple",), "is wanted, got str"),
        ((torch.rand(1, 3, 20, 20), "sky"), "where must be a mask .*, got str"),
    ],
)
def test_bad_input_of_noise_level(arguments, message):
    with pytest.raises(ValueError, match=message):
        noise_level(*arguments)


@pytest.mark.parametrize("share", [0, -0.1, 1.5, math.nan, "half"])
def test_bad_shares(share):
    with pytest.raises(ValueError, match="share must be"):
        flat_regions(torch.rand(1, 3, 20, 20), share)


# --- spectra ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(40, 40), (40, 57), (33, 20)])
def test_parseval(shape):
    """The mean power over all coefficients is the picture's variance, in grey levels."""
    image = torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(3)).double()
    found = power_spectrum(image, window=False)
    variance = (255 * image).var(dim=(2, 3), unbiased=False).mean()
    mean = (found.count * found.power).sum() / found.count.sum()
    assert float(mean) == pytest.approx(float(variance))
    assert found.count.sum() == shape[0] * shape[1]
    assert float(found.power[0]) == pytest.approx(0, abs=1e-9)  # the mean is taken away


@pytest.mark.parametrize("window", [False, True])
def test_white_noise_is_flat(window):
    found = power_spectrum(0.5 + 4 / 255 * white(1, 3, 256, 192), window)
    middle = (found.frequency > 0.05) & (found.frequency < 0.5)
    assert float(found.power[middle].mean()) == pytest.approx(16, rel=0.05)


@pytest.mark.parametrize("slope", [1.0, 2.0, 3.0])
def test_known_slopes(slope):
    """Noise filtered by f^(-slope/2) has a power of f^-slope."""
    down, across = (torch.fft.fftfreq(n).double() for n in (256, 320))
    radius = (down[:, None].square() + across.square()).sqrt()
    radius[0, 0] = 1
    image = torch.fft.ifft2(torch.fft.fft2(white(1, 3, 256, 320)) * radius ** (-slope / 2)).real
    found = power_spectrum(image / 255)
    shown = (found.frequency > 0.03) & (found.frequency < 0.4)
    x, y = found.frequency[shown].log(), found.power[shown].log()
    fitted = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
    assert float(fitted) == pytest.approx(-slope, abs=0.12)


def test_a_wave_has_one_frequency():
    wave = 0.5 + 0.1 * torch.cos(2 * math.pi * 0.25 * torch.arange(128.0).double())
    found = power_spectrum(wave.expand(1, 3, 96, 128), window=False)
    assert float(found.frequency[found.power.argmax()]) == pytest.approx(0.25, abs=0.006)


def test_the_window_takes_away_the_border():
    """A ramp has no fine detail, but its two ends do not meet."""
    ramp = torch.linspace(0, 1, 256).double().expand(1, 3, 256, 256)
    fine = [power_spectrum(ramp, window).power[-60:].mean() for window in (False, True)]
    assert fine[1] < 1e-4 * fine[0]


def test_fine_detail_keeps_the_deviation_of_white_noise_and_no_ramp():
    noise = white(1, 3, 200, 300, seed=1)
    assert fine_detail(noise).shape == (1, 3, 198, 298)
    assert float(fine_detail(noise).std() / noise.std()) == pytest.approx(1, rel=0.02)
    down, across = torch.meshgrid(torch.arange(9.0), torch.arange(7.0), indexing="ij")
    assert fine_detail(2 * down - 3 * across).abs().max() < 1e-5


@pytest.mark.parametrize("frequency", [(0.5, 0.0), (0.0, 0.5), (0.5, 0.5), (0.25, 0.0), (0.1, 0.1)])
def test_fine_detail_of_a_wave_is_what_the_binomial_mean_leaves(frequency):
    """(1, 2, 1) / 4 multiplies a wave of frequency f by cos² πf."""
    down, across = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
    wave = (2 * torch.pi * (frequency[0] * down + frequency[1] * across)).double().cos()
    left = 1 - math.prod(math.cos(math.pi * f) ** 2 for f in frequency)
    expected = left / (41 / 64) ** 0.5 * wave[1:-1, 1:-1]
    assert torch.allclose(fine_detail(wave), expected, atol=1e-4)
