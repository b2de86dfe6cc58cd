"""What is minimised, how hard each term pulls, and what more of one costs of the other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from matplotlib.ticker import LogLocator, NullFormatter

from ..transfer.pareto import Point
from .figure import COLORS, Figure, new_figure


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


def front(
    points: Sequence[Point],
    here: tuple[float, float] | None = None,
    *,
    tangents: bool = False,
) -> Figure:
    """Content loss against style loss, each point labelled with its style weight.

    Parameters
    ----------
    points
        A measured front, by growing style weight.
    here
        A style and a content loss to be marked.
    tangents
        Plain axes, and at each point a line whose slope is minus its style weight: under a content
        weight of 1, the tangent of the front if the point is a minimum. Otherwise the axis of the
        style loss is logarithmic.

    Raises
    ------
    ValueError
        No points.
    """
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
    if here is not None:
        figure.alt += f"; a mark at ({here[0]:.2g}, {here[1]:.2g})"
        axis.plot(*here, "*", color=COLORS[1], markersize=16, label="here")
        axis.legend(frameon=False)
    axis.set(xlabel="style loss", ylabel="content loss")
    if tangents:
        _draw_tangents(axis, points)
    else:
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
    axis.margins(0.12)
    axis.set_title("What more style costs (numbers: style weight)")
    return figure


def _draw_tangents(axis, points: Sequence[Point], part: float = 0.12) -> None:
    """Lines of slope -style_weight, all equally long as seen: a part of the front's extent."""
    across = max(p.style_loss for p in points) - min(p.style_loss for p in points) or 1.0
    up = max(p.content_loss for p in points) - min(p.content_loss for p in points) or 1.0
    for i, p in enumerate(points):
        reach = part / math.hypot(1 / across, p.style_weight / up)
        x = [p.style_loss - reach, p.style_loss + reach]
        y = [p.content_loss + p.style_weight * reach, p.content_loss - p.style_weight * reach]
        label = "slope: minus the style weight" if i == 0 else None
        axis.plot(x, y, color=COLORS[1], linewidth=1.5, label=label)
    axis.legend(frameon=False)
