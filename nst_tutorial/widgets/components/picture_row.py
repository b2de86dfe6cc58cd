"""Pictures side by side, each with a text for those who do not see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import anywidget
from traitlets import List, Unicode

from .assets import script, style


@dataclass(frozen=True)
class Picture:
    """A picture file, for light pages and, where it is another, for dark ones."""

    light: bytes  # PNG or JPEG
    dark: bytes = b""  # of any kind that browsers show; none: the light one
    alt: str = ""


class PictureRow(anywidget.AnyWidget):
    """Pictures side by side, as wide as `widths` says, in CSS; where they do not fit, below.

    A drawing has two files: one of them is shown, by the theme of the page.
    """

    _esm = script("picture_row")
    _css = style("picture_row")

    pictures: List[dict[str, Any]] = List().tag(sync=True)
    widths = List(Unicode()).tag(sync=True)

    def __init__(self, widths: Sequence[str]):
        super().__init__(widths=list(widths))

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return "(pictures, while a kernel runs)"

    def show(self, pictures: Sequence[Picture]) -> None:
        """Show these instead of the ones before, at most as many as there are widths."""
        if len(pictures) > len(self.widths):
            raise ValueError(f"{len(pictures)} pictures, and {len(self.widths)} have a place")
        self.pictures = [asdict(picture) for picture in pictures]
