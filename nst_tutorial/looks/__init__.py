"""The look of a photograph as something of its own: a grid of colour maps, read by a guide."""

from .blocks import apply_in_blocks
from .cube import write_cube
from .grid import (
    apply_grid,
    axis_hats,
    grid_shape,
    hats,
    identity_grid,
    pull_back_to_grid,
    read_maps,
    roughness,
)
from .guide import Guide, guide_from, guide_of
from .look import Look, check_look_path, describe, load_look, save_look
from .matting import matting_laplacian, project

__all__ = [
    "Guide",
    "Look",
    "apply_grid",
    "apply_in_blocks",
    "axis_hats",
    "check_look_path",
    "describe",
    "grid_shape",
    "guide_from",
    "guide_of",
    "hats",
    "identity_grid",
    "load_look",
    "matting_laplacian",
    "project",
    "pull_back_to_grid",
    "read_maps",
    "roughness",
    "save_look",
    "write_cube",
]
