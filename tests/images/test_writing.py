"""16 bits a channel, dithering, transparency, and the profile."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import torch
from folders import names_in
from PIL import Image, ImageCms
from tensors import disc, white

from nst_tutorial.images import deep, writing
from nst_tutorial.images.profile import DATE, is_srgb, srgb_profile
from nst_tutorial.images.reading import load_image, load_opacity, load_settings
from nst_tutorial.images.srgb import profile_to_convert
from nst_tutorial.images.writing import FORMATS, check_can_save, save_image, thresholds, to_pil

STEP = 1 / 65535
SUFFIXES = ["png", "tif", "tiff"]


@pytest.fixture
def picture():
    g = torch.Generator().manual_seed(0)
    return torch.rand(1, 3, 45, 37, generator=g, dtype=torch.float64).float()


# --- 16 bits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("strip", [1, 500, 2**20])
def test_16_bits_come_back(tmp_path, monkeypatch, picture, suffix, strip):
    monkeypatch.setattr(deep, "STRIP_VALUES", strip)
    settings = {"steps": 7, "who": "Ærøskøbing"}
    path = save_image(picture, tmp_path / f"out.{suffix}", settings, bits=16)
    assert (load_image(path) - picture).abs().max() <= 0.5001 * STEP
    assert load_settings(path) == settings
    assert names_in(tmp_path) == [path.name]
    again = save_image(load_image(path), tmp_path / f"again.{suffix}", settings, bits=16)
    assert again.read_bytes() == path.read_bytes()


def test_every_number_of_16_bits_comes_back(tmp_path):
    numbers = torch.arange(65536).view(1, 1, 256, 256).expand(1, 3, -1, -1)
    numbers = torch.cat([numbers[:, :1], numbers[:, 1:2].flip(2), numbers[:, 2:].flip(3)], dim=1)
    for suffix in ("png", "tif"):
        path = save_image(numbers / 65535, tmp_path / f"all.{suffix}", bits=16)
        assert torch.equal((load_image(path) * 65535).round().long(), numbers)


def test_another_reader_sees_the_same(tmp_path, picture):
    """tifffile all 16 bits; Pillow the upper 8, of both."""
    wanted = (picture[0].double() * 65535).round().permute(1, 2, 0).numpy().astype(np.uint16)
    tif = save_image(picture, tmp_path / "out.tif", bits=16)
    assert np.array_equal(tifffile.imread(tif), wanted)
    for path in (tif, save_image(picture, tmp_path / "out.png", bits=16)):
        with Image.open(path) as image:
            image.load()
            assert image.mode == "RGB"
            assert np.array_equal(np.asarray(image), wanted >> 8)


def test_a_tiff_of_several_tiles(tmp_path, monkeypatch, picture):
    """One of 45×37 pixels in tiles of 16×16, cut off at the right and at the bottom."""
    monkeypatch.setattr(deep, "TILE", 16)
    opacity = disc(45, 37).float()
    whole = torch.cat([picture, opacity], dim=1)[0].double()
    path = save_image(picture, tmp_path / "out.tif", bits=16, opacity=opacity)
    wanted = (whole * 65535).round().permute(1, 2, 0).numpy().astype(np.uint16)
    with tifffile.TiffFile(path) as file:
        assert len(file.pages[0].dataoffsets) == 9
        assert np.array_equal(file.asarray(), wanted)
    again = load_image(save_image(picture, tmp_path / "opaque.tif", bits=16))
    assert (again - picture).abs().max() <= 0.5001 * STEP


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_16_bits_of_other_programs(tmp_path, picture, order, compression):
    numbers = (picture[0] * 65535).round().permute(1, 2, 0).numpy().astype(np.uint16)
    tifffile.imwrite(
        tmp_path / "other.tif", numbers, photometric="rgb", byteorder=order, compression=compression
    )
    wanted = torch.from_numpy(numbers.astype(np.float32)).permute(2, 0, 1)[None] / 65535
    torch.testing.assert_close(load_image(tmp_path / "other.tif"), wanted, rtol=0, atol=1e-7)


def test_a_turned_picture_of_16_bits(tmp_path, picture):
    numbers = (picture[0] * 65535).round().permute(1, 2, 0).numpy().astype(np.uint16)
    turned = [(274, "H", 1, 6, True)]  # a quarter to the right
    tifffile.imwrite(tmp_path / "turned.tif", numbers, photometric="rgb", extratags=turned)
    wanted = torch.from_numpy(np.rot90(numbers, -1).astype(np.float32)).permute(2, 0, 1)[None]
    torch.testing.assert_close(load_image(tmp_path / "turned.tif"), wanted / 65535)


def test_resized_as_with_8_bits_but_finer(tmp_path, picture):
    smooth = disc(120, 160)[:, :1].expand(1, 3, -1, -1).float()
    coarse, fine = (
        load_image(save_image(smooth, tmp_path / f"{bits}.png", bits=bits), 64) for bits in (8, 16)
    )
    assert fine.shape == coarse.shape == (1, 3, 48, 64)
    assert 1e-4 < (fine - coarse).abs().max() < 1.5 / 255
    with pytest.raises(ValueError, match="at size 16 only 16×12 pixels"):
        load_image(tmp_path / "16.png", 16)
    assert load_image(tmp_path / "16.png", 500, enlarge=False).shape == (1, 3, 120, 160)


def test_damaged_16_bits_are_refused(tmp_path, picture):
    path = save_image(picture, tmp_path / "out.png", bits=16)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ValueError, match=r"out.png: cannot be read as a picture"):
        load_image(path)


def test_too_large_for_16_bits_in_memory_gives_8(tmp_path, monkeypatch, picture):
    path = save_image(picture, tmp_path / "out.png", bits=16)
    monkeypatch.setattr("nst_tutorial.images.decoding.MOST_BYTES", 12 * 45 * 37)
    eight = load_image(path)
    assert torch.equal(eight, (picture * 65535).round().div(256).floor() / 255)


MEASURE = """
import sys
from pathlib import Path
import torch
from nst_tutorial.images.deep import BYTES_TO_READ
from nst_tutorial.images.reading import load_image, save_image

def peak():
    return 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

def grown(work):
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    kept = work()
    return peak() - before

folder = Path(sys.argv[1])
small, large = torch.rand(1, 3, 40, 40), torch.empty(1, 3, 2000, 3000)
torch.linspace(0, 1, large.numel(), out=large.view(-1))
copy = 4 * large.numel()
for name, options in (
    ("8.png", {"dither": True}), ("8.tif", {}), ("16.png", {"bits": 16}), ("16.tif", {"bits": 16}),
):
    load_image(save_image(small, folder / name, **options))  # what is loaded only once is loaded
    print("write", name, grown(lambda: save_image(large, folder / name, **options)), copy)
    need = copy + BYTES_TO_READ * 2000 * 3000
    print("read", name, grown(lambda: load_image(folder / name)), need)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are read from /proc")
def test_large_files_take_less_memory_than_another_copy_in_float32(tmp_path):
    command = [sys.executable, "-c", MEASURE, str(tmp_path)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == 8
    for line in lines:
        *_, measured, most = line.split()
        assert int(measured) < int(most) + 15e6, line  # and some for strips


# --- what cannot be ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "options", "message"),
    [
        ("jpg", {"bits": 16}, r"out.jpg: JPEG has 8 bits a channel; for 16 the name must end in "
         r"\.png, \.tif or \.tiff$"),
        ("webp", {"bits": 16}, "out.webp: WEBP has 8 bits a channel"),
        ("png", {"bits": 12}, "bits must be 8 or 16, got 12"),
        ("png", {"bits": True}, "bits must be 8 or 16, got True"),
        ("png", {"bits": 16, "dither": True}, "dither is for 8 bits a channel; 16 need none"),
        ("jpeg", {"opacity": torch.ones(1, 1, 45, 37)}, "out.jpeg: JPEG has no transparency; to "),
        ("png", {"opacity": torch.ones(1, 1, 45, 36)}, r"opacity must be \(1, 1, 45, 37\) as the "),
        ("png", {"opacity": torch.full((1, 1, 45, 37), 1.1)}, "opacity must lie in 0..1"),
        ("png", {"opacity": "all"}, "opacity must be .*, got str"),
        ("tif", {"bits": 16, "settings": {"x": set()}}, "settings must be what JSON can hold"),
    ],
)  # fmt: skip
def test_what_cannot_be_saved(tmp_path, picture, suffix, options, message):
    with pytest.raises(ValueError, match=message):
        save_image(picture, tmp_path / f"out.{suffix}", **options)
    assert names_in(tmp_path) == []


def test_it_is_said_before_the_work(tmp_path):
    with pytest.raises(ValueError, match="JPEG has 8 bits a channel"):
        check_can_save(tmp_path / "out.jpg", bits=16)
    with pytest.raises(ValueError, match="JPEG has no transparency"):
        check_can_save(tmp_path / "out.jpg", opacity=True)
    assert check_can_save(tmp_path / "out.tif", bits=16, opacity=True)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, picture, suffix):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, f"write_{suffix.removesuffix('f')}".replace("_ti", "_tiff"), full)
    with pytest.raises(OSError, match="No space left"):
        save_image(picture, tmp_path / f"out.{suffix}", bits=16)
    assert names_in(tmp_path) == []


# --- dithering ---------------------------------------------------------------------------------


def test_thresholds_are_even_around_each_pixel():
    t = thresholds(64, 64)
    assert t.shape == (3, 64, 64)
    assert 0 <= t.min() <= t.max() < 1
    for channel in t:
        means = torch.nn.functional.avg_pool2d(channel[None, None], 8, stride=1)
        assert (means - 0.5).abs().max() < 0.03  # of white noise 0.29 / 8, and four times that


def test_thresholds_of_a_part_are_those_of_the_whole():
    assert torch.equal(thresholds(30, 20)[:, 11:17], thresholds(6, 20, top=11))


@pytest.mark.parametrize("dither", [False, True])
def test_many_bands_are_one_picture(monkeypatch, picture, dither):
    whole = np.array(to_pil(picture, dither))
    monkeypatch.setattr("nst_tutorial.images.srgb.PIXELS", 37 * 7)
    assert np.array_equal(np.array(to_pil(picture, dither)), whole)


def test_dithering_keeps_the_mean_of_neighbours():
    ramp = torch.linspace(100, 104, 256).expand(1, 3, 64, 256) / 255
    errors = {}
    for dither in (False, True):
        saved = torch.from_numpy(np.array(to_pil(ramp, dither))).permute(2, 0, 1)[None] / 255
        assert 255 * (saved - ramp).abs().max() <= (1 if dither else 0.501)
        errors[dither] = 255 * torch.nn.functional.avg_pool2d(saved - ramp, 8).abs().max()
    assert errors[False] > 0.4
    assert errors[True] < 0.06


def test_whole_grey_levels_need_no_dithering(tmp_path):
    levels = torch.arange(256).view(1, 1, 16, 16).expand(1, 3, -1, -1) / 255
    levels = torch.nn.functional.interpolate(levels, scale_factor=8)
    assert np.array_equal(np.array(to_pil(levels, dither=True)), np.array(to_pil(levels)))
    path = save_image(levels + 0.3 / 255, tmp_path / "a.png", dither=True)
    once = load_image(path)
    assert not torch.equal(once, load_image(save_image(levels, tmp_path / "b.png")))
    assert torch.equal(load_image(save_image(once, tmp_path / "c.png", dither=True)), once)


# --- transparency ------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_transparency_is_kept(tmp_path, picture, suffix, bits):
    if bits > FORMATS[f".{suffix}"].most_bits:
        pytest.skip("WebP has 8 bits")
    opacity = disc(45, 37).float()
    path = save_image(picture, tmp_path / f"a.{suffix}", {"a": 1}, bits=bits, opacity=opacity)
    again = load_opacity(path)
    assert again.shape == opacity.shape
    assert (again - opacity).abs().max() <= 1.01 / 255  # the reader has 8 bits, rounded down
    assert load_settings(path) == {"a": 1}
    if suffix == "png":
        seen = opacity * picture + (1 - opacity)  # over white
        assert (load_image(path) - seen).abs().max() <= 2.1 / 255


def test_opacity_has_the_size_of_the_colours(tmp_path, picture):
    path = save_image(picture, tmp_path / "a.png", opacity=disc(45, 37).float())
    assert load_opacity(path, 20).shape == (1, 1, *load_image(path, 20).shape[2:])
    assert load_opacity(path, 99, enlarge=False).shape == (1, 1, 45, 37)
    assert load_opacity(save_image(picture, tmp_path / "b.png")) is None
    assert load_opacity("temple", 32) is None


@pytest.mark.parametrize("mode", ["P", "LA", "L", "RGB", "I;16"])
def test_transparency_of_every_kind(tmp_path, mode):
    """One colour or one palette entry that is transparent, an alpha channel; left half is."""
    path = tmp_path / "a.png"
    numbers = np.full((20, 30), 40, np.uint8)
    numbers[:, :15] = 7
    if mode == "LA":
        both = Image.merge(
            "LA", [Image.fromarray(numbers), Image.fromarray((numbers > 7).astype(np.uint8) * 255)]
        )
        both.save(path)
    elif mode == "RGB":
        Image.fromarray(numbers).convert("RGB").save(path, transparency=(7, 7, 7))
    elif mode == "I;16":
        Image.fromarray(numbers.astype(np.uint16)).save(path, transparency=7)
    else:
        Image.fromarray(numbers).convert(mode).save(path, transparency=7)
    wanted = torch.ones(1, 1, 20, 30)
    wanted[..., :15] = 0
    with Image.open(path) as image:
        image.load()
        if not image.has_transparency_data:  # of palettes the entry's number may have changed
            pytest.skip("this Pillow writes no such transparency")
    assert torch.equal(load_opacity(path), wanted)


# --- the profile -------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("suffix", [s.removeprefix(".") for s in FORMATS])
def test_every_file_says_that_it_is_srgb(tmp_path, picture, suffix, bits):
    if bits > FORMATS[f".{suffix}"].most_bits:
        return
    with Image.open(save_image(picture, tmp_path / f"a.{suffix}", bits=bits)) as image:
        profile = image.info["icc_profile"]
        assert profile == srgb_profile()
        assert profile_to_convert(image) is None
    named = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    assert "sRGB" in named


def test_the_profile_is_known_whenever_it_was_made():
    other = bytearray(srgb_profile())
    other[DATE] = bytes(range(12))
    assert is_srgb(bytes(other))
    other[-1] ^= 1
    assert not is_srgb(bytes(other))


def test_equal_pictures_are_equal_files(tmp_path):
    image = 0.5 + 0.1 * white(1, 3, 20, 20).float()
    for suffix in ("png", "tif"):
        for bits in (8, 16):
            one, two = (
                save_image(image, tmp_path / f"{name}.{suffix}", {"a": 1}, bits=bits).read_bytes()
                for name in "ab"
            )
            assert one == two
    assert json.loads(json.dumps(load_settings(tmp_path / "a.tif"))) == {"a": 1}
