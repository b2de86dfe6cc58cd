"""Large PNG and TIFF files, made smaller while they are read."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
import tifffile
import torch
from handmade import color_profile, grey_profile
from PIL import Image

from nst_tutorial.images import decoding, reduced, rows, srgb
from nst_tutorial.images.reading import load_image
from nst_tutorial.images.reduced import read_reduced
from nst_tutorial.images.writing import save_image

HEIGHT, WIDTH = 245, 310  # neither of which a block of 2×2 or 3×3 divides
SIZE = 40


@pytest.fixture
def picture():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, 3, HEIGHT, WIDTH, generator=generator)


@pytest.fixture
def all_large(monkeypatch):
    """Every picture is large, and a band has a few rows."""
    monkeypatch.setattr(decoding, "HARMLESS", 0)
    monkeypatch.setattr(rows, "PIXELS", 5 * WIDTH)
    monkeypatch.setattr(srgb, "PIXELS", 7 * WIDTH)


def numbers_of(picture, kind=np.uint16):
    return (picture[0].double() * np.iinfo(kind).max).round().permute(1, 2, 0).numpy().astype(kind)


def as_pillow_does(image, size=SIZE):
    """What Pillow makes of a whole picture, in numbers that are not rounded."""
    shape = (size, round(HEIGHT * size / WIDTH))
    planes = [Image.fromarray(plane.numpy()) for plane in image[0]]
    resized = [p.resize(shape, Image.Resampling.LANCZOS, reducing_gap=3.0) for p in planes]
    return torch.from_numpy(np.stack(resized))[None].clamp(0, 1)


def written(path, picture, **options):
    options = {"photometric": "rgb", **options}
    tifffile.imwrite(path, numbers_of(picture, options.pop("kind", np.uint16)), **options)
    return path


TIFFS = {
    "one strip": {},
    "strips": {"rowsperstrip": 7},
    "big-endian": {"byteorder": ">", "rowsperstrip": 7},
    "deflated": {"compression": "zlib", "rowsperstrip": 7},
    "differences": {"compression": "zlib", "predictor": True, "rowsperstrip": 16},
    "differences, big-endian": {"compression": "zlib", "predictor": True, "byteorder": ">"},
    "tiles": {"tile": (32, 48)},
    "deflated tiles": {"compression": "zlib", "predictor": True, "tile": (16, 16)},
}


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("name", TIFFS)
def test_a_tiff_in_strips_is_the_whole_one_reduced(tmp_path, picture, all_large, name, kind):
    path = written(tmp_path / "a.tif", picture, kind=kind, **TIFFS[name])
    assert read_reduced(path, SIZE) is not None
    image = load_image(path, SIZE)
    torch.testing.assert_close(image, as_pillow_does(load_image(path)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("opaque", [True, False])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_files_of_ours(tmp_path, picture, monkeypatch, all_large, bits, opaque, suffix):
    """PNGs of ours have one filter, Pillow's all five. With opacity they are of 8 bits."""
    opacity = None if opaque else picture[:, :1]
    path = save_image(picture, tmp_path / f"a.{suffix}", bits=bits, opacity=opacity)
    image, whole = load_image(path, SIZE), as_pillow_does(load_image(path))
    if suffix == "png" or (opaque and bits == 16):
        assert read_reduced(path, SIZE) is not None
        torch.testing.assert_close(image, whole, rtol=0, atol=1e-6)
    else:
        assert (image - whole).abs().max() < 2.1 / 255


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png(tmp_path, picture, all_large, mode):
    """A smooth picture with a rough part, of which Pillow's filters take all kinds."""
    ramp = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)) % 251
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "I;16": 1}[mode]
    array = np.stack([(ramp * (i + 1)) % 251 for i in range(channels)], axis=-1)
    array[50:90] = numbers_of(picture, np.uint8)[50:90, :, :1]
    if mode == "I;16":
        image = Image.fromarray((array[..., 0] * 257 + 3).astype(np.uint16))
    else:
        image = Image.fromarray(array.astype(np.uint8).squeeze())
    assert image.mode == mode
    image.save(tmp_path / "a.png")
    whole = load_image(tmp_path / "a.png", background="black")
    assert read_reduced(tmp_path / "a.png", SIZE) is not None
    image = load_image(tmp_path / "a.png", SIZE, background="black")
    torch.testing.assert_close(image, as_pillow_does(whole), rtol=0, atol=1e-6)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_as_the_whole_one(tmp_path, picture, monkeypatch, suffix, orientation):
    """Of even sides, which blocks of 2×2 divide: of others those at the border are smaller."""
    even, path = picture[..., :240, :300], tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(numbers_of(even, np.uint8)).save(path, exif=exif)
    wanted = load_image(path, 50)
    monkeypatch.setattr(decoding, "HARMLESS", 0)
    assert read_reduced(path, 50) is not None
    image = load_image(path, 50)
    assert image.shape == wanted.shape
    assert 255 * (image - wanted).abs().max() < 1.6


def test_the_orientation_of_a_png_may_stand_behind_its_pixels(tmp_path, picture, all_large):
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(numbers_of(picture, np.uint8)).save(tmp_path / "a.png", exif=exif)
    data = (tmp_path / "a.png").read_bytes()
    begin = data.index(b"eXIf") - 4
    end = begin + 12 + int.from_bytes(data[begin : begin + 4], "big")
    last = data.index(b"IEND") - 4
    (tmp_path / "b.png").write_bytes(
        data[:begin] + data[end:last] + data[begin:end] + data[last:]
    )  # fmt: skip
    assert torch.equal(load_image(tmp_path / "b.png", SIZE), load_image(tmp_path / "a.png", SIZE))
    Image.fromarray(numbers_of(picture, np.uint8)).save(tmp_path / "c.png")
    assert not torch.equal(
        load_image(tmp_path / "b.png", SIZE), load_image(tmp_path / "c.png", SIZE)
    )


@pytest.mark.parametrize("bits", [8, 16])
def test_a_colour_profile_counts(tmp_path, picture, monkeypatch, bits):
    options = {"kind": np.uint16 if bits == 16 else np.uint8, "iccprofile": color_profile(1.0)}
    path = written(tmp_path / "a.tif", picture, **options)
    wanted, plain = load_image(path, SIZE), picture.mean()
    monkeypatch.setattr(decoding, "HARMLESS", 0)
    assert read_reduced(path, SIZE) is not None
    assert 255 * (load_image(path, SIZE) - wanted).abs().max() < 1.6
    assert wanted.mean() > plain + 0.1


def test_a_useless_profile_is_said_once(tmp_path, picture, all_large):
    path = written(tmp_path / "a.tif", picture, iccprofile=b"none")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        load_image(path, SIZE)
    assert [str(w.message)[:47] for w in told] == [
        f"{path}: its colour profile cannot be used"[:47]
    ]
    assert told[0].filename == __file__


def read_whole(tmp_path, picture):
    """Kinds that Pillow must read whole."""
    plain = Image.fromarray(numbers_of(picture, np.uint8))
    plain.save(tmp_path / "lzw.tif", compression="tiff_lzw")
    plain.convert("P").save(tmp_path / "palette.png")
    plain.convert("CMYK").save(tmp_path / "ink.tif")
    plain.save(tmp_path / "keyed.png", transparency=(1, 2, 3))
    plain.save(tmp_path / "grey.png", icc_profile=grey_profile(1.0))
    plain.save(tmp_path / "odd.png", exif=b"not a TIFF file at all")
    planes = np.moveaxis(numbers_of(picture, np.uint8), 2, 0)
    tifffile.imwrite(tmp_path / "planes.tif", planes, photometric="rgb", planarconfig="separate")
    tifffile.imwrite(tmp_path / "white.tif", planes[0], photometric="miniswhite")
    return sorted(tmp_path.iterdir())


def test_other_kinds_are_read_whole(tmp_path, picture, monkeypatch):
    for path in read_whole(tmp_path, picture):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of one with broken EXIF data
            wanted = load_image(path, SIZE)
            monkeypatch.setattr(decoding, "HARMLESS", 0)
            assert read_reduced(path, SIZE) is None, path.name
            assert torch.equal(load_image(path, SIZE), wanted), path.name
            monkeypatch.undo()


def test_so_are_pictures_of_which_much_is_wanted(tmp_path, picture, monkeypatch):
    path = save_image(picture, tmp_path / "a.png")
    assert read_reduced(path, SIZE) is None  # it is not large
    monkeypatch.setattr(decoding, "HARMLESS", 0)
    assert read_reduced(path, 51) is not None
    assert read_reduced(path, 52) is None  # blocks of 1×1
    assert read_reduced(path, 18) is None
    with pytest.raises(ValueError, match="at size 18 only 18×14 pixels"):
        load_image(path, 18)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_damaged_one_is_named(tmp_path, picture, all_large, suffix):
    path = save_image(picture, tmp_path / f"a.{suffix}", bits=16)
    data = bytearray(path.read_bytes())
    for damage in ("cut", "changed"):
        part = data[: len(data) // 2] if damage == "cut" else data.copy()
        part[len(data) // 3 : len(data) // 3 + 400] = bytes(400)
        path.write_bytes(part)
        with pytest.raises(ValueError, match=rf"a.{suffix}: cannot be read as a picture"):
            load_image(path, SIZE)


def test_steps_keep_every_row():
    generator = np.random.default_rng(0)
    for step in (2, 3, 7):
        numbers = np.arange(101)[:, None, None]
        cuts = np.sort(generator.integers(1, 101, 20))
        pieces = [piece for piece in np.split(numbers, cuts) if len(piece)]
        steps = list(reduced._in_steps(pieces, step))
        assert np.array_equal(np.concatenate(steps), numbers)
        assert [len(piece) for piece in steps] == [step] * (101 // step) + [101 % step] * (
            101 % step > 0
        )


# --- memory ------------------------------------------------------------------------------------

MEASURE = """
import sys
from pathlib import Path
from nst_tutorial.images.reading import load_image

def peak():
    return 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

first, *others = sys.argv[1:]
load_image(first, 64)  # what is loaded only once is loaded
for path in others:
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    image = load_image(path, 500)
    print(path, peak() - before, len(image.mul(65535).round().unique()))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are read from /proc")
def test_large_files_are_reduced_in_little_memory(tmp_path):
    """Of 9000×6000 pixels, 324 MB: less than a byte for each, and all their bits."""
    ramp = np.linspace(0, 65535, 9000).astype(np.uint16)
    row = (ramp[:, None] * [1, 0.7, 0.5]).astype(np.uint16)
    numbers = np.broadcast_to(row, (6000, 9000, 3))
    for name, options in (("plain", {}), ("strips", {"compression": "zlib", "rowsperstrip": 8})):
        tifffile.imwrite(tmp_path / f"{name}.tif", numbers, photometric="rgb", **options)
    image = torch.from_numpy(ramp / np.float32(65535)).expand(1, 3, 6000, 9000)
    save_image(image, tmp_path / "16.png", bits=16)
    save_image(image[..., :400, :600], tmp_path / "first.tif", bits=16)
    names = [tmp_path / name for name in ("first.tif", "plain.tif", "strips.tif", "16.png")]
    command = [sys.executable, "-c", MEASURE, *map(str, names)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == 3
    for line in lines:
        _, measured, levels = line.split()
        assert int(measured) < 54e6, line
        assert int(levels) > 256, line
