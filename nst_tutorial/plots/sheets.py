"""The results of a batch in a table: pictures down, settings across."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from ..batch.manifest import DONE, FIRST, LAST
from ..checks import printable
from ..images.reading import load_image, to_pil
from .figure import DPI, Figure, new_figure
from .labels import drawable, drawn_as_is, extent, wrapped, wrapped_to_fit

GAP = 4  # pixels between two pictures
LINE = 0.17  # inches from one line of a label to the next
SMALL = 8  # points
SPACE = 0.15  # inches around the sheet, and between it and its labels
BESIDE = 24  # letters of a line beside the sheet, at most
FOLDERS = r"^\S*[/\\]" if os.name == "nt" else r"^\S*/"  # of a path at the beginning of a reason


def contact_sheet(rows: Sequence[Mapping], folder: str | Path, thumb: int = 130) -> Figure:
    """Every result of a batch, small and labelled.

    Down: the pairs of content and style. Across: the combinations of settings, named by those that
    differ. A picture that failed, or cannot be read now, leaves a field with the reason.

    Parameters
    ----------
    rows
        Of the manifest, as `sweep` or `read_manifest` gives them.
    folder
        Where the files are.
    thumb
        Longer side of each in pixels.

    Raises
    ------
    ValueError
        There are no rows.
    """
    if not rows:
        raise ValueError("there are no results to show")
    varied = _varied(rows)
    labels = [_settings(row, varied) for row in rows]
    pairs = sorted({_pair(row) for row in rows})
    settings = sorted(set(labels), key=_in_order)
    fields, reasons = {}, {}
    for row, label in zip(rows, labels, strict=True):
        place = pairs.index(_pair(row)), settings.index(label)
        try:
            if row["status"] != DONE:
                raise ValueError(row.get("error", row["status"]))
            fields[place] = to_pil(load_image(Path(folder, row["file"]), thumb))
        except (OSError, ValueError) as error:
            reasons[place] = drawable(" ".join(re.sub(FOLDERS, "", str(error)).split()))
    height = max((picture.height for picture in fields.values()), default=thumb)
    width = max((picture.width for picture in fields.values()), default=thumb)
    return _drawn(fields, reasons, (height + GAP, width + GAP), _named(pairs), settings)


def _drawn(fields, reasons, cell, pairs, settings) -> Figure:
    height, width = cell
    sheet = Image.new("RGB", (width * len(settings), height * len(pairs)), "white")
    for (i, j), picture in fields.items():
        spare = (width - picture.width) // 2, (height - picture.height) // 2
        sheet.paste(picture, (j * width + spare[0], i * height + spare[1]))
    across = max(width, 60) / DPI  # inches of a line above or on a picture
    labels = [wrapped_to_fit(drawable(text), across, 4, SMALL) for text in settings]
    labels = list(_distinct(labels))
    most = max(1, int(height / DPI / LINE) // 2)
    names = ["\n".join(wrapped(drawable(name), BESIDE, most) for name in pair) for pair in pairs]
    names = list(_distinct(names))
    missing = f", {len(reasons)} missing" if reasons else ""
    down = ", ".join(" in ".join(pair) for pair in pairs[:12])
    over = ", ".join(text.replace("\n", " ") for text in settings[:12]) or "one setting"
    alt = f"{len(fields)} results of a batch{missing}. Down: {down}. Across: {over}"
    style = drawn_as_is([*labels, *names, *reasons.values()])
    beside, _ = extent(names, SMALL, style)
    widest, above = extent(labels, SMALL, style)
    overhang = max(0.0, widest - width / DPI) / 2  # of the last label beyond its picture
    shown = sheet.width / DPI, sheet.height / DPI
    left = max(beside + SPACE, overhang)
    size = left + shown[0] + max(overhang, SPACE), above + shown[1] + 2 * SPACE
    figure = new_figure(alt, *size, photographs=True)
    figure.set_layout_engine("none")  # a pixel of the sheet is one of the figure
    axis = figure.add_axes(
        (left / size[0], SPACE / size[1], shown[0] / size[0], shown[1] / size[1])
    )
    axis.imshow(np.asarray(sheet), interpolation="none")
    axis.set_xticks(
        [(j + 0.5) * width for j in range(len(labels))], labels, fontsize=SMALL, **style
    )
    axis.set_yticks([(i + 0.5) * height for i in range(len(names))], names, fontsize=SMALL, **style)
    axis.tick_params(length=0, labeltop=True, labelbottom=False)
    axis.spines[:].set_visible(False)
    for (i, j), reason in reasons.items():
        text = wrapped_to_fit(reason, across, 5, SMALL - 1)
        where = (j + 0.5) * width, (i + 0.5) * height
        axis.text(
            *where, text, fontsize=SMALL - 1, color="#D55E00", ha="center", va="center", **style
        )
    return figure


def _pair(row: Mapping) -> tuple[str, str]:
    return printable(str(row.get("content", ""))), printable(str(row.get("style", "")))


def _distinct(labels: Sequence[str]) -> Iterator[str]:
    """Numbers after labels that are the same, since names were shortened or cannot be drawn."""
    times: Counter[str] = Counter()
    for label in labels:
        times[label] += 1
        yield label if times[label] == 1 else f"{label} ({times[label]})"


def _named(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without suffixes, unless a.jpg and a.png are both there."""
    short = [(PurePosixPath(content).stem, PurePosixPath(style).stem) for content, style in pairs]
    return short if len(set(short)) == len(pairs) else list(pairs)


def _varied(rows: Sequence[Mapping]) -> list[str]:
    """The settings that are not the same in all rows."""
    names = {name for row in rows for name in row} - {*FIRST, *LAST}
    return sorted(name for name in names if len({str(row.get(name)) for row in rows}) > 1)


def _settings(row: Mapping, names: Sequence[str]) -> str:
    return "\n".join(printable(f"{name} {row.get(name, 'as by default')}") for name in names)


def _in_order(text: str) -> list:
    """Words in the order of the alphabet, numbers in that of their size."""
    return [(0, float(w), "") if _is_number(w) else (1, 0.0, w) for w in text.split()]


def _is_number(word: str) -> bool:
    try:
        return np.isfinite(float(word))
    except ValueError:
        return False
