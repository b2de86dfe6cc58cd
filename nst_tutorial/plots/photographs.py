"""Colours as clouds of points, and regions drawn into their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.colors import to_rgb
from matplotlib.patches import Ellipse, Patch
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


def matched_regions(
    content: Tensor,
    style: Tensor,
    content_masks: Sequence[Tensor],
    style_masks: Sequence[Tensor],
    height: float = 3.0,
) -> Figure:
    """Both pictures (1, 3, H, W) with their regions in matching colours; see `match_regions`.

    The legend says how much of the content and of the style each region covers. A region whose
    style another one takes too has the colour of the first of them in the style.
    """
    count = len(content_masks)
    if not count or count != len(style_masks):
        raise ValueError(f"{count} masks of the content and {len(style_masks)} of the style")
    widths = [height * image.shape[3] / image.shape[2] for image in (content, style)]
    alt = f"Content and style, each with its {count} regions in matching colours"
    figure = new_figure(alt, sum(widths), height + 0.6, photographs=True)
    panels = figure.subplots(1, 2, width_ratios=widths)
    colors = [COLORS[r % len(COLORS)] for r in range(count)]
    first = [next(i for i in range(r + 1) if torch.equal(style_masks[i], style_masks[r]))
             for r in range(count)]  # fmt: skip
    for panel, image, masks, shown, title in (
        (panels[0], content, content_masks, range(count), "content"),
        (panels[1], style, style_masks, sorted(set(first)), "style"),
    ):
        panel.imshow(to_pil(_tinted(image, {colors[r]: masks[r] for r in shown})))
        panel.set_axis_off()
        panel.set_title(title)
    labels = [f"{float(c.mean()):.0%} → {float(s.mean()):.0%}"
              for c, s in zip(content_masks, style_masks, strict=True)]  # fmt: skip
    patches = [Patch(color=c, label=label) for c, label in zip(colors, labels, strict=True)]
    figure.legend(handles=patches, loc="outside lower center", ncols=min(count, 6), frameon=False)
    return figure


def _tinted(image: Tensor, masks: Mapping[str, Tensor], strength: float = 0.55) -> Tensor:
    """The picture in grey, each mask over it in its colour."""
    image = image.detach().cpu()
    tinted = luminance(image).expand_as(image).clone()
    for color, mask in masks.items():
        ink = torch.tensor(to_rgb(color)).to(image).view(1, 3, 1, 1)
        tinted += strength * mask.detach().cpu().to(image) * (ink - luminance(image))
    return tinted.clamp(0, 1)
