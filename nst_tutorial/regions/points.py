"""What a network sees in pictures, as points to be clustered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..images.resizing import resize, shape_of
from ..vgg.layers import stride
from ..vgg.network import VGG19
from .guided import working_shape

LAYERS = ("relu4_1", "relu5_1")
STEP = stride(LAYERS[0])  # pixels from one point to the next
MARGIN = 2 * stride(LAYERS[-1])  # by which pictures are mirrored: the network pads with a grey
COLOR, HEIGHT = 0.5, 0.2  # spread of colour and height beside that of a layer, 1
COMPONENTS = 24  # principal ones, of all features
SMOOTHING = 1.0  # standard deviation in positions

Points = NDArray[np.float64]
Shape = tuple[int, int]


@torch.no_grad()
def points_of(pictures: Sequence[Tensor], model: VGG19) -> tuple[Points, tuple[Shape, ...]]:
    """Return the positions of all pictures as points (N, D), and the (h, w) of each picture."""
    small = [_small(picture) for picture in pictures]
    shapes = tuple((s.shape[2] // STEP, s.shape[3] // STEP) for s in small)
    seen = [_features(picture, model, shape) for picture, shape in zip(small, shapes, strict=True)]
    spreads = [*(1.0 for _ in LAYERS), COLOR]
    parts = [
        spread * _balanced(kind)
        for spread, kind in zip(spreads, zip(*seen, strict=True), strict=True)
    ]
    points = _principal(torch.cat(parts, dim=1))
    heights = [torch.linspace(-1, 1, h).double().repeat_interleave(w) for h, w in shapes]
    points = torch.cat([points, HEIGHT * 3**0.5 * torch.cat(heights)[:, None]], dim=1)
    return np.concatenate(
        [_smoothed(part.numpy(), shape) for part, shape in
         zip(points.split([h * w for h, w in shapes]), shapes, strict=True)]
    ), shapes  # fmt: skip


def has_features(points: Points) -> bool:
    """Whether there is more to points than their height: not in pictures of one colour."""
    return bool(points[:, :-1].any())


def _small(picture: Tensor) -> Tensor:
    """The picture at the size at which it is looked at: whole positions of the deepest layer."""
    step = stride(LAYERS[-1])
    height, width = working_shape(shape_of(picture), least=2 * MARGIN)
    shape = height // step * step, width // step * step
    return resize(picture.detach().cpu().float(), shape).clamp(0, 1)


def _features(picture: Tensor, model: VGG19, shape: Shape) -> list[Tensor]:
    """Each layer, and the colours in Lab, as (C, h, w): pictures of one colour have zeros.

    Roots of features: no channel that fires strongly decides alone.
    """
    from kornia.color import rgb_to_lab

    flat = float((picture.amax(dim=(2, 3)) - picture.amin(dim=(2, 3))).max()) < 1 / 255
    mirrored = F.pad(picture, (MARGIN,) * 4, mode="reflect").to(model.mean)
    kinds = []
    for layer, features in model(mirrored, LAYERS).items():
        edge = MARGIN // stride(layer)
        inside = features[..., edge:-edge, edge:-edge].cpu().double().clamp(min=0).sqrt()
        kinds.append(F.interpolate(inside, shape, mode="bilinear", align_corners=False)[0])
    kinds.append(rgb_to_lab(F.avg_pool2d(picture.double(), STEP))[0])
    return [torch.zeros_like(kind) if flat else kind for kind in kinds]


def _balanced(kind: Sequence[Tensor]) -> Tensor:
    """Features (C, h, w) of each picture → points (N, C) about 0, of mean square 1.

    Each picture's own mean is taken off: a night and a day, or a painting and a photograph, differ
    by it everywhere, and would else be clusters of their own.
    """
    parts = [features.flatten(1).T for features in kind]
    points = torch.cat([part - part.mean(dim=0) for part in parts])
    return points / points.square().sum(dim=1).mean().sqrt().clamp(min=1e-6)


def _principal(points: Tensor) -> Tensor:
    """The points along their principal axes, of which the last are noise and left out."""
    _, axes = torch.linalg.eigh(points.T @ points)  # variances ascend
    return points @ axes[:, -COMPONENTS:]


def _smoothed(points: Points, shape: Shape) -> Points:
    """Each point a mean of those around it: a region is in one piece, or in few."""
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(
        points.reshape(*shape, -1), (SMOOTHING, SMOOTHING, 0), mode="nearest"
    ).reshape(len(points), -1)
