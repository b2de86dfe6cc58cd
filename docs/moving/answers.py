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

LONGEST = 2000  # marks of a slider
QUALITY = 85  # of WebP, where that is smaller than without loss


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
    kind: str  # "slider", "choice" or "tick"
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
    if isinstance(widget, ipywidgets.SelectionSlider | ipywidgets.Dropdown):
        kind = "slider" if isinstance(widget, ipywidgets.SelectionSlider) else "choice"
        labels = tuple(str(label) for label in widget._options_labels)
        values = tuple(widget._options_values)
    elif isinstance(widget, ipywidgets.IntSlider | ipywidgets.FloatSlider):
        kind, values = "slider", _marks(widget)
        labels = tuple(f"{value:{widget.readout_format}}" for value in values)
    elif isinstance(widget, ipywidgets.Checkbox):
        kind, labels, values = "tick", ("no", "yes"), (False, True)
    else:
        raise TypeError(f"{name}: no page shows a {type(widget).__name__}")
    index = min(range(len(values)), key=lambda i: _distance(values[i], widget.value))
    tip = widget.tooltip if widget.has_trait("tooltip") else widget.description_tooltip
    return Control(name, kind, widget.description, tip or "", labels, values, index)


def _marks(widget: ipywidgets.IntSlider | ipywidgets.FloatSlider) -> tuple:
    count = round((widget.max - widget.min) / widget.step) + 1
    if count > LONGEST:
        raise ValueError(f"{widget.description}: {count} marks are too many for a page")
    return tuple(widget.min + i * widget.step for i in range(count))


def _distance(a: Any, b: Any) -> float:
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    return abs(a - b) if numbers else float(a != b)


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
                if explorer.controls[other.name].disabled:
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
        answers[key] = [answer.words, *(pictures.add(data) for data in answer.pictures)]
    content = {
        "kind": "answers",
        "what": explorer.what,
        "controls": [each.as_json() for each in controls],
        "off": off,
        "sparse": sparse,
        "widths": [picture.layout.width for picture in explorer.pictures],
        "pictures": pictures.files,
        "answers": answers,
    }
    write_json(folder / "explorer.json", content)


def write_json(path: Path, content: object) -> None:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text, encoding="utf-8")


class Pictures:
    """Files of pictures in a folder, each kept once: JPEG as it is, drawings as WebP."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.files: list[list] = []  # name, width, height
        self._known: dict[str, int] = {}

    def add(self, data: bytes) -> int:
        """Keep a PNG or JPEG file; its number among `files`."""
        digest = hashlib.sha256(data).hexdigest()[:12]
        if digest not in self._known:
            self._known[digest] = len(self.files)
            with Image.open(io.BytesIO(data)) as picture:
                self.files.append([self._write(digest, data, picture), *picture.size])
        return self._known[digest]

    def _write(self, digest: str, data: bytes, picture: Image.Image) -> str:
        if picture.format == "JPEG":
            name = f"{digest}.jpg"
            (self.folder / name).write_bytes(data)
        else:
            name = f"{digest}.webp"
            forms = ({"lossless": True}, {"quality": QUALITY})
            coded = [_as_webp(picture.convert("RGB"), **form) for form in forms]
            (self.folder / name).write_bytes(min(coded, key=len))
        return name


def _as_webp(picture: Image.Image, **form: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WebP", method=4, **form)
    return buffer.getvalue()
