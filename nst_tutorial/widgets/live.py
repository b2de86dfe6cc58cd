"""The picture and its losses while an optimisation runs."""

from __future__ import annotations

import io
import time

import ipywidgets
from torch import Tensor

from .. import plots
from ..images.reading import to_pil
from ..optimize.loop import Progress
from .components import Picture, PictureRow
from .drawings import drawn

WIDTHS = "44%", "52%"  # of the picture and of the curves


def to_jpeg(image: Tensor) -> bytes:
    """A picture (1, 3, H, W) as the bytes of a file."""
    buffer = io.BytesIO()
    to_pil(image).save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()


class Live(ipywidgets.VBox):
    """The picture and its losses while `stylize` works; a callback to hand to it.

        live = Live()
        display(live)
        result = stylize(content, style, callback=live)

    It is redrawn every `seconds`, and at the last evaluation.
    """

    def __init__(self, seconds: float = 2.0):
        self.seconds, self.drawn = seconds, 0.0
        self.history: list[dict[str, float]] = []
        self.picture = self.curves = Picture(b"")
        self.row = PictureRow(WIDTHS)
        self.text = ipywidgets.HTML("waiting for the first evaluation …")
        super().__init__([self.text, self.row])

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return "(a live view of the picture and its losses, while a kernel runs)"

    def __call__(self, progress: Progress) -> None:
        if progress.evaluation == 1:
            self.history, self.drawn = [], 0.0
        row = {"evaluation": progress.evaluation, "size": max(progress.size)}
        self.history.append({**row, "total": progress.total, **progress.terms})
        last = progress.evaluation == progress.steps
        if last or time.monotonic() - self.drawn >= self.seconds:
            self.text.value = (
                f"evaluation {progress.evaluation} of {progress.steps} at "
                f"{max(progress.size)} px, loss {progress.total:.3g}, {progress.seconds:.0f} s"
            )
            if progress.image.isfinite().all():  # a bad step is rolled back: keep the last good one
                self.picture = Picture(to_jpeg(progress.image), alt="the picture so far")
            self.curves = drawn(plots.loss_curves(self.history, progress.term_weights))
            self.row.show([self.picture, self.curves])
            self.drawn = time.monotonic()
