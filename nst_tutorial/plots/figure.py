"""What all figures share: they belong to no window, show themselves, and have a text to be read."""

from __future__ import annotations

import base64
import html
import io
import os

import matplotlib.figure

# Okabe & Ito's colours, told apart by colour-blind readers (jfly.uni-koeln.de/color)
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
DPI = 100


class Figure(matplotlib.figure.Figure):
    """A figure that a notebook shows, with the text `alt` for readers who do not see it."""

    alt: str = ""
    kind: str = "png"  # of file: "png" or "jpeg"

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        """What IPython asks for: the figure as data, and the data about it.

        JupyterLab gives the `<img>` of an image no alternative text, whatever its metadata say; of
        HTML it takes the one that stands there. What is stored with the course is an image all the
        same, since not every page that shows notebooks lets data through in HTML. Both at once
        would be stored twice.
        """
        mime = f"image/{self.kind}"
        data = base64.b64encode(to_bytes(self, self.kind)).decode()
        if _shown_by_jupyterlab():
            image = f'<img alt="{html.escape(self.alt)}" src="data:{mime};base64,{data}">'
            return {"text/html": image, "text/plain": self.alt}, {}
        return {mime: data, "text/plain": self.alt}, {mime: {"alt": self.alt}}


def _shown_by_jupyterlab() -> bool:
    """Whether the kernel belongs to a notebook that is open in JupyterLab, or a server like it.

    That server says so to its kernels. `jupyter execute`, tests and VS Code do not have one.
    """
    return "JPY_SESSION_NAME" in os.environ


def new_figure(alt: str, width: float, height: float, *, photographs: bool = False) -> Figure:
    """Return an empty figure, `width` × `height` inches, that a notebook shows with `alt`.

    `photographs`: store it as JPEG, which is several times smaller for pictures.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.alt, figure.kind = alt, "jpeg" if photographs else "png"
    return figure


def to_bytes(figure: matplotlib.figure.Figure, kind: str = "png") -> bytes:
    """The figure as a PNG or JPEG file in memory."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=DPI)
    return buffer.getvalue()
