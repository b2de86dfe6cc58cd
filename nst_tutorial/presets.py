"""Complete settings of `stylize` under a name: ours, and those of the papers, with their source.

Plain data, readable without loading torch: `print(PRESETS["gatys2016"])`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType

from .checks import check_layer_weights

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


STARTS = ("content", "noise", "style")
BALANCES = ("weights", "gradient")
COLORS = ("style", "luminance", "match")
COLOR_METHODS = ("symmetric", "pca", "cholesky")
DENOISERS = ("bilateral", "total-variation", "non-local-means", "guided", "poisson")
PLACES = ("flat", "everywhere")


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
    style_scale: float | Sequence[float] = 1.0
    style_mix: Sequence[float] | None = None
    color: str = "style"
    color_method: str = "symmetric"
    tv_weight: float = 0.0
    grain_weight: float = 0.0
    range_weight: float = 300.0
    # optimisation
    start: str = "content"
    coarse_to_fine: bool = True
    parameters: str = "fourier"
    method: str = "lbfgs"
    learning_rate: float | None = None
    history: int = 20
    steps: int = 300
    # after it
    denoise: object = None

    def __post_init__(self):
        for name in ("content_layers", "style_layers"):  # a dict of its own, so presets share none
            object.__setattr__(self, name, check_layer_weights(name, getattr(self, name)))

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
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "description"):  # of a statistic
        return value.description()
    if hasattr(value, "statistic"):  # of the user's own
        return {"name": repr(value)}
    return "picture" if hasattr(value, "shape") else value


_GATYS = Settings(
    source="Gatys, Ecker & Bethge, CVPR 2016, doi 10.1109/CVPR.2016.265, sections 2 and 3. Weight "
    "ratio 1e-3, one of those in its figures. Not stated, so ours: the number of steps.",
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
)

_GATYS_CODE = replace(
    _GATYS,
    source="The authors' later code, leongatys/PytorchNeuralStyleTransfer: max pooling, content as "
    "start, mean squared errors.",
    pooling="max",
    rescale=False,
    content_normalization="mean",
    style_normalization="code",
    style_layers=_each(1.0),
    content_weight=1.0,
    start="content",
)

_LI = replace(
    _GATYS,
    source="Li, Wang, Liu & Hou, IJCAI 2017, arXiv 1701.01036, section 3. The normalisers Z are "
    "not stated: here every term starts with the same gradient norm. Not stated, so the authors' "
    "code's: average pooling, noise as start. Ours: L-BFGS for gradient descent.",
    rescale=False,
    balance="gradient",
    style_normalization="sum",
    style_layers=_each(1.0),
    content_weight=1.0,
)

_LI_CODE = replace(
    _LI,
    source="The authors' code, lyttonhao/Neural-Style-MMD: constants tuned by hand, gamma = 5 (1 "
    "for BN), content as a sum of squares without the half. Not taken over: gradient descent with "
    "momentum 0.9, rate 0.001, weight decay and clipping (here L-BFGS); pairs drawn anew at every "
    "step (here fixed); a total variation term of 0.01 and de-noising of the result (here none).",
    balance="weights",
    style_normalization="li2017-code",
    content_weight=2.0,
    style_weight=5.0,
)

_LI_KERNELS = {
    "linear": {"name": "linear"},
    "poly": {"name": "polynomial", "degree": 2, "offset": 0.0},
    "gaussian": {"name": "gaussian", "bandwidth": "mean"},
    "bn": {"name": "bn"},
}

PRESETS: Mapping[str, Settings] = MappingProxyType(
    {
        "default": Settings(),
        "gatys2016": _GATYS,
        "gatys2016-code": _GATYS_CODE,
        **{f"li2017-{name}": replace(_LI, kernel=k) for name, k in _LI_KERNELS.items()},
        **{f"li2017-code-{name}": replace(_LI_CODE, kernel=k) for name, k in _LI_KERNELS.items()},
        "li2017-code-bn": replace(_LI_CODE, kernel=_LI_KERNELS["bn"], style_weight=1.0),
    }
)


def get_preset(name: str) -> Settings:
    """Return the settings of that name; a ValueError lists the names there are."""
    if not isinstance(name, str) or name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]


def options_from(record: Mapping) -> dict:
    """Return the options of `stylize` that a record of settings (`load_settings`) stands for.

    `stylize(content, style, **options_from(load_settings("result.png")))` makes it again. A start
    that was a picture, and masks, are not in the record and are left out.
    """
    names = [name for name in Settings.__dataclass_fields__ if name != "source"]
    if not isinstance(record, Mapping):
        raise ValueError(f"a record of settings is a mapping, got {record!r}")
    options = {name: record[name] for name in [*names, "seed"] if name in record}
    if options.get("start") == "picture":
        del options["start"]
    return options


def compare(first: str, second: str) -> list[tuple[str, object, object]]:
    """Return (setting, value in the first preset, value in the second) where two presets differ."""
    one, two = get_preset(first).as_dict(), get_preset(second).as_dict()
    return [(name, one[name], two[name]) for name in one if one[name] != two[name]]
