"""A slider over a list of values, with a name that is read aloud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anywidget
from traitlets import Any as AnyTrait
from traitlets import Bool, Int, List, TraitError, Unicode, observe, validate

from .assets import script, style


class StepSlider(anywidget.AnyWidget):
    """A slider whose `value` is one of `options`: pairs of what is read and what it stands for.

    `continuous`: it answers while it is moved, not only when it is let go of. (ipywidgets' own
    sliders have no name for a screen reader.)
    """

    _esm = script("step_slider")
    _css = style("step_slider")

    description = Unicode().tag(sync=True)
    tooltip = Unicode().tag(sync=True)
    labels = List(Unicode()).tag(sync=True)
    index = Int(0).tag(sync=True)
    disabled = Bool(False).tag(sync=True)
    continuous = Bool(False).tag(sync=True)
    value = AnyTrait()

    def __init__(
        self,
        description: str,
        options: Sequence[tuple[str, Any]],
        value: Any,
        tooltip: str = "",
        *,
        continuous: bool = False,
    ):
        self.options = tuple(value for _, value in options)
        super().__init__(
            description=description, tooltip=tooltip, labels=[label for label, _ in options],
            value=value, continuous=continuous,
        )  # fmt: skip

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return f"({self.description}, a slider while a kernel runs)"

    def offer(self, options: Sequence[tuple[str, Any]]) -> None:
        """Offer these; what was chosen stays so if it is one of them, else it is the last."""
        chosen, values = self.value, tuple(value for _, value in options)
        place = values.index(chosen) if chosen in values else len(values) - 1
        with self.hold_sync():
            self.options = values
            self.labels = [label for label, _ in options]
            self.value = values[place]
            self.index = place  # the same value may stand elsewhere now

    @validate("value")
    def _is_an_option(self, proposal: Any) -> Any:
        if proposal.value not in self.options:
            raise TraitError(f"{self.description}: {proposal.value!r} is none of {self.options}")
        return self.options[self.options.index(proposal.value)]

    @validate("index")
    def _is_a_place(self, proposal: Any) -> int:
        if not 0 <= proposal.value < len(self.options):
            raise TraitError(f"{self.description}: there is no mark {proposal.value}")
        return proposal.value

    @observe("value")
    def _place(self, change: Any) -> None:
        self.index = self.options.index(change.new)

    @observe("index")
    def _take(self, change: Any) -> None:
        self.value = self.options[change.new]
