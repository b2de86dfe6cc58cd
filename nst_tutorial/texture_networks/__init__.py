"""Texture networks: one pass instead of an optimisation (Ulyanov et al. 2016)."""

from .crops import KEPT, PictureFolder, identity_of, random_crop
from .files import bundled, load_generator, save_generator
from .generator import (
    MOST_SCALES,
    NORMALIZATIONS,
    PADDINGS,
    SLOPE,
    Convolution,
    Generator,
    InstanceNorm,
    padded,
    pyramid,
)
from .objective import OPTIONS, BatchObjective, nearness, style_distance, training_settings
from .training import MOMENTS, PATIENCE, UNUSED, WHAT, Training, rate_at, train_generator

__all__ = [
    "KEPT",
    "MOMENTS",
    "MOST_SCALES",
    "NORMALIZATIONS",
    "OPTIONS",
    "PADDINGS",
    "PATIENCE",
    "SLOPE",
    "UNUSED",
    "WHAT",
    "BatchObjective",
    "Convolution",
    "Generator",
    "InstanceNorm",
    "PictureFolder",
    "Training",
    "bundled",
    "identity_of",
    "load_generator",
    "nearness",
    "padded",
    "pyramid",
    "random_crop",
    "rate_at",
    "save_generator",
    "style_distance",
    "train_generator",
    "training_settings",
]
