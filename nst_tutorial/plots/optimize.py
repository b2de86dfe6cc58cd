"""How an optimiser walks: paths on contours, losses against evaluations, laws on log-log axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from torch import Tensor

from .figure import COLORS, Figure, new_figure


def descent_paths(
    panels: Mapping[str, tuple[Tensor, Mapping[str, Tensor]]],
    minimum: Sequence[float] = (0.0, 0.0),
    box: tuple[float, float] | None = None,
) -> Figure:
    """Paths on the contours of ½ (x - minimum)ᵀ A (x - minimum), a panel each.

    `panels`: title → (A (2, 2), label → path (k, 2)). `box` draws the square of allowed values.
    """
    if not panels:
        raise ValueError("there are no paths to draw")
    told = [
        f"{title}: {', '.join(f'{label}, {len(path) - 1} steps' for label, path in paths.items())}"
        for title, (_, paths) in panels.items()
    ]
    figure = new_figure(f"Paths on contours. {'; '.join(told)}", 3.8 * len(panels), 3.9)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, (title, (A, paths)) in zip(axes, panels.items(), strict=True):
        corners = torch.tensor([(a, b) for a in box or () for b in box or ()]).view(-1, 2).to(A)
        _contours(axis, A, torch.tensor(minimum).to(A), [*paths.values(), corners])
        for i, (label, path) in enumerate(paths.items()):
            x, y = path.T.tolist()
            axis.plot(x, y, "-o", color=COLORS[i], markersize=4, linewidth=1.3, label=label)
        axis.plot(*minimum, "*", color="black", markersize=10)
        if box is not None:
            low, high = box
            axis.plot([low, high, high, low, low], [low, low, high, high, low], "k--", linewidth=1)
        axis.set(title=title, xlabel="x₁", ylabel="x₂", aspect="equal")
        axis.legend(loc="upper left", fontsize=8)
    return figure


def _contours(axis: Axes, A: Tensor, minimum: Tensor, paths: Sequence[Tensor]) -> None:
    reach = 1.15 * float((torch.cat(list(paths)) - minimum).abs().max())
    line = torch.linspace(-reach, reach, 121, dtype=A.dtype)
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"))
    heights = 0.5 * torch.einsum("iab,ij,jab->ab", grid, A, grid)
    levels = float(heights.max()) * torch.logspace(-4, 0, 13)
    x, y = (line + minimum[0]).tolist(), (line + minimum[1]).tolist()
    axis.contour(x, y, heights, levels=levels.tolist(), colors="0.75", linewidths=0.8)


def race(
    curves: Mapping[str, Sequence[float]],
    title: str,
    marks: Mapping[int, str] | None = None,
    ylabel: str = "loss",
) -> Figure:
    """One loss per evaluation for each runner, on a logarithmic axis.

    `marks`: evaluation → what happened there, as a dotted line. A loss that is not finite leaves a
    gap.
    """
    if not curves:
        raise ValueError("there are no curves to draw")
    finite = {k: [v for v in c if math.isfinite(v) and v > 0] for k, c in curves.items()}
    told = [f"{k} falls from {c[0]:.3g} to {min(c):.3g}" for k, c in finite.items()]
    figure = new_figure(f"{title}: {'; '.join(told)}", 7.5, 3.8)
    axis = figure.subplots()
    for i, (label, curve) in enumerate(curves.items()):
        style = "-" if i < len(COLORS) - 1 else "--"
        color = COLORS[i % (len(COLORS) - 1)]  # not the yellow one: too pale for a line
        x = range(1, len(curve) + 1)
        axis.plot(x, curve, style, color=color, linewidth=1.6, label=label)
    for evaluation, words in (marks or {}).items():
        axis.axvline(evaluation, color="grey", linestyle=":", linewidth=1)
        axis.annotate(
            words, (evaluation, 1), xycoords=("data", "axes fraction"), xytext=(4, -12),
            textcoords="offset points", fontsize=8,
        )  # fmt: skip
    low = min(min(c) for c in finite.values())
    high = max(max(c) for c in finite.values())
    axis.set(xlabel="evaluations of loss and gradient", ylabel=ylabel, yscale="log", title=title)
    axis.set_ylim(low / 1.3, min(high * 1.5, low * 1e6))
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


def scaling(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    xlabel: str,
    ylabel: str,
    title: str,
) -> Figure:
    """How something grows with something else, on log-log axes, where a power law is straight."""
    if not curves:
        raise ValueError("there are no curves to draw")
    told = [f"{label} goes from {c[0]:.3g} to {c[-1]:.3g}" for label, c in curves.items()]
    figure = new_figure(f"{title}: {'; '.join(told)}", 5.8, 3.6)
    axis = figure.subplots()
    for i, (label, curve) in enumerate(curves.items()):
        marker = "-" + "os^D"[i % 4]
        axis.plot(x, curve, marker, color=COLORS[i % len(COLORS)], label=label)
    axis.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel, title=title)
    axis.set_xticks(list(x), [f"{value:g}" for value in x], minor=False)
    axis.minorticks_off()
    axis.legend(frameon=False)
    return figure
