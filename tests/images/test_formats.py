"""TIFF and PNG files of all kinds, against the numbers that were put into them."""

import struct
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from handmade import chunk, png, tiff, twelve_bits
from pictures import as_tensor
from PIL import Image

from nst_tutorial.images.reading import load_image

SIDE = 20
ROW, COLUMN = np.mgrid[:SIDE, :SIDE] / (SIDE - 1)
COLORS = np.stack([COLUMN, ROW, (ROW + COLUMN) / 2], axis=2)


def load(path, data: bytes) -> np.ndarray:
    """(H, W, 3) of a file of these bytes."""
    path.write_bytes(data)
    return load_image(path)[0].permute(1, 2, 0).numpy()


def stored(values: np.ndarray, bits: int, order: str) -> np.ndarray:
    kind = {8: "u1", 16: f"{order}u2", 32: f"{order}u4"}[bits]
    return np.round(values * (2**bits - 1)).astype(kind)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("kind", ["RGB", "RGBA", "CMYK"])
def test_tiff_colours(tmp_path, order, bits, planar, kind):
    """Pixel by pixel or plane by plane, of 8 or 16 bits, uncompressed."""
    tags = {"photometric": 5 if kind == "CMYK" else 2, "planar": planar}
    values, expected = COLORS, COLORS
    if kind == "RGBA":
        values = np.dstack([COLORS, COLUMN])
        expected = COLORS * COLUMN[..., None] + 1 - COLUMN[..., None]
        tags["extra"] = 2
    elif kind == "CMYK":
        values = np.dstack([COLORS, ROW / 3])
        expected = (1 - COLORS) * (1 - ROW[..., None] / 3)
    channels = values.shape[2]
    array = stored(values, bits, order)
    data = (array if planar == 1 else np.moveaxis(array, 2, 0)).tobytes()
    tags |= {"bits": (bits,) * channels, "samples": channels}
    data = tiff(SIDE, SIDE, data, order, **tags)
    if (kind, bits, planar) == ("CMYK", 16, 2):  # Pillow has no decoder for it
        with pytest.raises(ValueError, match="a.tif: its channels are stored one after the"):
            load(tmp_path / "a.tif", data)
        return
    image = load(tmp_path / "a.tif", data)
    assert abs(image - expected).max() < 2.1 / 255


@pytest.mark.parametrize("white_is_zero", [False, True])
@pytest.mark.parametrize(("bits", "order"), [(8, "<"), (8, ">"), (12, "<"), (16, "<"), (16, ">")])
def test_tiff_greys(tmp_path, bits, order, white_is_zero):
    if bits == 12:
        array = np.round(ROW * 4095).astype("<u2")
        data = twelve_bits(array)
    else:
        array = stored(ROW, bits, order)
        data = array.tobytes()
    grey = array.astype(float) / (2**bits - 1)
    path = tmp_path / "a.tif"
    data = tiff(SIDE, SIDE, data, order, bits=bits, photometric=0 if white_is_zero else 1)
    if white_is_zero and (bits, order) in ((12, "<"), (16, ">")):
        with pytest.raises(ValueError, match=r"a.tif: cannot be .* \(an unknown kind of TIFF\)"):
            load(path, data)
        return
    image = load(path, data)
    expected = 1 - grey if white_is_zero else grey
    assert abs(image - expected[..., None]).max() < 1e-6


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("compression", [None, "tiff_deflate"])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_tiff_of_floats(tmp_path, order, compression, white_is_zero):
    tifffile = pytest.importorskip("tifffile")
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, ROW.astype("f4"), byteorder=order, compression=compression and "zlib",
        photometric="miniswhite" if white_is_zero else "minisblack", metadata=None,
    )  # fmt: skip
    image = load_image(path)[0].permute(1, 2, 0).numpy()
    assert abs(image - (1 - ROW if white_is_zero else ROW)[..., None]).max() < 1e-6


@pytest.mark.parametrize(
    ("bits", "kind", "message"),
    [
        (8, "i1", "its values are signed numbers"),
        (16, "<i2", "its values are signed numbers"),
        (32, "<i4", "its values are signed numbers"),
        (32, "<u4", "its values are whole numbers of 32 bits"),
    ],
)
def test_tiff_of_numbers_without_a_white_is_refused(tmp_path, bits, kind, message):
    data = np.round(ROW * 100).astype(kind).tobytes()
    data = tiff(SIDE, SIDE, data, bits=bits, format=2 if "i" in kind else 1)
    with pytest.raises(ValueError, match=rf"a.tif: {message}.*; save it anew as 8- or 16-bit"):
        load(tmp_path / "a.tif", data)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", ["grey and alpha", "Lab"])
def test_tiff_in_planes_that_pillow_misreads_is_refused(tmp_path, kind, compression):
    tifffile = pytest.importorskip("tifffile")
    channels, options = 3, {"photometric": "cielab"}
    if kind == "grey and alpha":
        channels, options = 2, {"photometric": "minisblack", "extrasamples": ["unassalpha"]}
    planes = np.full((channels, SIDE, SIDE), 100, np.uint8)
    options |= {"planarconfig": "separate", "metadata": None, "compression": compression}
    tifffile.imwrite(tmp_path / "a.tif", planes, **options)
    with pytest.raises(ValueError, match=r"a.tif: its channels are stored one after the other"):
        load_image(tmp_path / "a.tif")


def test_tiff_in_lab(tmp_path):
    """L*a*b* under D50 → XYZ → sRGB, by the formulas of the CIE."""
    lab = np.array([[20, 0, 0], [50, 0, 0], [80, 0, 0], [50, 40, 0], [50, 0, 40]])
    patches = np.repeat(np.repeat(lab[:, None], SIDE, 1), 4, 0)  # rows of four
    data = (patches * [2.55, 1, 1]).round().astype(int).astype(np.uint8).tobytes()
    options = {"bits": (8,) * 3, "samples": 3, "photometric": 8}
    image = load(tmp_path / "a.tif", tiff(SIDE, SIDE, data, **options))
    L, a, b = lab.T
    f = np.stack([(L + 16) / 116 + a / 500, (L + 16) / 116, (L + 16) / 116 - b / 200], axis=1)
    XYZ = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * [0.9642, 1, 0.8249]
    to_linear = np.array([[3.1339, -1.6169, -0.4906], [-0.9788, 1.9161, 0.0335],
                          [0.0719, -0.2290, 1.4052]])  # fmt: skip
    light = XYZ @ to_linear.T
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * abs(light) ** (1 / 2.4) - 0.055)
    assert abs(image[2::4, 3] - expected.clip(0, 1)).max() < 2.1 / 255


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("bits", [8, 16])
def test_tiff_is_turned_once(tmp_path, bits, orientation):
    array = stored(ROW[:, :16], bits, "<")  # 20 rows of 16
    turns = {1: 0, 3: 2, 6: 1, 8: 3}[orientation]  # a quarter each, to the left, to be undone
    upright = array.astype(float) / (2**bits - 1)
    kept = np.rot90(array, turns)
    height, width = kept.shape
    data = tiff(width, height, kept.tobytes(), bits=bits, orientation=orientation)
    image = load(tmp_path / "a.tif", data)
    assert image.shape == (20, 16, 3)
    assert abs(image[..., 0] - upright).max() < 1e-6


# --- PNG: one grey or colour is transparent ----------------------------------------------------


def packed(values: np.ndarray, bits: int) -> bytes:
    """Rows of numbers, each row whole bytes."""
    if bits == 16:
        return values.astype(">u2").tobytes()
    digits = (values[..., None] >> np.arange(bits)[::-1]) & 1
    return np.packbits(digits.reshape(len(values), -1).astype(np.uint8), axis=1).tobytes()


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("which", ["black", "white", "between"])
def test_png_with_a_transparent_grey(tmp_path, bits, which):
    """The transparent grey has as many bits as the file, and turns white; all others stay."""
    top = 2**bits - 1
    key = {"black": 0, "white": top, "between": top // 3}[which]
    values = np.round(COLUMN * top).astype(int)
    values[:3] = key
    data = png(SIDE, SIDE, bits, 0, packed(values, bits), chunk(b"tRNS", struct.pack(">H", key)))
    image = load(tmp_path / "a.png", data)
    expected = np.where(values == key, 1, values / top)
    assert abs(image - expected[..., None]).max() < 1e-6


def test_png_with_a_transparent_colour_of_16_bits(tmp_path):
    """Its neighbours, the same in 8 bits, stay."""
    key = np.array([0x1234, 0x0056, 0xFF00])
    values = np.broadcast_to(key, (SIDE, SIDE, 3)).copy()
    values[5:10, :, 1] += 1
    values[10:, :, 2] -= 0x0100
    rows = values.astype(">u2").tobytes()
    data = png(SIDE, SIDE, 16, 2, rows, chunk(b"tRNS", struct.pack(">3H", *key)))
    image = load(tmp_path / "a.png", data)
    assert (image[:5] == 1).all()
    assert abs(image[5:] - values[5:] / 65535).max() < 1 / 255


@pytest.mark.parametrize("bits", [8, 16])
def test_png_of_grey_with_alpha(tmp_path, bits):
    array = stored(np.dstack([ROW, COLUMN]), bits, ">")
    image = load(tmp_path / "a.png", png(SIDE, SIDE, bits, 4, array.tobytes()))
    expected = ROW * COLUMN + 1 - COLUMN
    assert abs(image - expected[..., None]).max() < 2.1 / 255


def test_png_with_a_palette_of_many_alphas(tmp_path):
    palette = np.array([[0, 0, 0], [200, 10, 40], [0, 255, 0], [9, 9, 9]])
    alphas = np.array([255, 102, 0])  # the last colour has none: opaque
    values = np.repeat(np.arange(4), 5)[:, None].repeat(SIDE, axis=1)
    chunks = chunk(b"PLTE", palette.astype(np.uint8).tobytes())
    chunks += chunk(b"tRNS", alphas.astype(np.uint8).tobytes())
    image = load(tmp_path / "a.png", png(SIDE, SIDE, 2, 3, packed(values, 2), chunks))
    t = np.append(alphas, 255)[:, None] / 255
    expected = palette / 255 * t + 1 - t
    assert abs(image[2::5, 0] - expected).max() < 1.1 / 255


# --- several pictures in one file --------------------------------------------------------------


def test_the_first_picture_of_a_camera_with_two_lenses(tmp_path, scene):
    other = Image.new("RGB", scene.size, "white")
    scene.save(tmp_path / "a.mpo", save_all=True, append_images=[other], quality=98, subsampling=0)
    assert (load_image(tmp_path / "a.mpo") - as_tensor(scene)).abs().mean() < 0.02


# --- threads -----------------------------------------------------------------------------------


def test_reading_leaves_the_filters_of_warnings_alone(tmp_path, scene, monkeypatch):
    """To catch warnings is not safe among threads: one would restore what another has set."""

    def refuse(*arguments, **options):
        raise AssertionError("the filters of warnings are everybody's")

    paths = []
    for i, suffix in enumerate(("png", "jpg", "tif", "webp", "gif")):
        paths.append(tmp_path / f"{i}.{suffix}")
        scene.save(paths[-1])
    monkeypatch.setattr(warnings, "catch_warnings", refuse)
    monkeypatch.setattr(warnings, "simplefilter", refuse)
    monkeypatch.setattr(warnings, "filterwarnings", refuse)
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(load_image, paths * 4))
    assert all(torch.equal(image, images[i % 5]) for i, image in enumerate(images))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_pictures_over_pillows_own_limit_give_no_warning(tmp_path, scene, monkeypatch, suffix):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)  # warned of above, refused above twice that
    monkeypatch.setattr("nst_tutorial.images.srgb.PIXELS", 100)  # as in earnest, far below it
    scene.save(tmp_path / f"a.{suffix}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = load_image(tmp_path / f"a.{suffix}")
    assert torch.equal(image, as_tensor(scene))
