"""The maps of a content's colours as what is optimised: photo mode.

Its pictures are x(p) = A(p) (c(p), 1), see `looks.grid`. There are some thousand unknowns instead
of a picture's hundred thousands, and grain or strokes are not among what they can make.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import copy
from itertools import product

import numpy as np
import scipy.linalg
import torch
from torch import Tensor

from ..images.resizing import resize, shape_of
from ..looks.blocks import apply_in_blocks
from ..looks.grid import (
    apply_grid,
    axis_hats,
    grid_shape,
    identity_grid,
    pixel_features,
    pull_back_to_grid,
    roughness,
)
from ..looks.guide import Guide, guide_of
from ..looks.look import Look
from ..settings import Settings
from ..tiling.planning import Stage
from .parametrization import Penalty

SMOOTHNESS = "smoothness"
"""Name of the penalty among the terms of a run."""

SEEN = 192  # longer side of the content that the coordinates are measured on
TIED = 0.1  # times the smoothness: what roughness counts in them beside a change of the picture
LOOSEST = 1e-3  # of that, however small the smoothness is
LEAST = 1e-4  # of the metric in any direction, so that it can be inverted
MOST_NUMBERS = 2**27  # of the metric's factor: 1 GB
RIDGE = 1e-9  # of what a step costs, the largest curvature of the least squares being 1
ITERATIONS = 60  # of conjugate gradients
TOLERANCE = 1e-6  # of the residual's norm, at which they end


class Coordinates:
    """Coordinates of grids in which steps of one length change picture and smoothness alike.

    A change dA of a grid changes the picture by dx and its roughness by that of dA, and both are
    quadratic in dA. So is

        ‖dA‖² = n (mean |dx|² + TIED · smoothness · roughness(dA)) = dAᵀ (B + R) dA,

    n being the number of unknowns. B + R = L Lᵀ, and z = Lᵀ A, so that ‖dA‖² = |dz|²: offsets and
    matrix columns are of one scale, cells that hardly a pixel reads move with their neighbours, and
    a change of the whole picture is as near as one of a single cell. Cells have to do with their
    neighbours only, so B + R is a band, and so is its Cholesky factor L.

    Parameters
    ----------
    content, guide
        (1, 3, H, W) and (1, 1, H, W): the pixels that the maps are of.
    shape
        (depth, rows, columns) of the grid.
    smoothness
        Weight of the roughness in what will be minimised.

    Raises
    ------
    ValueError
        So many cells that the factor would not fit into a gigabyte.
    """

    def __init__(
        self, content: Tensor, guide: Tensor, shape: tuple[int, int, int], smoothness: float
    ):
        self.shape = shape
        unknowns = 12 * math.prod(shape)
        self.weight = weight = max(LOOSEST, TIED * smoothness)
        band = _empty_band(shape)
        moments = second_moments(content.double().cpu(), guide.double().cpu(), shape)
        for (down, across), blocks in moments.items():
            _add_blocks(band, blocks.numpy() * (unknowns / content.numel()), down, across)
        _add_roughness(band, shape, weight)
        band[0] += LEAST
        self.factor = scipy.linalg.cholesky_banded(band, overwrite_ab=True, lower=True)

    def to_grid(self, z: Tensor) -> Tensor:
        """A = L⁻ᵀ z."""
        return self._solved(z, "T")

    def pull_back(self, gradient: Tensor) -> Tensor:
        """The gradient with respect to z from that with respect to the grid: L⁻¹ g."""
        return self._solved(gradient, "N")

    def from_grid(self, grid: Tensor) -> Tensor:
        """z = Lᵀ A."""
        A = self._vectors(grid)
        z = np.zeros_like(A)
        for below, diagonal in enumerate(self.factor[: len(A)]):  # of few cells the band is all
            count = len(A) - below
            z[:count] += diagonal[:count, None] * A[below:]
        return self._grid(z, grid)

    def _solved(self, maps: Tensor, transposed: str) -> Tensor:
        solution, info = scipy.linalg.lapack.dtbtrs(
            self.factor, self._vectors(maps), uplo="L", trans=transposed
        )
        if info:
            raise RuntimeError(f"LAPACK's dtbtrs ended with {info}")
        return self._grid(solution, maps)

    def _vectors(self, maps: Tensor) -> np.ndarray:
        """(unknowns of one channel, 3): cells by row, column, depth; within each the four of A."""
        cells = maps.detach().view(3, 4, *self.shape).permute(3, 4, 2, 1, 0)
        return cells.reshape(-1, 3).cpu().double().numpy()

    def _grid(self, vectors: np.ndarray, like: Tensor) -> Tensor:
        depth, rows, columns = self.shape
        cells = torch.from_numpy(np.ascontiguousarray(vectors)).view(rows, columns, depth, 4, 3)
        return cells.permute(4, 3, 2, 0, 1).reshape(like.shape).to(like)


def check_cells(shape: tuple[int, int, int]) -> None:
    """A ValueError if a grid has so many cells that its coordinates would not fit into memory."""
    depth, rows, columns = shape
    numbers = (4 * depth) ** 2 * (columns + 2) * rows * columns
    if numbers > MOST_NUMBERS:
        raise ValueError(
            f"a grid of {columns}×{rows} cells of depth {depth} needs {8e-9 * numbers:.1f} GB; "
            "take a smaller grid_size or grid_depth"
        )


def _empty_band(shape: tuple[int, int, int]) -> np.ndarray:
    """Of a symmetric matrix the diagonals from the main one down: entry (i, j) is [i - j, j]."""
    check_cells(shape)
    depth, rows, columns = shape
    return np.zeros((4 * depth * (columns + 2), 4 * depth * rows * columns))


def second_moments(
    content: Tensor, guide: Tensor, shape: tuple[int, int, int]
) -> dict[tuple[int, int], Tensor]:
    """Σ_p w(p) w'(p) f(p) f(p)ᵀ for each cell w and its neighbour w' down and across by 0 or 1.

    f are the features hat[d] (c, 1)_j of a pixel, 4 depth of them. (down, across) → (rows - down,
    columns - across, 4 depth, 4 depth).
    """
    depth, rows, columns = shape
    features = pixel_features(content, guide, depth)
    down, across = axis_hats(len(features), rows, content), axis_hats(
        features.shape[1], columns, content
    )  # fmt: skip
    pairs = [[hat[:, : hat.shape[1] - by] * hat[:, by:] for by in (0, 1)] for hat in (down, across)]
    total = {
        (i, j): content.new_zeros(rows - i, columns - j, 4 * depth, 4 * depth)
        for i, j in product((0, 1), (0, 1))
    }
    for row, seen in enumerate(features):
        for j, weights in enumerate(pairs[1]):
            here = (weights.T[:, :, None] * seen).transpose(1, 2) @ seen
            for i in (0, 1):
                (touched,) = pairs[0][i][row].nonzero(as_tuple=True)
                total[i, j][touched] += pairs[0][i][row, touched, None, None, None] * here
    return total


def _add_blocks(band: np.ndarray, blocks: np.ndarray, down: int, across: int) -> None:
    """Add products of a cell and its neighbour to a band; diagonally there are two neighbours."""
    rows, columns, side, _ = blocks.shape
    columns += across
    cells = np.arange((rows + down) * columns).reshape(rows + down, columns)
    i, j = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    first, second = cells[:rows, : columns - across], cells[down:, across:]
    ends = [(first, second)]
    if down and across:
        ends.append((cells[:rows, across:], cells[down:, : columns - across]))
    for one, other in ends:
        row = other[..., None, None] * side + i
        column = np.broadcast_to(one[..., None, None] * side + j, row.shape)
        lower = row >= column
        band[(row - column)[lower], column[lower]] += blocks[lower]


def _add_roughness(band: np.ndarray, shape: tuple[int, int, int], weight: float) -> None:
    """Add the quadratic form of unknowns · weight · roughness."""
    depth, rows, columns = shape
    places = np.arange(band.shape[1]).reshape(rows, columns, depth, 4)
    for axis in range(3):
        count = places.shape[axis]
        if count == 1:
            continue
        each = weight * count / (count - 1)  # n / (12 pairs): roughness is a mean over pairs
        low = places.take(range(count - 1), axis).ravel()
        high = places.take(range(1, count), axis).ravel()
        np.add.at(band[0], low, each)
        np.add.at(band[0], high, each)
        band[high - low, low] -= each


class Grid:
    """The pictures that a grid of colour maps can make of a content, and what its roughness costs.

    Parameters
    ----------
    content
        (1, 3, H, W).
    guide
        Of the content, see `looks.guide_of`.
    coordinates
        Of the grid.
    smoothness
        Weight of the roughness of the grid in the total.
    """

    every_picture = False
    longest_step = 0.1  # as in the picture: L-BFGS without a line search may leap into the white

    def __init__(
        self, content: Tensor, guide: Guide, coordinates: Coordinates, smoothness: float = 0.0
    ):
        self.content, self.guide, self.coordinates = content, guide(content), coordinates
        self.term_weights: Mapping[str, float] = {SMOOTHNESS: smoothness}

    def to_image(self, z: Tensor) -> Tensor:
        return apply_grid(self.coordinates.to_grid(z), self.content, self.guide)

    def pull_back(self, gradient: Tensor) -> Tensor:
        return self.coordinates.pull_back(
            pull_back_to_grid(gradient, self.content, self.guide, self.coordinates.shape)
        )

    def penalties(self, z: Tensor) -> Mapping[str, Penalty]:
        value, gradient = self._roughness(z)
        return {SMOOTHNESS: Penalty(value, gradient)}

    def _roughness(self, z: Tensor) -> tuple[float, Tensor]:
        grid = self.coordinates.to_grid(z).detach().requires_grad_()
        with torch.enable_grad():
            value = roughness(grid)
            (gradient,) = torch.autograd.grad(value, grid)
        return value.item(), self.coordinates.pull_back(gradient)

    def from_image(self, image: Tensor) -> Tensor:
        """Return the coordinates whose picture is nearest, by least squares.

        Mean squared distance and roughness, as the coordinates weigh them: maps of which the
        picture tells nothing follow their neighbours. Those of which neither tells anything, as
        most of a flat content, stay as they are: steps of z cost a little, RIDGE, themselves.

        All is computed in double precision, for single precision would round off more than that
        little, and on the CPU, for not every device has double precision.
        """
        exact = copy(self)
        exact.content, exact.guide = (each.double().cpu() for each in (self.content, self.guide))
        z = exact._nearest(image.double().cpu())
        return z.to(self.content)

    def _nearest(self, image: Tensor) -> Tensor:
        identity = identity_grid(*self.coordinates.shape).to(self.content)
        unmoved = self.coordinates.from_grid(identity)
        numbers = self.content.numel()

        def normal(z: Tensor) -> Tensor:
            apart = self.pull_back(self.to_image(z)) * (2 / numbers)
            rough = self.coordinates.weight * self._roughness(z)[1]
            return apart + rough + (2 * RIDGE / z.numel()) * z

        residual = self.pull_back(image - self.content) * (2 / numbers)
        return unmoved + conjugate_gradients(normal, residual)


def conjugate_gradients(apply: Callable[[Tensor], Tensor], b: Tensor) -> Tensor:
    """Return x with apply(x) ≈ b, for a symmetric, positive definite linear map.

    Nocedal & Wright, Numerical Optimization, algorithm 5.2.
    """
    x, residual = torch.zeros_like(b), b.clone()
    direction, square = residual, float(residual.square().sum())
    enough = TOLERANCE**2 * square
    for _ in range(ITERATIONS):
        if square <= enough:
            break
        image = apply(direction)
        length = square / float((direction * image).sum())
        x, residual = x + length * direction, residual - length * image
        before, square = square, float(residual.square().sum())
        direction = residual + square / before * direction
    return x


class GridAtScales:
    """The grid of a run, in coordinates that are the same at every scale.

    Parameters
    ----------
    content
        (1, 3, H, W), at full size.
    settings
        `grid_size`, `grid_depth`, `guide` and `smoothness` are read.

    Raises
    ------
    ValueError
        The grid has more cells than the content has pixels.
    """

    def __init__(self, content: Tensor, settings: Settings):
        shape = grid_shape(*shape_of(content), settings.grid_size, settings.grid_depth)
        self.content, self.smoothness = content, settings.smoothness
        self.guide = guide_of(content, settings.guide)
        small = resize(content, min(SEEN, max(content.shape[2:])))
        self.coordinates = Coordinates(small, self.guide(small), shape, self.smoothness)

    def at(self, stage: Stage) -> Grid:
        """Return the parametrisation at a scale of the plan."""
        content = resize(self.content, (stage.height, stage.width))
        return Grid(content, self.guide, self.coordinates, self.smoothness)

    def picture(self, z: Tensor) -> Tensor:
        """Return the content (1, 3, H, W) at full size as coordinates make it, 0..1, on the CPU."""
        content = self.content.cpu()
        grid = self.coordinates.to_grid(z).to(content)
        return apply_in_blocks(grid, content, self.guide).clamp(0, 1)

    def look(self, z: Tensor) -> Look:
        """Return the look that coordinates stand for, on the CPU.

        Raises
        ------
        ValueError
            Numbers beyond those that a look may hold.
        """
        return Look(self.coordinates.to_grid(z).cpu(), self.guide)
