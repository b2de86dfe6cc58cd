"""Two pictures in the place of one, with a slider that uncovers more of one or of the other."""

from __future__ import annotations

import ipywidgets
from torch import Tensor

from ..images.resizing import resize, shape_of
from .live import to_jpeg


def split(before: Tensor, after: Tensor, share: float) -> Tensor:
    """The left `share` (0..1) of one picture beside the rest of another, with a line between.

    Both are (1, 3, H, W); `before` is resized to the size of `after`, which the result has.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be between 0 and 1, got {share}")
    before = resize(before, shape_of(after)).clamp(0, 1)
    width = after.shape[3]
    column = round(share * width)
    both = after.clone()
    both[..., :column] = before[..., :column]
    if 0 < column < width:
        line = max(1, width // 250)
        both[..., max(0, column - line) : column + line] = 1.0
    return both


class Compare(ipywidgets.VBox):
    """A picture before and after, and the slider between them.

        compare = Compare()
        compare.show(content, result.image)

    `slider.value` is the percentage of the picture that is shown as it was before.
    """

    def __init__(self) -> None:
        self.before: Tensor | None = None
        self.after: Tensor | None = None
        self.picture = ipywidgets.Image(format="jpeg", layout={"max_width": "100%"})
        self.slider = ipywidgets.IntSlider(
            min=0, max=100, value=50, description="Before, in %",
            style={"description_width": "90px"}, layout={"width": "100%"},
        )  # fmt: skip
        self.slider.observe(self._draw, "value")
        super().__init__([self.picture, self.slider])

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return "(a picture before and after, with a slider, while a kernel runs)"

    def show(self, before: Tensor, after: Tensor) -> None:
        """Show these two, both (1, 3, H, W), sRGB, 0..1."""
        self.before, self.after = before, after
        self._draw()

    def _draw(self, change=None) -> None:
        if self.before is not None and self.after is not None:
            share = self.slider.value / 100
            self.picture.value = to_jpeg(split(self.before, self.after, share))
