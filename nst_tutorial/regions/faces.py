"""Faces: where they are, and a mask in which the style is weak.

Found by scikit-image's cascade of local binary patterns, trained on faces seen from the front
(Viola & Jones 2001; Zhang et al. 2007); its file comes with scikit-image.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..checks import check_image
from ..images.resizing import fit, resize, shape_of

FACE_STYLE = 0.1
"""How strongly a style pulls at the middle of a face that is kept, of 1 elsewhere."""

SIZE = 384  # pixels of the longer side in which faces are looked for
WINDOW = 24  # pixels of the smallest face there
NEIGHBOURS = 12  # detections that must agree: with the usual 4, leaves and stained glass are faces
OVERLAP = 0.3  # intersection over union, of a face and its mirror image

AXES = 0.55, 0.7  # of the ellipse, of the box: ears, chin and forehead lie outside of it
FADE = 0.5  # of the ellipse's radius: how far outside of it a style gets its full strength

Box = tuple[float, float, float, float]
"""(top, left, height, width) in pixels."""


def face_boxes(picture: Tensor) -> list[Box]:
    """Return the faces in a picture (1, 3, H, W), sRGB, 0..1, from top to bottom; none: [].

    A face is one that is seen in the picture and in its mirror image: what only looks like one, in
    leaves or brush strokes, seldom does both. Faces in profile, or tilted, are not seen.

    Raises
    ------
    ValueError
        No picture of finite values.
    """
    check_image("picture", picture)
    full = shape_of(picture)
    width, height = fit(full[1], full[0], min(SIZE, max(full)))
    small = resize(picture.detach().cpu().float(), (height, width)).clamp(0, 1)
    array = (small[0] * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
    seen = _detections(array)
    mirrored = [(top, width - left - w, h, w) for top, left, h, w in _detections(array[:, ::-1])]
    pairs = [(one, other) for one in seen for other in mirrored if _overlap(one, other) >= OVERLAP]
    boxes = [tuple((a + b) / 2 for a, b in zip(*pair, strict=True)) for pair in pairs]
    down, across = full[0] / height, full[1] / width
    return sorted({(t * down, left * across, h * down, w * across) for t, left, h, w in boxes})


def face_mask(picture: Tensor) -> Tensor:
    """Return a soft mask (1, 1, H, W): 1 in the faces of a picture, 0 away from them.

    Each is an ellipse of 1 around its middle that fades outwards. See `face_boxes` for what counts
    as a face; where there is none, the mask is 0 everywhere.
    """
    height, width = shape_of(picture)
    rows = torch.arange(height).double()[:, None] + 0.5
    columns = torch.arange(width).double() + 0.5
    mask = torch.zeros(height, width).double()
    for top, left, h, w in face_boxes(picture):
        down = (rows - top - h / 2) / (AXES[1] * h)
        across = (columns - left - w / 2) / (AXES[0] * w)
        fade = ((down.hypot(across) - 1) / FADE).clamp(0, 1)
        mask = torch.maximum(mask, 0.5 + 0.5 * torch.cos(torch.pi * fade))
    return mask[None, None].to(picture)


@lru_cache(maxsize=1)
def _cascade():
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(lbp_frontal_face_cascade_filename())


def _detections(array) -> list[Box]:
    """Boxes in an array (H, W, 3) of bytes."""
    if min(array.shape[:2]) <= WINDOW:
        return []
    seen = _cascade().detect_multi_scale(
        np.ascontiguousarray(array), scale_factor=1.1, step_ratio=1, min_size=(WINDOW, WINDOW),
        max_size=array.shape[:2], min_neighbor_number=NEIGHBOURS,
    )  # fmt: skip
    return [(box["r"], box["c"], box["height"], box["width"]) for box in seen]


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    sides = [
        max(0.0, min(a + s, b + t) - max(a, b))
        for a, s, b, t in zip(one[:2], one[2:], other[:2], other[2:], strict=True)
    ]
    common = sides[0] * sides[1]
    return common / (one[2] * one[3] + other[2] * other[3] - common)
