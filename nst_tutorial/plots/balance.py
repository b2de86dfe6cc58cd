"""Two aims and their weights: the toy, exchange rates, and units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from ..transfer.pareto import Point
from .figure import COLORS, Figure, new_figure


def two_parabolas(ratios: Sequence[float], apart: float = 4.0) -> Figure:
    """The toy C = x², S = (x - apart)²: the sum C + r S and its minimum, and the front.

    On the right each minimum lies where a straight line of slope -r touches the front.
    """
    if not ratios or min(ratios) <= 0 or apart <= 0:
        raise ValueError(f"ratios and the distance must be above 0, got {ratios} and {apart}")
    best = {r: apart * r / (1 + r) for r in ratios}
    minima = ", ".join(f"{x:.3g} for r = {r:.3g}" for r, x in best.items())
    figure = new_figure(f"Two parabolas; their weighted sum is least at x = {minima}", 9.0, 3.9)
    left, right = figure.subplots(1, 2)
    x = np.linspace(-0.1 * apart, 1.1 * apart, 300)
    C, S = x**2, (x - apart) ** 2
    left.plot(x, C, color="black", label="content C")
    left.plot(x, S, color="black", linestyle="--", label="style S")
    side = np.linspace(0, apart, 200)
    right.plot((side - apart) ** 2, side**2, color="black", label="front")
    for (r, at), color in zip(best.items(), COLORS, strict=False):
        total = C + r * S
        left.plot(x, total / (1 + r), color=color, label=f"(C + {r:.3g} S) / {1 + r:.3g}")
        left.plot(at, r * apart**2 / (1 + r) ** 2, "o", color=color)
        style, content = (at - apart) ** 2, at**2
        reach = np.array([-0.16, 0.16]) * apart**2 / np.hypot(1, r)
        right.plot(style + reach, content - r * reach, color=color, label=f"slope -{r:.3g}")
        right.plot(style, content, "o", color=color)
    top = 1.15 * apart**2
    left.set(xlabel="x", ylabel="loss", ylim=(0, top), title="What is minimised")
    right.set(xlabel="style loss S", ylabel="content loss C", title="The front")
    right.set(xlim=(-0.05 * top, top), ylim=(-0.05 * top, top), aspect="equal")
    left.legend(frameon=False, fontsize=8)
    right.legend(frameon=False)
    return figure


def exchange_rates(points: Sequence[Point]) -> Figure:
    """Content paid for a unit of style between neighbouring points, with the bounds theory gives.

    If both points are minima, the rate lies between their two style weights: on or in the box.
    """
    if len(points) < 2:
        raise ValueError("exchange rates need at least two points")
    pairs = list(pairwise(points))
    rates = [(b.content_loss - a.content_loss) / (a.style_loss - b.style_loss) for a, b in pairs]
    inside = sum(
        a.style_weight <= rate <= b.style_weight for (a, b), rate in zip(pairs, rates, strict=True)
    )
    alt = f"Exchange rates between {len(points)} points; {inside} of {len(rates)} within the bounds"
    figure = new_figure(alt, 6.5, 3.8)
    axis = figure.subplots()
    for i, (a, b) in enumerate(pairs):
        height = b.style_weight - a.style_weight
        label = "between the two weights" if i == 0 else None
        axis.bar(i, height, 0.7, a.style_weight, color=COLORS[5], alpha=0.5, label=label)
    axis.plot(range(len(rates)), rates, "o", color=COLORS[1], label="measured")
    names = [f"{a.style_weight:g} to {b.style_weight:g}" for a, b in pairs]
    axis.set(yscale="log", xticks=range(len(rates)), xticklabels=names)
    axis.set(xlabel="from style weight to style weight", ylabel="content paid per unit of style")
    axis.set_title("The price of style")
    axis.legend(frameon=False)
    return figure


def norms_by_layer(norms: Mapping[str, Mapping[str, float]]) -> Figure:
    """Gradient norms, a line for each normalisation over the layers, on a logarithmic axis."""
    if not norms or any(min(row.values(), default=0) <= 0 for row in norms.values()):
        raise ValueError("every normalisation needs a norm above 0 for every layer")
    values = [norm for row in norms.values() for norm in row.values()]
    alt = (
        f"Gradient norms of {len(norms)} normalisations over the layers, "
        f"from {min(values):.2g} to {max(values):.2g}"
    )
    figure = new_figure(alt, 7.0, 4.0)
    axis = figure.subplots()
    for (name, row), color, marker in zip(norms.items(), COLORS, "osD^vP*X", strict=False):
        axis.plot(list(row), list(row.values()), marker=marker, color=color, label=name)
    axis.set(yscale="log", xlabel="layer", ylabel="norm of the gradient")
    axis.set_title("How hard a style term pulls, by normalisation")
    axis.grid(axis="y", alpha=0.3)
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
