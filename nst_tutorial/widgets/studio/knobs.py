"""The knobs of the studio one by one, and complete settings of them to begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets

from ...kernels.gaussian import ESTIMATORS
from ...kernels.registry import KERNELS
from ...presets import COLORS, DENOISERS, PRESETS, STARTS
from ...vgg.layers import LAYERS
from ..components import StepSlider

MODES = {"painting": "default", "photograph": "photo"}  # by the preset that it means
PAINTED = "painted"
NONE = "none"  # not None, for which a Dropdown shows nothing
REGIONS = {"none": NONE, "automatic": "auto", "2": 2, "3": 3, "4": 4, "painted by hand": PAINTED}
SIZES = (128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096)
WEIGHTS = (0.5, 1.0, 2.0, 3.0, 5.0, 6.5, 10.0, 15.0, 20.0, 30.0, 50.0, 70.0, 100.0, 200.0, 500.0)
SCALES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)
GRAIN_WEIGHTS = (0.0, 20.0, 60.0, 200.0, 600.0)
LAYER_WEIGHTS = tuple(round(0.05 * i, 2) for i in range(21))
MORE_STYLES = 2
COLORS_IN_WORDS = {
    "style": "of the style", "luminance": "of the photograph", "match": "matched to it",
    "histogram": "its whole palette",
}  # fmt: skip

BEGINNINGS: Mapping[str, Mapping[str, Any]] = {
    "Subtle": {"style_weight": 2.0},
    "Painting": {},
    "Wild": {"style_weight": 70.0, "style_scale": 1.4},
    "Keep my colours": {"color": "luminance"},
    "Photo mode": {"mode": "photo"},
}
"""Where to begin: what differs from the settings of the mode."""


def _labelled(kind: type, description: str, **options: Any) -> Any:
    """A control with its label in front, as wide as its column."""
    return kind(
        description=description, style={"description_width": "105px"},
        layout={"width": "auto", "margin": "2px 0"}, **options,
    )  # fmt: skip


def _slider(
    description: str, values: Sequence[float], value: float, tooltip: str, unit: str = ""
) -> StepSlider:
    return StepSlider(description, [(f"{v:g}{unit}", v) for v in values], value, tooltip)


def knobs(size: int, steps: int, styles: Sequence[str]) -> dict[str, ipywidgets.Widget]:
    """Every control but the pictures, by name."""
    ours = PRESETS["default"]
    scale = ours.style_scale
    assert isinstance(scale, float)
    drop, number = ipywidgets.Dropdown, ipywidgets.BoundedFloatText
    whole = ipywidgets.BoundedIntText
    relus = [name for name in LAYERS if name.startswith("relu")]
    color_names = [(COLORS_IN_WORDS[name], name) for name in COLORS]
    layers = {
        name: _slider(name, LAYER_WEIGHTS, weight, "How much this layer counts as style")
        for name, weight in ours.style_layers.items()
    }
    others = {
        f"style_{i + 2}": _labelled(drop, f"Style {i + 2}", options=[NONE, *styles], value=NONE)
        for i in range(MORE_STYLES)
    }
    shares = {
        f"share_{i + 1}": _labelled(
            number, f"Share of style {i + 1}", min=0.01, max=1000, step=0.5, value=1
        )
        for i in range(MORE_STYLES + 1)
    }
    return {
        "mode": _labelled(drop, "Result is a", options=list(MODES.items()), value="default"),
        "style_weight": _slider(
            "Style weight", WEIGHTS, ours.style_weight, "How much style against content"
        ),
        "style_scale": _slider(
            "Stroke size", SCALES, scale, "Of the style's strokes; smaller is finer"
        ),
        "color": _labelled(drop, "Colours", options=color_names, value="style"),
        "size": _slider(
            "Size", sorted({*SIZES, size}), size, "Of the longer side; time grows with area", " px"
        ),
        "steps": _labelled(
            whole, "Evaluations", min=1, max=10_000, step=10, value=steps,
        ),
        "kernel": _labelled(drop, "Statistic", options=list(KERNELS), value=ours.kernel),
        "degree": _labelled(drop, "Degree", options=[1, 2], value=2),
        "offset": _labelled(number, "Offset c", min=0, max=1e6, step=0.5, value=0),
        "estimator": _labelled(
            drop, "Estimated by", options=list(ESTIMATORS), value=ESTIMATORS[0]
        ),
        **layers,
        "content_layer": _labelled(
            drop, "Content layer", options=relus, value=next(iter(ours.content_layers))
        ),
        **others,
        **shares,
        "regions": _labelled(drop, "Regions", options=list(REGIONS.items()), value=NONE),
        "keep_faces": _labelled(ipywidgets.Checkbox, "Keep faces", value=ours.keep_faces),
        "grain_weight": _slider(
            "Calm skies", GRAIN_WEIGHTS, ours.grain_weight,
            "Keeps fine grain out of empty places",
        ),
        "denoise": _labelled(drop, "Remove noise", options=[NONE, *DENOISERS], value=NONE),
        "start": _labelled(drop, "Start", options=list(STARTS), value=ours.start),
        "seed": _labelled(whole, "Seed", min=0, max=2**31 - 1, value=0),
    }  # fmt: skip


def settings_of_mode(mode: str) -> dict[str, Any]:
    """The values of those knobs that the preset of a mode sets."""
    preset = PRESETS[mode]
    return {
        "kernel": preset.kernel, "start": preset.start, "style_weight": preset.style_weight,
        **preset.style_layers,
    }  # fmt: skip
