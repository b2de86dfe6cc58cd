"""Are two sets of points alike? Points, kernel matrices and permutation tests."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from .figure import COLORS, Figure, new_figure


def point_sets(pairs: Mapping[str, tuple[Tensor, Tensor]]) -> Figure:
    """Pairs of point sets (M, 2) in the plane, a panel each, one set as discs, one as crosses."""
    if not pairs:
        raise ValueError("there are no points to show")
    columns = min(3, len(pairs))
    rows = -(-len(pairs) // columns)
    alt = f"Two sets of points in the plane, a panel each: {', '.join(pairs)}"
    figure = new_figure(alt, 2.9 * columns, 2.9 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis, (name, (x, y)) in zip(axes, pairs.items(), strict=False):
        axis.scatter(*x.T, s=12, color=COLORS[0], alpha=0.6, label="x")
        axis.scatter(*y.T, s=12, color=COLORS[1], alpha=0.7, label="y", marker="x", linewidth=1)
        axis.set(title=name, xlabel="channel 1", ylabel="channel 2", aspect="equal")
    for axis in axes[len(pairs) :]:
        axis.set_axis_off()
    axes[0].legend(frameon=True)
    return figure


def permutation_tests(tests: Mapping[str, tuple[float, Tensor]]) -> Figure:
    """For each test the statistic measured, against those of B shuffles of the same points.

    p = (1 + k) / (1 + B), k shuffles being as large: under the null hypothesis the order as
    measured is one more shuffle. So p is never 0, and p ≤ α in a share α of tests at most.
    """
    if not tests:
        raise ValueError("there are no tests to show")
    p = {name: _p_value(*test) for name, test in tests.items()}
    alt = "Histograms of distances of shuffled points, a line at the distance measured: "
    alt += ", ".join(f"{name} (p = {value:.3g})" for name, value in p.items())
    figure = new_figure(alt, 2.9 * len(tests), 2.8)
    axes = figure.subplots(1, len(tests), squeeze=False, sharey=True)[0]
    for axis, (name, (measured, null)) in zip(axes, tests.items(), strict=True):
        axis.hist(null, 30, color=COLORS[5], label="shuffled")
        axis.axvline(measured, color=COLORS[1], linewidth=2, label="as measured")
        axis.set(title=f"{name}\np = {p[name]:.3g}", xlabel="MMD²")
        axis.ticklabel_format(axis="x", style="sci", scilimits=(-2, 3))
    axes[0].set_ylabel("shuffles")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def _p_value(measured: float, null: Tensor) -> float:
    return (1 + int((null >= measured).sum())) / (1 + len(null))


def kernel_blocks(matrix: Tensor, first: int) -> Figure:
    """The kernel matrix of all points, those of x (the first ones) before those of y.

    The four blocks hold k(x, x), k(x, y), k(y, x) and k(y, y); their means make MMD².
    """
    matrix = matrix.detach().cpu().double()
    blocks = {
        ("x", "x"): matrix[:first, :first],
        ("x", "y"): matrix[:first, first:],
        ("y", "x"): matrix[first:, :first],
        ("y", "y"): matrix[first:, first:],
    }
    means = {f"k({a}, {b})": float(block.mean()) for (a, b), block in blocks.items()}
    alt = "A kernel matrix in four blocks; their means are " + ", ".join(
        f"{name} {mean:.3g}" for name, mean in means.items()
    )
    figure = new_figure(alt, 4.9, 4.1)
    axis = figure.subplots()
    heat = axis.imshow(matrix, cmap="cividis")
    for edge in (axis.axvline, axis.axhline):
        edge(first - 0.5, color="white", linewidth=2)
    for i, name in enumerate(means):
        down = (first / 2, (first + len(matrix)) / 2)[i // 2]
        across = (first / 2, (first + len(matrix)) / 2)[i % 2]
        axis.text(
            across, down, f"{name}\nmean {means[name]:.3g}", ha="center", va="center",
            bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none"},
        )  # fmt: skip
    axis.set(xlabel="point, first x, then y", ylabel="point, first x, then y")
    axis.set_title("Every point against every other")
    figure.colorbar(heat, ax=axis, label="k(a, b)")
    return figure
