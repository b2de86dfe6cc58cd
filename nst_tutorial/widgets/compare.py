"""A picture before and after, in the place of one, with a divider that is dragged on it."""

from __future__ import annotations

from torch import Tensor

from ..images.resizing import resize, shape_of
from .components import CompareView
from .live import to_jpeg

HALF = 50.0  # per cent: where the divider begins


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


class Compare(CompareView):
    """A picture before and after, and the divider between them.

        compare = Compare()
        compare.show_both(content, result.image)

    `position` is the percentage of the picture that is shown as it was before.
    """

    def show_both(self, before: Tensor, after: Tensor) -> None:
        """Show these two, both (1, 3, H, W), sRGB, 0..1; the first in the size of the second."""
        self.show(to_jpeg(after), shape_of(after), before=to_jpeg(before))
        self.position = HALF
