"""Texture networks: one pass instead of an optimisation (Ulyanov et al. 2016)."""

from .checkpoint import MOMENTS, WHAT, WINDOW, Best, recent_loss
from .crops import KEPT, KEPT_BYTES, PictureFolder, random_crop
from .files import bundled, load_generator, save_generator
from .generator import MOST_CHANNELS, MOST_SCALES, NORMALIZATIONS, PADDINGS, Generator, pyramid
from .layers import SLOPE, Convolution, InstanceNorm, padded
from .objective import OPTIONS, BatchObjective, nearness, style_distance, training_settings
from .planning import IN_ONE_PIECE, WAYS, check_training, choose_way, memory_of_sample
from .strips import FEWEST_ROWS, STRIP_BYTES, Strips, generate_in_strips
from .training import (
    DIVERGED,
    DIVERGED_EARLY,
    EARLY,
    HIGHEST_RATE,
    LAST,
    MOST_STEPS,
    PATIENCE,
    UNUSED,
    DivergedError,
    Training,
    check_amounts,
    rate_at,
    train_generator,
)

__all__ = [
    "DIVERGED",
    "DIVERGED_EARLY",
    "EARLY",
    "FEWEST_ROWS",
    "HIGHEST_RATE",
    "IN_ONE_PIECE",
    "KEPT",
    "KEPT_BYTES",
    "LAST",
    "MOMENTS",
    "MOST_CHANNELS",
    "MOST_SCALES",
    "MOST_STEPS",
    "NORMALIZATIONS",
    "OPTIONS",
    "PADDINGS",
    "PATIENCE",
    "SLOPE",
    "STRIP_BYTES",
    "UNUSED",
    "WAYS",
    "WHAT",
    "WINDOW",
    "BatchObjective",
    "Best",
    "Convolution",
    "DivergedError",
    "Generator",
    "InstanceNorm",
    "PictureFolder",
    "Strips",
    "Training",
    "bundled",
    "check_amounts",
    "check_training",
    "choose_way",
    "generate_in_strips",
    "load_generator",
    "memory_of_sample",
    "nearness",
    "padded",
    "pyramid",
    "random_crop",
    "rate_at",
    "recent_loss",
    "save_generator",
    "style_distance",
    "train_generator",
    "training_settings",
]
