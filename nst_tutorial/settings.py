"""What defines a run of `stylize`, pictures and device apart: plain data, checked when made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from numbers import Real
from typing import Any

from .setting_values import CHECKS

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
RENAMED = {"weights": "vgg_weights", "parameters": "parametrization", "history": "lbfgs_pairs"}
"""Settings by the names that they had in version 0.1.0, and those that they have now."""
WEIGHT_OF_OTHER_KERNELS = 15.0
"""The default style weight with another kernel than the default one, whose distances are larger."""
BEFORE = {
    "edges": "zeros", "average": 0.0, "scale_factor": 2.0,
    "grid_size": 16, "grid_depth": 8, "smoothness": 300.0, "guide": "luminance",
    "regions": None, "keep_faces": False, "strokes": "both", "style_mix_fine": None,
    "begin_at": None, "settle": 0.0,
}  # fmt: skip
"""What was done before there was a setting for it: what a record without the setting means."""
# Deep layers count more than shallow ones: brush strokes and their flow before mere colours. This
# keeps faces and eyes readable where equal weights paint them over.
_DEEPER_COUNTS_MORE = dict(zip(STYLE_LAYERS, (0.05, 0.10, 0.20, 0.35, 0.30), strict=True))


@dataclass(frozen=True)
class Settings:
    """What defines a run of `stylize`, pictures and device apart. The defaults are ours.

    With a kernel of its own `transfer.options` takes another style weight, unless one is given.

    Checked when made, and plain data: two are equal if they ask for the same. Layers are mappings
    of a name to its weight; the term's weight in the sum is this times `content_weight` or
    `style_weight`. Names of layers, kernels and convolutions are looked up by `transfer.options`,
    on the floor where those live.

    Raises
    ------
    ValueError
        A value that is out of range or unknown; the message names the setting and what there is.
    """

    source: str = "this course"
    # network
    vgg_weights: str = "original"
    pooling: str = "max"
    rescale: bool = False
    edges: str = "zeros"
    convolutions: str | Sequence[str] = "auto"
    precision: str = "auto"
    # losses
    content_layers: Mapping[str, float] = field(default_factory=lambda: {"relu4_2": 1.0})
    style_layers: Mapping[str, float] = field(default_factory=lambda: dict(_DEEPER_COUNTS_MORE))
    content_normalization: str = "relative"
    style_normalization: str = "relative"
    kernel: Any = "distribution"
    balance: str = "weights"
    content_weight: float = 1.0
    style_weight: float = 6.5
    style_scale: float | Sequence[float] = 1.0
    strokes: str = "grow"
    style_mix: Sequence[float] | None = None
    style_mix_fine: Sequence[float] | None = None
    color: str = "style"
    color_method: str = "symmetric"
    regions: int | str | None = None
    keep_faces: bool = False
    tv_weight: float = 0.0
    grain_weight: float = 0.0
    range_weight: float = 300.0
    # optimisation
    start: str = "content"
    coarse_to_fine: bool = True
    scale_factor: float = 2.0
    parametrization: str = "fourier"
    grid_size: int = 16
    grid_depth: int = 8
    smoothness: float = 300.0
    guide: str = "luminance"
    method: str = "lbfgs"
    learning_rate: float | None = None
    average: float = 0.0
    lbfgs_pairs: int = 20
    steps: int | Sequence[int] = 200
    begin_at: int | None = None
    settle: float = 0.0
    # after it
    denoise: str | Mapping | None = None

    def __post_init__(self) -> None:
        for name, check in CHECKS.items():
            object.__setattr__(self, name, check(name, getattr(self, name)))
        if not (self.content_layers or self.style_layers):
            raise ValueError(
                "content_layers and style_layers must name at least one layer together"
            )
        if self.parametrization == "grid":
            self._check_grid()

    def _check_grid(self) -> None:
        """A ValueError for what a grid of colour maps cannot do."""
        if self.color == "luminance":
            raise ValueError(
                "color='luminance' repaints a grey picture, and a grid maps colours to colours; "
                "take color='match', or another parametrization than grid"
            )
        if self.average:
            raise ValueError(
                "average is of pictures, and a grid is what is sought; leave it at 0, or take "
                "another parametrization than grid"
            )

    def __str__(self) -> str:
        width = max(len(f.name) for f in fields(self))
        return "\n".join(f"{name:{width}}  {value}" for name, value in self.as_dict().items())

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain dicts, strings and numbers, as JSON can hold them."""
        return {name: _plain(value) for name, value in vars(self).items()}


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Real):  # numpy's
        return float(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "description"):  # of a statistic
        return value.description()
    return {"name": repr(value)}  # a statistic of the user's own


def current_names(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of `stylize` under the names that they have now (see `RENAMED`).

    Raises
    ------
    ValueError
        One of them stands there under both names.
    """
    for old, new in RENAMED.items():
        if old in options and new in options:
            raise ValueError(f"{old} is now called {new}; give only {new}")
    return {RENAMED.get(name, name): value for name, value in options.items()}
