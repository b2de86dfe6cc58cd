"""From the bytes of any common picture to its pixels, whatever the file holds."""

from __future__ import annotations

import stat
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps

from ..checks import SMALLEST_SIDE
from ..storage.atomic import printable
from .deep import BYTES_TO_READ, is_deep_color, take_lower_bits
from .formats import DEEP_MODES, Refused, opacity_of_deep_color, repair
from .srgb import profile_to_convert, to_srgb

MOST_PIXELS = 150_000_000  # refused above: a "decompression bomb" would fill the memory
MOST_BYTES = 1_000_000_000  # of memory to read a picture, its decoder's included
HARMLESS = 2**24  # this many pixels are read whatever the file, e.g. 4096×4096
RESIZED_BY = 3  # at least, of what is decoded at a smaller size than it has
MOST_PIXELS_A_BYTE = 100  # of a larger picture: photographs have under 50, a blank page 300

# Only what is common, and is read by decoders that do nothing but decode: Pillow would hand an EPS
# file to Ghostscript, which is a program for running programs.
FORMATS = (
    *("PNG", "JPEG", "MPO", "WEBP", "TIFF", "GIF", "BMP", "DIB", "AVIF", "HEIF"),
    *("JPEG2000", "PPM", "TGA", "PCX", "SGI", "PSD"),
)

# Bytes a pixel in memory: of the modes (4 for all others), and what decoders add (measured).
BYTES_OF_MODE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
BYTES_OF_DECODER = {"WEBP": 12, "TIFF": 4, "AVIF": 8, "HEIF": 8, "JPEG2000": 20, "SGI": 2}
BYTES_OF_PROGRESSIVE_JPEG = 8


def read_picture(path: Path, *, background: str = "white", size: int | None = None) -> Image.Image:
    """Return the picture in mode RGB (8 bits), or in mode F (grey in 0..1) if it has more bits.

    Turned as its EXIF data say, converted from its colour profile to sRGB, transparency over
    a `background` ("white" or "black"), the first frame of an animation. If it is wanted with a
    longer side of `size` only, a large JPEG may be smaller than its file says, of the same shape
    and at least three times that: see `_reduce`.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        Gone; a folder; not readable.
    ValueError
        Not a picture, damaged, too small or too large, or of a kind that would be misread.
    """
    with _loaded(path, size=size) as image:
        return to_srgb(image, path, background)


def read_opacity(path: Path) -> Image.Image | None:
    """Return how opaque each pixel is (mode L), turned as the picture; None: all of them fully.

    Raises what `read_picture` does.
    """
    with _loaded(path) as image:
        if not image.has_transparency_data:
            return None
        if image.mode in DEEP_MODES:
            opaque = np.asarray(image) != image.info["transparency"]
            return Image.fromarray(np.where(opaque, np.uint8(255), np.uint8(0)))
        return image.convert("RGBA").getchannel("A")


def read_deep_color(path: Path) -> tuple[Image.Image, Image.Image] | None:
    """Return the upper and the lower 8 bits of a picture of 16 bits a channel, both in mode RGB.

    None of any other picture, and where `read_picture` must do: where it has colours to convert or
    transparency, or is so large that 8 bits alone fit into the memory. Raises what that does.
    """
    with opened(path) as image:
        large = image.width * image.height * BYTES_TO_READ > MOST_BYTES
        if large or not is_deep_color(image) or profile_to_convert(image) is not None:
            return None
    with _loaded(path) as upper, _loaded(path, lower_bits=True) as lower:
        return upper, lower


@contextmanager
def _loaded(
    path: Path, *, lower_bits: bool = False, size: int | None = None
) -> Iterator[ImageFile.ImageFile]:
    """The picture with its pixels, its opacity among them, turned as its EXIF data say."""
    with opened(path) as image:
        _check_sides(*image.size)
        _check_memory(image)
        deep_key = repair(image)
        if lower_bits:
            take_lower_bits(image)
        if size is not None and image.width * image.height > HARMLESS:
            _reduce(image, size)
        image.load()
        _check_sides(*image.size)  # some decoders learn late how large it is
        if deep_key is not None:
            with opened(path) as again:
                image.putalpha(opacity_of_deep_color(image, again, deep_key))
        _turn(image, path)
        yield image


def _reduce(image: ImageFile.ImageFile, size: int) -> None:
    """Let a JPEG be decoded at an eighth, a quarter or half of its sides; others stay as they are.

    Its blocks have means of 2×2, 4×4 or 8×8 pixels ready. Where these divide the sides, so that its
    shape is exactly the same, and at least three times `size` is left to be resized with care.
    """
    for factor in (8, 4, 2):
        width, height = image.width // factor, image.height // factor
        exact = (factor * width, factor * height) == image.size
        if exact and max(width, height) >= RESIZED_BY * size:
            image.draft(None, (width, height))
            return


@contextmanager
def opened(path: Path) -> Iterator[ImageFile.ImageFile]:
    """The picture as Pillow gives it, its header read and nothing else; not if it is too large.

    Whatever goes wrong in the block is raised as `read_picture` says, naming the file.
    """
    name = printable(path)
    _check_file(path)
    try:
        with path.open("rb") as file:
            image = _identify(file)
            _check_pixels(path, *image.size)
            yield image
    except Refused as error:
        raise ValueError(f"{name}: {error}") from error.__cause__
    except MemoryError as error:
        raise MemoryError(f"{name}: too little memory to read it; make it smaller first") from error
    except PermissionError as error:
        raise PermissionError(f"{name}: no permission to read it; change its rights") from error
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{name}: it was there a moment ago, and is gone") from error
    except Exception as error:  # broken files make the decoders raise nearly anything
        raise ValueError(
            f"{name}: cannot be read as a picture ({error}); "
            f"open it in another program and save it anew as PNG or JPEG"
        ) from error


def _identify(file: BinaryIO) -> ImageFile.ImageFile:
    """Return the picture with its header read, as `Image.open` does.

    But that warns of large pictures, and to silence a warning is not safe among threads; we have
    a limit of our own.
    """
    Image.init()
    prefix = file.read(16)
    kind = None
    for name in FORMATS:
        factory, accepts = Image.OPEN.get(name, (None, None))
        if factory is None or (accepts is not None and accepts(prefix) is not True):
            continue
        try:
            file.seek(0)
            return factory(file, "")
        except (SyntaxError, IndexError, TypeError, struct.error):  # as Image.open
            kind = kind or (name if accepts is not None else None)
    raise Refused(
        f"cannot be read as a picture ({f'an unknown kind of {kind}' if kind else 'not a picture'})"
        "; open it in another program and save it anew as PNG or JPEG"
    )


def _check_file(path: Path) -> None:
    name, mode = printable(path), path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{name}: is a folder; name a picture in it")
    if not stat.S_ISREG(mode):
        raise ValueError(f"{name}: is not a regular file")
    if path.stat().st_size == 0:
        raise ValueError(f"{name}: the file is empty; copy or download it again")


def _check_sides(width: int, height: int) -> None:
    if min(width, height) < SMALLEST_SIDE:
        raise Refused(
            f"only {width}×{height} pixels; "
            f"each side needs at least {SMALLEST_SIDE}: take a larger or less narrow picture"
        )


def _check_pixels(path: Path, width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise Refused(
            f"{width}×{height} is {width * height / 1e6:.0f} megapixels, "
            f"over the limit of {MOST_PIXELS / 1e6:.0f}; make the picture smaller first"
        )
    length = path.stat().st_size
    if width * height > max(HARMLESS, MOST_PIXELS_A_BYTE * length):
        raise Refused(
            f"{width}×{height} pixels in a file of {length / 1000:.0f} kB: it is damaged, "
            "blank, or made to fill the memory; make the picture smaller first"
        )


def memory_to_read(image: Image.Image, *, turned: bool = False) -> int:
    """Return the bytes of memory that reading the picture takes at most.

    A picture that is no plain sRGB, or is to be turned, is copied, when the decoder has let go of
    its memory.
    """
    plain = image.mode == "RGB" and not image.has_transparency_data
    copied = turned or not plain or profile_to_convert(image) is not None
    progressive = BYTES_OF_PROGRESSIVE_JPEG if image.info.get("progressive") else 0
    decoder = BYTES_OF_DECODER.get(image.format or "", progressive)
    each = BYTES_OF_MODE.get(image.mode, 4) + max(decoder, 4 if copied else 0)
    return image.width * image.height * each


def _check_memory(image: Image.Image, *, turned: bool = False) -> None:
    """Refuse a picture that needs too much memory: a file can be padded, its pixels cannot."""
    need = memory_to_read(image, turned=turned)
    if need > MOST_BYTES:
        raise Refused(
            f"{image.width}×{image.height} pixels of this kind need {need / 1e9:.1f} GB to read, "
            f"over the limit of {MOST_BYTES / 1e9:.0f}; make the picture smaller first"
        )


def _turn(image: Image.Image, path: Path) -> None:
    """Turn the picture as its EXIF orientation says; leave one with broken EXIF data."""
    try:
        if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
            _check_memory(image, turned=True)
            ImageOps.exif_transpose(image, in_place=True)
    except Refused:
        raise
    except Exception as error:  # the parser of EXIF raises anything
        name = printable(path)
        warnings.warn(f"{name}: its EXIF data cannot be read ({error}); ignored", stacklevel=4)
