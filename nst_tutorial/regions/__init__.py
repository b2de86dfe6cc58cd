"""Regions without drawing: what matches in two pictures, faces, and strokes made into masks.

All are soft masks (1, 1, H, W) in 0..1, at the size of their picture, as `transfer.masks` and
`stylize` take them.
"""

from .clusters import LEAST_SHARE, MOST_REGIONS
from .faces import FACE_STYLE, face_boxes, face_mask
from .guided import guided_upsampling
from .matching import match_regions
from .scribbles import from_scribbles

__all__ = [
    "FACE_STYLE",
    "LEAST_SHARE",
    "MOST_REGIONS",
    "face_boxes",
    "face_mask",
    "from_scribbles",
    "guided_upsampling",
    "match_regions",
]
