"""Pictures side by side and in tables."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..images.reading import to_pil
from ..storage.atomic import printable
from .figure import Figure, new_figure


def image_row(images: Sequence[Tensor], titles: Sequence[str] = (), height: float = 3.5) -> Figure:
    """Pictures (1, 3, H, W) side by side, each in its own shape, `height` inches high.

    Titles are taken as they are, names of files say: a $ begins no formula.
    """
    if not images:
        raise ValueError("there are no pictures to show")
    if titles and len(titles) != len(images):
        raise ValueError(f"{len(images)} pictures, but {len(titles)} titles")
    pictures, titles = [to_pil(image) for image in images], list(map(printable, titles))
    widths = [height * p.width / p.height for p in pictures]
    alt = f"Pictures side by side: {', '.join(titles)}" if titles else f"{len(images)} pictures"
    room = 0.3 if titles else 0.0
    figure = new_figure(alt, sum(widths), height + room, photographs=True)
    axes = figure.subplots(1, len(pictures), width_ratios=widths, squeeze=False)[0]
    for i, (axis, picture) in enumerate(zip(axes, pictures, strict=True)):
        axis.imshow(picture)
        axis.set_axis_off()
        if titles:
            axis.set_title(titles[i], parse_math=False)
    return figure


def image_grid(
    rows: Sequence[Sequence[Tensor]],
    row_titles: Sequence[str],
    column_titles: Sequence[str],
    height: float = 2.2,
) -> Figure:
    """A table of pictures (1, 3, H, W), `height` inches each: say, kernels across, sizes down.

    Titles are taken as they are, as in `image_row`.
    """
    if len(rows) != len(row_titles) or any(len(row) != len(column_titles) for row in rows):
        raise ValueError(f"need {len(row_titles)} rows of {len(column_titles)} pictures")
    pictures = [[to_pil(image) for image in row] for row in rows]
    row_titles, column_titles = (list(map(printable, t)) for t in (row_titles, column_titles))
    width = height * max(p.width / p.height for row in pictures for p in row)
    alt = f"A table of pictures. Down: {', '.join(row_titles)}. Across: {', '.join(column_titles)}"
    size = (len(column_titles) * width + 0.4, len(rows) * height + 0.4)
    figure = new_figure(alt, *size, photographs=True)
    axes = figure.subplots(len(rows), len(column_titles), squeeze=False)
    for i, row in enumerate(pictures):
        for j, picture in enumerate(row):
            axes[i, j].imshow(picture)
            axes[i, j].set(xticks=[], yticks=[])
            axes[i, j].spines[:].set_visible(False)
            if i == 0:
                axes[i, j].set_title(column_titles[j], parse_math=False)
        axes[i, 0].set_ylabel(row_titles[i], parse_math=False)
    return figure


def show(*images: Tensor, titles: Sequence[str] = (), height: float = 3.5) -> Figure:
    """Return a matplotlib figure of pictures side by side, for the last line of a notebook cell.

    `height` is that of the row in inches; pictures keep their shapes.
    """
    return image_row(images, titles=titles, height=height)
