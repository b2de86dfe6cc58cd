"""From a tensor to a file: 8 or 16 bits a channel, with the settings that made the picture."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import ExifTags, Image, PngImagePlugin
from torch import Tensor

from ..checks import check_image
from ..storage.atomic import check_can_write, printable, replacing
from .deep import write_png, write_tiff
from .profile import srgb_profile
from .srgb import bands

SETTINGS_KEY = "nst_tutorial"
BITS = (8, 16)


@dataclass(frozen=True)
class Format:
    """What a kind of file can hold, and how Pillow is told to write it."""

    name: str
    options: dict[str, Any]
    most_bits: int = 8
    opacity: bool = True


_JPEG = Format("JPEG", {"quality": 95, "subsampling": 0}, opacity=False)
_TIFF = Format("TIFF", {"compression": "tiff_deflate"}, most_bits=16)
FORMATS = {
    ".png": Format("PNG", {}, most_bits=16),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": Format("WEBP", {"quality": 95}),
    ".tif": _TIFF,
    ".tiff": _TIFF,
}


def check_can_save(
    path: str | Path, *, bits: int = 8, dither: bool = False, opacity: bool = False
) -> Path:
    """Make the folder of `path` and try to write there, so that no work is done for nothing.

    Raises
    ------
    ValueError
        The suffix is none that `save_image` knows, or one of a format that cannot hold this.
    OSError
        The folder cannot be made or written to.
    """
    path = Path(path)
    _format_of(path, bits, dither, opacity)
    return check_can_write(path)


def _format_of(path: Path, bits: int, dither: bool, opacity: bool) -> Format:
    """The format that the suffix names, if it can hold such a picture."""
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{printable(path)}: the name must end in one of {', '.join(FORMATS)}")
    kind = FORMATS[path.suffix.lower()]
    if bits not in BITS or isinstance(bits, bool):
        raise ValueError(f"bits must be 8 or 16, got {bits!r}")
    if bits > kind.most_bits:
        raise ValueError(
            f"{printable(path)}: {kind.name} has 8 bits a channel; for {bits} the name must end "
            "in .png, .tif or .tiff"
        )
    if dither and bits > 8:
        raise ValueError(f"dither is for 8 bits a channel; {bits} need none")
    if opacity and not kind.opacity:
        raise ValueError(
            f"{printable(path)}: {kind.name} has no transparency; to keep it the name must end in "
            ".png, .webp, .tif or .tiff"
        )
    return kind


def to_pil(image: Tensor, dither: bool = False) -> Image.Image:
    """Return an 8-bit PIL picture of (1, 3, H, W) or (3, H, W), clamped to 0..1 and rounded.

    Parameters
    ----------
    dither
        Round up where the fraction exceeds a threshold that changes from pixel to pixel, so that
        the mean of neighbours keeps what one pixel cannot hold: slow changes show no bands, for a
        grain of half a grey level. Whole grey levels stay as they are.

    Raises
    ------
    ValueError
        No tensor, or one of another shape; whole numbers; values that are not finite.
    """
    image = _checked(image)
    picture = Image.new("RGB", (image.shape[3], image.shape[2]))
    for box in bands(picture):  # in float32, no second copy of a large picture
        top, bottom = box[1], box[3]
        levels = image[0, :, top:bottom].detach().float().clamp(0, 1) * 255
        if dither:
            t = thresholds(bottom - top, picture.width, top).to(levels)
            # x / 255 · 255 may miss x by a rounding error, and floor would make a grey level of it
            levels = (levels + 1e-4 + (1 - 2e-4) * t).floor()
        array = levels.round().byte().permute(1, 2, 0).cpu().numpy()
        picture.paste(Image.fromarray(array), box)
    return picture


def thresholds(height: int, width: int, top: int = 0) -> Tensor:
    """Return numbers in 0..1 that are spread evenly around each pixel: (3, H, W), float32.

    `top` is the first row: those of a part of a picture are those of the whole.

    The fraction of x/g + y/g² with the plastic number g³ = g + 1: the additive sequence of least
    discrepancy in two dimensions (Roberts, "The unreasonable effectiveness of quasirandom
    sequences", 2018). A third apart in the three channels, so that their errors do not add up in
    the luminance.
    """
    g = 1.32471795724474602596
    x, y = torch.arange(width).double(), torch.arange(top, top + height).double()
    plane = y[:, None] / g**2 + x / g
    return torch.stack([(plane + channel / 3) % 1 for channel in range(3)]).float()


def _checked(image: Tensor) -> Tensor:
    """A picture (1, 3, H, W), also of (3, H, W)."""
    if isinstance(image, Tensor) and image.dim() == 3:
        image = image[None]
    check_image("image", image)
    return image


def save_image(
    image: Tensor,
    path: str | Path,
    settings: dict | None = None,
    *,
    overwrite: bool = True,
    bits: int = 8,
    dither: bool = False,
    opacity: Tensor | None = None,
) -> Path:
    """Write a picture, and with it the settings that made it and an ICC profile, that of sRGB.

    The file is complete or not there at all. An existing one is replaced if `overwrite`. It is
    written in strips: no second copy of the picture in float32 is held. One of 4096×2731 pixels,
    134 MB itself, takes 30 to 90 MB more to write.

    Parameters
    ----------
    image
        (1, 3, H, W) or (3, H, W), sRGB; values outside 0..1 are clamped.
    path
        Its suffix chooses the format: .png, .jpg, .jpeg, .webp, .tif, .tiff.
    settings
        A dict that JSON can hold, kept inside the file; `load_settings` gives it back.
    bits
        A channel: 8, or 16 in PNG and TIFF.
    dither
        With 8 bits: see `to_pil`.
    opacity
        (1, 1, H, W): 0 is transparent, 1 opaque. None: all is opaque. Not in JPEG.

    Raises
    ------
    ValueError
        Wrong shape, values that are not finite, a suffix that is not known, a format that cannot
        hold it, a picture or settings too large for it, settings that JSON cannot hold.
    OSError
        The folder is missing or not writable, the disk is full; FileExistsError.
    """
    path = Path(path)
    kind = _format_of(path, bits, dither, opacity is not None)
    image = _checked(image)
    if opacity is not None:
        _check_opacity(opacity, image)
    text = None if settings is None else _as_json(settings)
    if bits == 8:
        content = _in_8_bits(to_pil(image, dither), opacity, kind, text, path)
        with replacing(path, overwrite=overwrite) as file:
            file.write(content)
        return path
    with replacing(path, overwrite=overwrite) as file:
        if kind.name == "PNG":
            write_png(file, image, opacity, {} if text is None else {SETTINGS_KEY: text})
        else:
            write_tiff(file, image, opacity, None if text is None else f"{SETTINGS_KEY} {text}")
    return path


def _check_opacity(opacity: Tensor, image: Tensor) -> None:
    shape = (1, 1, *image.shape[2:])
    if not isinstance(opacity, Tensor) or opacity.shape != shape:
        size = tuple(opacity.shape) if isinstance(opacity, Tensor) else type(opacity).__name__
        raise ValueError(f"opacity must be {shape} as the image, got {size}")
    if not (torch.isfinite(opacity).all() and opacity.min() >= 0 and opacity.max() <= 1):
        raise ValueError("opacity must lie in 0..1")


def _in_8_bits(
    picture: Image.Image, opacity: Tensor | None, kind: Format, text: str | None, path: Path
) -> memoryview:
    """The bytes of the file.

    First in memory: writing to the disk itself, Pillow would not notice that the disk took only a
    part of it.
    """
    options = {**kind.options, "format": kind.name, "icc_profile": srgb_profile()}
    if opacity is not None:
        alpha = (opacity[0, 0].detach().float() * 255).round().byte().cpu().numpy()
        picture.putalpha(Image.fromarray(alpha))
    if text is not None and kind.name == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_text(SETTINGS_KEY, text)
    elif text is not None:
        options["exif"] = Image.Exif()
        options["exif"][ExifTags.Base.ImageDescription] = f"{SETTINGS_KEY} {text}"
    content = io.BytesIO()
    try:
        picture.save(content, **options)
    except (OSError, ValueError) as error:
        raise ValueError(f"{printable(path)}: {kind.name} cannot hold it ({error})") from error
    return content.getbuffer()


def _as_json(settings: dict) -> str:
    if not isinstance(settings, dict):
        raise ValueError(f"settings must be a dict, got {type(settings).__name__}")
    try:
        return json.dumps(settings)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"settings must be what JSON can hold ({error})") from error
