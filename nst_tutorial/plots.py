"""The figures of the notebooks: one function each, each returns a matplotlib Figure.

The figures belong to no window and no global state. In a notebook they show themselves, with an
alternative text for readers who do not see them.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise

from matplotlib.figure import Figure
from torch import Tensor

from .images import to_pil

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


def image_row(images: Sequence[Tensor], titles: Sequence[str] = (), height: float = 3.5) -> Figure:
    """Pictures (1, 3, H, W) side by side, each in its own shape, `height` inches high."""
    if not images:
        raise ValueError("there are no pictures to show")
    if titles and len(titles) != len(images):
        raise ValueError(f"{len(images)} pictures, but {len(titles)} titles")
    pictures = [to_pil(image) for image in images]
    widths = [height * p.width / p.height for p in pictures]
    alt = f"Pictures side by side: {', '.join(titles)}" if titles else f"{len(images)} pictures"
    room = 0.3 if titles else 0.0
    figure = new_figure(alt, sum(widths), height + room, photographs=True)
    axes = figure.subplots(1, len(pictures), width_ratios=widths, squeeze=False)[0]
    for i, (axis, picture) in enumerate(zip(axes, pictures, strict=True)):
        axis.imshow(picture)
        axis.set_axis_off()
        if titles:
            axis.set_title(titles[i])
    return figure


def loss_curves(history: Sequence[Mapping], weights: Mapping[str, float]) -> Figure:
    """Every term times its weight, and their sum, against the evaluations, on a logarithmic axis.

    `history` and `weights` as in a `Result`. Dotted lines mark the changes of scale; the losses of
    two scales are those of two problems.
    """
    if not history:
        raise ValueError("the history is empty: no step was taken")
    totals = [row["total"] for row in history]
    alt = f"Curves of the losses: the total falls from {totals[0]:.3g} to {min(totals):.3g}"
    figure = new_figure(alt, 7.5, 3.8)
    axis = figure.subplots()
    x = [row["evaluation"] for row in history]
    axis.plot(x, totals, color="black", linewidth=2, label="total")
    for i, (name, weight) in enumerate(weights.items()):
        y = [weight * row[name] for row in history]
        if any(value > 0 for value in y):
            line = "-" if name.startswith("content") else "--"
            axis.plot(x, y, line, color=COLORS[i % len(COLORS)], linewidth=1.2, label=name)
    for before, after in pairwise(history):
        if before.get("size") != after.get("size"):
            axis.axvline(after["evaluation"], color="grey", linestyle=":", linewidth=1)
    axis.set(xlabel="evaluations of loss and gradient", ylabel="weight × loss", yscale="log")
    axis.set_ylim(bottom=max(totals) * 1e-4)
    axis.set_title("What is minimised, term by term")
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure
