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
from .setting_values import (
    BALANCES,
    COLOR_METHODS,
    COLORS,
    CONTENT_NORMALIZATIONS,
    DENOISERS,
    DENOISING_AREAS,
    EDGES,
    GUIDES,
    METHODS,
    MODES,
    MOST_PAIRS,
    PARAMETRIZATIONS,
    PATH_NAMES,
    POOLINGS,
    PRECISIONS,
    STARTS,
    STROKES,
    STYLE_NORMALIZATIONS,
    denoise_options,
    normalized_mix,
)
from .settings import (
    BEFORE,
    RENAMED,
    STYLE_LAYERS,
    WEIGHT_OF_OTHER_KERNELS,
    Settings,
    current_names,
)

__all__ = [
    "BALANCES",
    "BEFORE",
    "COLORS",
    "COLOR_METHODS",
    "CONTENT_NORMALIZATIONS",
    "DENOISERS",
    "DENOISING_AREAS",
    "EDGES",
    "GUIDES",
    "METHODS",
    "MODES",
    "MOST_PAIRS",
    "PARAMETRIZATIONS",
    "PATH_NAMES",
    "POOLINGS",
    "PRECISIONS",
    "PRESETS",
    "RENAMED",
    "STARTS",
    "STROKES",
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
    kernel="gram",
    pooling="average",
    rescale=True,
    edges="zeros",
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
    steps=300,
)

# --- crowsonkb, and Galerne et al. ---------------------------------------------------------------

_SHARES = (256, 64, 16, 4, 1)  # of the style layers, from the shallowest

_CROWSONKB = Settings(
    source="Katherine Crowson's code, crowsonkb/style-transfer-pytorch at e7e2c71 (2023): squared "
    "2-Wasserstein distance of Gaussians, weights of the layers 256 : 64 : 16 : 4 : 1, content "
    "0.015, scales a factor of 2^½ apart, Adam, the average of its iterates, replicated edges. "
    "There weights multiply means over channels, in units of torchvision's network; here they "
    "multiply distances relative to the picture aimed at, of the original network (they are the "
    "same where all layers have features of one mean square). Ours: values outside 0..1 are "
    "charged for, there they are clamped after each step. Not taken over: its L2 total variation, "
    "weight 2; scales from 128 pixels on (here 192), 1000 steps at the first and 500 at each "
    "other (here 2000 in all, fewer at larger ones); Adam's moments, enlarged from scale to scale.",
    edges="replicate",
    kernel="wasserstein",
    style_layers={
        layer: share / sum(_SHARES) for layer, share in zip(STYLE_LAYERS, _SHARES, strict=True)
    },
    content_weight=0.015,
    style_weight=1.0,
    scale_factor=2**0.5,
    parametrization="pixel",
    method="adam",
    learning_rate=0.02,
    average=0.99,
    steps=2000,
)

_CHANNELS = (64, 128, 256, 512, 512)  # of the style layers


def _gram_and_deviations(channels: int) -> dict[str, Any]:
    """1000 / C⁴ · this is 1000 / C⁴ ‖ΔG‖² + 10⁴ / C (‖Δμ‖² + ‖Δσ‖²), Galerne et al.'s weights."""
    return {"sum": [[1.0, "gram"], [10.0 * channels**3, "bn"]], "relative": False}


_SPST = Settings(
    source="Galerne, Raad, Lezama & Morel, Computer Graphics Forum 2024, arXiv 2212.13459, and "
    "the authors' code, bgalerne/scaling_painting_style_transfer, whose weights these are: Gram "
    "matrices as in gatys2016-code, and means and standard deviations of each channel, each 10^4/C "
    "times the squared distance. Every scale doubles the one before, L-BFGS over pixels without "
    "bounds. Not taken over: 600 evaluations at the coarsest scale, of 512 pixels or more of the "
    "shorter side, and a third of those of the scale before at each further one (here 600 in all, "
    "halved from scale to scale, the coarsest with 192 pixels or more of the longer side); 10 "
    "remembered pairs in place of 100 at the finer scales; the style as large as the content by "
    "the shorter side (here the longer).",
    edges="zeros",
    content_normalization="mean",
    style_normalization="code",
    style_layers=_each(1.0),
    kernel={
        layer: _gram_and_deviations(channels)
        for layer, channels in zip(STYLE_LAYERS, _CHANNELS, strict=True)
    },
    content_weight=1.0,
    style_weight=1.0,
    range_weight=0.0,
    parametrization="pixel",
    lbfgs_pairs=100,
    steps=600,
)

# The default has the kernel "distribution": in the league (notebook 12), in as many seconds, it
# comes nearer to the style than Gram matrices, by measures that neither minimises, and keeps more
# of the content.
_GRAM = replace(
    Settings(),
    source="this course: the default with Gram matrices, which notebooks 03 to 09 work with",
    kernel="gram",
    style_weight=WEIGHT_OF_OTHER_KERNELS,
    steps=300,
)

_PHOTO = Settings(
    source="Ours. The unknowns are a bilateral grid of affine colour maps (Chen, Paris & Durand "
    "2007; as the output of a network: Gharbi et al. 2017, Xia et al. 2020) instead of pixels: a "
    "photograph stays one, with its grain and its edges. Fitted for one pair, without training.",
    kernel="gram",
    style_layers=_each(1 / 5),
    style_weight=2.0,
    start="match",
    parametrization="grid",
    steps=60,
)

PRESETS: Mapping[str, Settings] = MappingProxyType(
    {
        "default": Settings(),
        "gram": _GRAM,
        "photo": _PHOTO,
        "gatys2016": _GATYS,
        "gatys2016-code": _GATYS_CODE,
        **{f"li2017-{name}": replace(_LI, kernel=k) for name, k in _LI_KERNELS.items()},
        **{f"li2017-code-{name}": replace(_LI_CODE, kernel=k) for name, k in _LI_KERNELS.items()},
        "li2017-code-bn": replace(_LI_CODE, kernel=_LI_KERNELS["bn"], style_weight=1.0),
        "nnst": _NNST,
        "crowsonkb": _CROWSONKB,
        "spst": _SPST,
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
    that was a picture, and masks, are not in the record and are left out: give them again, also the
    small result to one that was enlarged. Records of version 0.1.0 are read too, and in every
    earlier one settings that there were not yet are what was done then.
    """
    if not isinstance(record, Mapping):
        raise ValueError(f"a record of settings is a mapping, got {record!r}")
    record = record if "vgg_weights" in record else current_names(record)
    names = [name for name in Settings.__dataclass_fields__ if name != "source"]
    known = {**BEFORE, **record}
    options = {name: known[name] for name in [*names, "seed"] if name in known}
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
