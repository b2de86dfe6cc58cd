"""The knobs of the studio, and the recipe that they stand for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets
from traitlets import Bunch

from ...images.catalog import list_images
from ...kernels.gaussian import ESTIMATORS
from ...kernels.registry import KERNELS
from ...presets import COLORS, DENOISERS, PRESETS, STARTS
from ...transfer.options import usual_weight
from ...vgg.layers import LAYERS
from .recipe import Picture, Recipe

OURS = PRESETS["default"]
MODES = {"painting": "default", "photograph": "photo"}  # by the preset that it means
REGIONS = {"none": None, "automatic": "auto", "2": 2, "3": 3, "4": 4}
SIZES = (128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096)
WEIGHTS = (0.5, 1.0, 2.0, 3.0, 5.0, 6.5, 10.0, 15.0, 20.0, 30.0, 50.0, 70.0, 100.0, 200.0, 500.0)
SCALES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)
GRAIN_WEIGHTS = (0.0, 20.0, 60.0, 200.0, 600.0)
MORE_STYLES = 2
NONE = "none"


def _knob(kind: type, description: str, **options):
    """A control with its label in front, as wide as its column."""
    return kind(
        description=description, style={"description_width": "105px"},
        layout={"width": "98%"}, **options,
    )  # fmt: skip


class Controls:
    """The controls, and `panel`, which holds them all.

    Each has its `value`, to be set by hand or from Python: `content`, `style`, `mode`, `size`,
    `steps`, `style_weight`, `style_scale`; `kernel` with `degree`, `offset`, `estimator`;
    `style_layers` by name, `content_layer`; `others` and `mix`; `regions`, `keep_faces`, `color`,
    `grain_weight`, `denoise`, `start`, `seed`.
    """

    def __init__(self, content: str, style: str, size: int, steps: int):
        self.uploaded: dict[str, Path] = {}
        drop, number = ipywidgets.Dropdown, ipywidgets.BoundedFloatText
        slide = ipywidgets.SelectionSlider
        self.content = _knob(drop, "Content", options=self._names("content"), value=content)
        self.style = _knob(drop, "Style", options=self._names("style"), value=style)
        sizes = [(f"{s} px", s) for s in sorted({*SIZES, size})]
        self.size = _knob(slide, "Size", options=sizes, value=size, continuous_update=False)
        self.steps = _knob(
            ipywidgets.BoundedIntText, "Evaluations", min=1, max=10_000, step=10, value=steps
        )
        self.mode = _knob(drop, "Result is a", options=list(MODES.items()), value="default")
        self.style_weight = _knob(
            slide, "Style weight", options=[(f"{w:g}", w) for w in WEIGHTS],
            value=OURS.style_weight, continuous_update=False,
        )  # fmt: skip
        self.style_scale = _knob(
            slide, "Stroke size", options=[(f"{s:g}", s) for s in SCALES],
            value=OURS.style_scale, continuous_update=False,
        )  # fmt: skip
        self.kernel = _knob(drop, "Statistic", options=list(KERNELS), value=OURS.kernel)
        self.degree = _knob(drop, "Degree", options=[1, 2], value=2)
        self.offset = _knob(number, "Offset c", min=0, max=1e6, step=0.5, value=0)
        self.estimator = _knob(drop, "Estimated by", options=list(ESTIMATORS), value=ESTIMATORS[0])
        self.style_layers = {
            name: _knob(
                ipywidgets.FloatSlider, name, min=0, max=1, step=0.05, value=weight,
                continuous_update=False,
            )
            for name, weight in OURS.style_layers.items()
        }  # fmt: skip
        relus = [name for name in LAYERS if name.startswith("relu")]
        self.content_layer = _knob(
            drop, "Content layer", options=relus, value=next(iter(OURS.content_layers))
        )
        self.others = [
            _knob(drop, f"Style {i + 2}", options=[NONE, *self._names("style")], value=NONE)
            for i in range(MORE_STYLES)
        ]
        self.mix = [
            _knob(number, f"Share of style {i + 1}", min=0.01, max=1000, step=0.5, value=1)
            for i in range(MORE_STYLES + 1)
        ]
        self.regions = _knob(drop, "Regions", options=list(REGIONS.items()), value=None)
        self.keep_faces = _knob(ipywidgets.Checkbox, "Keep faces", value=OURS.keep_faces)
        self.color = _knob(drop, "Colours", options=list(COLORS), value="style")
        self.grain_weight = _knob(
            slide, "Calm skies", options=[(f"{w:g}", w) for w in GRAIN_WEIGHTS],
            value=OURS.grain_weight, continuous_update=False,
        )  # fmt: skip
        self.denoise = _knob(drop, "Remove noise", options=[NONE, *DENOISERS], value=NONE)
        self.start = _knob(drop, "Start", options=list(STARTS), value=OURS.start)
        self.seed = _knob(ipywidgets.BoundedIntText, "Seed", min=0, max=2**31 - 1, value=0)
        self.kernel.observe(self._weigh_as_usual, "value")
        self.mode.observe(self._begin_with, "value")
        self._show_what_counts()
        self.on_change(self._show_what_counts)

    def all(self) -> list[ipywidgets.Widget]:
        """Every control that has a value."""
        return [
            self.content, self.style, self.mode, self.size, self.steps, self.style_weight,
            self.style_scale, self.kernel, self.degree, self.offset, self.estimator,
            *self.style_layers.values(),
            self.content_layer, *self.others, *self.mix, self.regions, self.keep_faces, self.color,
            self.grain_weight, self.denoise, self.start, self.seed,
        ]  # fmt: skip

    def on_change(self, call: Callable) -> None:
        for control in self.all():
            control.observe(call, "value")

    def more(self) -> ipywidgets.Accordion:
        """What a first picture does not need, folded."""
        box = ipywidgets.VBox
        panes = {
            "What counts as style": [
                self.kernel, self.degree, self.offset, self.estimator, *self.style_layers.values(),
                self.content_layer,
            ],
            "Several styles": [self.mix[0], *sum(zip(self.others, self.mix[1:], strict=True), ())],
            "Regions, colours, noise, start": [
                self.regions, self.keep_faces, self.color, self.grain_weight, self.denoise,
                self.start, self.seed,
            ],
        }  # fmt: skip
        folded = ipywidgets.Accordion([box(pane) for pane in panes.values()])
        for i, title in enumerate(panes):
            folded.set_title(i, title)
        folded.selected_index = None
        return folded

    def add(self, name: str, path: Path, chosen: ipywidgets.Dropdown) -> None:
        """Offer an uploaded picture everywhere, and choose it in one place."""
        self.uploaded[name] = path
        lists = {self.content: self._names("content"), self.style: self._names("style")}
        lists |= {other: [NONE, *self._names("style")] for other in self.others}
        for control, names in lists.items():
            kept = control.value
            control.options = names  # chooses the first
            if kept in names:  # it may have been deleted meanwhile
                control.value = kept
        chosen.value = name

    @property
    def names(self) -> set[str]:
        """Everything that can be chosen by name: an upload needs a name that is none of these."""
        return {NONE, *self._names("content"), *self._names("style")}

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
            "regions": self.regions.value,
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

    def _show_what_counts(self, change=None) -> None:
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
        """The statistic, the layers, the weight and the start go along with the mode."""
        preset = PRESETS[change.new]
        self.kernel.value, self.start.value = preset.kernel, preset.start
        self.style_weight.value = preset.style_weight
        for name, slider in self.style_layers.items():
            slider.value = preset.style_layers[name]

    def _weigh_as_usual(self, change: Bunch) -> None:
        """The weight goes along with the statistic, unless it was moved."""
        if self.style_weight.value == usual_weight(change.old):
            self.style_weight.value = usual_weight(change.new)

    def _names(self, kind: str) -> list[str]:
        """Styles first; then contents, since a photograph may be in the style of another."""
        kinds = ("style", "content") if kind == "style" else (kind,)
        return list(
            dict.fromkeys([*(n for each in kinds for n in list_images(each)), *self.uploaded])
        )

    def _picture(self, name: str, kind: str) -> Picture:
        path = self.uploaded.get(name) or list_images(kind).get(name)
        if path is None and kind == "style":
            path = list_images("content").get(name)
        if path is None:
            raise FileNotFoundError(
                f"{name}: this picture is no longer in images/{kind}; choose another"
            )
        return Picture(name, path)
