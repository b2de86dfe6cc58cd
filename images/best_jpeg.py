"""The best JPEG of a picture that is not too large a file: what the scripts beside it store."""

from __future__ import annotations

import io

from PIL import Image

QUALITIES = range(92, 40, -2)


def best_jpeg(picture: Image.Image, largest: int) -> bytes:
    """Return the JPEG of the highest quality that has at most `largest` bytes.

    Raises
    ------
    ValueError
        Even the lowest quality has more.
    """
    for quality in QUALITIES:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality, optimize=True)
        if len(file.getvalue()) <= largest:
            return file.getvalue()
    raise ValueError(f"no JPEG of {picture.width}×{picture.height} is below {largest} bytes")
