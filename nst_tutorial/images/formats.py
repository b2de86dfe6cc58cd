"""What Pillow misreads in TIFF and PNG files: repaired before the pixels are read, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageChops, ImageFile, PngImagePlugin, TiffImagePlugin
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    IMAGELENGTH,
    IMAGEWIDTH,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    SAMPLEFORMAT,
)

WHITE_IS_ZERO = 0  # a photometric interpretation
SIGNED = 2  # a sample format
SEPARATE = 2  # a planar configuration: first all red, then all green, then all blue
DEEP_MODES = ("F", "I", "I;16", "I;16B", "I;16L", "I;16N")  # more than 8 bits


class Refused(ValueError):
    """A picture that can be read, but not used; the message lacks the name of the file."""


@dataclass(frozen=True)
class Levels:
    """The number that is white in a grey picture of more than 8 bits, and the one that is black."""

    white: float
    black: float = 0.0


def levels(image: Image.Image) -> Levels:
    """Return what is white and what is black in a picture of more than 8 bits."""
    top = 1.0 if image.mode == "F" else 65535.0
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return Levels(top)
    if _bits(image) == 12:
        top = 4095.0
    if image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == WHITE_IS_ZERO:
        return Levels(white=0.0, black=top)
    return Levels(top)


def repair(image: ImageFile.ImageFile) -> tuple[int, int, int] | None:
    """Make Pillow read the pixels rightly; call it before `load`.

    Returns
    -------
    tuple or None
        The transparent colour of a PNG of 16 bits a channel, which 8 bits cannot tell from others:
        see `opacity_of_deep_color`.

    Raises
    ------
    Refused
        Of a kind that would be read wrongly.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        _repair_tiff(image)
    if isinstance(image, PngImagePlugin.PngImageFile):
        return _repair_png(image)
    return None


# --- TIFF ------------------------------------------------------------------------------------


def _bits(image: TiffImagePlugin.TiffImageFile) -> int:
    return max(image.tag_v2.get(BITSPERSAMPLE, (1,)))


def _repair_tiff(image: TiffImagePlugin.TiffImageFile) -> None:
    tags, remedy = image.tag_v2, "save it anew as 8- or 16-bit picture"
    if SIGNED in tags.get(SAMPLEFORMAT, ()):
        raise Refused(f"its values are signed numbers, of which none is white; {remedy}")
    if image.mode == "I":
        raise Refused(f"its values are whole numbers of {_bits(image)} bits; {remedy}")
    deep_ink = image.mode == "CMYK" and _bits(image) == 16 and image.tile[0].codec_name == "raw"
    misread = deep_ink or image.mode in ("LA", "La", "PA", "LAB")
    if misread and tags.get(PLANAR_CONFIGURATION) == SEPARATE:
        raise Refused("its channels are stored one after the other; save it anew as PNG")
    image.tile = [
        tile._replace(args=_arguments(image, tile.args)) if isinstance(tile.args, tuple) else tile
        for tile in image.tile
    ]
    # With no memory of its own yet, `load` would warn of pictures over a limit of Pillow's.
    image.im = Image.new(image.mode, (tags[IMAGEWIDTH], tags[IMAGELENGTH]), None).im


def _arguments(image: TiffImagePlugin.TiffImageFile, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a decoder is told: first the layout of the numbers, which Pillow has wrong at times."""
    layout, *others = arguments
    if layout == "F;32BF" and others[-1] == image.tag_v2.offset:  # libtiff has swapped the bytes
        layout = "F;32NF"
    elif len(layout) == 1 and _bits(image) == 16 and image.mode in ("RGB", "RGBA"):
        layout += ";16L" if image.tag_v2.prefix == b"II" else ";16B"  # a plane, taken for 8 bits
    return layout, *others


# --- PNG -------------------------------------------------------------------------------------


def _repair_png(image: PngImagePlugin.PngImageFile) -> tuple[int, int, int] | None:
    """Bring the transparent grey or colour to the 8 bits of the pixels: it has as many as the file.

    A colour of 16 bits is returned: 8 would make its neighbours transparent as well.
    """
    key, rawmode = image.info.get("transparency"), str(image.tile[0].args)
    if image.mode == "L" and isinstance(key, int):
        most = {"L;2": 3, "L;4": 15}.get(rawmode, 255)
        image.info["transparency"] = (key & most) * 255 // most
    elif image.mode == "RGB" and isinstance(key, tuple) and rawmode == "RGB;16B":
        del image.info["transparency"]
        return key
    return None


def opacity_of_deep_color(
    image: Image.Image, again: ImageFile.ImageFile, key: tuple[int, int, int]
) -> Image.Image:
    """Return the alpha channel (L) of a PNG of 16 bits a channel, one colour being transparent.

    `image` holds the upper 8 bits of each number; `again` is the same file, not read yet, of which
    the lower 8 are read.
    """
    again.tile = [again.tile[0]._replace(args="RGB;16L")]  # its bytes swapped
    again.load()
    differs = Image.new("L", image.size)
    for values, part in ((image, [k >> 8 for k in key]), (again, [k & 255 for k in key])):
        for band, value in zip(values.split(), part, strict=True):
            differs = ImageChops.lighter(differs, band.point(lambda x, v=value: 255 * (x != v)))
    return differs
