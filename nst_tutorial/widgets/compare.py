"""A picture before and after, in the place of one, with a divider that is dragged on it."""

from __future__ import annotations

from torch import Tensor

from ..images.resizing import shape_of
from .components import CompareView
from .live import to_jpeg

HALF = 50.0  # per cent: where the divider begins


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
