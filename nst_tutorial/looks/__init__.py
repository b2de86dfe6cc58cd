"""The look of a photograph as something of its own: a grid of colour maps, read by a guide."""

from .grid import (
    apply_grid,
    grid_shape,
    hats,
    identity_grid,
    pull_back_to_grid,
    read_maps,
    roughness,
)
from .guide import Guide, guide_from, guide_of

__all__ = [
    "Guide",
    "apply_grid",
    "grid_shape",
    "guide_from",
    "guide_of",
    "hats",
    "identity_grid",
    "pull_back_to_grid",
    "read_maps",
    "roughness",
]
