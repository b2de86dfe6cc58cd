"""From coarse maps to masks whose borders lie on the picture's own edges."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import SMALLEST_SIDE
from ..images.resizing import fit, resize, shape_of

SIZE = 256
"""Pixels of the longer side at which maps are computed, and their borders sought."""

RADIUS = 12  # of the windows, in pixels at that size: how far a border may be displaced
SMOOTHNESS = 1e-4  # variance of a colour that is an edge no longer, of (0..1)²


def guided_upsampling(maps: Tensor, picture: Tensor) -> Tensor:
    """Return maps of shares (1, K, h, w) at the size of their picture (1, 3, H, W), summing to 1.

    In each window of the picture the maps are taken to be affine functions of its colours, fitted
    by least squares at `SIZE`; the functions are then applied to the picture at full size: the fast
    guided filter (He & Sun 2015, "Fast guided filter", arXiv 1505.00996, with a picture in colour
    as its guide, equations 14–16 of He, Sun & Tang 2013).
    """
    full = picture.detach().cpu().float().clamp(0, 1)
    shape = working_shape(shape_of(full))
    guide = resize(full, shape).clamp(0, 1)
    maps = F.interpolate(maps.float().cpu(), shape, mode="bilinear", align_corners=False)
    slope, offset = _affine_functions(guide, maps)
    slope, offset = (
        F.interpolate(f, shape_of(full), mode="bilinear", align_corners=False)
        for f in (slope.flatten(1, 2), offset)
    )
    slope = slope.unflatten(1, (maps.shape[1], 3))  # (1, K, 3, H, W)
    shares = (torch.einsum("nkchw,nchw->nkhw", slope, full) + offset).clamp(0, 1)
    return shares / shares.sum(dim=1, keepdim=True).clamp(min=1e-6)


def working_shape(shape: tuple[int, int], least: int = SMALLEST_SIDE) -> tuple[int, int]:
    """(H, W) at `SIZE`, no side shorter than `least`."""
    width, height = fit(shape[1], shape[0], SIZE)
    return max(height, least), max(width, least)


def _affine_functions(guide: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Slope (1, K, 3, H, W) and offset (1, K, H, W) around each pixel."""
    mean_g, mean_m = _window_mean(guide), _window_mean(maps)
    products = guide[:, :, None] * guide[:, None]  # (1, 3, 3, H, W)
    covariance = _window_mean(products.flatten(1, 2)).unflatten(1, (3, 3))
    covariance = covariance - mean_g[:, :, None] * mean_g[:, None]
    both = _window_mean((maps[:, :, None] * guide[:, None]).flatten(1, 2))
    both = both.unflatten(1, (maps.shape[1], 3)) - mean_m[:, :, None] * mean_g[:, None]
    matrix = covariance.permute(0, 3, 4, 1, 2) + SMOOTHNESS * torch.eye(3)
    slope = torch.linalg.solve(matrix, both.permute(0, 3, 4, 2, 1)).permute(0, 4, 3, 1, 2)
    offset = mean_m - (slope * mean_g[:, None]).sum(dim=2)
    K = maps.shape[1]
    return _window_mean(slope.flatten(1, 2)).unflatten(1, (K, 3)), _window_mean(offset)


def _window_mean(image: Tensor) -> Tensor:
    """The mean over each pixel's window, of as much of it as lies in the picture."""
    side = 2 * RADIUS + 1
    for window, padding in (((side, 1), (RADIUS, 0)), ((1, side), (0, RADIUS))):
        image = F.avg_pool2d(image, window, 1, padding, count_include_pad=False)
    return image
