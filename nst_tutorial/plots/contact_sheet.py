"""The results of a batch in a table: pictures down, settings across."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from ..batch.manifest import DONE, FIRST, LAST
from ..images.reading import load_image, to_pil
from .figure import DPI, new_figure

GAP = 4  # pixels between two pictures


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
    labels = [_settings(row, _varied(rows)) for row in rows]
    pairs = sorted({(row["content"], row["style"]) for row in rows})
    settings = sorted(set(labels), key=_in_order)
    fields, reasons = {}, {}
    for row, label in zip(rows, labels, strict=True):
        place = pairs.index((row["content"], row["style"])), settings.index(label)
        try:
            if row["status"] != DONE:
                raise ValueError(row.get("error", row["status"]))
            fields[place] = to_pil(load_image(Path(folder, row["file"]), thumb))
        except (OSError, ValueError) as error:
            reasons[place] = str(error)
    height = max((picture.height for picture in fields.values()), default=thumb)
    width = max((picture.width for picture in fields.values()), default=thumb)
    return _drawn(fields, reasons, (height + GAP, width + GAP), _named(pairs), settings)


def _drawn(fields, reasons, cell, pairs, settings) -> Figure:
    height, width = cell
    sheet = Image.new("RGB", (width * len(settings), height * len(pairs)), "white")
    for (i, j), picture in fields.items():
        spare = (width - picture.width) // 2, (height - picture.height) // 2
        sheet.paste(picture, (j * width + spare[0], i * height + spare[1]))
    labels = [_broken(text, width // 6) for text in settings]
    names = [f"{content}\n{style}" for content, style in pairs]
    above = 0.17 * max(text.count("\n") + 1 for text in labels) + 0.2
    beside = 0.085 * max(len(line) for name in names for line in name.split("\n")) + 0.4
    missing = f", {len(reasons)} missing" if reasons else ""
    down = ", ".join(" in ".join(pair) for pair in pairs[:12])
    across = ", ".join(text.replace("\n", " ") for text in settings[:12]) or "one setting"
    alt = f"{len(fields)} results of a batch{missing}. Down: {down}. Across: {across}"
    size = (sheet.width / DPI + beside, sheet.height / DPI + above)
    figure = new_figure(alt, *size, photographs=True)
    axis = figure.subplots()
    axis.imshow(np.asarray(sheet), interpolation="none")
    axis.set_xticks([(j + 0.5) * width for j in range(len(labels))], labels, fontsize=8)
    axis.set_yticks([(i + 0.5) * height for i in range(len(names))], names, fontsize=8)
    axis.tick_params(length=0, labeltop=True, labelbottom=False)
    axis.spines[:].set_visible(False)
    for (i, j), reason in reasons.items():
        reason = re.sub(r"^\S*[/\\]", "", reason)  # the file's name will do, without its folder
        text = textwrap.shorten(reason, 5 * width // 6, placeholder=" …")
        where = (j + 0.5) * width, (i + 0.5) * height
        axis.text(*where, _broken(text, width // 6), fontsize=7, color="#D55E00",
                  ha="center", va="center")  # fmt: skip
    return figure


def _named(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without suffixes, unless a.jpg and a.png are both there."""
    short = [tuple(Path(name).stem for name in pair) for pair in pairs]
    return short if len(set(short)) == len(pairs) else list(pairs)


def _varied(rows: Sequence[Mapping]) -> list[str]:
    """The settings that are not the same in all rows."""
    names = {name for row in rows for name in row} - {*FIRST, *LAST}
    return sorted(name for name in names if len({str(row.get(name)) for row in rows}) > 1)


def _settings(row: Mapping, names: Sequence[str]) -> str:
    return "\n".join(f"{name} {row.get(name, 'as by default')}" for name in names)


def _in_order(text: str) -> list:
    """Words in the order of the alphabet, numbers in that of their size."""
    return [(0, float(w), "") if _is_number(w) else (1, 0.0, w) for w in text.split()]


def _is_number(word: str) -> bool:
    try:
        return np.isfinite(float(word))
    except ValueError:
        return False


def _broken(text: str, width: int) -> str:
    return "\n".join(
        piece for line in text.split("\n") for piece in textwrap.wrap(line, max(8, width)) or [""]
    )
