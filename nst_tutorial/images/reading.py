"""Pictures: files ↔ tensors of shape (1, 3, H, W), sRGB, float32, 0..1."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import ExifTags, Image
from torch import Tensor

from ..checks import LARGEST_SIZE, SMALLEST_SIDE, check_choice, check_integer
from ..storage.atomic import printable
from .catalog import bundled_paths, find_image, list_images
from .decoding import opened, read_deep_color, read_opacity, read_picture
from .deep import deep_tensor
from .reduced import read_reduced
from .resizing import fit, resize
from .srgb import bands
from .writing import SETTINGS_KEY, check_can_save, save_image, to_pil

__all__ = [
    "SETTINGS_KEY",
    "SMALLEST_SIDE",
    "bundled_images",
    "check_can_save",
    "find_image",
    "list_images",
    "load_image",
    "load_opacity",
    "load_settings",
    "resize",
    "save_image",
    "to_pil",
]


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
    white, the first frame of an animation; grey, palette and CMYK pictures become RGB. All 16 bits
    a channel of grey ones count, and of opaque RGB ones in sRGB up to 62 megapixels; of others the
    upper 8. A large PNG or TIFF of which a sixth of its size or less is wanted is reduced while it
    is read, in little memory and with all 16 bits; a large JPEG from a half to an eighth, where its
    sides allow.

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
        where it is read whole, several pictures of this name, or `size` is no size.
    """
    check_choice("background", background, ("white", "black"))
    if size is not None:
        size = check_integer("size", size, SMALLEST_SIDE, LARGEST_SIZE)
    path = find_image(path, kind)
    if size is not None and (channels := read_reduced(path, size, background)) is not None:
        return torch.cat([_as_tensor(channel)[:, :1] for channel in channels], dim=1)
    halves = read_deep_color(path)
    if halves is not None:
        upper, lower = halves
        return deep_tensor(upper, lower, _shape(path, *upper.size, size, enlarge))
    image = read_picture(path, background=background, size=size)
    return _as_tensor(_resized(image, _shape(path, *image.size, size, enlarge)))


def load_opacity(
    path: str | Path, size: int | None = None, *, kind: str | None = None, enlarge: bool = True
) -> Tensor | None:
    """Return how opaque a picture is, in the size in which `load_image` returns its colours.

    Returns
    -------
    Tensor or None
        (1, 1, H, W), float32: 0 is transparent, 1 opaque. None: there is no transparency in it.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError, ValueError
        As `load_image`.
    """
    if size is not None:
        size = check_integer("size", size, SMALLEST_SIDE, LARGEST_SIZE)
    path = find_image(path, kind)
    opacity = read_opacity(path)
    if opacity is None:
        return None
    resized = np.array(_resized(opacity, _shape(path, *opacity.size, size, enlarge)), np.float32)
    return torch.from_numpy(resized)[None, None].div_(255)


def _shape(path: Path, width: int, height: int, size: int | None, enlarge: bool) -> tuple[int, int]:
    """Width and height in which a picture is wanted."""
    if size is None or (size >= max(width, height) and not enlarge):
        return width, height
    width, height = fit(width, height, size)
    if min(width, height) < SMALLEST_SIDE:
        raise ValueError(
            f"{printable(path)}: at size {size} only {width}×{height} pixels; each side needs "
            f"at least {SMALLEST_SIDE}: take a larger size, or a less narrow picture"
        )
    return width, height


def _resized(image: Image.Image, shape: tuple[int, int]) -> Image.Image:
    if image.size == shape:
        return image
    return image.resize(shape, Image.Resampling.LANCZOS, reducing_gap=3.0)


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


# --- settings ----------------------------------------------------------------------------------


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
