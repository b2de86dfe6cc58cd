"""An explorer's answers, once for all: a small JSON file, and the pictures it names.

The controls are read off the explorer itself, and so is what each combination of them answers. A
control with many marks may be stored at some of them: between two of these the page blends.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import ipywidgets
from PIL import Image

from nst_tutorial.widgets import Answer, Explorer
from nst_tutorial.widgets.components import Picture, PicturePicker, StepSlider

QUALITY = 72  # of WebP, where that is smaller than without loss


@dataclass(frozen=True)
class Recipe:
    """How an explorer is made, and where its answers are stored."""

    make: Callable[[], Explorer]
    every: Mapping[str, int] = field(default_factory=dict)
    """Control → only every so manieth mark has a stored answer, and the first, the last and the one
    where it begins."""

    idle: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Control → (a choice, the mark of it with which the control changes nothing)."""


@dataclass(frozen=True)
class Control:
    """A control as the page shows it: what each of its marks is called, and stands for."""

    name: str
    kind: str  # "slider", "choice", "pictures" or "tick"
    label: str
    tip: str
    labels: tuple[str, ...]
    values: tuple[Any, ...]
    index: int

    def as_json(self) -> dict:
        kept = ("name", "kind", "label", "tip", "labels", "index")
        return {name: getattr(self, name) for name in kept}


def control_of(name: str, widget: ipywidgets.Widget) -> Control:
    """Read a control off its widget.

    Raises
    ------
    TypeError
        A widget of a kind that no explorer has.
    """
    values: tuple[Any, ...]
    if isinstance(widget, StepSlider):
        kind, labels, values = "slider", tuple(widget.labels), widget.options
    elif isinstance(widget, ipywidgets.Dropdown):
        labels = tuple(str(label) for label in widget._options_labels)
        kind, values = "choice", tuple(widget._options_values)
    elif isinstance(widget, PicturePicker):
        kind, labels, values = "pictures", tuple(widget.options), tuple(widget.options)
    elif isinstance(widget, ipywidgets.Checkbox):
        kind, labels, values = "tick", ("no", "yes"), (False, True)
    else:
        raise TypeError(f"{name}: no page shows a {type(widget).__name__}")
    # The one is the name in ipywidgets 8, the other in 7
    traits = filter(widget.has_trait, ("tooltip", "description_tooltip"))
    tip = next((getattr(widget, trait) for trait in traits), "") or ""
    index = values.index(widget.value)
    return Control(name, kind, widget.description, tip, labels, values, index)


# --- which combinations ----------------------------------------------------------------------


def switched_off(explorer: Explorer, controls: Sequence[Control]) -> dict[str, list]:
    """Control → [the choice that switches it off, the marks where it does]."""
    off: dict[str, list] = {}
    explorer.waiting = True
    for each in controls:
        if each.kind != "choice":
            continue
        widget, before = explorer.controls[each.name], explorer.controls[each.name].value
        for i, value in enumerate(each.values):
            widget.value = value
            for other in controls:
                if getattr(explorer.controls[other.name], "disabled", False):
                    off.setdefault(other.name, [each.name, []])[1].append(i)
        widget.value = before
    explorer.waiting = False
    return off


def stored_marks(control: Control, step: int) -> list[int]:
    """The first mark and every `step`-th after it, the last, and the one where it begins."""
    count = len(control.values)
    return sorted({*range(0, count, step), count - 1, control.index})


def combinations(
    controls: Sequence[Control], off: Mapping[str, list], sparse: Mapping[str, Sequence[int]]
) -> Iterator[tuple[int, ...]]:
    """The marks of all controls, in order; a control that is off stays where it begins."""
    ranges = [sparse.get(each.name, range(len(each.values))) for each in controls]
    place = {each.name: i for i, each in enumerate(controls)}
    for marks in product(*ranges):
        idle = (
            marks[place[name]] != controls[place[name]].index
            for name, (switch, where) in off.items()
            if marks[place[switch]] in where
        )
        if not any(idle):
            yield marks


# --- files -----------------------------------------------------------------------------------


def write_answers(recipe: Recipe, folder: Path) -> None:
    """Write `explorer.json` and the pictures of all answers; equal ones are one file.

    Raises
    ------
    Exception
        What the explorer raises for one of its settings.
    """
    explorer = recipe.make()
    controls = [control_of(name, widget) for name, widget in explorer.controls.items()]
    off = switched_off(explorer, controls)
    off |= {name: [switch, [mark]] for name, (switch, mark) in recipe.idle.items()}
    sparse = {
        each.name: stored_marks(each, recipe.every[each.name])
        for each in controls
        if each.name in recipe.every
    }
    pictures = Pictures(folder)
    answers = {}
    for marks in combinations(controls, off, sparse):
        values = {each.name: each.values[i] for each, i in zip(controls, marks, strict=True)}
        answer: Answer = explorer.answer(**values)
        key = ",".join(map(str, marks))
        answers[key] = [answer.words, *map(pictures.add, answer.pictures)]
    content = {
        "kind": "answers",
        "what": explorer.what,
        "controls": [each.as_json() for each in controls],
        "off": off,
        "sparse": sparse,
        "compares": explorer.compares,
        "widths": list(explorer.widths),
        "pictures": pictures.files,
        "answers": answers,
    }
    write_json(folder / "explorer.json", content)


def write_json(path: Path, content: object) -> None:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text, encoding="utf-8")


class Pictures:
    """Files of pictures in a folder, each kept once: photographs as they are, drawings as WebP."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.files: list[list] = []  # name, width, height, name on dark pages or ""
        self._known: dict[str, int] = {}

    def add(self, picture: Picture) -> int:
        """Keep a picture's files; its number among `files`."""
        digest = _digest(picture.light)
        if digest not in self._known:
            self._known[digest] = len(self.files)
            with Image.open(io.BytesIO(picture.light)) as light:
                size = light.size
            dark = self._write(picture.dark) if picture.dark else ""
            self.files.append([self._write(picture.light), *size, dark])
        return self._known[digest]

    def _write(self, data: bytes) -> str:
        """Write a PNG, JPEG or WebP file; its name."""
        with Image.open(io.BytesIO(data)) as picture:
            if picture.format != "PNG":
                name = f"{_digest(data)}.{'jpg' if picture.format == 'JPEG' else 'webp'}"
                (self.folder / name).write_bytes(data)
                return name
            forms = ({"lossless": True}, {"quality": QUALITY})
            mode = "RGBA" if picture.mode == "RGBA" and picture.getextrema()[3][0] < 255 else "RGB"
            coded = [_as_webp(picture.convert(mode), **form) for form in forms]
        name = f"{_digest(data)}.webp"
        (self.folder / name).write_bytes(min(coded, key=len))
        return name


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def _as_webp(picture: Image.Image, **form: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WebP", method=4, **form)
    return buffer.getvalue()
