"""Figures as pictures of a page, light or dark."""

from __future__ import annotations

from .. import plots
from ..plots.dark import to_dark_bytes
from ..plots.figure import Figure
from .components import Picture


def drawn(figure: Figure, kind: str = "png") -> Picture:
    """A figure as the files of a light page and of a dark one, with its text."""
    light = plots.to_bytes(figure, kind)
    return Picture(light, to_dark_bytes(figure, kind), figure.alt)
