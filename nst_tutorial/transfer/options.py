"""What a run is asked for: options by keyword, turned into settings and checked before any work."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from ..checks import check_choice, warn
from ..kernels.registry import Kernel, get_kernel, kernels_of_layers
from ..presets import RENAMED, Settings, current_names, get_preset
from ..setting_values import MODES
from ..settings import WEIGHT_OF_OTHER_KERNELS
from ..vgg.layers import check_layers
from ..vgg.paths import parse_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = tuple(field.name for field in fields(Settings) if field.name != "source")

_Function = TypeVar("_Function", bound=Callable)


class Options(TypedDict, total=False):
    """The settings as keyword arguments of `stylize`; one left out, or None, is the preset's."""

    vgg_weights: str | None
    pooling: str | None
    rescale: bool | None
    edges: str | None
    convolutions: str | Sequence[str] | None
    precision: str | None
    content_layers: Mapping[str, float] | None
    style_layers: Mapping[str, float] | None
    content_normalization: str | None
    style_normalization: str | None
    kernel: Kernel | Mapping[str, Kernel] | None
    balance: str | None
    content_weight: float | None
    style_weight: float | None
    style_scale: float | Sequence[float] | None
    strokes: str | None
    style_mix_fine: Sequence[float] | None
    style_mix: Sequence[float] | None
    color: str | None
    color_method: str | None
    regions: int | str | None
    keep_faces: bool | None
    tv_weight: float | None
    grain_weight: float | None
    range_weight: float | None
    coarse_to_fine: bool | None
    scale_factor: float | None
    parametrization: str | None
    grid_size: int | None
    grid_depth: int | None
    smoothness: float | None
    guide: str | None
    method: str | None
    learning_rate: float | None
    average: float | None
    lbfgs_pairs: int | None
    steps: int | Sequence[int] | None
    begin_at: int | None
    settle: float | None
    denoise: str | Mapping | None


def takes_settings(function: _Function) -> _Function:
    """Show the settings among the arguments of a function that takes them as `**options`."""
    signature = inspect.signature(function)
    named = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    taken = {parameter.name for parameter in named}
    settings = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
        for name in NAMES
        if name not in taken
    ]
    function.__signature__ = signature.replace(parameters=[*named, *settings])  # type: ignore[attr-defined]
    return function


def chosen_options(options: Mapping[str, Any], names: tuple[str, ...] = NAMES) -> dict[str, Any]:
    """Return the options that are not None, under their present names.

    Raises
    ------
    TypeError
        A name that is none of `names`; the message says which one comes closest.
    ValueError
        A setting under its former and its present name at once.

    Warns
    -----
    DeprecationWarning
        A name of version 0.1.0.
    """
    refuse_unknown(options, names)
    chosen = {name: value for name, value in options.items() if value is not None}
    for old in set(chosen) & set(RENAMED):
        warn(f"{old} is now called {RENAMED[old]}", DeprecationWarning)
    return current_names(chosen)


def refuse_unknown(options: Iterable[str], names: Collection[str]) -> None:
    """A TypeError for the first option that is none of `names`, nor a former name of one."""
    for name in options:
        if RENAMED.get(name, name) not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(names)}"
            raise TypeError(f"unknown option {name!r}{hint}")


def preset_for(mode: str, preset: str = "default") -> str:
    """Return the preset's name: "photo" if that is the mode.

    Raises
    ------
    ValueError
        An unknown mode; mode "photo" beside another preset.
    """
    check_choice("mode", mode, MODES)
    if mode == "photo" and preset not in ("default", "photo"):
        raise ValueError(
            f"mode='photo' means the preset 'photo', and here is {preset!r} too; give one of them"
        )
    return "photo" if mode == "photo" else preset


def settings_from(preset: str, options: Mapping[str, Any]) -> Settings:
    """Return the preset with the options put in their place, checked.

    Options that are no settings are passed over: see `chosen_options`, which refuses them. With
    balance="gradient" all weights are 1 unless they are among the options; with a kernel other than
    the default preset's, its style weight is `settings.WEIGHT_OF_OTHER_KERNELS` unless given.

    Raises
    ------
    ValueError
        A preset, layer or kernel that there is not; a value out of range.
    """
    options = {name: value for name, value in current_names(options).items() if name in NAMES}
    settings = get_preset(preset)
    if options.get("balance") == "gradient" and settings.balance != "gradient":
        ones = {
            "content_weight": 1.0,
            "style_weight": 1.0,
            "content_layers": dict.fromkeys(settings.content_layers, 1.0),
            "style_layers": dict.fromkeys(settings.style_layers, 1.0),
        }
        options = {**ones, **options}
    chosen = check_settings(replace(settings, **options))
    if preset == "default" and "style_weight" not in options:
        kernels = kernels_of_layers(chosen.kernel, chosen.style_layers)
        return replace(chosen, style_weight=max(map(usual_weight, kernels.values()), default=1.0))
    return chosen


def usual_weight(kernel: Kernel) -> float:
    """The style weight of a kernel unless one is given: that of the default preset for its own."""
    ours = get_preset("default")
    usual = get_kernel(kernel) == get_kernel(ours.kernel)
    return ours.style_weight if usual else WEIGHT_OF_OTHER_KERNELS


def check_settings(settings: Settings) -> Settings:
    """Return the settings; a ValueError names a layer, kernel or path that there is not."""
    check_layers([*settings.content_layers, *settings.style_layers])
    parse_paths(settings.convolutions, settings.precision)
    kernels_of_layers(settings.kernel, settings.style_layers)
    return settings
