"""The maps of a content's colours as what is optimised: photo mode.

Its pictures are x(p) = A(p) (c(p), 1), see `looks.grid`. There are some thousand unknowns instead
of a picture's hundred thousands, and grain or strokes are not among what they can make.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ..images.resizing import resize, shape_of
from ..looks.grid import (
    apply_grid,
    axis_hats,
    grid_shape,
    hats,
    identity_grid,
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

SEEN = 256  # longer side of the content at which cells are weighed
LEAST = 0.01  # of a cell's second moments, the mean over cells and colours being about 1
ITERATIONS = 60  # of conjugate gradients
TOLERANCE = 1e-6  # of the residual's norm, at which they end
TIED = 1e-3  # weight of the roughness where a picture does not say what a cell is


class CellScale:
    """Coordinates in which a step of one length changes the picture as much in every cell.

    A change dA of the map of cell k changes the picture by Σ_p |w_k(p) dA (c(p), 1)|², that is

        tr dA M_k dAᵀ,    M_k = Σ_p w_k(p)² (c(p), 1)(c(p), 1)ᵀ,

    up to what neighbours change together. With M_k = L_k L_kᵀ and z_k = A_k L_k that is |z_k|²: the
    matrix and the offset are then of one scale, colours that a cell hardly has and cells that
    hardly a pixel reads take large steps. M_k is in units in which a change of all z by 1 changes
    pixels by about 1, and gets no smaller than `LEAST`, or z would be infinite where there is none.

    Parameters
    ----------
    content, guide
        (1, 3, H, W) and (1, 1, H, W): the pixels that the cells are weighed with.
    shape
        (depth, rows, columns) of the grid.
    """

    def __init__(self, content: Tensor, guide: Tensor, shape: tuple[int, int, int]):
        self.shape = shape
        M = second_moments(content.double().cpu(), guide.double().cpu(), shape)
        unknowns, numbers = 3 * M[..., 0].numel(), content.numel()
        M = M * (unknowns / numbers) + LEAST * torch.eye(4, dtype=torch.float64)
        L = torch.linalg.cholesky(M)
        self.L, self.inverse = L.to(content), torch.linalg.inv(L).to(content)

    def to_grid(self, z: Tensor) -> Tensor:
        return self._times(z, self.inverse, "jk")

    def from_grid(self, grid: Tensor) -> Tensor:
        return self._times(grid, self.L, "jk")

    def pull_back(self, gradient: Tensor) -> Tensor:
        """The gradient with respect to z from that with respect to the grid."""
        return self._times(gradient, self.inverse, "kj")

    def _times(self, maps: Tensor, matrices: Tensor, order: str) -> Tensor:
        cells = maps.view(3, 4, *self.shape)
        return torch.einsum(f"ojdrc,drc{order}->okdrc", cells, matrices).reshape(maps.shape)


def second_moments(content: Tensor, guide: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Σ_p w(p)² (c(p), 1)(c(p), 1)ᵀ of each cell: (depth, rows, columns, 4, 4)."""
    depth, rows, columns = shape
    height, width = guide.shape[2:]
    down, across = axis_hats(height, rows, content), axis_hats(width, columns, content)
    colours = torch.cat([content[0], torch.ones_like(guide[0])])
    total = content.new_zeros(*shape, 4, 4)
    for level in range(depth):
        weight = hats(guide[0, 0], depth)[..., level].square()
        products = weight * colours[:, None] * colours[None]  # (4, 4, H, W)
        total[level] = torch.einsum("hr,jkhw,wc->rcjk", down.square(), products, across.square())
    return total


class Grid:
    """The pictures that a grid of colour maps can make of a content, and what its roughness costs.

    Parameters
    ----------
    content
        (1, 3, H, W).
    guide
        Of the content, see `looks.guide_of`.
    scale
        The grid's coordinates.
    smoothness
        Weight of the roughness of the grid in the total.
    """

    every_picture = False

    def __init__(self, content: Tensor, guide: Guide, scale: CellScale, smoothness: float = 0.0):
        self.content, self.guide, self.scale = content, guide(content), scale
        self.term_weights: Mapping[str, float] = {SMOOTHNESS: smoothness}

    def to_image(self, z: Tensor) -> Tensor:
        return apply_grid(self.scale.to_grid(z), self.content, self.guide)

    def pull_back(self, gradient: Tensor) -> Tensor:
        return self.scale.pull_back(
            pull_back_to_grid(gradient, self.content, self.guide, self.scale.shape)
        )

    def penalties(self, z: Tensor) -> Mapping[str, Penalty]:
        value, gradient = self._roughness(z)
        return {SMOOTHNESS: Penalty(value, gradient)}

    def _roughness(self, z: Tensor) -> tuple[float, Tensor]:
        grid = self.scale.to_grid(z).detach().requires_grad_()
        with torch.enable_grad():
            value = roughness(grid)
            (gradient,) = torch.autograd.grad(value, grid)
        return value.item(), self.scale.pull_back(gradient)

    def from_image(self, image: Tensor) -> Tensor:
        """Return the coordinates whose picture is nearest, by least squares.

        Mean squared distance, and `TIED` times the roughness, for the maps of which the picture
        tells nothing: they follow their neighbours.
        """
        identity = identity_grid(*self.scale.shape).to(self.content)
        unmoved = self.scale.from_grid(identity)
        numbers = self.content.numel()

        def normal(z: Tensor) -> Tensor:
            apart = self.pull_back(self.to_image(z)) * (2 / numbers)
            return apart + TIED * self._roughness(z)[1]

        residual = self.pull_back(image - self.content) * (2 / numbers)
        return unmoved + conjugate_gradients(normal, residual)


def conjugate_gradients(apply: Callable[[Tensor], Tensor], b: Tensor) -> Tensor:
    """Return x with apply(x) ≈ b, for a symmetric, positive linear map.

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
        self.scale = CellScale(small, self.guide(small), shape)

    def at(self, stage: Stage) -> Grid:
        """Return the parametrisation at a scale of the plan."""
        content = resize(self.content, (stage.height, stage.width))
        return Grid(content, self.guide, self.scale, self.smoothness)

    def look(self, z: Tensor) -> Look:
        """Return the look that coordinates stand for, on the CPU."""
        return Look(self.scale.to_grid(z).cpu(), self.guide)
