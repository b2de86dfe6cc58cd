"""Complete settings of `stylize` under a name: ours, and those of the papers, with their source.

Plain data, readable without loading torch: `print(PRESETS["gatys2016"])`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


STARTS = ("content", "noise", "style")
BALANCES = ("weights", "gradient")


# Deep layers count more than shallow ones: brush strokes and their flow before mere colours. This
# keeps faces and eyes readable where equal weights paint them over.
_DEEPER_COUNTS_MORE = dict(zip(STYLE_LAYERS, (0.05, 0.10, 0.20, 0.35, 0.30), strict=True))


def _each(weight: float) -> dict[str, float]:
    return dict.fromkeys(STYLE_LAYERS, weight)


@dataclass(frozen=True)
class Settings:
    """What defines a run of `stylize`, pictures and device apart. The defaults are ours.

    Layers are mappings of a name to its weight; the term's weight in the sum is this times
    `content_weight` or `style_weight`.
    """

    source: str = "this course"
    # network
    weights: str = "original"
    pooling: str = "max"
    rescale: bool = False
    # losses
    content_layers: Mapping[str, float] = field(default_factory=lambda: {"relu4_2": 1.0})
    style_layers: Mapping[str, float] = field(default_factory=lambda: dict(_DEEPER_COUNTS_MORE))
    content_normalization: str = "relative"
    style_normalization: str = "relative"
    kernel: object = "gram"
    balance: str = "weights"
    content_weight: float = 1.0
    style_weight: float = 15.0
    style_scale: float = 1.0
    tv_weight: float = 0.0
    range_weight: float = 300.0
    # optimisation
    start: str = "content"
    coarse_to_fine: bool = True
    parameters: str = "fourier"
    method: str = "lbfgs"
    learning_rate: float | None = None
    history: int = 20
    steps: int = 300

    def __str__(self) -> str:
        width = max(len(f.name) for f in fields(self))
        return "\n".join(f"{name:{width}}  {value}" for name, value in self.as_dict().items())

    def as_dict(self) -> dict:
        """The settings as plain dicts, strings and numbers, as JSON can hold them."""
        return {name: _plain(value) for name, value in vars(self).items()}


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if hasattr(value, "statistic"):
        from .kernels import describe

        return describe(value)
    return "picture" if hasattr(value, "shape") else value


PRESETS: Mapping[str, Settings] = MappingProxyType(
    {
        "default": Settings(),
        "gatys2016": Settings(
            source="Gatys, Ecker & Bethge, CVPR 2016, doi 10.1109/CVPR.2016.265, sections 2 and 3; "
            "the weight ratio is that of the paper's figure 2; the number of steps is not stated",
            pooling="average",
            rescale=True,
            content_normalization="sum",
            style_normalization="paper",
            style_layers=_each(1 / 5),
            content_weight=1e-3,
            style_weight=1.0,
            range_weight=0.0,
            start="noise",
            coarse_to_fine=False,
            parameters="pixel",
            history=100,
            steps=500,
        ),
        "gatys2016-code": Settings(
            source="the authors' later code, PytorchNeuralStyleTransfer: max pooling, content as "
            "start, mean squared errors",
            content_normalization="mean",
            style_normalization="code",
            style_layers=_each(1.0),
            style_weight=1.0,
            range_weight=0.0,
            coarse_to_fine=False,
            parameters="pixel",
            history=100,
            steps=500,
        ),
    }
)


def get_preset(name: str) -> Settings:
    """Return the settings of that name; a ValueError lists the names there are."""
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]
