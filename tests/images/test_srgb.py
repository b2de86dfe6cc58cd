"""Colour profiles against their own formulas, and transparency."""

import warnings

import numpy as np
import pytest
from handmade import (
    color_profile,
    grey_profile,
    ink_profile,
    png,
    profile_chunk,
    srgb,
    tiff,
)
from pictures import as_tensor
from PIL import Image

from nst_tutorial.images.decoding import read_picture
from nst_tutorial.images.reading import load_image
from nst_tutorial.images.srgb import to_srgb

SIDE = 20
RAMP = np.linspace(0, 1, SIDE * SIDE).reshape(SIDE, SIDE)


def load(path, data: bytes) -> np.ndarray:
    """(H, W, 3) of a file of these bytes."""
    path.write_bytes(data)
    return load_image(path)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("exponent", [1.0, 1.75, 2.25])
@pytest.mark.parametrize("profile", [grey_profile, color_profile])
@pytest.mark.parametrize("kind", ["png 8", "png 16", "tiff 8", "tiff 16", "tiff 16 white is zero"])
def test_a_grey_picture_with_a_profile(tmp_path, kind, profile, exponent):
    """Number → light by the profile's curve → number by sRGB's."""
    bits = 16 if "16" in kind else 8
    array = np.round(RAMP * (2**bits - 1)).astype(f"{'>' if 'png' in kind else '<'}u{bits // 8}")
    numbers = array / (2**bits - 1)
    icc = profile(exponent)
    if "png" in kind:
        data = png(SIDE, SIDE, bits, 0, array.tobytes(), profile_chunk(icc))
    else:
        white_is_zero = "white" in kind
        numbers = 1 - numbers if white_is_zero else numbers
        options = {"bits": bits, "photometric": 1 - white_is_zero, "profile": icc}
        data = tiff(SIDE, SIDE, array.tobytes(), **options)
    image = load(tmp_path / "a", data)
    assert abs(image - srgb(numbers**exponent)[..., None]).max() < 1.1 / 255
    if bits == 16:
        assert len(np.unique(image)) > 256


def test_a_grey_of_16_bits_by_hand(tmp_path):
    """Stored ½ in a profile of light itself is sRGB 0.735."""
    array = np.full((SIDE, SIDE), 32768, ">u2")
    icc = profile_chunk(grey_profile(1.0))
    image = load(tmp_path / "a.png", png(SIDE, SIDE, 16, 0, array.tobytes(), icc))
    assert abs(image - 0.7354).max() < 1 / 255


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_and_alpha_with_a_profile(tmp_path, bits):
    """Pillow reads 16 bits of it as colours, which the profile for greys fits all the same."""
    alpha = RAMP.T
    array = np.round(np.dstack([RAMP, alpha]) * (2**bits - 1)).astype(f">u{bits // 8}")
    icc = profile_chunk(grey_profile(1.0))
    image = load(tmp_path / "a.png", png(SIDE, SIDE, bits, 4, array.tobytes(), icc))
    expected = srgb(RAMP) * alpha + 1 - alpha
    assert abs(image - expected[..., None]).max() < (7 if bits == 16 else 6) / 255  # steep at black
    assert abs(image - expected[..., None])[5:].max() < 2.1 / 255


@pytest.mark.parametrize("exponent", [1.0, 2.25])
def test_colours_with_a_profile(tmp_path, exponent):
    array = np.round(np.dstack([RAMP, RAMP.T, RAMP[::-1]]) * 255).astype(np.uint8)
    icc = profile_chunk(color_profile(exponent))
    image = load(tmp_path / "a.png", png(SIDE, SIDE, 8, 2, array.tobytes(), icc))
    assert abs(image - srgb((array / 255) ** exponent)).max() < 2.1 / 255


def test_ink_with_a_profile_and_without(tmp_path):
    """L* falls from 100 to 25 with black ink; without a profile black is simply 1 - K.

    That the darkest ink, of light b, becomes the screen's black is the perceptual intent: amounts
    of light y become (y - b) / (1 - b).
    """
    ink = np.zeros((SIDE, SIDE, 4), np.uint8)
    ink[..., 3] = np.round(RAMP * 255)
    K = ink[..., 3] / 255
    options = {"bits": (8,) * 4, "samples": 4, "photometric": 5}
    plain = load(tmp_path / "a.tif", tiff(SIDE, SIDE, ink.tobytes(), **options))
    assert abs(plain - (1 - K)[..., None]).max() < 1.1 / 255
    data = tiff(SIDE, SIDE, ink.tobytes(), **options, profile=ink_profile(25))
    image = load(tmp_path / "b.tif", data)
    light, black = (((L + 16) / 116) ** 3 for L in (100 - 75 * K, 25))
    expected = srgb((light - black) / (1 - black))
    assert abs(image - expected[..., None]).max() < 5.1 / 255  # LittleCMS works with a coarse table
    assert abs(image - plain).max() > 0.05


@pytest.mark.parametrize(
    ("mode", "profile", "space"),
    [("RGB", grey_profile(2.25), "GRAY"), ("CMYK", color_profile(2.25), "RGB"),
     ("RGB", ink_profile(25), "CMYK"), ("P", grey_profile(2.25), "GRAY")],
)  # fmt: skip
def test_a_profile_for_other_pictures_is_said_and_ignored(tmp_path, scene, mode, profile, space):
    """A profile for greys would take the colours away."""
    scene.convert(mode).save(tmp_path / "plain.tif")
    scene.convert(mode).save(tmp_path / "odd.tif", icc_profile=profile)
    with pytest.warns(
        UserWarning, match=rf"odd.tif: its colour profile .* \(a profile for {space}"
    ):
        image = load_image(tmp_path / "odd.tif")
    assert (image == load_image(tmp_path / "plain.tif")).all()


def test_a_profile_for_greys_fits_colours_that_are_grey(tmp_path):
    grey = Image.fromarray(np.round(RAMP * 255).astype(np.uint8)).convert("RGB")
    grey.save(tmp_path / "a.png", icc_profile=grey_profile(1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = load_image(tmp_path / "a.png")
    assert abs(image[0, 1].numpy() - srgb(np.round(RAMP * 255) / 255)).max() < 1.1 / 255


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "16 bits"])
def test_transparency_over_black(tmp_path, mode):
    """White paint on a transparent layer, as a mask is often drawn."""
    path = tmp_path / "a.png"
    if mode == "16 bits":
        values = np.where(RAMP < 0.5, 65535, 7).astype(">u2")
        path.write_bytes(png(SIDE, SIDE, 16, 0, values.tobytes(), b""))
        expected = np.where(RAMP < 0.5, 1.0, 7 / 65535)
    else:
        layer = Image.new("RGBA", (SIDE, SIDE), (255, 255, 255, 0))
        layer.paste((255, 255, 255, 255), (0, 0, 8, SIDE))
        layer.convert(mode).save(path)
        expected = np.broadcast_to(np.arange(SIDE) < 8, (SIDE, SIDE)).astype(float)
    array = np.asarray(read_picture(path, background="black"), dtype=float)
    array = array if mode == "16 bits" else array[..., 1] / 255
    assert abs(array - expected).max() < 1e-6


def test_pictures_come_in_bands_without_seams(tmp_path, monkeypatch):
    """More pixels than a band has, transparent and with a profile: every row is right."""
    monkeypatch.setattr("nst_tutorial.images.srgb.PIXELS", 1234)
    height = 700
    values = np.arange(height)[:, None].repeat(SIDE, axis=1) % 256
    array = np.dstack([values, 255 - values]).astype(np.uint8)
    icc = profile_chunk(color_profile(1.0))
    image = load(tmp_path / "a.png", png(SIDE, height, 8, 4, array.tobytes(), icc))
    alpha = 1 - values / 255
    expected = srgb(values / 255) * alpha + 1 - alpha
    assert abs(image - expected[..., None]).max() < 2.1 / 255


def test_plain_pictures_are_not_copied(tmp_path, scene):
    scene.save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        assert to_srgb(image, tmp_path) is image
    assert (load_image(tmp_path / "a.png") == as_tensor(scene)).all()
