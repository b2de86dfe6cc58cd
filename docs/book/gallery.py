"""The gallery's page: small pictures, each of them a link to the whole one."""

from __future__ import annotations

import html
import io
import re
import shutil
from pathlib import Path

from PIL import Image

WIDTH = 720  # pixels: of the column of text
LARGEST = 90_000  # bytes of a small picture
QUALITIES = range(84, 40, -4)  # of WebP: below, brushwork is smeared
PICTURE = re.compile(r"^!\[(?P<alt>[^\]]*)\]\(\.\./(?P<path>images/gallery/[\w.]+)\)$", flags=re.M)


def with_thumbnails(text: str, root: Path, extra: Path) -> str:
    """The gallery, in Markdown, with small pictures that are loaded when they are near.

    They and the whole ones are written below `extra`, which the site takes over as it is. Width and
    height are told, so that nothing moves when a picture comes.

    Raises
    ------
    ValueError
        There is no picture, or one cannot be made small enough.
    """
    if not PICTURE.search(text):
        raise ValueError("the gallery has no pictures")

    def small(match: re.Match) -> str:
        path = Path(match["path"])
        thumbnail = path.parent / "small" / f"{path.stem}.webp"
        (extra / thumbnail).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / path, extra / path)
        width, height = write_thumbnail(root / path, extra / thumbnail)
        return (
            f'<p><a href="../{path.as_posix()}"><img class="figure" width="{width}" '
            f'height="{height}" loading="lazy" src="../{thumbnail.as_posix()}" '
            f'alt="{html.escape(match["alt"])}"></a></p>'
        )

    return PICTURE.sub(small, text)


def write_thumbnail(source: Path, target: Path) -> tuple[int, int]:
    """Write a picture in the width of a page, in at most `LARGEST` bytes; its width and height.

    Raises
    ------
    ValueError
        Even the lowest quality has more.
    """
    picture = Image.open(source).convert("RGB")
    if picture.width > WIDTH:
        height = round(WIDTH * picture.height / picture.width)
        picture = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
    for quality in QUALITIES:
        file = io.BytesIO()
        picture.save(file, "WebP", quality=quality, method=4)
        if file.tell() <= LARGEST:
            target.write_bytes(file.getvalue())
            return picture.size
    raise ValueError(f"{source}: no WebP {WIDTH} pixels wide is below {LARGEST} bytes")
