"""Figures on dark pages: what is grey turns round, colours and pictures stay."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import matplotlib.figure
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from .figure import DPI

LIGHTEST, DARKEST = 0.88, 0.07  # what black and white turn into
GREY = 0.02  # the largest difference of a grey's channels
QUALITY = 90  # of WebP, for photographs


def to_dark_bytes(figure: matplotlib.figure.Figure, kind: str = "png") -> bytes:
    """The figure for a dark page, in light ink on no paper: a PNG file, or WebP for "jpeg".

    The figure itself is changed: write its light file first.
    """
    darken(figure)
    buffer = io.BytesIO()
    if kind == "jpeg":  # which knows no transparency
        options = {"quality": QUALITY}
        figure.savefig(buffer, format="webp", dpi=DPI, pil_kwargs=options)
    else:
        figure.savefig(buffer, format=kind, dpi=DPI)
    return buffer.getvalue()


def darken(figure: matplotlib.figure.Figure) -> None:
    """Take the paper away, and turn black ink light. What is drawn on a picture stays as it is."""
    figure.patch.set_facecolor("none")
    for axes in figure.axes:
        axes.patch.set_facecolor("none")
    on_pictures = {id(artist) for axes in figure.axes for artist in _on_picture(axes)}
    for artist in figure.findobj():
        if id(artist) not in on_pictures:
            _turn(artist)
    ink = turned("black")
    for axes in figure.axes:  # ticks that are not there yet
        axes.tick_params(which="both", color=ink, labelcolor=ink)


def turned(color: Any) -> tuple[float, float, float, float]:
    """A grey with its lightness turned round, of the same opacity; any other colour as it is.

    >>> turned("black"), turned("white")[:3], turned("#0072B2") == to_rgba("#0072B2")
    ((0.88, 0.88, 0.88, 1.0), (0.07, 0.07, 0.07), True)
    """
    red, green, blue, alpha = to_rgba(color)
    if max(red, green, blue) - min(red, green, blue) > GREY:
        return red, green, blue, alpha
    grey = round(LIGHTEST + (DARKEST - LIGHTEST) * green, 6)
    return grey, grey, grey, alpha


def _on_picture(axes: Axes) -> Iterator[Artist]:
    if axes.images:
        yield from (*axes.lines, *axes.patches, *axes.texts, *axes.collections)


def _turn(artist: Artist) -> None:
    if isinstance(artist, Text):
        artist.set_color(turned(artist.get_color()))
        box = artist.get_bbox_patch()
        if box is not None:
            _turn(box)
    elif isinstance(artist, Line2D):
        edge, face = artist.get_markeredgecolor(), artist.get_markerfacecolor()
        artist.set_color(turned(artist.get_color()))
        artist.set_markeredgecolor(turned(edge))
        artist.set_markerfacecolor(turned(face))
    elif isinstance(artist, Patch):
        artist.set_facecolor(turned(artist.get_facecolor()))
        artist.set_edgecolor(turned(artist.get_edgecolor()))
    elif isinstance(artist, Collection) and artist.get_array() is None:
        artist.set_facecolor([turned(color) for color in artist.get_facecolor()])
        artist.set_edgecolor([turned(color) for color in artist.get_edgecolor()])
