"""Colours as clouds of points, and regions drawn into their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.patches import Ellipse
from torch import Tensor

from ..images.color import color_statistics, luminance
from ..images.reading import to_pil
from .figure import COLORS, Figure, new_figure

POINTS = 2500  # of a cloud


def color_clouds(images: Mapping[str, Tensor], axes: tuple[int, int] = (0, 2)) -> Figure:
    """Pixels of pictures (1, 3, H, W) as points of their own colour, two channels against another.

    A dot marks the mean and an ellipse two standard deviations of the covariance in that plane.
    `axes` are the channels across and up: red against blue unless told.
    """
    if not images:
        raise ValueError("there are no pictures to show")
    alt = "Colours as clouds of points with their mean and covariance: " + ", ".join(images)
    figure = new_figure(alt, 2.9 * len(images), 3.2, photographs=True)
    panels = figure.subplots(1, len(images), sharex=True, sharey=True, squeeze=False)[0]
    names = ("red", "green", "blue")
    for panel, (title, image) in zip(panels, images.items(), strict=True):
        pixels = image.detach().cpu()[0].flatten(1)
        few = pixels[:, :: max(1, pixels.shape[1] // POINTS)]
        ink = few.T.clamp(0, 1).numpy()
        panel.scatter(few[axes[0]], few[axes[1]], s=4, c=ink, linewidths=0)
        mean, covariance = color_statistics(image)
        for color, width in (("white", 3.0), (COLORS[6], 1.4)):  # seen on any colour
            panel.add_patch(_ellipse(mean, covariance, axes, color, width))
        panel.plot(mean[axes[0]], mean[axes[1]], "o", color=COLORS[6], markeredgecolor="white")
        panel.set(title=title, xlabel=names[axes[0]], ylabel=names[axes[1]], aspect="equal")
        panel.set_facecolor("0.75")
    return figure


def _ellipse(mean: Tensor, covariance: Tensor, axes: tuple[int, int], color: str, width: float):
    """Two standard deviations around the mean, in the plane of two channels."""
    picked = list(axes)
    values, vectors = torch.linalg.eigh(covariance[picked][:, picked])
    across, up = 4 * values.clamp(min=0).sqrt()
    angle = torch.rad2deg(torch.atan2(vectors[1, 0], vectors[0, 0]))
    return Ellipse(
        tuple(mean[picked].tolist()), float(across), float(up), angle=float(angle),
        fill=False, edgecolor=color, linewidth=width,
    )  # fmt: skip


def regions(
    images: Sequence[Tensor], masks: Sequence[Tensor], titles: Sequence[str], height: float = 2.6
) -> Figure:
    """Pictures (1, 3, H, W), dark and grey outside of their masks, the border at ½ drawn in."""
    if not images or not len(images) == len(masks) == len(titles):
        raise ValueError(f"{len(images)} pictures, {len(masks)} masks and {len(titles)} titles")
    widths = [height * image.shape[3] / image.shape[2] for image in images]
    alt = f"Pictures with a region marked: {', '.join(titles)}"
    figure = new_figure(alt, sum(widths), height + 0.3, photographs=True)
    panels = figure.subplots(1, len(images), width_ratios=widths, squeeze=False)[0]
    for panel, image, mask, title in zip(panels, images, masks, titles, strict=True):
        image, mask = image.detach().cpu(), mask.detach().cpu()
        outside = 0.4 * luminance(image).expand_as(image)
        panel.imshow(to_pil(outside + mask * (image - outside)))
        if float(mask.min()) < 0.5 < float(mask.max()):
            panel.contour(mask[0, 0], levels=[0.5], colors=[COLORS[4]], linewidths=1.5)
        panel.set_axis_off()
        panel.set_title(title)
    return figure
