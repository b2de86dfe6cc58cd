"""Noise: how much there is and where, and how it is removed; neon and weave, measured."""

from .artefacts import excess_chroma, lattice, oversaturation, weave
from .filters import FILTERS, NEED_GUIDE, denoise, find_strength
from .level import (
    FADE,
    FLAT_SHARE,
    GREY,
    MEDIAN_OF_NORMAL,
    SMOOTHING,
    Spectrum,
    at_least_single,
    fine_detail,
    flat_regions,
    flatness,
    noise_level,
    power_spectrum,
    smoothed_gradient,
)
from .poisson import screened_poisson
from .strength import least_strength, level_of, level_to_reach, visible_grain

__all__ = [
    "FADE",
    "FILTERS",
    "FLAT_SHARE",
    "GREY",
    "MEDIAN_OF_NORMAL",
    "NEED_GUIDE",
    "SMOOTHING",
    "Spectrum",
    "at_least_single",
    "denoise",
    "excess_chroma",
    "find_strength",
    "fine_detail",
    "flat_regions",
    "flatness",
    "lattice",
    "least_strength",
    "level_of",
    "level_to_reach",
    "noise_level",
    "oversaturation",
    "power_spectrum",
    "screened_poisson",
    "smoothed_gradient",
    "visible_grain",
    "weave",
]
