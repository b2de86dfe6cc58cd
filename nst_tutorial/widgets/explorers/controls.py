"""The controls of explorers: each has a name that is seen and read aloud, and a tip."""

from __future__ import annotations

from collections.abc import Iterable

import ipywidgets

from ..components import StepSlider


def steps_of(options: Iterable, value: object, label: str, tip: str) -> StepSlider:
    """A slider over values, which answers when it is let go of."""
    return StepSlider(label, [(str(each), each) for each in options], value, tip)


def span_of(
    least: float, most: float, step: float, value: float, label: str, tip: str, digits: int = 2
) -> StepSlider:
    """A slider over the numbers from `least` to `most`, which are read with so many digits."""
    return StepSlider(label, numbers(least, most, step, digits), value, tip)


def numbers(least: float, most: float, step: float, digits: int) -> list[tuple[str, float]]:
    """Each number from `least` to `most`, after how it is read."""
    count = round((most - least) / step) + 1
    values = (round(least + i * step, 9) for i in range(count))
    return [(f"{value:.{digits}f}", value) for value in values]


def counts_to(last: int) -> list[tuple[str, int]]:
    """The whole numbers from 0 to `last`, after how they are read."""
    return [(str(i), i) for i in range(last + 1)]


def choice(options: Iterable, value: object, label: str, tip: str) -> ipywidgets.Dropdown:
    """A list to choose from."""
    return _named(ipywidgets.Dropdown(options=list(options), value=value), label, tip)


def tick(value: bool, label: str, tip: str) -> ipywidgets.Checkbox:
    """A box to tick."""
    return _named(ipywidgets.Checkbox(value=value, indent=False), label, tip)


def _named(control: ipywidgets.Widget, label: str, tip: str) -> ipywidgets.Widget:
    control.description = label
    control.style.description_width = "initial"
    # The one is the name in ipywidgets 8, the other in 7
    setattr(control, "tooltip" if control.has_trait("tooltip") else "description_tooltip", tip)
    return control
