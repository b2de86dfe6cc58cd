"""The numbers of a large PNG or TIFF, a few rows at a time.

Pillow decodes a picture whole. So a PNG is unpacked in bands, and each is handed to Pillow as a
picture of its own; strips and tiles of a TIFF are decoded by tifffile, one after the other.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile, PngImagePlugin, TiffImagePlugin
from PIL import TiffImagePlugin as tiff

from .srgb import PIXELS

PIECE_BYTES = 2**18  # of a PNG's packed data, read at once
LAYOUTS = {  # of a PNG's pixels, in Pillow's words → channels, bytes of each number
    "L": (1, 1), "LA": (2, 1), "RGB": (3, 1), "RGBA": (4, 1),
    "I;16B": (1, 2), "LA;16B": (2, 2), "RGB;16B": (3, 2), "RGBA;16B": (4, 2),
}  # fmt: skip
WHOLE = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # bytes of a pixel → the mode that keeps them
HALVES = {6: "RGB", 8: "RGBA"}  # → the mode that keeps every second of them

LARGEST_STRIP = 2**26  # bytes of a strip or of a row of tiles, unpacked
GREY, RGB = 1, 2  # photometric interpretations
TOGETHER = 1  # planar configuration: the channels of a pixel stand together
UNPACKED, DEFLATED = (1,), (8, 32946)  # compressions that tifffile undoes by itself
DIFFERENCES = 2  # predictor: a number less that of the pixel before it
PREDICTOR = 317
UNSIGNED = 1


def can_stream(image: ImageFile.ImageFile) -> bool:
    """Whether `rows_of` reads such a picture, of which the header has been read and no more.

    A PNG of 8 or 16 bits a channel, not interlaced, without a transparent colour; a TIFF of grey or
    RGB, unsigned numbers of 8 or 16 bits, not packed or by deflate. Others Pillow reads whole.
    """
    if isinstance(image, PngImagePlugin.PngImageFile):
        simple = len(image.tile) == 1 and str(image.tile[0].args) in LAYOUTS
        return simple and not {"interlace", "transparency"} & image.info.keys()
    return isinstance(image, TiffImagePlugin.TiffImageFile) and _can_stream_tiff(image)


def stored_size(image: ImageFile.ImageFile) -> tuple[int, int]:
    """(W, H) as the rows lie in the file; of a TIFF that is to be turned, Pillow has it turned."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return image.tag_v2[tiff.IMAGEWIDTH], image.tag_v2[tiff.IMAGELENGTH]
    return image.size


def rows_of(image: ImageFile.ImageFile, file: BinaryIO) -> Iterator[np.ndarray]:
    """Yield the numbers of a picture that `can_stream`, from top to bottom.

    Each is (rows, W, C) of uint8 or uint16; C: 1 is grey, 2 grey and opacity, 3 RGB, 4 RGBA.
    `file` is the picture's, opened for reading bytes; its position is moved.

    Raises
    ------
    Exception
        Anything, if the file is damaged.
    """
    if isinstance(image, PngImagePlugin.PngImageFile):
        return _rows_of_png(image, file)
    return _rows_of_tiff(file)


# --- PNG -------------------------------------------------------------------------------------


def exif_of_png(file: BinaryIO) -> bytes | None:
    """The EXIF data of a PNG, which may stand behind its pixels."""
    for kind, length in _chunks(file):
        if kind == b"eXIf":
            return b"Exif\0\0" + file.read(length)
    return None


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """The kind and length of each chunk; meanwhile the file stands where its data begin."""
    position = 8  # behind the signature
    while True:
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            return
        length, kind = struct.unpack(">I4s", header)
        yield kind, length
        position += 12 + length  # and a checksum


def _rows_of_png(image: PngImagePlugin.PngImageFile, file: BinaryIO) -> Iterator[np.ndarray]:
    """Bands of rows, whose filters Pillow undoes.

    A filter refers to the row above (W3C, *Portable Network Graphics*, third edition, section 9).
    So each band is decoded with the last row of the one before it, as a row without a filter.
    """
    channels, depth = LAYOUTS[str(image.tile[0].args)]
    width, height = image.size
    length = width * channels * depth  # of a row, behind the byte that names its filter
    rows = max(1, PIXELS // width)
    counts = [min(rows, height - top) for top in range(0, height, rows)]
    above = bytes(length)
    for filtered in _unpacked(file, [count * (1 + length) for count in counts]):
        band = _unfiltered(b"\0" + above + filtered, width, channels * depth)
        above = band[-1].tobytes()
        numbers = band[1:] if depth == 1 else band[1:].view(">u2").astype(np.uint16)
        yield numbers.reshape(len(numbers), width, channels)


def _unpacked(file: BinaryIO, lengths: Sequence[int]) -> Iterator[bytes]:
    """The data of a PNG's chunks as one stream, unpacked, in parts of these lengths."""
    unpacker, pieces = zlib.decompressobj(), _packed(file)
    for length in lengths:
        part = bytearray()
        while len(part) < length:
            packed = unpacker.unconsumed_tail or next(pieces, b"")
            more = unpacker.decompress(packed, length - len(part))
            if not (packed or more):
                raise EOFError("its pixels end too early")
            part += more
        yield bytes(part)


def _packed(file: BinaryIO) -> Iterator[bytes]:
    for kind, length in _chunks(file):
        if kind == b"IDAT":
            for begin in range(0, length, PIECE_BYTES):
                yield file.read(min(PIECE_BYTES, length - begin))


def _unfiltered(data: bytes, width: int, pixel: int) -> np.ndarray:
    """Rows, each behind the byte that names its filter → (rows, bytes of a row), uint8.

    `pixel`: bytes of a pixel, the distance over which filters take differences.
    """
    rows = len(data) // (1 + width * pixel)
    packed = zlib.compress(data, level=0)

    def decoded(mode: str, layout: str) -> np.ndarray:
        band = Image.frombytes(mode, (width, rows), packed, "zip", layout)
        return np.asarray(band).reshape(rows, -1)

    if pixel in WHOLE:
        return np.ascontiguousarray(decoded(WHOLE[pixel], WHOLE[pixel]))
    mode = HALVES[pixel]
    upper, lower = (decoded(mode, f"{mode};16{order}") for order in "BL")
    return np.stack([upper, lower], axis=-1).reshape(rows, -1)


# --- TIFF ------------------------------------------------------------------------------------


def _can_stream_tiff(image: TiffImagePlugin.TiffImageFile) -> bool:
    tags = image.tag_v2
    bits = set(tags.get(tiff.BITSPERSAMPLE, (1,)))
    kinds = {(GREY, 1), (RGB, 3)}
    width, height = stored_size(image)
    compression, predictor = tags.get(tiff.COMPRESSION, 1), tags.get(PREDICTOR, 1)
    rows = tags.get(tiff.TILELENGTH, tags.get(tiff.ROWSPERSTRIP, height))
    strip = min(rows, height) * width * tags.get(tiff.SAMPLESPERPIXEL, 1) * max(bits) // 8
    return (
        bits in ({8}, {16})
        and (tags.get(tiff.PHOTOMETRIC_INTERPRETATION), tags.get(tiff.SAMPLESPERPIXEL, 1)) in kinds
        and set(tags.get(tiff.SAMPLEFORMAT, (UNSIGNED,))) == {UNSIGNED}
        and tags.get(tiff.PLANAR_CONFIGURATION, TOGETHER) == TOGETHER
        and tags.get(tiff.FILLORDER, 1) == 1
        and compression in UNPACKED + DEFLATED
        and predictor in (1, DIFFERENCES)
        and (strip <= LARGEST_STRIP or (compression in UNPACKED and tiff.TILELENGTH not in tags))
    )


def _rows_of_tiff(file: BinaryIO) -> Iterator[np.ndarray]:
    import tifffile

    file.seek(0)
    with tifffile.TiffFile(file) as opened:
        page = opened.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        if page.is_tiled:
            yield from _rows_of_tiles(page)
        elif page.compression in UNPACKED:
            yield from _rows_as_they_lie(page, file)
        else:
            for number in range(len(page.dataoffsets)):
                yield _segment(page, number)


def _segment(page, number: int) -> np.ndarray:
    """A strip or tile of a tifffile.TiffPage, (rows, columns, C); at a border what is inside."""
    handle = page.parent.filehandle
    handle.seek(page.dataoffsets[number])
    data = handle.read(page.databytecounts[number])
    numbers, (_, _, top, left, _), _ = page.decode(data, number)
    if numbers is None:
        raise EOFError("a part of its pixels is missing")
    inside = numbers[0, : page.imagelength - top, : page.imagewidth - left]
    return inside.astype(inside.dtype.newbyteorder("="), copy=False)


def _rows_of_tiles(page) -> Iterator[np.ndarray]:
    across = -(-page.imagewidth // page.tilewidth)
    for first in range(0, len(page.dataoffsets), across):
        yield np.concatenate([_segment(page, first + i) for i in range(across)], axis=1)


def _rows_as_they_lie(page, file: BinaryIO) -> Iterator[np.ndarray]:
    """Those of strips that are not packed, however high a strip is: of many files it is all."""
    channels = page.samplesperpixel
    kind = page.dtype.newbyteorder(page.parent.byteorder)
    length = page.imagewidth * channels * kind.itemsize
    most = max(1, PIXELS // page.imagewidth)
    for number, offset in enumerate(page.dataoffsets):
        strip = min(page.rowsperstrip, page.imagelength - number * page.rowsperstrip)
        for top in range(0, strip, most):
            rows = min(most, strip - top)
            file.seek(offset + top * length)
            data = file.read(rows * length)
            if len(data) < rows * length:
                raise EOFError("its pixels end too early")
            numbers = np.frombuffer(data, kind).reshape(rows, page.imagewidth, channels)
            yield numbers.astype(kind.newbyteorder("="))
