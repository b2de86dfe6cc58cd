"""A small picture of a file, by which it is recognised in a list."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

from ..images.decoding import read_picture

THUMBNAIL = (152, 100)  # pixels: twice as many as the page gives it


@lru_cache(maxsize=256)
def _small_picture(path: Path, changed: float) -> bytes:
    try:
        picture = read_picture(path)
    except (ValueError, OSError):  # it is told when it is chosen
        return b""
    if picture.mode == "F":
        picture = picture.point(lambda value: value * 255).convert("L")
    picture = picture.convert("RGB")
    picture.thumbnail((2 * THUMBNAIL[0], THUMBNAIL[1]))
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=85)
    return buffer.getvalue()


def small_picture(path: Path) -> bytes:
    """A small JPEG of a picture file; nothing if it cannot be read.

    By Pillow, since torch's threads would take cores from an optimisation that runs.
    """
    return _small_picture(path, path.stat().st_mtime)
