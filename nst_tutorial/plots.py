"""The figures of the notebooks: one function each, each returns a matplotlib Figure.

The figures belong to no window and no global state. In a notebook they show themselves, with an
alternative text for readers who do not see them.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from torch import Tensor

from .front import Point
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
    finite = [total for total in totals if math.isfinite(total)]
    if finite and min(finite) > 0:
        axis.set_ylim(max(finite) * 1e-4, max(finite) * 2)
    else:  # a Gaussian kernel's estimate can fall below zero
        axis.set_yscale("symlog", linthresh=1e-3)
    axis.set_title("What is minimised, term by term")
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


def image_grid(
    rows: Sequence[Sequence[Tensor]],
    row_titles: Sequence[str],
    column_titles: Sequence[str],
    height: float = 2.2,
) -> Figure:
    """A table of pictures (1, 3, H, W), `height` inches each: say, kernels across, sizes down."""
    if len(rows) != len(row_titles) or any(len(row) != len(column_titles) for row in rows):
        raise ValueError(f"need {len(row_titles)} rows of {len(column_titles)} pictures")
    pictures = [[to_pil(image) for image in row] for row in rows]
    width = height * max(p.width / p.height for row in pictures for p in row)
    alt = f"A table of pictures. Down: {', '.join(row_titles)}. Across: {', '.join(column_titles)}"
    size = (len(column_titles) * width + 0.4, len(rows) * height + 0.4)
    figure = new_figure(alt, *size, photographs=True)
    axes = figure.subplots(len(rows), len(column_titles), squeeze=False)
    for i, row in enumerate(pictures):
        for j, picture in enumerate(row):
            axes[i, j].imshow(picture)
            axes[i, j].set(xticks=[], yticks=[])
            axes[i, j].spines[:].set_visible(False)
            if i == 0:
                axes[i, j].set_title(column_titles[j])
        axes[i, 0].set_ylabel(row_titles[i])
    return figure


def gram_matrices(matrices: Mapping[str, Tensor]) -> Figure:
    """Gram matrices (1, C, C) as heat maps, a layer each.

    Each is divided by its largest entry, and shown as its square root so that small entries are
    seen. Channels are in the order of their own strength, the strongest first.
    """
    if not matrices:
        raise ValueError("there are no matrices to show")
    shares = []
    for layer, G in matrices.items():
        strength = G[0].diagonal().sort(descending=True).values.cumsum(0)
        half = int((strength < 0.5 * strength[-1]).sum()) + 1
        shares.append(f"{layer} ({half} of {len(strength)} channels hold half of the energy)")
    alt = f"Heat maps of the Gram matrices of {', '.join(shares)}"
    figure = new_figure(alt, 2.9 * len(matrices) + 0.8, 3.1)
    axes = figure.subplots(1, len(matrices), squeeze=False)[0]
    for axis, (layer, G) in zip(axes, matrices.items(), strict=True):
        G = G[0].detach().cpu()
        order = G.diagonal().argsort(descending=True)
        G = G[order][:, order]
        shown = (G / G.abs().max().clamp(min=1e-30)).clamp(min=0).sqrt()
        heat = axis.imshow(shown, cmap="cividis", vmin=0, vmax=1)
        axis.set(title=f"{layer}, {len(G)} × {len(G)}", xlabel="channel", ylabel="channel")
    figure.colorbar(heat, ax=list(axes), label="√(G / max G)", shrink=0.8)
    return figure


def gradient_norms(norms: Mapping[str, float], weights: Mapping[str, float]) -> Figure:
    """How hard each term pulls at the picture: the norm of its gradient, bare and weighted."""
    names = [name for name in norms if norms[name] > 0]
    if not names:
        raise ValueError("no term has a gradient")
    spread = [norms[name] * weights[name] for name in names]
    alt = f"Bars of the gradient norms of {', '.join(names)}, from {min(spread):.2g} to " + (
        f"{max(spread):.2g} after their weights"
    )
    figure = new_figure(alt, 7.5, 0.45 * len(names) + 1.3)
    axis = figure.subplots()
    y = range(len(names))
    axis.barh([i + 0.2 for i in y], [norms[n] for n in names], 0.38, color=COLORS[5], label="bare")
    axis.barh([i - 0.2 for i in y], spread, 0.38, color=COLORS[0], label="times its weight")
    axis.set(xscale="log", yticks=list(y), yticklabels=names)
    axis.set(xlabel="norm of the gradient", title="How hard each term pulls")
    axis.invert_yaxis()
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def front(points: Sequence[Point]) -> Figure:
    """Content loss against style loss, each point labelled with its style weight."""
    if not points:
        raise ValueError("the front has no points")
    first, last = points[0], points[-1]
    alt = (
        f"The front of content loss against style loss: style weight {first.style_weight:g} gives "
        f"({first.style_loss:.2g}, {first.content_loss:.2g}), {last.style_weight:g} gives "
        f"({last.style_loss:.2g}, {last.content_loss:.2g})"
    )
    figure = new_figure(alt, 5.5, 4.2)
    axis = figure.subplots()
    x, y = [p.style_loss for p in points], [p.content_loss for p in points]
    axis.plot(x, y, "-o", color=COLORS[0])
    for point in points:
        axis.annotate(
            f"{point.style_weight:g}", (point.style_loss, point.content_loss),
            textcoords="offset points", xytext=(6, 5),
        )  # fmt: skip
    axis.set(xscale="log", xlabel="style loss", ylabel="content loss")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.margins(0.12)
    axis.set_title("What more style costs (numbers: style weight)")
    return figure
