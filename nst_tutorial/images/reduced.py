"""Large PNG and TIFF files made smaller while they are read, in memory for a few of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps, PngImagePlugin

from ..checks import SMALLEST_SIDE
from . import decoding, srgb
from .deep import WHITE
from .resizing import fit
from .rows import can_stream, exif_of_png, rows_of, stored_size
from .srgb import Conversion, conversion_of, describes_grey, in_srgb

REDUCING_GAP = 3.0  # what is left to be resized with care is at least that many times as large


def read_reduced(path: Path, size: int, background: str = "white") -> list[Image.Image] | None:
    """Return red, green and blue of a large picture at a longer side of `size`, read in strips.

    As `read_picture` or `read_deep_color` followed by `Image.resize(…, reducing_gap=3)`, which
    takes means of blocks before it resizes what they leave. Here the means are taken while the
    file is read, and of numbers that are not rounded to 8 bits. All 16 bits of opaque colours
    without a profile of their own count, however large the picture is.

    Returns
    -------
    list or None
        Three pictures of mode F, in 0..1 and, resized, a little beyond. None where nothing is
        gained: of a picture of no more than 2²⁴ pixels, or less than six times as long as `size`,
        or of a kind that Pillow must read whole, see `rows.can_stream`.

    Raises
    ------
    As `read_picture`, but for the memory that it needs.
    """
    with decoding.opened(path) as image, path.open("rb") as file:
        width, height = stored_size(image)
        shape = fit(width, height, size)
        block = int(width / shape[0] / REDUCING_GAP), int(height / shape[1] / REDUCING_GAP)
        large = width * height > decoding.HARMLESS and min(shape) >= SMALLEST_SIDE
        if not (large and min(block) > 1 and can_stream(image)):
            return None
        turn = _orientation(image, file)
        if turn is None or (describes_grey(image) and image.mode in ("RGB", "RGBA")):
            return None  # whether all its colours are greys is known when all of them are read
        convert = conversion_of(image, path)
        rows = block[1] * max(1, srgb.PIXELS // (width * block[1]))  # no block is in two bands
        bands = (
            _channels(numbers, convert, background)
            for numbers in _in_steps(rows_of(image, file), rows)
        )
        means = _means(bands, (width, height), block)
        box = (0, 0, width / block[0], height / block[1])
        return [
            _turned(channel.resize(shape, Image.Resampling.LANCZOS, box=box), turn)
            for channel in means
        ]


def _in_steps(pieces: Iterable[np.ndarray], step: int) -> Iterator[np.ndarray]:
    """The same rows in pieces of `step`, the last as high as is left."""
    held: list[np.ndarray] = []
    missing = step
    for piece in pieces:
        while len(piece) >= missing:
            yield np.concatenate([*held, piece[:missing]]) if held else piece[:missing]
            piece, held, missing = piece[missing:], [], step
        if len(piece):
            held.append(piece)
            missing -= len(piece)
    if held:
        yield np.concatenate(held)


def _channels(
    numbers: np.ndarray, convert: Conversion | None, background: str
) -> list[Image.Image]:
    """(rows, W, C) as they are stored → red, green and blue in sRGB, mode F in 0..1."""
    channels, deep = numbers.shape[2], numbers.dtype == np.uint16
    if deep and channels == 3 and convert is None:
        return [_plane(numbers[..., number], WHITE) for number in range(3)]
    if deep and channels > 1:
        numbers = (numbers >> 8).astype(np.uint8)
    band = Image.fromarray(np.ascontiguousarray(numbers[..., 0] if channels == 1 else numbers))
    colors = in_srgb(band, convert, background)
    if colors.mode == "F":
        return [colors] * 3
    array = np.asarray(colors)
    return [_plane(array[..., number], 255) for number in range(3)]


def _plane(numbers: np.ndarray, white: int) -> Image.Image:
    return Image.fromarray(numbers.astype(np.float32) / white)


def _means(
    bands: Iterable[list[Image.Image]], size: tuple[int, int], block: tuple[int, int]
) -> list[Image.Image]:
    """The means of blocks of (columns, rows), those at the border of what there is of them."""
    width, height = (-(-side // length) for side, length in zip(size, block, strict=True))
    means = [Image.new("F", (width, height)) for _ in range(3)]
    top = 0
    for channels in bands:
        reduced = [channel.reduce(block) for channel in channels]
        for whole, part in zip(means, reduced, strict=True):
            whole.paste(part, (0, top))
        top += reduced[0].height
    if top != height:
        raise EOFError("its pixels end too early")
    return means


def _orientation(image: ImageFile.ImageFile, file: BinaryIO) -> int | None:
    """How the picture is to be turned, as EXIF numbers it; None: its EXIF data cannot be read."""
    try:
        if not isinstance(image, PngImagePlugin.PngImageFile):
            return image.getexif().get(ExifTags.Base.Orientation, 1)
        if exif := exif_of_png(file):
            image.info["exif"] = exif
        # That of a PNG would read all of it, in search of what stands behind the pixels
        return Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    except Exception:  # the parser of EXIF raises anything
        return None


def _turned(channel: Image.Image, orientation: int) -> Image.Image:
    channel.getexif()[ExifTags.Base.Orientation] = orientation
    turned = ImageOps.exif_transpose(channel)
    assert turned is not None  # not in place
    return turned
