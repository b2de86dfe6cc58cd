"""The knobs of the studio together, and the recipe that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets
from traitlets import Bunch

from ...checks import MOST_UPLOAD
from ...images.catalog import READABLE, list_images
from ...kernels.gaussian import ESTIMATORS
from ...presets import PRESETS
from ...transfer.options import usual_weight
from ..components import PicturePicker
from ..thumbnails import small_picture
from .knobs import BEGINNINGS, MORE_STYLES, NONE, PAINTED, knobs, settings_of_mode
from .page import Fold
from .painted import PaintedRegions
from .recipe import Picture, Recipe

OURS = PRESETS["default"]
PICTURES = ("content", "style")


class Controls:
    """The controls, each with its `value`, to be set by hand or from Python.

    `content`, `style`, `mode`, `size`, `steps`, `style_weight`, `style_scale`, `color`; `kernel`
    with `degree`, `offset`, `estimator`; `style_layers` by name, `content_layer`; `others` and
    `mix`; `regions` with `painted`, `keep_faces`, `grain_weight`, `denoise`, `start`, `seed`.
    `named` has them all by name, and `values` what they stand at.
    """

    def __init__(self, content: str, style: str, size: int, steps: int):
        self.uploaded: dict[str, Path] = {}
        self.content = self._picker("Content", "content", content)
        self.style = self._picker("Style", "style", style)
        named = knobs(size, steps, self._names("style"))
        self.named = {"content": self.content, "style": self.style, **named}
        self.mode, self.size, self.steps = (named[n] for n in ("mode", "size", "steps"))
        self.style_weight, self.style_scale = named["style_weight"], named["style_scale"]
        self.kernel, self.degree, self.offset = (named[n] for n in ("kernel", "degree", "offset"))
        self.estimator, self.content_layer = named["estimator"], named["content_layer"]
        self.style_layers = {name: named[name] for name in OURS.style_layers}
        self.others = [named[f"style_{i + 2}"] for i in range(MORE_STYLES)]
        self.mix = [named[f"share_{i + 1}"] for i in range(MORE_STYLES + 1)]
        self.regions, self.keep_faces = named["regions"], named["keep_faces"]
        self.color, self.grain_weight = named["color"], named["grain_weight"]
        self.denoise, self.start, self.seed = (named[n] for n in ("denoise", "start", "seed"))
        self.painted = PaintedRegions(self.recipe, self.regions)
        self.named["painted"] = self.painted
        self._listeners: list[Callable[[], Any]] = [self.painted.refresh]
        self._together = False  # several change, to be told once
        self._at_first = self.values()
        of_photo = PRESETS["photo"].steps
        assert isinstance(of_photo, int)
        self._usual_steps = {"default": steps, "photo": min(steps, of_photo)}
        self.kernel.observe(self._weigh_as_usual, "value")
        self.mode.observe(self._begin_with, "value")
        for control in self.named.values():
            control.observe(self._changed, "value")
        self._show_what_counts()

    # --- values ------------------------------------------------------------------------------

    def values(self) -> dict[str, Any]:
        """What every control stands at, by name."""
        return {name: control.value for name, control in self.named.items()}

    def turn_to(self, values: Mapping[str, Any]) -> None:
        """Let some controls stand at these, exactly; whoever listens is told once."""
        with self._at_once():
            for name, value in values.items():
                self.named[name].value = value

    def reset(self) -> None:
        """Every knob as at first; the pictures stay."""
        self.turn_to({name: v for name, v in self._at_first.items() if name not in PICTURES})

    def begin_with(self, name: str) -> None:
        """One of `BEGINNINGS`; pictures and size stay."""
        changes = BEGINNINGS[name]
        mode = changes.get("mode", "default")
        kept = (*PICTURES, "size")
        first = {name: value for name, value in self._at_first.items() if name not in kept}
        of_mode = {**settings_of_mode(mode), "steps": self._usual_steps[mode]}
        self.turn_to({**first, **of_mode, **changes})

    def on_change(self, call: Callable[[], Any]) -> None:
        """Call when anything has another value."""
        self._listeners.append(call)

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        self._together = True
        try:
            yield
        finally:
            self._together = False
            self._changed()

    def _changed(self, change: Bunch | None = None) -> None:
        if not self._together:
            self._show_what_counts()
            for call in self._listeners:
                call()

    def _show_what_counts(self) -> None:
        shown = {
            self.degree: self.kernel.value == "polynomial",
            self.offset: self.kernel.value == "polynomial",
            self.estimator: self.kernel.value == "gaussian",
            self.seed: self.start.value == "noise",
            self.mix[0]: any(other.value != NONE for other in self.others),
        }
        shown |= {m: o.value != NONE for o, m in zip(self.others, self.mix[1:], strict=True)}
        for control, counts in shown.items():
            control.layout.display = None if counts else "none"

    def _begin_with(self, change: Bunch) -> None:
        """The statistic, the layers, the weight and the start go along with the mode.

        So do the evaluations, unless they were moved.
        """
        if self._together:
            return
        values = settings_of_mode(change.new)
        if self.steps.value == self._usual_steps[change.old]:
            values["steps"] = self._usual_steps[change.new]
        self.turn_to(values)

    def _weigh_as_usual(self, change: Bunch) -> None:
        """The weight goes along with the statistic, unless it was moved."""
        if not self._together and self.style_weight.value == usual_weight(change.old):
            self.style_weight.value = usual_weight(change.new)

    # --- what is seen ------------------------------------------------------------------------

    def first(self) -> list[ipywidgets.Widget]:
        """What a first picture needs."""
        begin = [self._beginning(name) for name in BEGINNINGS]
        row = ipywidgets.Box(begin)
        row.add_class("nst-beginnings")
        knobs = ("mode", "style_weight", "style_scale", "color", "size", "steps")
        return [self.content, self.style, row, *(self.named[name] for name in knobs)]

    def more(self) -> list[Fold]:
        """What it does not need, folded."""
        several = [self.mix[0], *sum(zip(self.others, self.mix[1:], strict=True), ())]
        return [
            Fold(
                "What counts as style",
                [self.kernel, self.degree, self.offset, self.estimator,
                 *self.style_layers.values(), self.content_layer],
            ),
            Fold("Several styles", several),
            Fold("Regions and faces", [self.regions, self.painted, self.keep_faces]),
            Fold("Noise and start", [self.grain_weight, self.denoise, self.start, self.seed]),
        ]  # fmt: skip

    def _beginning(self, name: str) -> ipywidgets.Button:
        button = ipywidgets.Button(description=name, tooltip=f"Begin with the settings: {name}")
        button.on_click(lambda _: self.begin_with(name))
        return button

    def _picker(self, label: str, kind: str, value: str) -> PicturePicker:
        return PicturePicker(
            label, self._names(kind), value, limit=MOST_UPLOAD, accept=READABLE,
            look=lambda name: small_picture(self._picture(name, kind).path),
        )  # fmt: skip

    # --- pictures ----------------------------------------------------------------------------

    def add(self, name: str, path: Path, chosen: PicturePicker) -> None:
        """Offer an uploaded picture everywhere, and choose it in one place."""
        self.uploaded[name] = path
        with self._at_once():
            self.content.offer(self._names("content"))
            self.style.offer(self._names("style"))
            for other in self.others:
                kept, names = other.value, [NONE, *self._names("style")]
                other.options = names  # chooses the first
                if kept in names:  # it may have been deleted meanwhile
                    other.value = kept
            chosen.value = name

    @property
    def names(self) -> set[str]:
        """Everything that can be chosen by name: an upload needs a name that is none of these."""
        return {NONE, *self._names("content"), *self._names("style")}

    def _names(self, kind: str) -> list[str]:
        """Uploads first; then styles before contents, since a photograph may be a style."""
        kinds = ("style", "content") if kind == "style" else (kind,)
        names = [*reversed(self.uploaded), *(n for each in kinds for n in list_images(each))]
        return list(dict.fromkeys(names))

    def _picture(self, name: str, kind: str) -> Picture:
        path = self.uploaded.get(name) or list_images(kind).get(name)
        if path is None and kind == "style":
            path = list_images("content").get(name)
        if path is None:
            raise FileNotFoundError(
                f"{name}: this picture is no longer in images/{kind}; choose another"
            )
        return Picture(name, path)

    # --- the recipe --------------------------------------------------------------------------

    def recipe(self) -> Recipe:
        """What the controls stand for now. What is as `stylize` has it anyway is left out.

        Raises
        ------
        FileNotFoundError
            A picture that was offered has been deleted.
        """
        ours = PRESETS[self.mode.value]
        options = {} if ours is OURS else {"preset": self.mode.value}
        options |= {"steps": self.steps.value, "style_weight": self.style_weight.value}
        others = [(o.value, m.value) for o, m in zip(self.others, self.mix[1:], strict=True)]
        chosen = [(self.style.value, self.mix[0].value), *(p for p in others if p[0] != NONE)]
        layers = {name: round(s.value, 4) for name, s in self.style_layers.items() if s.value > 0}
        settings = {
            "style_scale": self.style_scale.value,
            "kernel": self._kernel(),
            "style_layers": layers,
            "content_layers": {self.content_layer.value: 1.0},
            "regions": None if self.regions.value in (NONE, PAINTED) else self.regions.value,
            "keep_faces": self.keep_faces.value,
            "color": self.color.value,
            "grain_weight": self.grain_weight.value,
            "denoise": None if self.denoise.value == NONE else self.denoise.value,
            "start": self.start.value,
        }
        options |= {name: v for name, v in settings.items() if v != getattr(ours, name)}
        if len(chosen) > 1:
            options["style_mix"] = [share for _, share in chosen]
        if self.start.value == "noise":
            options["seed"] = self.seed.value
        return Recipe(
            self._picture(self.content.value, "content"),
            tuple(self._picture(name, "style") for name, _ in chosen),
            self.size.value,
            options,
        )

    def _kernel(self) -> str | dict:
        name = self.kernel.value
        if name == "polynomial":
            return {"name": name, "degree": self.degree.value, "offset": self.offset.value}
        if name == "gaussian" and self.estimator.value != ESTIMATORS[0]:
            return {"name": name, "estimator": self.estimator.value}
        return name
