"""Small pieces of the studio's page. Whatever comes from outside is escaped."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import ipywidgets

from ...tiling.engine import is_out_of_memory
from ...tiling.planning import Plan, duration
from .recipe import Picture, Recipe

COPY = (
    "const code = this.parentElement.nextElementSibling;"
    "getSelection().selectAllChildren(code);"  # to be copied by hand where the page may not
    "navigator.clipboard?.writeText(code.textContent).then(() => { this.textContent = 'Copied'; })"
)


class Fold(ipywidgets.VBox):
    """Controls below a button that shows and hides them; hidden at first.

    (The headers of ipywidgets' accordion cannot be reached by keyboard.)
    """

    def __init__(self, title: str, children: Sequence[ipywidgets.Widget]):
        self.title = title
        self.button = ipywidgets.ToggleButton(value=False)
        self.inside = ipywidgets.VBox(list(children))
        self.button.observe(self._turn, "value")
        super().__init__([self.button, self.inside])
        self.add_class("nst-fold")
        self._turn()

    def _turn(self, change: object = None) -> None:
        is_open = self.button.value
        self.button.description = f"{'▾' if is_open else '▸'} {self.title}"
        self.inside.layout.display = None if is_open else "none"


class ProgressBar(ipywidgets.HTML):
    """How much is done, with a name for a screen reader (ipywidgets' own has none)."""

    def __init__(self) -> None:
        super().__init__()
        self.fraction = 0.0

    @property
    def fraction(self) -> float:
        """0..1."""
        return self._fraction

    @fraction.setter
    def fraction(self, value: float) -> None:
        self._fraction = value
        self.value = f'<progress max="1" value="{value:.4f}" aria-label="Done so far"></progress>'


def in_words(error: BaseException, pictures: Sequence[Picture] = ()) -> str:
    """What went wrong, for somebody who has not written the program; pictures by their names."""
    if is_out_of_memory(error):
        return "There is not enough memory. Take a smaller size, or close other notebooks."
    known = isinstance(error, ValueError | OSError)
    text = str(error) if known else f"{type(error).__name__}: {error}"
    for picture in pictures:
        text = text.replace(str(picture.path), picture.name)
    return text


def alert(text: str) -> str:
    """An error, in words, where it is seen, and read aloud by a screen reader."""
    style = (
        "color:#7a0000;background:#fdecea;border-left:4px solid #b00020;padding:6px 10px;"
        "line-height:1.4;white-space:pre-wrap;overflow-wrap:anywhere"
    )
    return f'<div role="alert" style="{style}">{escape(text)}</div>'


def quiet(text: str) -> str:
    """What is going on."""
    style = "line-height:1.4;white-space:pre-wrap;overflow-wrap:anywhere"
    return f'<div role="status" style="{style}">{escape(text)}</div>'


def plan_in_words(plan: Plan, running: bool) -> str:
    """Time and memory in a line, and the whole plan for whoever opens it."""
    time = "time is being measured" if plan.seconds is None else f"about {duration(plan.seconds)}"
    line = f"{time}, {plan.memory / 1e9:.1f} GB of memory"
    line = f"The next run: {line}" if running else line[0].upper() + line[1:]
    if not plan.fits:
        line += ": more than is free"
    return (
        f'<details class="nst-plan"><summary title="{escape(str(plan), quote=True)}">'
        f"{escape(line)}</summary><div>{escape(str(plan))}</div></details>"
    )


def as_code(recipe: Recipe, title: str) -> str:
    """The call and the command that make a picture, to be copied, and the masks that they read."""
    blocks = "".join(
        f'<div class="nst-code">{name} <button type="button" onclick="{escape(COPY, quote=True)}">'
        f'Copy</button></div><pre tabindex="0">{escape(code)}</pre>'
        for name, code in (("In Python", recipe.python()), ("In a terminal", recipe.shell()))
    )
    masks = ", ".join(map(_link, recipe.masks))
    read = f"<div>They read the masks {masks}</div>" if masks else ""
    return f"<details><summary>{escape(title)}</summary>{blocks}{read}</details>"


def _link(picture: Picture) -> str:
    """A file to be downloaded, which the link holds."""
    data = base64.b64encode(picture.path.read_bytes()).decode()
    name = escape(picture.name, quote=True)
    return f'<a href="data:image/png;base64,{data}" download="{name}">{name}</a>'
