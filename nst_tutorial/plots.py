"""The figures of the notebooks: one function each, each returns a matplotlib Figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from .images import to_pil

# Okabe & Ito's colours, told apart by colour-blind readers (jfly.uni-koeln.de/color)
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")


def _new_figure(*args, **kwargs):
    """`plt.subplots`, but pyplot does not keep the figure: it is shown only where it is returned."""
    figure, axes = plt.subplots(*args, layout="constrained", **kwargs)
    plt.close(figure)
    return figure, axes


def image_row(images: Sequence[Tensor], titles: Sequence[str] = (), height: float = 3.5) -> Figure:
    """Pictures (1, 3, H, W) side by side, each in its own shape, `height` inches high."""
    if not images:
        raise ValueError("there are no pictures to show")
    if titles and len(titles) != len(images):
        raise ValueError(f"{len(images)} pictures, but {len(titles)} titles")
    pictures = [to_pil(image) for image in images]
    widths = [height * p.width / p.height for p in pictures]
    room = 0.3 if titles else 0.0
    figure, axes = _new_figure(
        1, len(pictures), figsize=(sum(widths), height + room), width_ratios=widths, squeeze=False
    )
    for i, (axis, picture) in enumerate(zip(axes[0], pictures, strict=True)):
        axis.imshow(picture)
        axis.set_axis_off()
        if titles:
            axis.set_title(titles[i])
    return figure


def loss_curves(history: Sequence[Mapping], weights: Mapping[str, float]) -> Figure:
    """Every term times its weight, and their sum, against the evaluations, on a logarithmic axis.

    Dotted lines mark the changes of scale; the losses of two scales are those of two problems.
    """
    if not history:
        raise ValueError("the history is empty: no step was taken")
    figure, axis = _new_figure(figsize=(7.5, 4))
    x = [row["evaluation"] for row in history]
    axis.plot(x, [row["total"] for row in history], color="black", linewidth=2, label="total")
    for i, (name, weight) in enumerate(weights.items()):
        y = [weight * row[name] for row in history]
        if any(value > 0 for value in y):
            style = "-" if name.startswith("content") else "--"
            axis.plot(x, y, style, color=COLORS[i % len(COLORS)], linewidth=1, label=name)
    for before, after in zip(history, history[1:], strict=False):
        if before.get("size") != after.get("size"):
            axis.axvline(after["evaluation"], color="grey", linestyle=":", linewidth=1)
    axis.set(xlabel="evaluations of loss and gradient", ylabel="weight × loss", yscale="log")
    top = max(row["total"] for row in history)
    axis.set_ylim(bottom=top * 1e-5)
    axis.set_title("What is minimised, term by term")
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure
