"""Complete settings of `stylize` under a name: ours, and those of the papers, with their source.

Plain data, readable without loading torch: `print(PRESETS["gatys2016"])`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from .checks import (
    did_you_mean,
)
from .settings import (
    BALANCES,
    COLOR_METHODS,
    COLORS,
    CONTENT_NORMALIZATIONS,
    DENOISERS,
    DENOISING_AREAS,
    METHODS,
    MOST_PAIRS,
    PARAMETRIZATIONS,
    PATH_NAMES,
    POOLINGS,
    PRECISIONS,
    RENAMED,
    STARTS,
    STYLE_LAYERS,
    STYLE_NORMALIZATIONS,
    Settings,
    current_names,
    denoise_options,
    normalized_mix,
)

__all__ = [
    "BALANCES",
    "COLORS",
    "COLOR_METHODS",
    "CONTENT_NORMALIZATIONS",
    "DENOISERS",
    "DENOISING_AREAS",
    "METHODS",
    "MOST_PAIRS",
    "PARAMETRIZATIONS",
    "PATH_NAMES",
    "POOLINGS",
    "PRECISIONS",
    "PRESETS",
    "RENAMED",
    "STARTS",
    "STYLE_LAYERS",
    "STYLE_NORMALIZATIONS",
    "Settings",
    "compare",
    "current_names",
    "denoise_options",
    "get_preset",
    "normalized_mix",
    "options_from",
]


def _each(weight: float) -> dict[str, float]:
    return dict.fromkeys(STYLE_LAYERS, weight)


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
    parametrization="pixel",
    lbfgs_pairs=100,
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
    "gaussian": {"name": "gaussian", "estimator": "pairs", "bandwidth": "mean"},
    "bn": {"name": "bn"},
}

# --- Kolkin et al. 2022 --------------------------------------------------------------------------

_NNST_LAYERS = (
    *("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu3_3"),
    *("relu4_1", "relu4_2", "relu4_3"),
)

_NNST = Settings(
    source="Kolkin, Kucera, Paris, Sýkora, Shechtman & Shakhnarovich 2022, Neural Neighbor Style "
    "Transfer, arXiv 2203.13215, and the authors' code, nkolkin13/NeuralNeighborStyleTransfer: "
    "their last pass, each layer's features matched by themselves and anew at every step. Not "
    "taken over: the passes before it, one at each scale, towards matches of all layers at once "
    "that stay fixed and so hold the content (here the last pass at every scale, and a content "
    "loss); colours corrected afterwards (here a tenth of BN statistics); VGG16 (here the layers "
    "of VGG19 by the same names); rotated copies of the style; a sparse sample of positions, "
    "drawn anew at every step (here all of the picture's, and 2048 of the style's that stay). "
    "Ours: L-BFGS on Fourier coefficients for Adam on a Laplacian pyramid, the number of steps, "
    "and soft walls for the range of colours.",
    kernel={"sum": [[1.0, "nearest_neighbours"], [0.1, "bn"]]},
    style_layers=dict.fromkeys(_NNST_LAYERS, 1.0),
    content_weight=1.5,
    style_weight=1.0,
)

PRESETS: Mapping[str, Settings] = MappingProxyType(
    {
        "default": Settings(),
        "gatys2016": _GATYS,
        "gatys2016-code": _GATYS_CODE,
        **{f"li2017-{name}": replace(_LI, kernel=k) for name, k in _LI_KERNELS.items()},
        **{f"li2017-code-{name}": replace(_LI_CODE, kernel=k) for name, k in _LI_KERNELS.items()},
        "li2017-code-bn": replace(_LI_CODE, kernel=_LI_KERNELS["bn"], style_weight=1.0),
        "nnst": _NNST,
    }
)


def get_preset(name: str) -> Settings:
    """Return the settings of that name; a ValueError lists the names there are."""
    if not isinstance(name, str) or name not in PRESETS:
        raise ValueError(
            f"unknown preset {name!r}; there are {', '.join(PRESETS)}{did_you_mean(name, PRESETS)}"
        )
    return PRESETS[name]


def options_from(record: Mapping) -> dict[str, Any]:
    """Return the options of `stylize` that a record of settings (`load_settings`) stands for.

    `stylize(content, style, **options_from(load_settings("result.png")))` makes it again. A start
    that was a picture, and masks, are not in the record and are left out. Records of version 0.1.0
    are read too.
    """
    if not isinstance(record, Mapping):
        raise ValueError(f"a record of settings is a mapping, got {record!r}")
    record = record if "vgg_weights" in record else current_names(record)
    names = [name for name in Settings.__dataclass_fields__ if name != "source"]
    options = {name: record[name] for name in [*names, "seed"] if name in record}
    if options.get("convolutions") == "auto":  # until version 0.1.0 one rule for all machines
        reduced = options.get("precision") == "bfloat16"
        options["convolutions"] = "direct-bfloat16" if reduced else "winograd"
    if "convolutions" in options:  # their names say it, and this would say it of all blocks
        options.pop("precision", None)
    if options.get("start") == "picture":
        del options["start"]
    return options


def compare(first: str, second: str) -> list[tuple[str, object, object]]:
    """Return (setting, value in the first preset, value in the second) where two presets differ."""
    one, two = get_preset(first).as_dict(), get_preset(second).as_dict()
    return [(name, one[name], two[name]) for name in one if one[name] != two[name]]
