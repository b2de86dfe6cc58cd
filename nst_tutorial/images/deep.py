"""Colours of 16 bits a channel, which Pillow neither writes into a PNG nor reads as more than 8."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageFile
from torch import Tensor

from .profile import srgb_profile
from .srgb import bands

WHITE = 65535
STRIP_VALUES = 2**20  # of a strip that is packed at once
SIGNATURE = b"\x89PNG\r\n\x1a\n"
RGB, RGBA = 2, 6  # the kinds of colour in a PNG
TILE = 256  # pixels a side of a tile in a TIFF, a multiple of 16
BEFORE = b"\x01"  # the filter of a PNG's row: each byte less that of the pixel before it


# --- writing ---------------------------------------------------------------------------------


def strips(image: Tensor, opacity: Tensor | None, rows: int | None = None) -> Iterator[np.ndarray]:
    """(1, 3, H, W) and (1, 1, H, W) in 0..1 → rows of numbers in 0..65535, from top to bottom.

    Each is (rows, W, 3) or (rows, W, 4), and the last as high as is left.
    """
    planes = [*image[0]] if opacity is None else [*image[0], opacity[0, 0]]
    height, width = image.shape[2:]
    rows = rows or max(1, STRIP_VALUES // (width * len(planes)))
    for top in range(0, height, rows):
        strip = np.empty((min(rows, height - top), width, len(planes)), np.uint16)
        for number, plane in enumerate(planes):
            levels = plane[top : top + rows].detach().double().clamp(0, 1) * WHITE
            strip[..., number] = levels.round().cpu().numpy()
        yield strip


def write_png(file: BinaryIO, image: Tensor, opacity: Tensor | None, texts: dict[str, str]) -> None:
    """Write a PNG of 16 bits a channel, strip by strip.

    By the standard itself (W3C, *Portable Network Graphics*, third edition, sections 5, 9 and 11),
    since no library that we depend on does it.

    Parameters
    ----------
    file
        Opened for writing bytes.
    image, opacity
        (1, 3, H, W) and (1, 1, H, W) or None; 0..1.
    texts
        Keyword → ASCII text.
    """
    height, width = image.shape[2:]
    kind = RGB if opacity is None else RGBA
    file.write(SIGNATURE)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    _write_chunk(file, b"IHDR", header)
    _write_chunk(file, b"iCCP", b"sRGB\0\0" + zlib.compress(srgb_profile()))
    for keyword, text in texts.items():
        _write_chunk(file, b"tEXt", keyword.encode("ascii") + b"\0" + text.encode("ascii"))
    packer = zlib.compressobj()
    for strip in strips(image, opacity):
        _write_chunk(file, b"IDAT", packer.compress(_filtered(strip)))
    _write_chunk(file, b"IDAT", packer.flush())
    _write_chunk(file, b"IEND", b"")


def _write_chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data)
    file.write(struct.pack(">I", zlib.crc32(kind + data)))


def _filtered(strip: np.ndarray) -> bytes:
    """(h, W, C) → the bytes of its rows, the higher of each number first, behind their filter."""
    height, _, channels = strip.shape
    rows = np.ascontiguousarray(strip, ">u2").view(np.uint8).reshape(height, -1)
    differences = rows.copy()
    differences[:, 2 * channels :] -= rows[:, : -2 * channels]  # modulo 256
    filters = np.full((height, 1), BEFORE[0], np.uint8)
    return np.concatenate([filters, differences], axis=1).tobytes()


def write_tiff(
    file: BinaryIO, image: Tensor, opacity: Tensor | None, description: str | None
) -> None:
    """Write a TIFF of 16 bits a channel, tile by tile; as `write_png`."""
    import tifffile

    tiles = (
        strip[:, left : left + TILE]
        for strip in strips(image, opacity, TILE)
        for left in range(0, image.shape[3], TILE)
    )
    with tifffile.TiffWriter(file) as writer:
        writer.write(
            tiles,
            shape=(*image.shape[2:], 3 if opacity is None else 4),
            dtype=np.uint16,
            tile=(TILE, TILE),
            photometric="rgb",
            extrasamples=None if opacity is None else ["unassalpha"],
            compression="zlib",
            predictor=True,
            maxworkers=1,  # others would hold as many tiles as there are
            description=description,
            metadata=None,
            software=False,
            iccprofile=srgb_profile(),
        )


# --- reading ---------------------------------------------------------------------------------

BYTES_TO_READ = 16  # a pixel: both halves of its numbers, and one channel put together and resized
SWAPPED = {"RGB;16B": "RGB;16L", "RGB;16L": "RGB;16B"}
SWAPPED["RGB;16N"] = "RGB;16B" if np.little_endian else "RGB;16L"  # libtiff has made them native


def is_deep_color(image: Image.Image) -> bool:
    """Whether Pillow would drop the lower 8 of 16 bits of an opaque RGB picture, not loaded yet."""
    return image.mode == "RGB" and not image.has_transparency_data and _layout(image) in SWAPPED


def _layout(image: Image.Image) -> str:
    """How the numbers lie in the file, in Pillow's words."""
    tiles = getattr(image, "tile", None)
    arguments = tiles[0].args if tiles else None
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def take_lower_bits(image: ImageFile.ImageFile) -> None:
    """Let `load` read the lower 8 bits of each number in place of the upper: its bytes swapped."""
    layout = SWAPPED[_layout(image)]
    image.tile = [
        tile._replace(args=(layout, *tile.args[1:]) if isinstance(tile.args, tuple) else layout)
        for tile in image.tile
    ]


def channel(upper: Image.Image, lower: Image.Image, number: int) -> Image.Image:
    """Return one channel of 0..1 (mode F) from the upper and lower 8 bits of its numbers."""
    values = Image.new("F", upper.size)
    for box in bands(values):
        high, low = (
            np.asarray(half.crop(box).getchannel(number), np.float32) for half in (upper, lower)
        )
        values.paste(Image.fromarray((256 * high + low) / WHITE), box)
    return values


def deep_tensor(upper: Image.Image, lower: Image.Image, size: tuple[int, int]) -> Tensor:
    """(1, 3, H, W) in 0..1 of `size` (W, H), from both halves of a picture's numbers."""
    tensor = torch.empty(1, 3, size[1], size[0], dtype=torch.float32)
    for number in range(3):
        values = channel(upper, lower, number)
        if values.size != size:
            values = values.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        for box in bands(values):
            band = torch.from_numpy(np.array(values.crop(box)))
            tensor[0, number, box[1] : box[3]] = band.clamp_(0, 1)
    return tensor
