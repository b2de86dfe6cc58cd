"""Whatever the pictures and files: a right answer, or a plain error. Never anything else.

Hypothesis makes the cases, and the smallest one that fails is what it shows.
"""

import math
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from folders import names_in
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image
from properties import SUFFIXES, is_picture, many

from nst_tutorial.images.reading import load_image, load_settings, save_image
from nst_tutorial.images.resizing import fit, resize
from nst_tutorial.storage.atomic import replacing

MODES = ["1", "L", "P", "PA", "LA", "La", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB",
         "HSV", "I", "I;16", "F"]  # fmt: skip


@st.composite
def pil_pictures(draw) -> Image.Image:
    mode = draw(st.sampled_from(MODES))
    width, height = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    dice = np.random.default_rng(draw(st.integers(0, 2**32)))
    if mode == "F":
        scale = draw(st.sampled_from([1.0, 300.0, np.nan, np.inf]))
        return Image.fromarray((dice.random((height, width)) * scale).astype(np.float32))
    if mode in ("I", "I;16"):
        top = draw(st.sampled_from([255, 65535] if mode == "I;16" else [65535, 2**31 - 1]))
        kind = np.uint16 if mode == "I;16" else np.int32
        return Image.fromarray(dice.integers(0, top, (height, width), endpoint=True).astype(kind))
    empty = Image.new(mode, (width, height))
    if mode in ("P", "PA"):
        empty.putpalette(dice.bytes(768))
    pixels = dice.bytes(len(empty.tobytes()))
    if draw(st.booleans()):
        pixels = bytes([draw(st.sampled_from([0, 1, 255]))]) * len(pixels)
    empty.frombytes(pixels)
    return empty


extras = st.fixed_dictionaries(
    {},
    optional={
        "transparency": st.one_of(st.integers(0, 255), st.binary(max_size=300)),
        "icc_profile": st.binary(max_size=200),
        "exif": st.binary(max_size=200),
        "dpi": st.tuples(st.integers(1, 9999), st.integers(1, 9999)),
        "compression": st.sampled_from(["tiff_lzw", "tiff_deflate", "packbits", "jpeg", "group4"]),
        "quality": st.integers(1, 100),
        "progressive": st.booleans(),
        "lossless": st.booleans(),
        "interlace": st.booleans(),
    },
)


@many
@given(
    pil_pictures(),
    st.sampled_from(["png", "jpg", "webp", "tiff", "gif", "bmp", "ppm", "tga", "jp2", "avif"]),
    extras,
    st.one_of(st.none(), st.integers(1, 150)),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 20)),
)
def test_any_picture_loads_or_is_refused_by_name(picture, suffix, extra, size, enlarge, turned):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"picture.{suffix}")
        if turned is not None:
            exif = Image.Exif()
            exif[0x0112] = turned
            extra = {**extra, "exif": exif}
        try:
            picture.save(path, **extra)
        except Exception:  # this format cannot hold it
            assume(False)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                image = load_image(path, size, enlarge=enlarge)
            except ValueError as error:
                assert str(path) in str(error) or "size must be" in str(error)  # noqa: PT017
                return
            finally:
                assert all(str(path) in str(w.message) for w in caught)
    sides = picture.size if turned is None or turned not in range(5, 9) else picture.size[::-1]
    if size is not None and (enlarge or size < max(sides)):
        sides = fit(*sides, size)
    assert min(sides) >= 16
    if turned is None:
        assert tuple(image.shape[2:]) == sides[::-1]
    is_picture(image, *image.shape[2:])
    assert sorted(image.shape[2:]) == sorted(sides)  # whether a format keeps EXIF data is its own


@many
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 90), st.integers(1, 90), st.booleans()
)
def test_resizing_keeps_shape_and_flat_colours(height, width, wanted, other, as_pair):
    image = torch.full((1, 3, height, width), 0.25)
    found = resize(image, (wanted, other) if as_pair else wanted)
    assert max(found.shape[2:]) == (max(wanted, other) if as_pair else wanted)
    if as_pair:
        assert found.shape[2:] == (wanted, other)
    torch.testing.assert_close(found, torch.full_like(found, 0.25))


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)
)
nested = st.recursive(
    values,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)


@many
@given(
    st.dictionaries(st.text(max_size=9), nested, max_size=5),
    st.sampled_from(SUFFIXES),
    st.integers(1, 30),
    st.integers(1, 30),
    st.floats(-2, 3),
)
def test_any_settings_come_back_from_any_format(record, suffix, height, width, value):
    with tempfile.TemporaryDirectory() as folder:
        image = torch.full((1, 3, height, width), value)
        path = save_image(image, Path(folder, f"a{suffix}"), record)
        assert load_settings(path) == record
        assert names_in(Path(folder)) == [path.name]


bad_tensors = st.sampled_from(
    [torch.full((1, 3, 20, 20), math.nan), torch.full((1, 3, 20, 20), -math.inf),
     torch.zeros(1, 1, 20, 20), torch.zeros(3, 0, 4), torch.zeros(2, 3, 20, 20), torch.zeros(())]
)  # fmt: skip
bad_settings = st.sampled_from(
    [{"a": object()}, {"a": {1, 2}}, {(1, 2): 3}, {"a": torch.zeros(2)}, [1], "text", 3]
)


@many
@given(
    st.one_of(bad_tensors, st.just(torch.zeros(1, 3, 20, 20))),
    st.one_of(st.none(), bad_settings),
    st.sampled_from([*SUFFIXES, ".txt", "", ".PNG"]),
)
def test_what_cannot_be_saved_leaves_no_file(image, record, suffix):
    good = image.shape == (1, 3, 20, 20) and bool(torch.isfinite(image).all())
    good = good and record is None and suffix.lower() in SUFFIXES
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{suffix}")
        if good:
            is_picture(load_image(save_image(image, path)), 20, 20)
            return
        with pytest.raises(ValueError, match=r".{10}"):
            save_image(image, path, record)
        assert names_in(Path(folder)) == []


@many
@given(
    st.lists(st.binary(max_size=50), max_size=6),
    st.integers(0, 8),
    st.sampled_from([ValueError("x"), OSError(28, "No space left"), KeyboardInterrupt(), None]),
    st.one_of(st.none(), st.binary(max_size=50)),
    st.booleans(),
)
def test_a_file_is_old_or_new_and_never_between(pieces, at, error, before, overwrite):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        if before is not None:
            path.write_bytes(before)
        failed = False
        try:
            with replacing(path, overwrite=overwrite) as file:
                for i, piece in enumerate(pieces):
                    if i == at and error is not None:
                        raise error
                    file.write(piece)
        except (ValueError, OSError, KeyboardInterrupt):
            failed = True
        raised = error is not None and at < len(pieces)
        assert failed == (raised or (before is not None and not overwrite))
        expected = before if failed else b"".join(pieces)
        assert (path.read_bytes() if path.exists() else None) == expected
        assert names_in(Path(folder)) == ([] if expected is None else ["file"])
