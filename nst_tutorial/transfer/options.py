"""What a run is given, checked before any work: pictures and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from ..checks import (
    LARGEST_STYLE_SCALE,
    SMALLEST_SIDE,
    check_choice,
    check_integer,
    check_number,
)
from ..kernels.registry import kernels_of_layers
from ..losses.factors import CONTENT_NORMALIZATIONS, STYLE_NORMALIZATIONS
from ..optimize.methods import METHODS
from ..optimize.parametrization import PARAMETERS
from ..presets import (
    BALANCES,
    COLOR_METHODS,
    COLORS,
    DENOISERS,
    PLACES,
    STARTS,
    Settings,
    get_preset,
)
from ..vgg.layers import check_layers, stride
from .styles import normalized_mix


def check_settings(settings: Settings) -> None:
    """A ValueError names the first setting that is out of range or unknown."""
    for name in ("content_weight", "style_weight", "tv_weight", "grain_weight", "range_weight"):
        check_number(name, getattr(settings, name))
    if not check_layers([*settings.content_layers, *settings.style_layers]):
        raise ValueError("content_layers and style_layers must name at least one layer together")
    kernels_of_layers(settings.kernel, settings.style_layers)
    check_integer("steps", settings.steps, 0)
    if settings.style_mix is not None:
        normalized_mix(settings.style_mix)
    scales = settings.style_scale
    for scale in scales if isinstance(scales, list | tuple) else [scales]:
        check_number("style_scale", scale, above=0, most=LARGEST_STYLE_SCALE)
    check_choice("color", settings.color, COLORS)
    check_choice("color_method", settings.color_method, COLOR_METHODS)
    denoise_options(settings.denoise)
    check_choice("balance", settings.balance, BALANCES)
    start = settings.start
    if not isinstance(start, Tensor) and not (isinstance(start, str) and start in STARTS):
        raise ValueError(f"start must be a picture or one of {', '.join(STARTS)}; got {start!r}")
    check_choice("content_normalization", settings.content_normalization, CONTENT_NORMALIZATIONS)
    check_choice("style_normalization", settings.style_normalization, STYLE_NORMALIZATIONS)
    check_choice("pooling", settings.pooling, ("max", "average"))
    check_optimizer(settings)


def check_optimizer(settings: Settings) -> None:
    """A ValueError names the first setting of the descent that is out of range or unknown."""
    for name in ("coarse_to_fine", "rescale"):
        if not isinstance(getattr(settings, name), bool):
            raise ValueError(f"{name} must be True or False, got {getattr(settings, name)!r}")
    check_choice("parameters", settings.parameters, PARAMETERS)
    check_choice("method", settings.method, METHODS)
    check_integer("history", settings.history, 1)
    if settings.learning_rate is not None:
        check_number("learning_rate", settings.learning_rate, above=0)


def denoise_options(given: object) -> dict | None:
    """Return what `stylize(denoise=…)` was given as options of `denoise`, or raise a ValueError."""
    if given is None:
        return None
    options = dict(given) if isinstance(given, Mapping) else {"method": given}
    if set(options) - {"method", "strength", "where"} or "method" not in options:
        raise ValueError(
            "denoise must be a method, or a mapping with a method and, if wanted, strength and "
            f"where; got {given!r}"
        )
    check_choice("the method of denoise", options["method"], DENOISERS)
    if options.get("where") is not None:
        check_choice("where in denoise", options["where"], PLACES)
    if options.get("strength", "auto") != "auto":
        check_number("the strength of denoise", options["strength"])
    return options


def narrowest_side(
    content: Tensor, styles: Sequence[tuple[Tensor, float]], settings: Settings
) -> float:
    """Return the shorter side of the narrowest picture at size 1, for `scales.schedule`.

    `styles` are pictures with their style scales.

    Raises
    ------
    ValueError
        A style scale leaves its style too small at full size.
    """
    shape = content.shape[2:]
    narrowest = min(shape) / max(shape)
    for style, scale in styles:
        other = style.shape[2:]
        side = min(other) / max(other) * min(scale, max(other) / max(shape))
        if side * max(shape) < SMALLEST_SIDE:
            raise ValueError(
                f"style_scale {scale} leaves the style smaller than {SMALLEST_SIDE} pixels"
            )
        narrowest = min(narrowest, min(other) / max(other) * scale)
    deepest = max(map(stride, [*settings.content_layers, *settings.style_layers]))
    return narrowest * room_for_pairs(settings) * min(1, SMALLEST_SIDE / deepest)


def settings_from(preset: str, given: Mapping) -> Settings:
    """Return the preset with the given options put in their place."""
    options = {name: given[name] for name in Settings.__dataclass_fields__ if name in given}
    settings = get_preset(preset)
    if options.get("balance") == "gradient" and settings.balance != "gradient":
        ones = {
            "content_weight": 1.0,
            "style_weight": 1.0,
            "content_layers": dict.fromkeys(settings.content_layers, 1.0),
            "style_layers": dict.fromkeys(settings.style_layers, 1.0),
        }
        options = {**ones, **options}
    return replace(settings, **options)


def room_for_pairs(settings: Settings) -> float:
    """½ if a kernel needs pairs of positions, and so pictures twice as large; else 1."""
    kernels = kernels_of_layers(settings.kernel, settings.style_layers).values()
    return 1.0 if all(kernel.additive for kernel in kernels) else 0.5
