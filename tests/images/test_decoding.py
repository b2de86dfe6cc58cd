import struct
import subprocess
import sys

import numpy as np
import pytest
import torch
from handmade import chunk, claiming
from pictures import BAD, HEIGHT, WIDTH, as_tensor, write_bad
from PIL import Image, ImageCms, features

from nst_tutorial.images import decoding
from nst_tutorial.images.reading import load_image


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(tmp_path, scene, orientation):
    """Whatever way the camera was held, the picture comes out as the scene was."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = scene.transpose(undo[orientation]) if orientation in undo else scene
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "turned.png", exif=exif)
    assert torch.equal(load_image(tmp_path / "turned.png"), as_tensor(scene))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA", "LA", "CMYK", "YCbCr"])
@pytest.mark.parametrize("suffix", ["png", "tiff", "jpg", "webp", "gif", "bmp"])
def test_modes(tmp_path, scene, mode, suffix):
    path = tmp_path / f"scene.{suffix}"
    picture = scene.convert(mode)
    try:
        picture.save(path)
    except (OSError, ValueError):
        pytest.skip(f"{suffix} holds no {mode}")
    image = load_image(path)
    assert image.shape == (1, 3, HEIGHT, WIDTH)
    grey = mode in ("L", "1", "LA")
    expected = as_tensor(scene.convert("L") if grey else scene)
    if mode == "1":  # dithered: right on average
        image, expected = (x.unflatten(3, (2, -1)).mean(dim=(1, 2, 4)) for x in (image, expected))
    assert (image - expected).abs().mean() < 0.04


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_over_white(tmp_path, mode):
    picture = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 16, 32))
    picture.paste((0, 0, 0, 102), (16, 0, 32, 16))  # 40 % black
    options = {}
    if mode == "P":
        picture = Image.new("P", (32, 32), 1)
        picture.putpalette([0, 0, 0, 90, 20, 60])
        picture.paste(0, (0, 0, 16, 32))
        options = {"transparency": 1}
    picture.convert(mode).save(tmp_path / "holes.png", **options)
    image = load_image(tmp_path / "holes.png")
    assert torch.equal(image[..., :16], torch.zeros(1, 3, 32, 16))
    assert torch.equal(image[..., 16:, 16:], torch.ones(1, 3, 16, 16))
    if mode != "P":
        torch.testing.assert_close(image[..., :16, 16:], torch.full((1, 3, 16, 16), 0.6))


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bits_keep_their_precision(tmp_path, suffix):
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    Image.fromarray(ramp).save(tmp_path / f"deep.{suffix}")
    image = load_image(tmp_path / f"deep.{suffix}")
    expected = torch.from_numpy(ramp.astype(np.float32) / 65535)
    torch.testing.assert_close(image[0], expected.expand(3, -1, -1))
    assert len(image.unique()) > 4000
    assert load_image(tmp_path / f"deep.{suffix}", 32).shape == (1, 3, 32, 32)


def test_float_pictures_outside_0_to_1_are_refused(tmp_path):
    Image.fromarray(np.full((20, 20), 3.0, np.float32)).save(tmp_path / "bright.tiff")
    with pytest.raises(ValueError, match=r"bright.tiff: its values lie outside 0..1"):
        load_image(tmp_path / "bright.tiff")
    Image.fromarray(np.full((20, 20), 0.25, np.float32)).save(tmp_path / "dim.tiff")
    assert torch.equal(load_image(tmp_path / "dim.tiff"), torch.full((1, 3, 20, 20), 0.25))


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_first_frame_of_an_animation(tmp_path, scene, suffix):
    path = tmp_path / f"film.{suffix}"
    others = [Image.new("RGB", scene.size, c) for c in ("green", "white")]
    scene.save(path, save_all=True, append_images=others, lossless=True)
    assert (load_image(path) - as_tensor(scene)).abs().mean() < 0.02


def test_colour_profile_becomes_srgb(tmp_path, scene):
    """In a profile that names a linear response, stored 50 % is sRGB 73.5 %."""
    linear = ImageCms.createProfile("sRGB")
    data = bytearray(ImageCms.ImageCmsProfile(linear).tobytes())
    grey = Image.new("RGB", (32, 32), (128, 128, 128))
    # Replace every tone curve by one entry: gamma 1.0 as an ICC 'curv' of count 0.
    table = struct.unpack(">I", data[128:132])[0]
    for i in range(table):
        sign, offset, _ = struct.unpack(">4sII", data[132 + 12 * i : 144 + 12 * i])
        if sign in (b"rTRC", b"gTRC", b"bTRC"):
            data[offset : offset + 12] = b"curv" + bytes(8)
    grey.save(tmp_path / "linear.png", icc_profile=bytes(data))
    value = load_image(tmp_path / "linear.png").mean()
    x = 128 / 255
    assert abs(value - (1.055 * x ** (1 / 2.4) - 0.055)) < 0.01


def test_unusable_profile_is_said_and_ignored(tmp_path, scene):
    scene.save(tmp_path / "odd.png", icc_profile=b"nonsense")
    with pytest.warns(UserWarning, match=r"odd.png: its colour profile cannot be used"):
        image = load_image(tmp_path / "odd.png")
    assert torch.equal(image, as_tensor(scene))


@pytest.mark.parametrize("kind", BAD)
def test_bad_pictures_are_named_with_a_remedy(tmp_path, kind):
    error, message = BAD[kind]
    with pytest.raises(error, match=message):
        load_image(write_bad(tmp_path, kind), 64)


def test_no_permission(tmp_path, monkeypatch, scene):
    scene.save(tmp_path / "secret.png")

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(decoding.Path, "open", refuse)  # root may read everything
    with pytest.raises(PermissionError, match=r"secret.png: no permission to read it"):
        load_image(tmp_path / "secret.png")


def test_broken_exif_data_are_said_and_ignored(tmp_path, scene):
    scene.save(tmp_path / "odd.png", exif=b"not a TIFF file at all")
    with pytest.warns(UserWarning, match=r"odd.png: its EXIF data cannot be read"):
        assert torch.equal(load_image(tmp_path / "odd.png"), as_tensor(scene))


# --- memory ------------------------------------------------------------------------------------


def test_a_padded_bomb_is_refused_by_the_memory_it_needs(tmp_path):
    """Two megabytes of junk make the file as large as the picture it claims to be."""
    junk = chunk(b"juNk", bytes(2_000_000))
    (tmp_path / "bomb.png").write_bytes(claiming(12_200, 12_200, "RGBA", junk))
    with pytest.raises(
        ValueError,
        match=r"bomb.png: 12200×12200 pixels of this kind need 1.2 GB to read, over the limit of 1;"
        " make the picture smaller first",
    ):
        load_image(tmp_path / "bomb.png")
    with pytest.raises(ValueError, match=r"bomb.png: .* \(its pixels end too early\)"):
        load_image(tmp_path / "bomb.png", 64)  # read in bands
    (tmp_path / "grey.png").write_bytes(claiming(12_200, 12_200, "grey", junk))
    with pytest.raises(ValueError, match="cannot be read as a picture"):  # no data, but no bomb
        load_image(tmp_path / "grey.png", 64)


def test_a_picture_that_is_to_be_turned_needs_its_memory_twice(tmp_path, monkeypatch, scene):
    exif = Image.Exif()
    exif[0x0112] = 6
    scene.save(tmp_path / "turned.png", exif=exif)
    scene.save(tmp_path / "upright.png")
    monkeypatch.setattr(decoding, "MOST_BYTES", 4 * WIDTH * HEIGHT)
    assert load_image(tmp_path / "upright.png").shape[2:] == (HEIGHT, WIDTH)
    with pytest.raises(ValueError, match=r"turned.png: 40×24 pixels of this kind need"):
        load_image(tmp_path / "turned.png")


MEASURE = """
import os
import sys
from pathlib import Path
from nst_tutorial.images import decoding

def peak():
    return 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

first, *others = map(Path, sys.argv[1:])
decoding.read_picture(first)  # what is loaded only once is loaded
for path in others:
    with decoding.opened(path) as image:
        counted = decoding.memory_to_read(image)
    if child := os.fork():  # in each the memory is as it is here
        assert os.waitpid(child, 0)[1] == 0
    else:
        before = peak()
        picture = decoding.read_picture(path)
        print(path.name, counted, peak() - before, flush=True)
        os._exit(0)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are read from /proc")
def test_no_picture_takes_more_memory_than_is_counted(tmp_path, scene):
    """Of the decoders, and of what comes after them: alpha, profiles, turning, 16 bits."""
    picture = scene.resize((3000, 2000))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    alpha = picture.copy()
    alpha.putalpha(99)
    deep = Image.fromarray(np.zeros((2000, 3000), np.uint16))
    progressive = {"progressive": True, "subsampling": 0}
    kinds = {
        "rgb.png": (picture, {}),
        "rgba.png": (alpha, {}),
        "palette.png": (picture.convert("P"), {"transparency": 3}),
        "deep.png": (deep, {}),
        "profile.png": (picture, {"icc_profile": profile}),
        "profile-and-alpha.png": (alpha, {"icc_profile": profile}),
        "rgb.jpg": (picture, {}),
        "progressive.jpg": (picture, progressive),
        "cmyk.jpg": (picture.convert("CMYK"), progressive),
        "strips.tif": (picture, {"compression": "tiff_deflate"}),
        "one-strip.tif": (alpha, {"compression": "tiff_deflate", "strip_size": 10**9}),
        "rgb.gif": (picture, {}),
    }
    if features.check("webp"):
        kinds["rgba.webp"] = alpha, {"lossless": True, "method": 0}
    if features.check("avif"):
        kinds["rgba.avif"] = alpha, {"speed": 10}
    if features.check("jpg_2000"):
        kinds["rgba.jp2"] = alpha, {}
    scene.save(tmp_path / "first.png")
    for name, (image, options) in kinds.items():
        image.save(tmp_path / name, **options)
    paths = [str(tmp_path / name) for name in ("first.png", *kinds)]
    command = [sys.executable, "-c", MEASURE, *paths]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == len(kinds)
    for line in lines:
        name, counted, measured = line.split()
        assert float(measured) < float(counted) + 15e6, line  # and some for the decoder itself
        assert float(measured) > float(counted) / 4, line  # nor much less
