"""Small pieces of the studio's page, as HTML. Whatever comes from outside is escaped."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

from ...images.reading import load_image
from ...tiling.engine import is_out_of_memory
from ..live import to_jpeg
from .recipe import Picture, Recipe

THUMBNAIL = 120  # pixels


def in_words(error: BaseException, pictures: Sequence[Picture] = ()) -> str:
    """What went wrong, for somebody who has not written the program; pictures by their names."""
    if is_out_of_memory(error):
        return "There is not enough memory. Take a smaller size, or close other notebooks."
    known = isinstance(error, ValueError | OSError)
    text = str(error) if known else f"{type(error).__name__}: {error}"
    for picture in pictures:
        text = text.replace(str(picture.path), picture.name)
    return text


def alert(text: str) -> str:
    """An error, in words, where it is seen, and read aloud by a screen reader."""
    style = (
        "color:#7a0000;background:#fdecea;border-left:4px solid #b00020;padding:6px 10px;"
        "line-height:1.4;white-space:pre-wrap;overflow-wrap:anywhere"
    )
    return f'<div role="alert" style="{style}">{escape(text)}</div>'


def quiet(text: str) -> str:
    """What is going on."""
    style = "line-height:1.4;white-space:pre-wrap;overflow-wrap:anywhere"
    return f'<div role="status" style="{style}">{escape(text)}</div>'


def thumbnails(pictures: Sequence[Picture]) -> str:
    """The pictures, small, side by side, with their names below."""
    shown = []
    for picture in pictures:
        data = _thumbnail(picture.path, picture.path.stat().st_mtime)
        name = escape(picture.name, quote=True)
        shown.append(
            f'<figure style="margin:0 8px 0 0"><img src="{data}" alt="{name}" '
            'style="display:block;height:84px;width:auto">'
            f'<figcaption style="line-height:1.3">{name}</figcaption></figure>'
        )
    return f'<div style="display:flex;flex-wrap:wrap">{"".join(shown)}</div>'


@lru_cache(maxsize=64)
def _thumbnail(path: Path, changed: float) -> str:
    return _as_address("image/jpeg", to_jpeg(load_image(path, THUMBNAIL, enlarge=False)))


def _as_address(mime: str, content: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def as_code(recipe: Recipe, title: str) -> str:
    """The call and the command that make a picture, to be copied."""
    style = (
        "background:#f5f5f5;color:#111;padding:8px;margin:4px 0 10px;overflow-x:auto;"
        "line-height:1.35;font-size:12px;font-family:monospace"
    )
    blocks = "".join(
        f'<div>{name}</div><pre tabindex="0" style="{style}">{escape(code)}</pre>'
        for name, code in (("In Python", recipe.python()), ("In a terminal", recipe.shell()))
    )
    return f"<details open><summary><b>{escape(title)}</b></summary>{blocks}</details>"


def download(path: Path, kept: bool) -> str:
    """A link with the file inside; `kept`: the file stays here too, and where."""
    name = escape(path.name, quote=True)
    address = _as_address("image/png", path.read_bytes())
    where = f"Saved as <b>{escape(str(path))}</b>. " if kept else ""
    style = "text-decoration:underline;color:#0b57d0"
    link = f'<a href="{address}" download="{name}" style="{style}">Download {name}</a>'
    return f'<div role="status" style="line-height:1.4;overflow-wrap:anywhere">{where}{link}</div>'
