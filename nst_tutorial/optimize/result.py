"""A picture and how it came about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from ..looks.look import Look
from .loop import BETTER


@dataclass
class Result:
    """A picture and how it came about."""

    image: Tensor
    """(1, 3, H, W), sRGB, 0..1, on the CPU: the picture of the lowest loss at the finest scale
    that was reached, enlarged if that was not the last. With `average`: the average of the iterates
    there, see `minimize`."""

    history: list[dict] = field(default_factory=list)
    """One row an evaluation: "evaluation", "size" (longer side), "total", each term by name before
    its weight, "seconds" since the start, and "event" where something went wrong."""

    settings: dict = field(default_factory=dict)
    """Everything that made the picture, as JSON can hold it; goes into `save_image`."""

    term_weights: Mapping[str, float] = field(default_factory=dict)
    """The weight of each term in the total, at the last scale."""

    gradient_norms: dict[str, float] = field(default_factory=dict)
    """With balance="gradient": the norm of each term's gradient at the start, before its weight."""

    seconds: float = 0.0
    """How long it took."""

    stopped: str | None = None
    """None if all steps were done, else "callback", "interrupted" (Ctrl-C), "no improvement",
    "settled" (the last scale, with `settle`), or `loop.NOTHING_BETTER`: no evaluation was better
    than the start, which the picture is."""

    settled: list[int] = field(default_factory=list)
    """With `settle`: the longer sides of the scales that ended early, as their loss had settled."""

    look: Look | None = None
    """With parametrization="grid": what the content's colours became, for other pictures too.
    None after a warning: the grid holds numbers that no file of a look may."""

    def apply(self, picture: Tensor, strength: float = 1.0) -> Tensor:
        """Return a picture (1, 3, H, W) of any size with the look of this result, in 0..1.

        The content itself, at full size, or another photograph; see `looks.Look.apply`. Noise that
        was removed from `image` and chroma that was put back are no part of a look.

        Raises
        ------
        ValueError
            There is no look: the run moved pixels, or warned that it could make none; no picture of
            finite values; a strength outside 0..1.5.
        """
        if self.look is None:
            if self.settings.get("parametrization") == "grid":
                raise ValueError("this result has no look to apply, as its run warned")
            raise ValueError(
                "this result has no look to apply: it moved pixels; mode='photo' fits a look"
            )
        return self.look.apply(picture, strength).clamp(0, 1)

    @property
    def row(self) -> dict:
        """The row of the history that is the picture's; {} without a history.

        The least loss at the last scale, or, with `average`, the last one: that of the average
        itself, or of a run that was stopped by hand the nearest to it.
        """
        if not self.history:
            return {}
        last = [row for row in self.history if row["size"] == self.history[-1]["size"]]
        best = min(last, key=lambda row: row["total"])
        first = last[0]["total"]
        improved = best["total"] < first - BETTER * abs(first)
        averaged = self.settings.get("average") and math.isfinite(last[-1]["total"])
        return last[-1] if averaged and improved else best

    @property
    def weights(self) -> Mapping[str, float]:
        """`term_weights` by the name that they had in version 0.1.0."""
        return self.term_weights
