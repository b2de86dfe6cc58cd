"""Texture networks: one pass instead of an optimisation (Ulyanov et al. 2016)."""

from .crops import KEPT, PictureFolder, random_crop
from .files import bundled, load_generator, save_generator
from .generator import (
    MOST_CHANNELS,
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
from .planning import IN_ONE_PIECE, WAYS, choose_way, memory_of_sample
from .strips import FEWEST_ROWS, STRIP_BYTES, Strips, generate_in_strips
from .training import MOMENTS, PATIENCE, UNUSED, WHAT, Training, rate_at, train_generator

__all__ = [
    "FEWEST_ROWS",
    "IN_ONE_PIECE",
    "KEPT",
    "MOMENTS",
    "MOST_CHANNELS",
    "MOST_SCALES",
    "NORMALIZATIONS",
    "OPTIONS",
    "PADDINGS",
    "PATIENCE",
    "SLOPE",
    "STRIP_BYTES",
    "UNUSED",
    "WAYS",
    "WHAT",
    "BatchObjective",
    "Convolution",
    "Generator",
    "InstanceNorm",
    "PictureFolder",
    "Strips",
    "Training",
    "bundled",
    "choose_way",
    "generate_in_strips",
    "load_generator",
    "memory_of_sample",
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
