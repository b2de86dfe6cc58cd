"""A bilateral grid of affine colour maps: what a photograph's colours become, here and there.

    x(p) = A(p) (c(p), 1),        A(p) a matrix 3×4,

A(p) being read trilinearly from a small grid at the position of p and at the value that a guide,
say the luminance, has there (Chen, Paris & Durand 2007, "Real-time edge-aware image processing with
the bilateral grid"; as the output of a network: Gharbi et al. 2017, "Deep bilateral learning").
Pixels of one region and one brightness get one map, so grain is not made and an edge stays one.

A grid is a tensor (1, 12, depth, rows, columns). Of the 12, the first four are the red row of A
(three matrix columns and the offset), then green, then blue.

Every axis is cut into cells of equal width, whose centres are half a cell away from the border:
of n cells on 0..1, cell i has its centre at (i + ½) / n. Pixels are such cells too, so a grid does
not depend on the size of the picture that it is read for. Beyond the outermost centres it goes on
as it is there. Between centres the weights are hats, one for each axis, and all is a product of
matrices:

    x_o(h, w) = Σ down[h, r] across[w, c] hat[h, w, d] (c(h, w), 1)_j grid[o j, d, r, c].
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..checks import check_integer

STRIP = 1 << 20  # numbers that are held at once: they stay in the processor's cache


def grid_shape(height: int, width: int, grid_size: int, grid_depth: int) -> tuple[int, int, int]:
    """(depth, rows, columns) for pictures (H, W): `grid_size` nearly square cells the longer way.

    >>> grid_shape(480, 640, 16, 8)
    (8, 12, 16)

    Raises
    ------
    ValueError
        More cells than pixels; no cell, or no depth.
    """
    longer = max(height, width)
    size = check_integer("grid_size", grid_size, 1)
    depth = check_integer("grid_depth", grid_depth, 1)
    if size > longer:
        raise ValueError(
            f"grid_size must be at most {longer}, the pixels of the picture's longer side; "
            f"got {size}"
        )
    rows, columns = (max(1, round(side * size / longer)) for side in (height, width))
    return depth, rows, columns


def identity_grid(depth: int, rows: int, columns: int) -> Tensor:
    """(1, 12, depth, rows, columns): every colour stays what it is."""
    identity = torch.eye(3, 4).reshape(1, 12, 1, 1, 1)
    return identity.repeat(1, 1, depth, rows, columns)


def apply_grid(grid: Tensor, picture: Tensor, guide: Tensor) -> Tensor:
    """Return the picture (1, 3, H, W) in the colours that the grid gives it; not clamped.

    Parameters
    ----------
    grid
        (1, 12, depth, rows, columns).
    picture
        c, (1, 3, H, W).
    guide
        (1, 1, H, W), 0..1; beyond, the grid goes on as it is at 0 and 1.

    >>> picture = torch.rand(1, 3, 30, 40)
    >>> guide = picture.mean(1, keepdim=True)
    >>> torch.allclose(apply_grid(identity_grid(8, 12, 16), picture, guide), picture, atol=1e-6)
    True

    Raises
    ------
    ValueError
        Shapes that do not belong together.
    """
    _check(grid, picture, guide)
    depth, rows, columns = grid.shape[2:]
    down, across = (
        axis_hats(picture.shape[2], rows, grid),
        axis_hats(picture.shape[3], columns, grid),
    )
    cells = grid.view(3, 4, depth, rows, columns)
    strips = []
    for strip in _strips(picture, grid.shape):
        maps = torch.einsum("hr,ojdrc->hdjoc", down[strip], cells)
        features = pixel_features(picture[:, :, strip], guide[:, :, strip], depth)
        each = features @ maps.flatten(3).flatten(1, 2)  # (h, W, 3 columns)
        each = each.unflatten(-1, (3, columns)).mul(across[:, None])
        strips.append(each.sum(-1).permute(2, 0, 1))
    return torch.cat(strips, dim=1)[None]


def pull_back_to_grid(
    gradient: Tensor, picture: Tensor, guide: Tensor, shape: tuple[int, int, int]
) -> Tensor:
    """The gradient with respect to a grid from that with respect to what it makes of a picture.

    The adjoint of `apply_grid`, which is linear in the grid:
    ⟨apply_grid(G, c, g), y⟩ = ⟨G, pull_back_to_grid(y, c, g)⟩. No addition depends on which thread
    comes first, so that on a CPU it is the same bit for bit every time.

    Parameters
    ----------
    gradient
        (1, 3, H, W).
    picture, guide
        As for `apply_grid`.
    shape
        (depth, rows, columns) of the grid.
    """
    depth, rows, columns = shape
    total = gradient.new_zeros(3, 4, *shape)
    _check(total.view(1, 12, *shape), picture, guide)
    height, width = picture.shape[2:]
    down, across = axis_hats(height, rows, gradient), axis_hats(width, columns, gradient)
    for strip in _strips(picture, (1, 12, *shape)):
        features = pixel_features(picture[:, :, strip], guide[:, :, strip], depth)
        pulls = gradient[0, :, strip].permute(1, 2, 0)[..., None] * across[:, None]
        each = features.transpose(1, 2) @ pulls.flatten(2)  # (h, 4 depth, 3 columns)
        each = each.unflatten(2, (3, columns)).unflatten(1, (depth, 4))
        total += torch.einsum("hr,hdjoc->ojdrc", down[strip], each)
    return total.view(1, 12, *shape)


def read_maps(grid: Tensor, guide: Tensor) -> Tensor:
    """Return the map of each pixel, (1, 12, H, W), for a guide (1, 1, H, W) in 0..1."""
    _check(grid, guide.expand(-1, 3, -1, -1), guide)
    depth, rows, columns = grid.shape[2:]
    down, across = axis_hats(guide.shape[2], rows, grid), axis_hats(guide.shape[3], columns, grid)
    strips = []
    for strip in _strips(guide, grid.shape):
        at_columns = torch.einsum("hr,kdrc,wc->khwd", down[strip], grid[0], across)
        strips.append((at_columns * hats(guide[0, 0, strip], depth)).sum(-1))
    return torch.cat(strips, dim=1)[None]


def hats(positions: Tensor, count: int) -> Tensor:
    """How much each of `count` cells on 0..1 counts at positions (…): (…, count), of sum 1."""
    places = (positions * count - 0.5).clamp(0, count - 1)
    cells = torch.arange(count, device=positions.device, dtype=positions.dtype)
    return (1 - (places[..., None] - cells).abs()).clamp(min=0)


def axis_hats(pixels: int, cells: int, like: Tensor) -> Tensor:
    """(pixels, cells): how much each cell of an axis counts at the centre of each pixel."""
    # Of an integer plus a half the quotient is exact enough in double precision for any picture.
    places = (torch.arange(pixels, dtype=torch.float64) + 0.5) / pixels
    return hats(places, cells).to(like)


# --- how rough a grid is ---------------------------------------------------------------------


def roughness(grid: Tensor) -> Tensor:
    """Mean squared difference of neighbouring cells, summed over the grid's three axes.

    A scalar, with a gradient. An axis of one cell has no neighbours and counts nothing.
    """
    differences = (grid.diff(dim=axis) for axis in (2, 3, 4) if grid.shape[axis] > 1)
    none = 0 * grid.sum()  # with a gradient, also if no axis has two cells
    return sum((d.square().mean() for d in differences), start=none)


# ---------------------------------------------------------------------------------------------


def pixel_features(picture: Tensor, guide: Tensor, depth: int) -> Tensor:
    """hat[d] (c, 1)_j for each pixel: (H, W, 4 depth)."""
    colours = torch.cat([picture[0], torch.ones_like(guide[0])]).permute(1, 2, 0)  # (H, W, 4)
    return (hats(guide[0, 0], depth)[..., None] * colours[..., None, :]).flatten(2)


def _strips(picture: Tensor, shape: tuple[int, ...]) -> Iterator[slice]:
    """Rows of a picture that are worked on together."""
    height, width = picture.shape[2:]
    rows = max(1, STRIP // (width * (4 * shape[2] + 3 * shape[4])))
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def _check(grid: Tensor, picture: Tensor, guide: Tensor) -> None:
    if grid.dim() != 5 or grid.shape[:2] != (1, 12) or not grid.numel():
        raise ValueError(
            f"a grid must be (1, 12, depth, rows, columns), with no side of zero; "
            f"got {tuple(grid.shape)}"
        )
    if guide.shape != (1, 1, *picture.shape[2:]) or picture.shape[:2] != (1, 3):
        raise ValueError(
            f"a picture (1, 3, H, W) needs a guide (1, 1, H, W); "
            f"got {tuple(picture.shape)} and {tuple(guide.shape)}"
        )
