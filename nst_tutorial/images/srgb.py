"""From the colours of a file to sRGB over an opaque background, a band of rows at a time."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageCms

from ..storage.atomic import printable
from .formats import DEEP_MODES, Refused, levels
from .profile import is_srgb

PIXELS = 2**18  # of a band: no third copy of a large picture is ever held
RAMP = Image.fromarray(np.arange(256, dtype=np.uint8)[None])  # every grey of 8 bits
SPACES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}  # of profiles → mode

Conversion = Callable[[Image.Image], Image.Image]  # a band → RGB


def to_srgb(image: Image.Image, path: Path, background: str = "white") -> Image.Image:
    """Return the picture in mode RGB, or in mode F (grey, 0..1) if it has more than 8 bits.

    `background` ("white" or "black") is seen where the picture is transparent. `path` is named in
    warnings.
    """
    return in_srgb(image, conversion_of(image, path, level=5), background)


def conversion_of(image: Image.Image, path: Path, *, level: int = 4) -> Conversion | None:
    """The map from the picture's colour profile to sRGB; None: its colours are taken as sRGB.

    A profile that cannot be used is told by a warning, `level` calls up.
    """
    profile = profile_to_convert(image)
    if profile is None:
        return None
    try:
        return _conversion(profile, RAMP if image.mode in DEEP_MODES else image)
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        text = f"its colour profile cannot be used ({error}); colours are taken as sRGB"
        warnings.warn(f"{printable(path)}: {text}", stacklevel=level)
        return None


def in_srgb(image: Image.Image, convert: Conversion | None, background: str) -> Image.Image:
    """As `to_srgb`; to a part of a picture the conversion of the whole can be given."""
    if image.mode in DEEP_MODES:
        return _deep_grey(image, convert, 1.0 if background == "white" else 0.0)
    if image.mode == "RGB" and convert is None and not image.has_transparency_data:
        return image
    result = Image.new("RGB", image.size, background)
    for box in bands(image):
        band = _unpacked(image.crop(box))
        colors = band.convert("RGB") if convert is None else convert(band)
        result.paste(colors, box, mask=_alpha(band))
    return result


def profile_to_convert(image: Image.Image) -> bytes | None:
    """The colour profile of a picture, if it has one and that is not the one we write."""
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "RGBA") and is_srgb(profile):
        return None
    return profile or None


def bands(image: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """Boxes (left, top, right, bottom) that cover the picture, from top to bottom."""
    rows = max(1, PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield 0, top, image.width, min(top + rows, image.height)


def _unpacked(image: Image.Image) -> Image.Image:
    """One value for each channel of each pixel: no palette, no alpha multiplied in."""
    if image.mode in ("1", "P", "PA", "La", "RGBa"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def _alpha(image: Image.Image) -> Image.Image | None:
    return image.convert("RGBA").getchannel("A") if image.has_transparency_data else None


def _deep_grey(image: Image.Image, convert: Conversion | None, background: float) -> Image.Image:
    """A grey picture of more than 8 bits, as numbers in 0..1.

    ImageCms works with 8 bits, so a profile is read off as a curve of 256 points.
    """
    level, key = levels(image), image.info.get("transparency")
    top = max(level.white, level.black)
    curve = None if convert is None else np.asarray(convert(RAMP))[0, :, 1] / 255
    result = Image.new("F", image.size)
    for box in bands(image):
        stored = np.asarray(image.crop(box))
        if not (np.isfinite(stored).all() and stored.min() >= 0 and stored.max() <= top):
            raise Refused(f"its values lie outside 0..{top:g}; save it as 8- or 16-bit picture")
        grey = (stored.astype(np.float32) - level.black) / (level.white - level.black)
        if curve is not None:
            grey = np.interp(grey, np.linspace(0, 1, 256), curve)
        if isinstance(key, int):
            grey = np.where(stored == key, background, grey)
        result.paste(Image.fromarray(grey.astype(np.float32)), box)
    return result


def _conversion(profile: bytes, image: Image.Image) -> Conversion:
    """Return the map from the colours of a picture, as its profile describes them, to sRGB.

    Raises
    ------
    PyCMSError, OSError, ValueError
        The profile is damaged, or is one for other pictures.
    """
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    mode = SPACES.get(space)
    if mode == "L":
        fits = _is_grey(image)
    elif mode == "RGB":
        fits = image.mode not in ("CMYK", "LAB")
    else:
        fits = mode == image.mode
    if mode is None or not fits:
        raise ValueError(f"a profile for {space}, in a picture of mode {image.mode}")
    # Optimised, LittleCMS draws a curve for greys that is off by ten levels near black.
    flags = ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.NONE
    transform = ImageCms.buildTransform(
        source, ImageCms.createProfile("sRGB"), mode, "RGB", flags=flags
    )
    return lambda band: transform.apply(band.convert(mode))


def describes_grey(image: Image.Image) -> bool:
    """Whether the picture's colour profile is one of greys, which not all pictures may have."""
    profile = profile_to_convert(image)
    return profile is not None and profile[16:20] == b"GRAY"  # ICC.1:2022, section 7.2.6


def _is_grey(image: Image.Image) -> bool:
    """Whether red, green and blue agree in every pixel."""
    if image.mode in ("1", "L", "LA", "La"):
        return True
    if image.mode in ("CMYK", "LAB"):
        return False
    channels = (_unpacked(image.crop(box)).convert("RGB").split() for box in bands(image))
    return all(
        ImageChops.difference(one, other).getbbox() is None
        for red, green, blue in channels
        for one, other in ((red, green), (green, blue))
    )
