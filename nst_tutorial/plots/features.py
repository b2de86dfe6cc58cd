"""What the network sees: small tensors, filters, feature maps and receptive fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.patches import Rectangle
from torch import Tensor

from ..images.reading import to_pil
from .figure import COLORS, Figure, new_figure

Box = tuple[float, float, float, float]  # top, left, height, width in pixels


def small_tensors(tensors: Mapping[str, Tensor]) -> Figure:
    """Tensors (H, W) side by side as coloured cells, with each number written into its cell."""
    if not tensors:
        raise ValueError("there are no tensors to show")
    for name, values in tensors.items():
        if values.dim() != 2:
            raise ValueError(f"{name} must have two axes, got the shape {tuple(values.shape)}")
    shapes = [f"{name} {len(v)} × {v.shape[1]}" for name, v in tensors.items()]
    widths = [max(values.shape[1], 3) for values in tensors.values()]
    tallest = max(len(values) for values in tensors.values())
    alt = f"Numbers in cells: {', '.join(shapes)}"
    cell, gap, title = 0.58, 0.08, 0.3  # inches
    width, height = cell * sum(widths) + gap * (len(widths) + 1), cell * tallest + gap + title
    figure = new_figure(alt, width, height)
    figure.set_layout_engine("none")  # it leaves no room for titles where cells stay square
    left = gap
    for (name, values), columns in zip(tensors.items(), widths, strict=True):
        values = values.detach().float().cpu()
        high, wide = (cell * length for length in values.shape)
        below, beside = gap + (cell * tallest - high) / 2, left + (cell * columns - wide) / 2
        axis = figure.add_axes((beside / width, below / height, wide / width, high / height))
        left += cell * columns + gap
        limit = max(float(values.abs().max()), 1e-12)
        axis.imshow(values.numpy(), cmap="PuOr", vmin=-1.4 * limit, vmax=1.4 * limit)
        for (i, j), value in zip(_places(values), values.flatten().tolist(), strict=True):
            ink = "white" if abs(value) > 0.7 * limit else "black"
            axis.text(j, i, f"{value:.3g}", ha="center", va="center", fontsize=10, color=ink)
        axis.set(title=name, xticks=[], yticks=[])
    return figure


def _places(values: Tensor) -> list[tuple[int, int]]:
    return [(i, j) for i in range(values.shape[0]) for j in range(values.shape[1])]


def filters(weight: Tensor, columns: int = 16) -> Figure:
    """Filters (C, 3, h, w) of a first layer as small colour pictures: grey is a weight of zero."""
    if weight.dim() != 4 or weight.shape[1] != 3:
        raise ValueError(f"filters must have the shape (C, 3, h, w), got {tuple(weight.shape)}")
    rows = -(-len(weight) // columns)
    size = (0.55 * columns, 0.72 * rows + 0.4)
    figure = new_figure(f"{len(weight)} filters as small colour pictures", *size)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for channel, (axis, one) in enumerate(zip(axes.flat, weight.detach().cpu(), strict=False)):
        axis.imshow((0.5 + one / (2 * one.abs().max())).permute(1, 2, 0).numpy())
        axis.set_title(str(channel), fontsize=7, pad=2)
    figure.suptitle("Each filter by its channel; grey is zero", fontsize=10)
    return figure


def feature_maps(features: Mapping[str, Tensor], channels: Mapping[str, Sequence[int]]) -> Figure:
    """Chosen channels of features (1, C, H, W), a layer each row; each map has its own scale."""
    if not channels:
        raise ValueError("there are no channels to show")
    columns = max(map(len, channels.values()))
    told = [f"{layer} {', '.join(map(str, each))}" for layer, each in channels.items()]
    height, width = next(iter(features.values())).shape[2:]
    each = (1.9, 1.9 * height / width + 0.25)
    alt = f"Feature maps, bright where a channel responds strongly: {'; '.join(told)}"
    figure = new_figure(alt, columns * each[0] + 0.3, len(channels) * each[1], photographs=True)
    axes = figure.subplots(len(channels), columns, squeeze=False)
    for row, (layer, chosen) in zip(axes, channels.items(), strict=True):
        for axis in row[len(chosen) :]:
            axis.set_axis_off()
        for axis, channel in zip(row, chosen, strict=False):
            axis.imshow(features[layer][0, channel].detach().cpu().numpy(), cmap="cividis")
            axis.set_title(f"channel {channel}", fontsize=9, pad=3)
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(f"{layer}\n{features[layer].shape[3]} × {features[layer].shape[2]}")
    return figure


def boxes(image: Tensor, named: Mapping[str, Box], title: str = "") -> Figure:
    """A picture (1, 3, H, W) with named rectangles, each (top, left, height, width) in pixels."""
    picture = to_pil(image)
    told = [f"{name} {height:g} × {width:g}" for name, (_, _, height, width) in named.items()]
    width = 5.0 * picture.width / picture.height
    alt = f"A picture with rectangles: {', '.join(told)} pixels"
    figure = new_figure(alt, width + 1.6, 5.2, photographs=True)
    axis = figure.subplots()
    axis.imshow(picture)
    for i, (name, (top, left, height, width)) in enumerate(named.items()):
        _rectangle(axis, (top, left, height, width), COLORS[i % len(COLORS)], name)
    axis.set(title=title, xlabel="pixels", ylabel="pixels")
    axis.set(xlim=(-0.5, picture.width - 0.5), ylim=(picture.height - 0.5, -0.5))
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


def gradient_fields(gradients: Mapping[str, Tensor], fields: Mapping[str, Box]) -> Figure:
    """How strongly each pixel moves one unit: gradients (H, W), cut out around their fields.

    The dashed rectangle is the field, (top, left, height, width) in pixels. The brightness is the
    square root of the gradient's size, so that small ones are seen.
    """
    if set(gradients) != set(fields):
        raise ValueError(f"gradients {sorted(gradients)} and fields {sorted(fields)} differ")
    sizes = [f"{name} {fields[name][2]:g} pixels wide" for name in gradients]
    alt = f"Heat maps of the gradient of one unit inside its receptive field: {', '.join(sizes)}"
    figure = new_figure(alt, 2.6 * len(gradients), 2.9)
    axes = figure.subplots(1, len(gradients), squeeze=False)[0]
    for axis, (name, gradient) in zip(axes, gradients.items(), strict=True):
        top, left, height, width = fields[name]
        axis.imshow(gradient.detach().abs().sqrt().cpu().numpy(), cmap="cividis")
        _rectangle(axis, fields[name], "white", name, "--")
        around = 0.08 * height + 1
        axis.set(xlim=(left - around, left + width + around - 1))
        axis.set(ylim=(top + height + around - 1, top - around))
        axis.set(title=f"{name}: {height:g} × {width:g}", xlabel="pixels")
    return figure


def _rectangle(axis, box: Box, color: str, name: str, line: str = "-") -> None:
    """Drawn at the outer edges of the pixels: a pixel's centre is at a whole number."""
    top, left, height, width = box
    axis.add_patch(
        Rectangle(
            (left - 0.5, top - 0.5), width, height,
            fill=False, edgecolor=color, linewidth=1.8, linestyle=line, label=name,
        )
    )  # fmt: skip
