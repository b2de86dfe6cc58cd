"""What all figures share: they belong to no window, show themselves, and have a text to be read."""

from __future__ import annotations

import base64
import io
from functools import partial

from matplotlib.figure import Figure

# Okabe & Ito's colours, told apart by colour-blind readers (jfly.uni-koeln.de/color)
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
DPI = 100


def new_figure(alt: str, width: float, height: float, *, photographs: bool = False) -> Figure:
    """Return an empty figure, `width` × `height` inches, that a notebook shows with `alt`.

    `photographs`: store it as JPEG, which is several times smaller for pictures.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.alt = alt
    figure._repr_mimebundle_ = partial(_mimebundle, figure, "jpeg" if photographs else "png")
    return figure


def _mimebundle(figure: Figure, kind: str, include=None, exclude=None) -> tuple[dict, dict]:
    """What IPython asks for: the figure as data, and the data about it."""
    mime = f"image/{kind}"
    data = base64.b64encode(to_bytes(figure, kind)).decode()
    return {mime: data, "text/plain": figure.alt}, {mime: {"alt": figure.alt}}


def to_bytes(figure: Figure, kind: str = "png") -> bytes:
    """The figure as a PNG or JPEG file in memory."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=DPI)
    return buffer.getvalue()
