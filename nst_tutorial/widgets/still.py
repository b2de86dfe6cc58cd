"""A still of a widget: what stands in its place where no kernel runs, on GitHub for one."""

from __future__ import annotations

import base64
import html
import io
import re
import textwrap
from collections.abc import Mapping, Sequence

from PIL import Image

from .. import plots
from ..plots.figure import Figure, new_figure

WIDTH = 9.0  # inches
LETTERS = 120  # of a line below the pictures


def still(pictures: Sequence[bytes], title: str, words: str, alt: str) -> Figure:
    """Picture files side by side, equally high, under a title and above words (HTML)."""
    opened = [Image.open(io.BytesIO(data)).convert("RGB") for data in pictures]
    shapes = [picture.width / picture.height for picture in opened]
    text = textwrap.fill(plain(words), LETTERS)
    room = 0.2 * (2 + title.count("\n") + text.count("\n"))
    figure = new_figure(alt, WIDTH, WIDTH / sum(shapes) + room)
    axes = figure.subplots(1, len(opened), width_ratios=shapes, squeeze=False)[0]
    for axis, picture in zip(axes, opened, strict=True):
        axis.imshow(picture)
        axis.set_axis_off()
    figure.suptitle(title, fontsize=9, parse_math=False)
    figure.supxlabel(text, fontsize=9, parse_math=False)
    # Curves are smaller as PNG, photographs as JPEG
    figure.kind = min(("png", "jpeg"), key=lambda kind: len(plots.to_bytes(figure, kind)))
    return figure


def plain(words: str) -> str:
    """HTML as a line of plain text."""
    inline = re.sub(r"</?(?:b|i|em|code|span)\b[^>]*>", "", words)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", inline)).split())


def beside(widget: Mapping, image: bytes, mime: str, alt: str) -> tuple[dict, dict]:
    """What IPython shows of a widget, and an image for whoever cannot show widgets.

    Front ends take the richest of the forms that they know, so one of the two is seen.
    """
    data = base64.b64encode(image).decode()
    return {**widget, mime: data}, {mime: {"alt": alt}}
