"""What a Gram matrix is made of: small matrices, channels, eigenvalues, tables of distances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .figure import COLORS, Figure, new_figure


def written_out(matrices: Mapping[str, Tensor]) -> Figure:
    """Small matrices (rows, columns) side by side, every number written into its cell."""
    if not matrices:
        raise ValueError("there are no matrices to show")
    shapes = {name: tuple(matrix.shape) for name, matrix in matrices.items()}
    alt = "Matrices with their numbers: " + ", ".join(
        f"{name} ({rows} × {columns})" for name, (rows, columns) in shapes.items()
    )
    rows = max(shape[0] for shape in shapes.values())
    widths = [shape[1] for shape in shapes.values()]
    figure = new_figure(alt, 0.75 * sum(widths) + 1.1 * len(widths), 0.6 * rows + 0.9)
    axes = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    for axis, (name, matrix) in zip(axes, matrices.items(), strict=True):
        _heat(axis, matrix, digits=2)
        axis.set(title=name, xlabel="column", ylabel="row")
    return figure


def _heat(axis, matrix: Tensor, digits: int = 2, top: float | None = None):
    """Draw a matrix with its numbers, dark on light and light on dark."""
    matrix = matrix.detach().cpu().double()
    low = min(0.0, float(matrix.min()))
    high = float(matrix.max()) if top is None else top
    heat = axis.imshow(matrix, cmap="cividis", vmin=low, vmax=max(high, low + 1e-30))
    middle = (low + high) / 2
    for i, row in enumerate(matrix.tolist()):
        for j, value in enumerate(row):
            axis.text(
                j, i, f"{value:.{digits}g}", ha="center", va="center", fontsize=9,
                color="white" if value < middle else "black",
            )  # fmt: skip
    axis.set(xticks=range(matrix.shape[1]), yticks=range(matrix.shape[0]))
    return heat


def channel_maps(features: Tensor, channels: Sequence[int], titles: Sequence[str] = ()) -> Figure:
    """Channels of features (1, C, H, W) as heat maps, each from 0 to its own greatest value."""
    if not channels:
        raise ValueError("there are no channels to show")
    titles = titles or [f"channel {channel}" for channel in channels]
    if len(titles) != len(channels):
        raise ValueError(f"{len(channels)} channels, but {len(titles)} titles")
    return maps([features[0, channel] for channel in channels], titles)


def maps(images: Sequence[Tensor], titles: Sequence[str], height: float = 2.4) -> Figure:
    """Maps (H, W) side by side, each from 0 (dark) to its own greatest value (bright)."""
    if not images or len(images) != len(titles):
        raise ValueError(f"{len(images)} maps, but {len(titles)} titles")
    widths = [height * image.shape[1] / image.shape[0] for image in images]
    figure = new_figure(f"Heat maps: {', '.join(titles)}", sum(widths), height + 0.5)
    axes = figure.subplots(1, len(images), width_ratios=widths, squeeze=False)[0]
    for axis, image, title in zip(axes, images, titles, strict=True):
        image = image.detach().cpu()
        axis.imshow(image, cmap="cividis", vmin=0, vmax=max(float(image.max()), 1e-30))
        axis.set(title=title, xlabel="position across", ylabel="position down")
        axis.set(xticks=[], yticks=[])
    return figure


def spectra(matrices: Mapping[str, Tensor], positions: Mapping[str, int] | None = None) -> Figure:
    """Eigenvalues of Gram matrices (1, C, C), the largest first and set to 1.

    `positions` gives the number M of each: a dotted line marks min(C, M), the greatest rank.
    """
    if not matrices:
        raise ValueError("there are no matrices to show")
    figure = new_figure(f"Eigenvalues of the Gram matrices of {', '.join(matrices)}", 7.5, 3.8)
    axis = figure.subplots()
    for i, (name, G) in enumerate(matrices.items()):
        values = torch.linalg.eigvalsh(G[0].detach().cpu().double()).flip(0)
        values = (values / values[0]).clamp(min=1e-18)
        color = COLORS[i % len(COLORS)]
        axis.plot(range(1, len(values) + 1), values, color=color, label=name)
        if positions is not None:
            axis.axvline(min(len(values), positions[name]), color=color, linestyle=":", linewidth=1)
    axis.set(xscale="log", yscale="log", ylim=(1e-13, 2))
    axis.set(xlabel="eigenvalue, the largest first", ylabel="share of the largest")
    axis.set_title("How many directions a Gram matrix holds")
    axis.legend(frameon=False)
    return figure


def distance_table(
    values: Tensor,
    row_titles: Sequence[str],
    column_titles: Sequence[str],
    title: str,
    label: str,
    top: float | None = None,
    axes_titles: tuple[str, str] = ("", ""),
) -> Figure:
    """A table of numbers (rows, columns) as a heat map with the numbers written in.

    `label` says what the numbers are, `top` is the value from which all is brightest,
    `axes_titles` name the rows and the columns.
    """
    if tuple(values.shape) != (len(row_titles), len(column_titles)):
        raise ValueError(
            f"{tuple(values.shape)} numbers, but {len(row_titles)} rows and "
            f"{len(column_titles)} columns are named"
        )
    alt = f"A table of numbers: {title}. Down: {', '.join(row_titles)}. Across: " + ", ".join(
        column_titles
    )
    longest = max(map(len, row_titles))
    width = 0.95 * len(column_titles) + 0.09 * longest + 1.6
    figure = new_figure(alt, width, 0.48 * len(row_titles) + 1.5)
    axis = figure.subplots()
    heat = _heat(axis, values, top=top)
    axis.set_aspect("auto")
    axis.set_xticklabels(column_titles, rotation=25, ha="right", rotation_mode="anchor")
    axis.set_yticklabels(row_titles)
    axis.set(title=title, ylabel=axes_titles[0], xlabel=axes_titles[1])
    figure.colorbar(heat, ax=axis, label=label)
    return figure
