"""What all explorers share: controls, words and pictures, and an answer to each change."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import ipywidgets

from ... import plots
from ..still import LETTERS, beside, plain, still
from .cache import packed, remembered

WORKING = "working …"
WIDTH = "23em"


@dataclass(frozen=True)
class Answer:
    """What an explorer shows for one setting of its controls."""

    pictures: tuple[bytes, ...]  # PNG or JPEG files
    words: str  # HTML


class Explorer(ipywidgets.VBox):
    """Controls above, words and pictures below; each change of a control asks `answer` anew.

    `controls` holds the controls by name; setting a `.value` from Python does the same as a hand.
    What goes wrong is shown in words, with nothing else, and kept in `error`.

    Parameters
    ----------
    what
        What the explorer is, in at most a hundred letters: shown where no kernel runs.
    controls
        Name → control. The names are those of the arguments of `answer`.
    answer
        The values of the controls → an `Answer`.
    widths
        Of the pictures, as CSS, side by side.
    """

    def __init__(
        self,
        what: str,
        controls: Mapping[str, ipywidgets.Widget],
        answer: Callable[..., Answer],
        widths: Sequence[str],
    ):
        self.what, self.controls, self.answer = what, dict(controls), answer
        self.error: Exception | None = None
        self.waiting = False  # for several controls to be set
        self.words = ipywidgets.HTML()
        self.pictures = [ipywidgets.Image(layout={"width": width}) for width in widths]
        knobs = ipywidgets.HBox(list(self.controls.values()), layout={"flex_flow": "row wrap"})
        shown = ipywidgets.HBox(
            self.pictures, layout={"flex_flow": "row wrap", "align_items": "center"}
        )
        super().__init__([knobs, self.words, shown])
        for control in self.controls.values():
            control.observe(self.refresh, names="value")
        self.refresh()

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return f"({self.what}; it moves while a kernel runs)"

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        """The widget, and beside it a still of what it shows now, if it shows a picture."""
        widget = super()._repr_mimebundle_(**kwargs)
        shown = [p.value for p in self.pictures if p.layout.display != "none"]
        if not shown:
            return widget, {}
        settings = " · ".join(
            f"{control.description}: {_read(control.value)}" for control in self.controls.values()
        )
        alt = f"Still of {self.what}. {settings}. {plain(self.words.value)}"
        figure = still(shown, textwrap.fill(settings, LETTERS), self.words.value, alt)
        return beside(widget, plots.to_bytes(figure, figure.kind), f"image/{figure.kind}", alt)

    def set(self, **values: object) -> None:
        """Set several controls, and ask for one answer."""
        self.waiting = True
        try:
            for name, value in values.items():
                self.controls[name].value = value
        finally:
            self.waiting = False
        self.refresh()

    def refresh(self, _change=None) -> None:
        """Ask for the answer to the present values, and show it."""
        if self.waiting:
            return
        self.words.value = WORKING
        values = {name: control.value for name, control in self.controls.items()}
        try:
            answer, self.error = self.answer(**values), None
        except Exception as error:  # else it would end in a log that nobody reads
            self.error = error
            answer = Answer((), f"<b>This cannot be shown:</b> {_told(error)}")
        for i, picture in enumerate(self.pictures):
            there = i < len(answer.pictures)
            picture.layout.display = None if there else "none"
            if there:
                jpeg = answer.pictures[i][:2] == b"\xff\xd8"
                picture.format = "jpeg" if jpeg else "png"
                picture.value = answer.pictures[i]
        self.words.value = answer.words


def _read(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{float(f'{value:.3g}'):g}" if isinstance(value, float) else str(value)


def _told(error: Exception) -> str:
    kind = "" if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: "
    return html.escape(f"{kind}{error}")


def kept(name: str, settings: Mapping, make: Callable[[], Answer]) -> Answer:
    """The answer to these settings: drawn once, then from the cache."""

    def arrays() -> dict:
        answer = make()
        pictures = {f"picture {i}": packed(data) for i, data in enumerate(answer.pictures)}
        return {**pictures, "words": packed(answer.words.encode())}

    stored = remembered(name, settings, arrays)
    pictures = tuple(stored[f"picture {i}"].tobytes() for i in range(len(stored) - 1))
    return Answer(pictures, stored["words"].tobytes().decode())


# --- controls --------------------------------------------------------------------------------


def labelled(control: ipywidgets.Widget, label: str, tip: str) -> ipywidgets.Widget:
    """The same control with a label before it, and a tip for whoever lingers there."""
    control.description = label
    control.style.description_width = "initial"
    control.layout.width = WIDTH
    # The one is the name in ipywidgets 8, the other in 7
    setattr(control, "tooltip" if control.has_trait("tooltip") else "description_tooltip", tip)
    return control


def steps_of(options: Iterable, value: object, label: str, tip: str) -> ipywidgets.SelectionSlider:
    """A slider over given values, which answers when it is let go."""
    slider = ipywidgets.SelectionSlider(options=list(options), value=value, continuous_update=False)
    return labelled(slider, label, tip)


def choice(options: Iterable, value: object, label: str, tip: str) -> ipywidgets.Dropdown:
    """A list to choose from."""
    return labelled(ipywidgets.Dropdown(options=list(options), value=value), label, tip)


def tick(value: bool, label: str, tip: str) -> ipywidgets.Checkbox:
    """A box to tick."""
    return labelled(ipywidgets.Checkbox(value=value, indent=False), label, tip)
