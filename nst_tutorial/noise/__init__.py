"""Noise: how much there is and where, and how it is removed."""

from .filters import FILTERS, NEED_GUIDE, denoise, level_of, strength_in_grey_levels
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
    "fine_detail",
    "flat_regions",
    "flatness",
    "level_of",
    "noise_level",
    "power_spectrum",
    "screened_poisson",
    "smoothed_gradient",
    "strength_in_grey_levels",
]
