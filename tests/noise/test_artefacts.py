import math

import pytest
import torch
from tensors import white

from nst_tutorial.images.reading import load_image
from nst_tutorial.noise.artefacts import excess_chroma, lattice, oversaturation, weave

NEON = torch.tensor([0.2, 1.0, 0.1])[:, None, None]


def shuffled(image):
    order = torch.randperm(image[0, 0].numel(), generator=torch.Generator().manual_seed(3))
    return image.flatten(2)[..., order].reshape(image.shape)


@pytest.fixture(scope="module")
def styles():
    return [load_image(name, 160) for name in ("starry_night", "confetti_dots", "stained_glass")]


@pytest.fixture(scope="module")
def photo():
    return load_image("sunset_hills", 512)


# --- colours that the style does not have ------------------------------------------------------


def rosettes(image):
    """Neon rings around a few points; return the picture and where they are."""
    down, across = torch.meshgrid(
        *(torch.arange(float(side)) for side in image.shape[2:]), indexing="ij"
    )
    there = torch.zeros_like(down, dtype=torch.bool)
    for y, x in ((20, 30), (70, 90), (90, 20)):
        radius = (down - y).hypot(across - x)
        there |= (radius < 9) & ((radius / 2).floor() % 2 == 0)
    return torch.where(there, NEON, image), there


def test_a_style_is_no_more_saturated_than_itself(styles):
    for style in styles:
        assert oversaturation(style, style) < 0.001
        assert oversaturation(style.flip(3), style) == oversaturation(style, style)


def test_a_picture_in_the_styles_colours_is_not_oversaturated(styles):
    for style in styles:
        block = style[..., 20:84, 30:110]
        assert oversaturation(block, style) < 0.002
        assert oversaturation(block.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1), style) == 0


def test_rosettes_are_found_where_they_are(styles):
    style = styles[0]
    neon, there = rosettes(style)
    assert oversaturation(neon, style) == pytest.approx(float(there.float().mean()), abs=0.001)
    excess = excess_chroma(neon, style)
    assert excess.shape == (1, 1, *style.shape[2:])
    assert (excess[0, 0][there] > 30).all()
    assert (excess[0, 0][~there] > 2.3).float().mean() < 0.001


def test_where_pixels_stand_does_not_matter(styles):
    style, other, _ = styles
    value = oversaturation(other, style)
    assert 0.01 < value < 0.5
    assert oversaturation(shuffled(other), style) == value
    assert oversaturation(other, shuffled(style)) == value
    assert oversaturation(torch.cat([other, other], dim=2), style) == value


def test_the_bound_is_the_quantile_at_each_lightness():
    """A style of two greys, half of it a little coloured: above that is above the bound."""
    dark, light = torch.tensor([0.2, 0.2, 0.24]), torch.tensor([0.8, 0.7, 0.7])
    style = torch.where(torch.arange(64) % 2 == 0, dark[:, None], light[:, None])
    style = style[:, None].repeat(1, 64, 1)[None]
    for color in (dark, light):
        one = color[:, None, None].expand(3, 16, 16)[None]
        assert excess_chroma(one, style).abs().max() <= 0.2  # the steps of chroma
    for color in (torch.tensor([0.1, 0.1, 0.4]), torch.tensor([1.0, 0.5, 0.5])):
        one = color[:, None, None].expand(3, 16, 16)[None]
        assert oversaturation(one, style) == 1
    between = torch.full((1, 3, 16, 16), 0.45)
    least, most = sorted(-float(excess_chroma(x, style).mean()) for x in (0 * between, 2 * between))
    assert least < -float(excess_chroma(between, style).mean()) < most


def test_the_tolerance_is_in_units_of_chroma(styles):
    excess = excess_chroma(styles[1], styles[0])
    for tolerance in (0.0, 5.0, 40.0):
        share = float((excess > tolerance).double().mean())
        assert oversaturation(styles[1], styles[0], tolerance) == share


def test_a_stray_of_the_style_does_not_count(styles):
    style = styles[0].clone()
    style[..., 0, 0] = NEON[..., 0, 0]
    assert oversaturation(rosettes(styles[0])[0], style) > 0.01


def test_large_pictures_are_measured_in_strips(styles, monkeypatch):
    whole = excess_chroma(styles[1], styles[0])
    monkeypatch.setattr("nst_tutorial.noise.strips.STRIP_PIXELS", 1000)
    assert torch.allclose(excess_chroma(styles[1], styles[0]), whole, atol=1e-4)


# --- energy on the axes of the spectrum --------------------------------------------------------


def wave(image, period, amplitude, *, rows=True, angle=0.0):
    down, across = torch.meshgrid(
        *(torch.arange(float(side)) for side in image.shape[2:]), indexing="ij"
    )
    along = math.cos(angle) * (down if rows else across) + math.sin(angle) * across
    return image + amplitude * torch.cos(2 * math.pi * along / period)


def isotropic(height, width, slope):
    """Noise whose amplitude falls as 1 / frequency^slope, the same in all directions."""
    frequency = torch.fft.fftfreq(height)[:, None].hypot(torch.fft.fftfreq(width))
    frequency[0, 0] = 1
    spectrum = torch.fft.fft2(white(3, height, width)) / frequency**slope
    noise = torch.fft.ifft2(spectrum).real
    return (0.5 + 0.1 * noise / noise.std()).float()[None]


@pytest.mark.parametrize("slope", [0, 1, 1.5])
@pytest.mark.parametrize("shape", [(400, 512), (512, 300)])
def test_noise_has_no_weave(slope, shape):
    assert weave(isotropic(*shape, slope)) == pytest.approx(1, abs=0.15)


def test_a_blank_picture_and_slow_ramps_have_none():
    assert weave(torch.full((1, 3, 200, 150), 0.3)) == pytest.approx(1, abs=1e-3)
    ramp = torch.linspace(0, 1, 300)[:, None].expand(1, 3, 300, 400)
    assert weave(ramp) == pytest.approx(1, abs=1e-3)
    assert weave(ramp.square()) < 1.1


@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize("period", [2, 3, 4, 5.3, 8, 16])
@pytest.mark.parametrize("amplitude", [0.01, 0.02])
def test_a_weave_is_found(photo, period, rows, amplitude):
    """Lines of 1 or 2 % in a photograph with sky, hills and grass."""
    woven = wave(photo, period, amplitude, rows=rows)
    assert weave(woven) > weave(photo) + 100 * amplitude
    assert weave(woven, photo) > 1.5
    assert weave(woven, photo) == pytest.approx(weave(woven) / weave(photo))


def test_it_grows_with_the_square_of_the_amplitude():
    flat = isotropic(256, 256, 0).mul(0.01)
    one, two = (weave(wave(flat, 4, amplitude)) - weave(flat) for amplitude in (0.01, 0.02))
    assert two / one == pytest.approx(4, rel=0.01)


def test_slanted_lines_are_no_weave(photo):
    slanted = wave(photo, 4, 0.02, angle=math.pi / 5)
    assert weave(slanted) < weave(photo)


def test_rows_and_columns_count_alike(photo):
    assert weave(photo.transpose(2, 3)) == pytest.approx(weave(photo), rel=1e-5)
    assert weave(photo.flip(2)) == pytest.approx(weave(photo), rel=0.1)  # blocks stand elsewhere


def test_a_few_edges_are_no_weave():
    """A horizon and a wall load the axes of the blocks that they cross."""
    image = isotropic(512, 640, 1)
    before = weave(image)
    image[..., 100:, :] += 0.3
    image[..., :, 320:] -= 0.3
    assert weave(image) == pytest.approx(before, abs=0.2)


def test_small_pictures_are_one_block():
    assert 0.5 < weave(isotropic(64, 90, 0)) < 1.6
    with pytest.raises(
        ValueError, match=r"image must have at least 64 pixels a side, got \(1, 3, "
    ):
        weave(torch.zeros(1, 3, 63, 90))


# --- energy at the corners of a lattice --------------------------------------------------------


def dots(image, period, amplitude):
    return wave(image, period, amplitude) + wave(image, period, amplitude, rows=False) - image


def crossed(image, period, amplitude):
    """The product of waves along rows and along columns: nothing on the axes."""
    flat = torch.zeros_like(image)
    return image + amplitude * wave(flat, period, 1) * wave(flat, period, 1, rows=False)


@pytest.mark.parametrize("slope", [0, 1])
@pytest.mark.parametrize("period", [3, 4, 8])
def test_noise_has_no_lattice(slope, period):
    assert lattice(isotropic(512, 512, slope), period) == pytest.approx(1, abs=0.4)


@pytest.mark.parametrize("period", [4, 8])
def test_a_lattice_is_found_where_a_weave_is_not(photo, period):
    image = crossed(photo, period, 0.01)
    assert lattice(image, period, photo) > 2
    assert lattice(image, period, photo) == pytest.approx(
        lattice(image, period) / lattice(photo, period)
    )
    assert weave(image, photo) < 1.1
    other = 12 - period
    assert lattice(image, other) == pytest.approx(lattice(photo, other), rel=0.3)


def test_lines_along_rows_and_columns_are_no_lattice(photo):
    assert lattice(dots(photo, 4, 0.02)) == pytest.approx(lattice(photo), rel=0.3)


def test_its_power_grows_with_the_square_of_the_amplitude():
    flat = isotropic(256, 256, 0).mul(0.01)
    one, two = (lattice(crossed(flat, 4, amplitude)) - lattice(flat) for amplitude in (0.02, 0.04))
    assert two / one == pytest.approx(4, rel=0.05)


def test_periods_of_a_lattice_have_a_range(photo):
    with pytest.raises(ValueError, match="period must be a whole number ≥ 3, got 2"):
        lattice(photo, 2)


# --- bad input ---------------------------------------------------------------------------------


def test_bad_input_is_named(photo):
    with pytest.raises(ValueError, match=r"style must be a picture \(1, 3, H, W\); got \(3, 512"):
        oversaturation(photo, photo[0].transpose(1, 2))
    with pytest.raises(ValueError, match="image has values that are not finite"):
        oversaturation(photo / 0, photo)
    with pytest.raises(ValueError, match="tolerance must be finite and ≥ 0, got -1"):
        oversaturation(photo, photo, -1)
    with pytest.raises(ValueError, match="reference must be a picture"):
        weave(photo, photo[:, :1])
    with pytest.raises(ValueError, match="share must be at most 1, got 2"):
        weave(photo, share=2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_other_precisions(photo, dtype):
    small = photo[..., :128, :128]
    assert weave(small.to(dtype)) == pytest.approx(weave(small), rel=0.02)
    assert oversaturation(small.to(dtype), small) < 0.002
