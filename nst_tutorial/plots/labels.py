"""Text from outside on a figure: names of files, reasons of failures, in any script, of any length.

Names may hold what no installed font can draw, what matplotlib takes for mathematics ("$x$"), or
what would break a line in the middle of a figure.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable
from functools import cache

from matplotlib import font_manager, rcParams
from matplotlib.figure import Figure
from rich.cells import cell_len, chop_cells

from ..checks import printable
from .figure import DPI

REPLACEMENT = "�"  # for a character that no font here has


def shortened(text: str, cells: int) -> str:
    """The text, or its beginning and end, in as many cells; a Chinese character takes two."""
    if cell_len(text) <= cells:
        return text
    half = max(1, (cells - 1) // 2)
    return f"{chop_cells(text, half)[0]}…{chop_cells(text[::-1], half)[0][::-1]}"


def wrapped(text: str, cells: int, most: int) -> str:
    """The text in lines of at most `cells` cells, each line of it in at most `most`."""
    lines = []
    for line in text.split("\n"):
        short = shortened(line, cells * most)
        pieces = textwrap.wrap(short, cells) or [""]
        pieces = [part for piece in pieces for part in chop_cells(piece, cells) or [""]]
        lines += pieces if len(pieces) <= most else chop_cells(short, cells)
    return "\n".join(lines)


def wrapped_to_fit(text: str, width: float, most: int, fontsize: float) -> str:
    """The text in lines of at most `width` inches, each line of it in at most `most`."""
    cells = max(4, int(width * DPI / 6))  # letters of a usual width at 8 points
    lines = wrapped(text, cells, most)
    wider = extent([lines], fontsize, drawn_as_is([lines]))[0] / width
    return lines if wider <= 1 else wrapped(text, max(4, int(cells / wider)), most)


def drawn_as_is(texts: Iterable[str]) -> dict:
    """The options of a matplotlib text that draw these texts, and nothing else, letter by letter.

    The fonts: those that are set, and of those installed what they lack. No mathematics.
    """
    return {"fontfamily": [*rcParams["font.family"], *_more_fonts(set().union(*texts))],
            "parse_math": False}  # fmt: skip


def drawable(text: str) -> str:
    """The text without what no font here can draw: a replacement stands for it, or nothing if it
    has no width, as the invisible parts of emoji. Control characters are spelt out.
    """
    lines = [printable(line) for line in text.split("\n")]
    missing = set().union(*lines) - _characters(_default_font())
    files = _regular_fonts()
    for family in _more_fonts(missing):
        missing -= _characters(files[family])
    return "\n".join(
        "".join((REPLACEMENT if cell_len(c) else "") if c in missing else c for c in line)
        for line in lines
    )


def extent(texts: Iterable[str], fontsize: float, style: dict) -> tuple[float, float]:
    """The width of the widest and the height of the highest of these texts, in inches."""
    figure = Figure(dpi=DPI)
    drawn = [figure.text(0, 0, text, fontsize=fontsize, **style) for text in texts]
    boxes = [text.get_window_extent() for text in drawn]
    return max(box.width for box in boxes) / DPI, max(box.height for box in boxes) / DPI


def _more_fonts(characters: Iterable[str]) -> list[str]:
    """The fewest installed families that have what the default font lacks, as far as any has."""
    missing = {c for c in characters if _has_shape(c)} - _characters(_default_font())
    files = _regular_fonts() if missing else {}
    chosen: list[str] = []
    while missing:
        best = max(sorted(files), key=lambda name: len(missing & _characters(files[name])))
        gained = missing & _characters(files[best])
        if not gained:
            break
        chosen.append(best)
        missing -= gained
    return chosen


def _has_shape(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Zs")


def _default_font() -> str:
    return font_manager.findfont(font_manager.FontProperties())


def _regular_fonts() -> dict[str, str]:
    """Family → file of the fonts that matplotlib takes for upright text of normal weight."""
    return {
        font.name: font.fname
        for font in font_manager.fontManager.ttflist
        if (font.style, font.weight, font.stretch) == ("normal", 400, "normal")
        and "lastresort" not in font.name.lower().replace(" ", "")  # draws a box for anything
    }


@cache
def _characters(file: str) -> frozenset[str]:
    """What a font has outlines for; none, if it cannot be read or is made of pixels."""
    try:
        font = font_manager.get_font(file)
        return frozenset(map(chr, font.get_charmap())) if font.scalable else frozenset()
    except (OSError, RuntimeError):
        return frozenset()
