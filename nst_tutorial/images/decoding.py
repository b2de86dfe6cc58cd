"""From the bytes of any common picture to sRGB as it is meant to be seen."""

from __future__ import annotations

import io
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from ..checks import SMALLEST_SIDE

MOST_PIXELS = 150_000_000  # refused above: a "decompression bomb" would fill the memory
HARMLESS = 2**24  # so many pixels are read whatever the file, e.g. 4096×4096
MOST_PIXELS_A_BYTE = 100  # of a larger picture: photographs have under 50, a blank page 300

# Only what is common, and is read by decoders that do nothing but decode: Pillow would hand an EPS
# file to Ghostscript, which is a program for running programs.
FORMATS = (
    *("PNG", "JPEG", "MPO", "WEBP", "TIFF", "GIF", "BMP", "DIB", "AVIF", "HEIF"),
    *("JPEG2000", "PPM", "TGA", "PCX", "SGI", "PSD"),
)


def read_picture(path: Path) -> Image.Image:
    """Return the picture in mode RGB (8 bits), or in mode F (grey in 0..1) if it has more bits.

    Turned as its EXIF data say, converted from its colour profile to sRGB, transparency over
    white, the first frame of an animation.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        Gone; a folder; not readable.
    ValueError
        Not a picture, damaged, too small or too large.
    """
    with opened(path) as image:
        _check_sides(path, *image.size)
        image.load()
        _check_sides(path, *image.size)  # some decoders learn late how large it is
        _turn(image, path)
        return _to_srgb(image, path)


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """The picture as Pillow gives it, its header read and nothing else; not if it is too large.

    Whatever goes wrong in the block is raised as `read_picture` says, naming the file.
    """
    _check_file(path)
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", message="Corrupt EXIF")
            warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
            Image.init()
            image = Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN])
            _check_pixels(path, *image.size)
            yield image
    except (MemoryError, _Refused):
        raise
    except PermissionError as error:
        raise PermissionError(f"{path}: no permission to read it; change its rights") from error
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path}: it was there a moment ago, and is gone") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"{path}: {error}; make the picture smaller first") from error
    except Exception as error:  # broken files make the decoders raise nearly anything
        raise unreadable(path, error) from error


class _Refused(ValueError):
    """A picture that can be read, but not used."""


def unreadable(path: Path, error: Exception) -> ValueError:
    reason = "not a picture" if isinstance(error, Image.UnidentifiedImageError) else str(error)
    return ValueError(
        f"{path}: cannot be read as a picture ({reason}); "
        f"open it in another program and save it anew as PNG or JPEG"
    )


def _check_file(path: Path) -> None:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{path}: is a folder; name a picture in it")
    if not stat.S_ISREG(mode):
        raise _Refused(f"{path}: is not a regular file")
    if path.stat().st_size == 0:
        raise _Refused(f"{path}: the file is empty; copy or download it again")


def _turn(image: Image.Image, path: Path) -> None:
    """Turn the picture as its EXIF orientation says; leave one with broken EXIF data."""
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except Exception as error:  # the parser of EXIF raises anything
        warnings.warn(f"{path}: its EXIF data cannot be read ({error}); ignored", stacklevel=4)


def _check_sides(path: Path, width: int, height: int) -> None:
    if min(width, height) < SMALLEST_SIDE:
        raise _Refused(
            f"{path}: only {width}×{height} pixels; "
            f"each side needs at least {SMALLEST_SIDE}: take a larger or less narrow picture"
        )


def _check_pixels(path: Path, width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise _Refused(
            f"{path}: {width}×{height} is {width * height / 1e6:.0f} megapixels, "
            f"over the limit of {MOST_PIXELS / 1e6:.0f}; make the picture smaller first"
        )
    length = path.stat().st_size
    if width * height > max(HARMLESS, MOST_PIXELS_A_BYTE * length):
        raise _Refused(
            f"{path}: {width}×{height} pixels in a file of {length / 1000:.0f} kB: it is damaged, "
            "blank, or made to fill the memory; make the picture smaller first"
        )


def _to_srgb(image: Image.Image, path: Path) -> Image.Image:
    """Return the picture in mode RGB, or in mode F (grey, 0..1) if it has more than 8 bits."""
    if image.mode in ("F", "I") or image.mode.startswith("I;16"):
        array = np.asarray(image, dtype=np.float32)
        top = 1.0 if image.mode == "F" else 65535.0
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= top):
            raise _Refused(
                f"{path}: its values lie outside 0..{top:g}; save it as 8- or 16-bit picture"
            )
        return Image.fromarray(array / top)
    has_alpha = image.has_transparency_data
    profile = image.info.get("icc_profile")
    if image.mode in ("P", "PA", "1", "La", "RGBa"):
        image = image.convert("RGBA" if has_alpha else "RGB")
    alpha = image.convert("RGBA").getchannel("A") if has_alpha else None
    if profile:
        image = _apply_profile(image, profile, path)
    image = image.convert("RGB")
    if alpha is not None:
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=alpha)
        return white
    return image


def _apply_profile(image: Image.Image, profile: bytes, path: Path) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        grey = source.profile.xcolor_space.strip() == "GRAY"
        mode = "L" if grey else image.mode if image.mode in ("RGB", "CMYK", "LAB") else "RGB"
        return ImageCms.profileToProfile(
            image.convert(mode), source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        warnings.warn(
            f"{path}: its colour profile cannot be used ({error}); colours are taken as sRGB",
            stacklevel=5,
        )
        return image
