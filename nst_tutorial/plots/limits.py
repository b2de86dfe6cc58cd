"""Noise and size: where a result is noisy, at which frequencies, what removing it costs; tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullFormatter
from torch import Tensor

from ..checks import check_number
from ..images.reading import to_pil
from ..noise.level import fine_detail, flat_regions, noise_level, power_spectrum
from ..tiling.windows import Window
from .charts import STYLES
from .figure import COLORS, Figure, new_figure
from .pictures import image_grid

GAIN = 8  # the factor by which fine grain is amplified to be seen


def noise_report(result: Tensor, content: Tensor, style: Tensor) -> Figure:
    """How noisy a result is: the content's flat regions, the grain there, and three spectra.

    `result` and `content` are pictures (1, 3, H, W) of one size, `style` of any size. The grain is
    the difference of each pixel from the mean of its 3×3, eight times as strong, on grey.
    """
    flat = flat_regions(content)
    levels = {
        name: noise_level(x, flat) for name, x in {"result": result, "content": content}.items()
    }
    told = ", ".join(f"{name} {level:.2f}" for name, level in levels.items())
    alt = f"The flat regions of a picture, the fine grain in them, and spectra. Noise there: {told}"
    aspect = result.shape[3] / result.shape[2]
    height = 3.0
    figure = new_figure(alt, height * (2 * aspect + 1.45), height + 0.55, photographs=True)
    grain = result - F.avg_pool2d(F.pad(result, (1, 1, 1, 1), mode="reflect"), 3, stride=1)
    panels = {
        "where the content is flat": torch.where(flat, result, 0.3 * result),
        f"grain there, {GAIN} times": torch.where(flat, 0.5 + GAIN * grain, 1.0),
    }
    axes = figure.subplots(1, 3, width_ratios=[aspect, aspect, 1.45])
    for axis, (title, picture) in zip(axes, panels.items(), strict=False):
        axis.imshow(to_pil(picture))
        axis.set_axis_off()
        axis.set_title(title)
    _draw_spectra(axes[2], {"result": result, "content": content, "style": style})
    figure.suptitle(f"Noise in the flat regions, in grey levels: {told}", fontsize=11)
    return figure


def amplified_grain(images: Mapping[str, Tensor], gain: float = 4) -> Figure:
    """Pictures (1, 3, H, W), and beside each its fine detail, `gain` times as strong, on grey.

    The detail of a pixel is what is left of it when the mean of its neighbourhood is subtracted,
    see `noise.fine_detail`. What has no detail is grey.
    """
    check_number("gain", gain, above=0)
    if not images:
        raise ValueError("there are no pictures whose grain could be drawn")
    rows = [
        [image[..., 1:-1, 1:-1], 0.5 + gain * fine_detail(image.detach().cpu())]
        for image in images.values()
    ]
    return image_grid(rows, list(images), ["as it is", f"its fine detail, {gain:g} times"])


def power_spectra(images: Mapping[str, Tensor]) -> Figure:
    """The radially averaged power spectra of pictures (1, 3, H, W), any sizes, on log-log axes."""
    if not images:
        raise ValueError("there are no pictures whose spectra could be drawn")
    figure = new_figure(f"Power spectra of {', '.join(images)}", 6.5, 3.8)
    axis = figure.subplots()
    ends = _draw_spectra(axis, images)
    figure.alt += "; at half a cycle per pixel: " + ", ".join(
        f"{name} {power:.2g}" for name, power in ends.items()
    )
    return figure


def _draw_spectra(axis: Axes, images: Mapping[str, Tensor]) -> dict[str, float]:
    """Draw them; return the power of each near half a cycle per pixel."""
    ends = {}
    for i, (name, image) in enumerate(images.items()):
        spectrum = power_spectrum(image)
        shown = (spectrum.frequency > 0) & (spectrum.frequency <= 0.5)
        line, color = STYLES[i % len(STYLES)], COLORS[i % len(COLORS)]
        x, y = spectrum.frequency[shown], spectrum.power[shown].clamp(min=1e-12)
        axis.plot(x, y, line, color=color, label=name, linewidth=1.5)
        ends[name] = float(y[-1])
    axis.set(xscale="log", yscale="log", title="Power spectra")
    axis.set(xlabel="cycles per pixel", ylabel="power, grey levels²")
    axis.set_xticks([0.01, 0.03, 0.1, 0.25, 0.5], ["0.01", "0.03", "0.1", "0.25", "0.5"])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.legend(frameon=False, fontsize=9)
    return ends


def noise_front(
    fronts: Mapping[str, Sequence[tuple[float, float]]],
    raw: tuple[float, float],
    title: str = "What it costs to remove the noise",
    ylabel: str = "style error, % more than before",
    top: float | None = None,
) -> Figure:
    """What removing noise costs: for each method a line of (noise, cost) with growing strength.

    `raw` is the picture before. The dotted line marks a third of its noise. `top` is the end of the
    axis of costs, for figures that are to be compared.
    """
    if not fronts or not all(fronts.values()):
        raise ValueError("every method needs at least one point (noise, cost)")
    lowest = {name: min(point[0] for point in points) for name, points in fronts.items()}
    told = ", ".join(f"{name} down to {low:.2g}" for name, low in lowest.items())
    figure = new_figure(f"{title}. Noise from {raw[0]:.2g}: {told}", 7.5, 4.2)
    axis = figure.subplots()
    for i, (name, points) in enumerate(fronts.items()):
        x, y = zip(raw, *points, strict=True)
        line, color = STYLES[i % len(STYLES)], COLORS[i % len(COLORS)]
        axis.plot(x, y, line, color=color, marker="os^Dv<>p"[i % 8], markersize=4.5, label=name)
    axis.plot(*raw, "*", color="black", markersize=12, label="before", zorder=3)
    axis.axvline(raw[0] / 3, color="black", linestyle=":", linewidth=1.2, label="a third")
    axis.set(xscale="log", xlabel="noise in the flat regions, grey levels", ylabel=ylabel)
    axis.set_title(title)
    axis.set_ylim(top=top)
    ticks = [
        t for t in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10) if min(lowest.values()) / 2 < t < 2 * raw[0]
    ]
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def tile_windows(image: Tensor, windows: Sequence[Window], shown: int = 0) -> Figure:
    """A picture (1, 3, H, W) cut into tiles, and one tile with all that is seen around it."""
    if not 0 <= shown < len(windows):
        raise ValueError(f"shown must be one of the {len(windows)} tiles, got {shown}")
    rows, columns = windows[shown].block
    seen = (rows.stop - rows.start) * (columns.stop - columns.start)
    counted = windows[shown].rows, windows[shown].columns
    area = (counted[0].stop - counted[0].start) * (counted[1].stop - counted[1].start)
    alt = f"A picture in {len(windows)} tiles; one of {area} pixels is seen with {seen} pixels"
    height = 3.4
    width = height * image.shape[3] / image.shape[2]
    figure = new_figure(alt, width, height + 0.75, photographs=True)
    axis = figure.subplots()
    axis.imshow(to_pil(0.55 + 0.45 * image))
    for window in windows:
        axis.add_patch(_box(window.rows, window.columns, "white", "-", 1.0))
    axis.add_patch(_box(rows, columns, COLORS[1], "--", 2.5, "seen by the network"))
    axis.add_patch(_box(*counted, COLORS[0], "-", 2.5, "counted"))
    axis.set(xticks=[], yticks=[], title=f"{len(windows)} tiles")
    axis.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=2)
    return figure


def _box(
    rows: slice, columns: slice, color: str, line: str, width: float, label: str = ""
) -> Rectangle:
    corner = (columns.start - 0.5, rows.start - 0.5)
    size = columns.stop - columns.start, rows.stop - rows.start
    return Rectangle(
        corner, *size, fill=False, edgecolor=color, linestyle=line, linewidth=width,
        label=label or None,
    )  # fmt: skip
