"""What all explorers share: controls, words and pictures, and an answer to each change."""

from __future__ import annotations

import html
import io
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import ipywidgets
from PIL import Image

from ... import plots
from ..components import CompareView, Picture, PictureRow
from ..sheet import sheet
from ..still import LETTERS, beside, plain, still
from .cache import packed, remembered

WORKING = "working …"
HALF = 50.0  # per cent: where the divider begins


@dataclass(frozen=True)
class Answer:
    """What an explorer shows for one setting of its controls."""

    pictures: tuple[Picture, ...]
    words: str  # HTML


class Explorer(ipywidgets.VBox):
    """Controls above, words and pictures below; each change of a control asks `answer` anew.

    `controls` holds the controls by name; setting a `.value` from Python does the same as a hand.
    `pictures` are those that are shown. What goes wrong is shown in words, with nothing else, and
    kept in `error`.

    Parameters
    ----------
    what
        What the explorer is, in at most a hundred letters: shown where no kernel runs.
    controls
        Name → control. The names are those of the arguments of `answer`.
    answer
        The values of the controls → an `Answer`.
    widths
        Of the pictures, as CSS, side by side; of the two that are compared, in one place, together.
    compares
        The first two pictures of an answer lie in one place, with a divider between.
    """

    def __init__(
        self,
        what: str,
        controls: Mapping[str, ipywidgets.Widget],
        answer: Callable[..., Answer],
        widths: Sequence[str],
        *,
        compares: bool = False,
    ):
        self.what, self.controls, self.answer = what, dict(controls), answer
        self.widths, self.compares = tuple(widths), compares
        self.error: Exception | None = None
        self.waiting = False  # for several controls to be set
        self.pictures: tuple[Picture, ...] = ()
        self.words = ipywidgets.HTML()
        self.view = CompareView() if compares else None
        if self.view is not None:
            self.view.position, self.view.layout.width = HALF, self.widths[0]
        self.row = PictureRow(self.widths[compares:])
        self.knobs = ipywidgets.Box(list(self.controls.values()))
        self.knobs.add_class("nst-knobs")
        shown = ipywidgets.Box([self.row] if self.view is None else [self.view, self.row])
        shown.add_class("nst-seen")
        super().__init__([sheet(__package__, "explorer.css"), self.knobs, self.words, shown])
        self.add_class("nst-explorer")
        for control in self.controls.values():
            control.observe(self.refresh, names="value")
        self.refresh()

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return f"({self.what}; it moves while a kernel runs)"

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        """The widget, and beside it a still of what it shows now, if it shows a picture."""
        widget = super()._repr_mimebundle_(**kwargs)
        if not self.pictures:
            return widget, {}
        settings = " · ".join(
            f"{control.description}: {_read(control.value)}" for control in self.controls.values()
        )
        alt = f"Still of {self.what}. {settings}. {plain(self.words.value)}"
        files = [picture.light for picture in self.pictures]
        figure = still(files, textwrap.fill(settings, LETTERS), self.words.value, alt)
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
        self._show(answer.pictures)
        self.words.value = answer.words

    def _show(self, pictures: tuple[Picture, ...]) -> None:
        self.pictures = pictures
        others = pictures
        if self.view is not None:
            compared, others = pictures[:2], pictures[2:]
            self.view.layout.display = None if compared else "none"
            if compared:
                _compare(self.view, *compared)
        self.row.layout.display = None if others else "none"
        self.row.show(others)


def _compare(view: CompareView, before: Picture, after: Picture) -> None:
    """Show two pictures without moving the divider."""
    with view.hold_sync():
        view.before, view.after = before.light, after.light
        view.alt_before, view.alt_after = before.alt, after.alt
        view.width, view.height = Image.open(io.BytesIO(after.light)).size


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
        stored = {"words": packed(answer.words.encode())}
        for i, picture in enumerate(answer.pictures):
            parts = {"light": picture.light, "dark": picture.dark, "alt": picture.alt.encode()}
            stored |= {f"{part} {i}": packed(data) for part, data in parts.items()}
        return stored

    stored = {key: value.tobytes() for key, value in remembered(name, settings, arrays).items()}
    pictures = tuple(
        Picture(stored[f"light {i}"], stored[f"dark {i}"], stored[f"alt {i}"].decode())
        for i in range(len(stored) // 3)
    )
    return Answer(pictures, stored["words"].decode())
