"""Two computations of the same thing, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.ticker import MaxNLocator

from .figure import COLORS, Figure, new_figure


def differences(series: Mapping[str, Sequence[float]], tolerance: float | None = None) -> Figure:
    """Largest difference of two pictures after each evaluation, a line for each comparison.

    Differences of exactly zero have no place on a logarithmic axis and are left out. `tolerance`
    is drawn as a dotted line.
    """
    if not series or not any(value > 0 for row in series.values() for value in row):
        raise ValueError("there is no difference above 0 to show")
    ends = ", ".join(f"{name} {row[-1]:.2g}" for name, row in series.items())
    figure = new_figure(f"Differences that grow with the evaluations; at the end {ends}", 7.0, 3.8)
    axis = figure.subplots()
    for (name, row), color, marker in zip(series.items(), COLORS, "osD^vP*X", strict=False):
        shown = [(i, value) for i, value in enumerate(row, start=1) if value > 0]
        axis.plot(*zip(*shown, strict=True), marker=marker, ms=3.5, color=color, label=name)
    if tolerance is not None:
        axis.axhline(tolerance, color="grey", linestyle=":", label=f"{tolerance:g}")
    axis.set(yscale="log", xlabel="evaluations of loss and gradient")
    axis.set(ylabel="largest difference of a pixel", title="How far two equal programs drift apart")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(frameon=False)
    return figure


def totals(series: Mapping[str, Sequence[float]]) -> Figure:
    """Total losses of several runs against the evaluations, on a logarithmic axis."""
    if not series or any(not row or min(row) <= 0 for row in series.values()):
        raise ValueError("every run needs losses above 0")
    ends = ", ".join(f"{name} at {row[-1]:.3g}" for name, row in series.items())
    figure = new_figure(f"Curves of the total loss; they end with {ends}", 7.0, 3.8)
    axis = figure.subplots()
    lines = ("-", "--", "-.", ":")
    for i, (name, row) in enumerate(series.items()):
        x = range(1, len(row) + 1)
        color = COLORS[i % len(COLORS)]
        axis.plot(x, row, lines[i % 4], color=color, linewidth=1.8, label=name)
    axis.set(yscale="log", xlabel="evaluations of loss and gradient", ylabel="total loss")
    axis.set_title("The same loss, minimised in several ways")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(frameon=False)
    return figure
