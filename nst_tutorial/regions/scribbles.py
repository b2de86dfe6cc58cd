"""A few strokes made into masks, by scikit-image's random walker (Grady 2006)."""

from __future__ import annotations

import warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import check_image
from ..images.resizing import fit, resize, shape_of
from .guided import guided_upsampling

SIZE = 160  # pixels of the longer side for the walk: its time grows with their number
BETA = 130  # scikit-image's: how seldom the walk crosses an edge
FLAT = 1 / 255  # a picture that varies by less has no edges


def from_scribbles(picture: Tensor, scribbles: Tensor) -> list[Tensor]:
    """Return a mask for each label of some strokes on a picture, summing to 1 at each pixel.

    A pixel's share of a label is the probability that a random walk, which avoids crossing edges,
    comes upon a stroke of that label first. It is computed with 160 pixels a side and brought to
    full size along the picture's edges.

    Parameters
    ----------
    picture
        (1, 3, H, W), sRGB, 0..1.
    scribbles
        (1, 1, H, W), whole numbers: 0 where nothing is drawn, 1, 2, … on the strokes of each
        region; at least two of them. Where strokes are drawn, they are kept as they are.

    Returns
    -------
    list
        Masks (1, 1, H, W) in 0..1, in the order of the labels.

    Raises
    ------
    ValueError
        Scribbles of another size or of values that are no labels; fewer than two labels.
    """
    from skimage.segmentation import random_walker

    check_image("picture", picture)
    drawn = _checked(scribbles, picture)
    labels = [int(label) for label in drawn.unique() if label > 0]
    if len(labels) < 2:
        raise ValueError(
            f"scribbles must mark at least two regions, each with a label of its own; got {labels}"
        )
    strokes = torch.cat([drawn == label for label in labels], dim=1).float()
    small = resize(picture.detach().cpu().double(), _walk_shape(shape_of(picture))).clamp(0, 1)
    seeds = _seeds(strokes, shape_of(small))
    with (
        warnings.catch_warnings()
    ):  # of seeds everywhere, and of other solvers, which may be absent
        warnings.simplefilter("ignore")
        shares = random_walker(
            _with_edges(small), seeds, beta=BETA, mode="cg_j", channel_axis=-1,
            return_full_prob=True,
        )  # fmt: skip
    if shares.shape[0] != len(labels):  # there was nothing left to walk through
        shares = np.moveaxis(np.atleast_3d(shares), -1, 0)
    maps = torch.from_numpy(np.ascontiguousarray(shares)).float().clamp(0, 1)[None]
    masks = guided_upsampling(maps, picture)
    masks = torch.where(strokes.any(dim=1, keepdim=True), strokes, masks).to(picture)
    return [masks[:, i : i + 1] for i in range(len(labels))]


def _checked(scribbles: object, picture: Tensor) -> Tensor:
    """The scribbles on the CPU, as whole numbers."""
    wanted = (1, 1, *shape_of(picture))
    if not isinstance(scribbles, Tensor) or scribbles.shape != wanted:
        shape = (
            tuple(scribbles.shape) if isinstance(scribbles, Tensor) else type(scribbles).__name__
        )
        raise ValueError(f"scribbles must be {wanted}, of the size of the picture; got {shape}")
    drawn = scribbles.detach().cpu()
    if drawn.dtype == torch.bool or not (drawn == drawn.long()).all() or (drawn < 0).any():
        raise ValueError("scribbles must hold whole numbers: 0 for nothing, 1, 2, … for regions")
    return drawn.long()


def _walk_shape(shape: tuple[int, int]) -> tuple[int, int]:
    width, height = fit(shape[1], shape[0], min(SIZE, max(shape)))
    return height, width


def _seeds(strokes: Tensor, shape: tuple[int, int]):
    """Labels 1, 2, … (h, w) of the strokes (1, K, H, W), 0 elsewhere.

    A small pixel belongs to the stroke that covers most of it, however thin.
    """
    covered = F.adaptive_avg_pool2d(strokes, shape)[0]
    label = torch.where(covered.amax(dim=0) > 0, covered.argmax(dim=0) + 1, 0)
    for number in range(
        1, len(covered) + 1
    ):  # one that others cover everywhere keeps its best place
        if not (label == number).any():
            label.view(-1)[covered[number - 1].argmax()] = number
    return label.numpy()


def _with_edges(picture: Tensor):
    """(h, w, 3) for the walk, which divides by the picture's deviation.

    A picture of one colour gets a ramp, so faint in each step that the walk goes straight on.
    """
    array = picture[0].permute(1, 2, 0).numpy()
    if np.ptp(array, axis=(0, 1)).max() >= FLAT:
        return array
    height, width = array.shape[:2]
    ramp = np.add.outer(np.arange(height) / height, np.arange(width) / width)
    return np.repeat(ramp[..., None], 3, axis=2)
