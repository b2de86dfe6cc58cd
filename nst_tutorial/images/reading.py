"""Pictures: files ↔ tensors of shape (1, 3, H, W), sRGB, float32, 0..1."""

from __future__ import annotations

import io
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import ExifTags, Image, PngImagePlugin
from torch import Tensor

from ..checks import LARGEST_SIZE, SMALLEST_SIDE, check_choice, check_image, check_integer
from ..storage.atomic import check_can_write, printable, replacing
from .catalog import bundled_paths, find_image, list_images
from .decoding import opened, read_picture
from .resizing import fit, resize
from .srgb import bands

SETTINGS_KEY = "nst_tutorial"

__all__ = [
    "SMALLEST_SIDE",
    "bundled_images",
    "check_can_save",
    "find_image",
    "list_images",
    "load_image",
    "load_settings",
    "resize",
    "save_image",
    "to_pil",
]

_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG"},
    ".jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".jpeg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".webp": {"format": "WEBP", "quality": 95},
    ".tif": {"format": "TIFF", "compression": "tiff_deflate"},
    ".tiff": {"format": "TIFF", "compression": "tiff_deflate"},
}


# --- reading ---------------------------------------------------------------------------------


def load_image(
    path: str | Path,
    size: int | None = None,
    *,
    kind: str | None = None,
    enlarge: bool = True,
    background: str = "white",
) -> Tensor:
    """Read a picture as it is meant to be seen.

    Turned as its EXIF data say, converted from its colour profile to sRGB, transparency over
    white, the first frame of an animation; grey, palette, CMYK and 16-bit pictures become RGB.

    >>> import nst_tutorial as nst
    >>> nst.load_image("temple", size=64).shape
    torch.Size([1, 3, 43, 64])

    Parameters
    ----------
    path
        A file, or the name of a picture in `images/content` or `images/style`.
    size
        Pixels of the longer side after resizing, with antialiasing, never squashed. None: as is.
    kind
        "content" or "style": look a name up in this folder only.
    enlarge
        False leaves a picture that is smaller than `size` as it is.
    background
        "white" or "black": what is seen where the picture is transparent.

    Returns
    -------
    Tensor
        (1, 3, H, W), float32, sRGB in 0..1.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        No such file or name; a folder; not readable.
    ValueError
        Not a picture, damaged, under 16 pixels a side, over 150 million pixels or 1 GB of memory
        while it is read, several pictures of this name, or `size` is no size.
    """
    check_choice("background", background, ("white", "black"))
    if size is not None:
        size = check_integer("size", size, SMALLEST_SIDE, LARGEST_SIZE)
    path = find_image(path, kind)
    image = read_picture(path, background=background)
    if size is not None and (enlarge or size < max(image.size)):
        width, height = fit(*image.size, size)
        if min(width, height) < SMALLEST_SIDE:
            raise ValueError(
                f"{printable(path)}: at size {size} only {width}×{height} pixels; each side needs "
                f"at least {SMALLEST_SIDE}: take a larger size, or a less narrow picture"
            )
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return _as_tensor(image)


@torch.inference_mode(False)  # one made in that mode could never be optimised
def _as_tensor(image: Image.Image) -> Tensor:
    """(1, 3, H, W) from mode RGB, or from mode F (grey in 0..1, a little beyond after resizing)."""
    tensor = torch.empty(1, 3, image.height, image.width, dtype=torch.float32)
    for box in bands(image):  # no second copy of a large picture
        band = tensor[0, :, box[1] : box[3]]
        array = torch.from_numpy(np.array(image.crop(box)))
        if image.mode == "F":
            band.copy_(array.clamp(0, 1))
        else:
            band.copy_(array.permute(2, 0, 1)).div_(255)
    return tensor


@lru_cache(maxsize=2)
def bundled_images(size: int) -> tuple[Tensor, ...]:
    """All pictures that come with the course, contents and styles, as `load_image` gives them."""
    return tuple(load_image(path, size) for path in bundled_paths())


# --- writing ---------------------------------------------------------------------------------


def check_can_save(path: str | Path) -> Path:
    """Make the folder of `path` and try to write there, so that no work is done for nothing.

    Raises
    ------
    ValueError
        The suffix is none that `save_image` knows.
    OSError
        The folder cannot be made or written to.
    """
    path = Path(path)
    if path.suffix.lower() not in _SAVE_OPTIONS:
        raise ValueError(
            f"{printable(path)}: the name must end in one of {', '.join(_SAVE_OPTIONS)}"
        )
    return check_can_write(path)


def to_pil(image: Tensor) -> Image.Image:
    """Return an 8-bit PIL picture of (1, 3, H, W) or (3, H, W), clamped to 0..1 and rounded.

    Raises
    ------
    ValueError
        No tensor, or one of another shape; whole numbers; values that are not finite.
    """
    if isinstance(image, Tensor) and image.dim() == 3:
        image = image[None]
    check_image("image", image)
    array = (image[0].detach().float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu()
    return Image.fromarray(array.numpy())


def save_image(
    image: Tensor, path: str | Path, settings: dict | None = None, *, overwrite: bool = True
) -> Path:
    """Write a picture, 8 bits a channel, and with it the settings that made it.

    The file is complete or not there at all. An existing one is replaced if `overwrite`.

    Parameters
    ----------
    image
        (1, 3, H, W) or (3, H, W), sRGB; values outside 0..1 are clamped.
    path
        Its suffix chooses the format: .png, .jpg, .jpeg, .webp, .tif, .tiff.
    settings
        A dict that JSON can hold, kept inside the file; `load_settings` gives it back.

    Raises
    ------
    ValueError
        Wrong shape, values that are not finite, a suffix that is not known, a picture or settings
        too large for the format, settings that JSON cannot hold.
    OSError
        The folder is missing or not writable, the disk is full; FileExistsError.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _SAVE_OPTIONS:
        raise ValueError(
            f"{printable(path)}: the name must end in one of {', '.join(_SAVE_OPTIONS)}"
        )
    options = dict(_SAVE_OPTIONS[suffix])
    picture = to_pil(image)
    if settings is not None:
        text = _as_json(settings)
        if suffix == ".png":
            options["pnginfo"] = PngImagePlugin.PngInfo()
            options["pnginfo"].add_text(SETTINGS_KEY, text)
        else:
            options["exif"] = Image.Exif()
            options["exif"][ExifTags.Base.ImageDescription] = f"{SETTINGS_KEY} {text}"
    # First in memory: writing to the disk itself, Pillow would not notice that the disk took only
    # a part of it.
    content = io.BytesIO()
    try:
        picture.save(content, **options)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{printable(path)}: {options['format']} cannot hold it ({error})"
        ) from error
    with replacing(path, overwrite=overwrite) as file:
        file.write(content.getbuffer())
    return path


def _as_json(settings: dict) -> str:
    if not isinstance(settings, dict):
        raise ValueError(f"settings must be a dict, got {type(settings).__name__}")
    try:
        return json.dumps(settings)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"settings must be what JSON can hold ({error})") from error


def load_settings(path: str | Path) -> dict:
    """Return the settings that `save_image` put into a picture.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        As `load_image`.
    ValueError
        Not a picture; it holds no settings of ours, or damaged ones.
    """
    path = find_image(path)
    name = printable(path)
    with opened(path) as image:
        text = image.info.get(SETTINGS_KEY)  # a PNG's; of all others, in the EXIF data
        description = "" if image.format == "PNG" else _description(image)
    if text is None and str(description).startswith(f"{SETTINGS_KEY} "):
        text = str(description).removeprefix(f"{SETTINGS_KEY} ")
    if text is None:
        raise ValueError(f"{name}: no settings of nst_tutorial are stored in this picture")
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: the settings stored in it are damaged ({error})") from error
    if not isinstance(settings, dict):
        raise ValueError(f"{name}: the settings stored in it are damaged (no mapping)")
    return settings


def _description(image: Image.Image) -> object:
    try:
        return image.getexif().get(ExifTags.Base.ImageDescription, "")
    except Exception:  # the parser of EXIF raises anything
        return ""
