"""Are two sets of points alike? Points, kernel matrices, tests, and what a kernel tells apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
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


def histograms(pairs: Mapping[str, tuple[Tensor, Tensor]], bins: int = 25) -> Figure:
    """Pairs of samples (M,) of numbers as histograms, a panel each."""
    if not pairs:
        raise ValueError("there are no samples to show")
    figure = new_figure(
        f"Histograms of two samples each: {', '.join(pairs)}", 2.9 * len(pairs), 2.6
    )
    axes = figure.subplots(1, len(pairs), squeeze=False, sharey=True)[0]
    for axis, (name, (x, y)) in zip(axes, pairs.items(), strict=True):
        both = torch.cat([x, y])
        edges = torch.linspace(float(both.min()), float(both.max()), bins + 1)
        axis.hist(x, edges.tolist(), color=COLORS[0], alpha=0.6, label="x")
        axis.hist(
            y, edges.tolist(), color=COLORS[1], histtype="step", linewidth=1.8, label="y"
        )  # fmt: skip
        axis.set(title=name, xlabel="value")
    axes[0].set_ylabel("how many")
    axes[0].legend(frameon=False)
    return figure


def permutation_tests(tests: Mapping[str, tuple[float, Tensor]]) -> Figure:
    """For each test the distance measured, against those of the same points shuffled."""
    if not tests:
        raise ValueError("there are no tests to show")
    ranks = {
        name: float((null >= measured).double().mean()) for name, (measured, null) in tests.items()
    }
    alt = "Histograms of distances of shuffled points, a line at the distance measured: "
    alt += ", ".join(f"{name} ({rank:.1%} are as large)" for name, rank in ranks.items())
    figure = new_figure(alt, 2.9 * len(tests), 2.8)
    axes = figure.subplots(1, len(tests), squeeze=False, sharey=True)[0]
    for axis, (name, (measured, null)) in zip(axes, tests.items(), strict=True):
        axis.hist(null, 30, color=COLORS[5], label="shuffled")
        axis.axvline(measured, color=COLORS[1], linewidth=2, label="as they are")
        axis.set(title=f"{name}\np = {ranks[name]:.3f}", xlabel="MMD²")
        axis.ticklabel_format(axis="x", style="sci", scilimits=(-2, 3))
    axes[0].set_ylabel("how many")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


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


def curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    title: str,
    xlabel: str,
    ylabel: str,
    xscale: str = "linear",
    yscale: str = "linear",
) -> Figure:
    """Curves name → (x, y), told apart by colour and by dashes."""
    if not lines:
        raise ValueError("there are no curves to show")
    ends = ", ".join(f"{name} ends at {float(y[-1]):.3g}" for name, (_, y) in lines.items())
    figure = new_figure(f"Curves of {ylabel} against {xlabel}: {ends}", 7.5, 3.6)
    axis = figure.subplots()
    for i, (name, (x, y)) in enumerate(lines.items()):
        dashes = ("-", "--", "-.", ":")[i % 4]
        axis.plot(x, y, dashes, color=COLORS[i % len(COLORS)], linewidth=1.5, label=name)
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel, xscale=xscale, yscale=yscale)
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def confusions(tables: Mapping[str, Tensor], names: Sequence[str]) -> Figure:
    """Tables of distances (N, N), one a kernel: row i, column j for pictures i and j.

    Each row is divided by its greatest number. A white ring marks the nearest in each row.
    """
    if not tables:
        raise ValueError("there are no tables to show")
    right = {k: sum(int(t[i].argmin()) == i for i in range(len(t))) for k, t in tables.items()}
    told = ", ".join(f"{kernel} {count} of {len(names)}" for kernel, count in right.items())
    alt = f"Heat maps of the distances of pictures; nearest to its own other half: {told}"
    columns = min(3, len(tables))
    rows = -(-len(tables) // columns)
    figure = new_figure(alt, 3.1 * columns + 1.2, 2.9 * rows + 0.6)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flatten()
    for axis, (kernel, table) in zip(axes, tables.items(), strict=False):
        table = table.detach().cpu().double()
        low = table.min(dim=1, keepdim=True).values.clamp(max=0)
        shares = (table - low) / (table - low).max(dim=1, keepdim=True).values.clamp(min=1e-30)
        heat = axis.imshow(shares, cmap="cividis", vmin=0, vmax=1)
        nearest = table.argmin(dim=1).tolist()
        axis.scatter(
            nearest, range(len(table)), s=120, facecolors="none", edgecolors="white", linewidth=2
        )  # fmt: skip
        axis.set(xticks=range(len(names)), yticks=range(len(names)))
        axis.set_xticklabels(names, rotation=40, ha="right", rotation_mode="anchor", fontsize=8)
        axis.set_yticklabels(names, fontsize=8)
        axis.set_title(f"{kernel}: {right[kernel]} of {len(names)} found")
    for axis in axes[len(tables) :]:
        axis.set_axis_off()
    axes[0].set(xlabel="right half of", ylabel="left half of")
    figure.colorbar(heat, ax=list(axes), label="distance, share of the row's greatest", shrink=0.7)
    return figure
