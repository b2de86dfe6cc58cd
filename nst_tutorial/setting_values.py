"""What each setting may be: choices, limits, and checks that name the setting and the value."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from .checks import (
    LARGEST_STYLE_SCALE,
    check_choice,
    check_integer,
    check_layer_weights,
    check_number,
)

POOLINGS = ("max", "average")
EDGES = ("zeros", "replicate", "reflect")
"""How a picture goes on beyond its border, for the network's first layer."""

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
PATH_NAMES = (
    *("direct", "winograd", "winograd-onednn"),
    *("direct-bfloat16", "winograd-bfloat16", "direct-float16"),
)
"""Of the ways to compute convolutions, see `vgg.paths`."""

STARTS = ("content", "noise", "style", "match", "one-pass")
BALANCES = ("weights", "gradient")
COLORS = ("style", "luminance", "match", "histogram")

STROKES = ("grow", "keep", "both")
"""What becomes of strokes in a picture that is larger than its style's file; see `stylize`."""

COLOR_METHODS = ("symmetric", "pca", "cholesky")
PARAMETRIZATIONS = ("pixel", "fourier", "grid")
MODES = ("painting", "photo")

GUIDES = ("luminance", "principal")
"""What tells the bright parts of a content from the dark ones, for `parametrization="grid"`."""

METHODS = ("lbfgs", "adam")
DENOISERS = ("bilateral", "total-variation", "non-local-means", "guided", "poisson")
DENOISING_AREAS = ("flat", "everywhere")

CONTENT_NORMALIZATIONS = {
    "sum": "½ Σ (F - P)², Gatys et al. 2016, equation 1: grows with the picture",
    "mean": "mean of (F - P)², the authors' later code",
    "relative": "Σ (F - P)² / Σ P²: 1 means as far off as a picture without any features",
}

STYLE_NORMALIZATIONS = {
    "sum": "‖G_x - G_y‖², the squared maximum mean discrepancy itself",
    "paper": "‖G_x - G_y‖² / 4C², Gatys et al. 2016, equation 4 (for pictures of one size)",
    "code": "‖G_x - G_y‖² / C⁴ · 1000, the authors' later code",
    "relative": "‖G_x - G_y‖² / ‖G_y‖²: 1 means as far off as a picture without any features",
    "li2017-code": "the constants in the code of Li et al. 2017, one for each kernel",
}

LEAST_SCALE_FACTOR = 1.1  # closer scales would be many, with hardly an evaluation each
MOST_PAIRS = 1000  # that L-BFGS may remember: 24 kB of them for each pixel
MOST_SMOOTHNESS = 1e12  # beyond, what it costs leaves no digit to a change of the picture
MOST_CELLS = 256  # of a grid along one axis: beyond, maps are as many as pixels
MOST_REGIONS = 16  # each is a style of its own, with statistics at every layer


def _one_of(choices: Sequence[str] | Mapping[str, str]):
    def check(what: str, value: object) -> object:
        check_choice(what, value, choices)
        return value

    return check


def _number(what: str, value: object) -> float:
    return check_number(what, value)


def _start(what: str, value: object) -> str:
    if not isinstance(value, str) or value not in (*STARTS, "picture"):
        raise ValueError(f"{what} must be a picture or one of {', '.join(STARTS)}; got {value!r}")
    return value


def _truth(what: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{what} must be True or False, got {value!r}")
    return value


def check_scale_factor(what: str, value: object) -> float:
    """Return a ratio of two scales as float; a ValueError unless it is at least 1.1."""
    ratio = check_number(what, value, above=1)
    if ratio < LEAST_SCALE_FACTOR:
        raise ValueError(
            f"{what} must be at least {LEAST_SCALE_FACTOR}, or there are very many scales with "
            f"hardly an evaluation each; got {value!r}"
        )
    return ratio


def check_decay(what: str, value: object) -> float:
    """Return the decay of an average of iterates as float; a ValueError unless it is in [0, 1)."""
    decay = check_number(what, value)
    if decay >= 1:
        raise ValueError(
            f"{what} must be below 1, say 0.99 (0: the best picture instead); got {value!r}"
        )
    return decay


def check_steps(what: str, value: object) -> int | list[int]:
    """Return evaluations as int, or one number ≥ 1 for each scale; a ValueError if it is neither.

    A scale without an evaluation would be none.
    """
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError(f"{what} must be a number, or one for each scale; got {value!r}")
        return [check_integer(f"a number in {what}", each, 1) for each in value]
    return check_integer(what, value, 0)


def check_settle(what: str, value: object) -> float:
    """Return a fraction of a loss as float; a ValueError unless it is in [0, 1)."""
    fraction = check_number(what, value)
    if fraction >= 1:
        raise ValueError(
            f"{what} must be below 1, say 0.002 (0: no scale ends early); got {value!r}"
        )
    return fraction


def _learning_rate(what: str, value: object) -> float | None:
    return None if value is None else check_number(what, value, above=0)


def _style_scale(what: str, value: object) -> float | list[float]:
    if isinstance(value, list | tuple):
        return [_one_scale(what, each) for each in value]
    return _one_scale(what, value)


def _one_scale(what: str, value: object) -> float:
    return check_number(what, value, above=0, most=LARGEST_STYLE_SCALE)


def _style_mix(what: str, value: object) -> list[float] | None:
    if value is None:
        return None
    normalized_mix(value)
    return [float(part) for part in value]  # type: ignore[attr-defined]  # as was checked


def _regions(what: str, value: object) -> int | str | None:
    if value is None or value == "auto":
        return value  # type: ignore[return-value]  # that is what was checked
    if isinstance(value, str):
        raise ValueError(f"{what} must be 'auto' or a whole number ≥ 1, got {value!r}")
    return check_integer(what, value, 1, MOST_REGIONS)


def _weights_file(what: str, value: object) -> str:
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        raise ValueError(f"{what} must be a name or a file, got {value!r}")
    return str(os.fspath(value))


def _names(what: str, value: object) -> object:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{what} must be a name or several, got {value!r}")
    return value


def _denoise(what: str, value: object) -> str | Mapping | None:
    denoise_options(value)
    return value  # type: ignore[return-value]  # that is what was checked


CHECKS = {
    "vgg_weights": _weights_file,
    "pooling": _one_of(POOLINGS),
    "rescale": _truth,
    "edges": _one_of(EDGES),
    "convolutions": _names,
    "precision": _one_of(PRECISIONS),
    "content_layers": check_layer_weights,
    "style_layers": check_layer_weights,
    "content_normalization": _one_of(CONTENT_NORMALIZATIONS),
    "style_normalization": _one_of(STYLE_NORMALIZATIONS),
    "balance": _one_of(BALANCES),
    "content_weight": _number,
    "style_weight": _number,
    "style_scale": _style_scale,
    "strokes": _one_of(STROKES),
    "style_mix": _style_mix,
    "style_mix_fine": _style_mix,
    "color": _one_of(COLORS),
    "color_method": _one_of(COLOR_METHODS),
    "regions": _regions,
    "keep_faces": _truth,
    "tv_weight": _number,
    "grain_weight": _number,
    "range_weight": _number,
    "start": _start,
    "coarse_to_fine": _truth,
    "scale_factor": check_scale_factor,
    "parametrization": _one_of(PARAMETRIZATIONS),
    "grid_size": lambda what, value: check_integer(what, value, 1, MOST_CELLS),
    "grid_depth": lambda what, value: check_integer(what, value, 1, MOST_CELLS),
    "smoothness": lambda what, value: check_number(what, value, most=MOST_SMOOTHNESS),
    "guide": _one_of(GUIDES),
    "method": _one_of(METHODS),
    "learning_rate": _learning_rate,
    "average": check_decay,
    "lbfgs_pairs": lambda what, value: check_integer(what, value, 1, MOST_PAIRS),
    "steps": check_steps,
    "begin_at": lambda what, value: None if value is None else check_integer(what, value, 1),
    "settle": check_settle,
    "denoise": _denoise,
}


def normalized_mix(mix: object, count: int | None = None) -> list[float]:
    """Return how much of each of `count` styles, of sum 1; None: the same of each.

    Raises
    ------
    ValueError
        Not one number for each style; one that is not finite and ≥ 0; none above 0.
    """
    if mix is None:
        if count is None:
            raise ValueError("style_mix must hold numbers; got None")
        return [1 / count] * count
    if not isinstance(mix, list | tuple) or count not in (None, len(mix)):
        wanted = "numbers" if count is None else f"as many numbers as there are styles, {count}"
        raise ValueError(f"style_mix must hold {wanted}; got {mix!r}")
    parts = [check_number("a number in style_mix", part) for part in mix]
    if not any(parts):
        raise ValueError(f"style_mix must hold a number above 0, got {mix!r}")
    parts = [part / max(parts) for part in parts]
    return [part / sum(parts) for part in parts]


def denoise_options(value: object) -> dict[str, Any] | None:
    """Return the options of `noise.denoise` that `stylize(denoise=…)` asks for; None for none.

    Raises
    ------
    ValueError
        No method, an unknown one, or an option out of range.
    """
    if value is None:
        return None
    options = dict(value) if isinstance(value, Mapping) else {"method": value}
    if set(options) - {"method", "strength", "where"} or "method" not in options:
        raise ValueError(
            "denoise must be a method, or a mapping with a method and, if wanted, strength and "
            f"where; got {value!r}"
        )
    check_choice("the method of denoise", options["method"], DENOISERS)
    if options.get("where") is not None:
        check_choice("where in denoise", options["where"], DENOISING_AREAS)
    if options.get("strength", "auto") != "auto":
        check_number("the strength of denoise", options["strength"], most=255)
    return options
