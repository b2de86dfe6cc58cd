"""The matting Laplacian: how far a picture is from being locally affine in another's colours.

A picture looks as if taken by a camera where, in every small window, its channels are affine in the
colours of the photograph (Luan et al. 2017, "Deep photo style transfer", section 3.1). What is left
of a channel α after the best such fit, summed over all windows of 3×3 pixels, is αᵀ L α, with

    L_ij = Σ_k (δ_ij - (1 + (c_i - μ_k)ᵀ (Σ_k + ε/9)⁻¹ (c_j - μ_k)) / 9)

over the windows k that hold both i and j; μ_k and Σ_k are mean and covariance of the colours in one
(Levin, Lischinski & Weiss 2006, "A closed form solution to natural image matting", equation 5 and
its extension to colour). A grid of colour maps, `looks.grid`, is another way to the same end, with
fewer unknowns: this one is here to be compared with it.
"""

from __future__ import annotations

from itertools import combinations_with_replacement, product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..checks import check_image, check_number

SIDE = 3  # of a window, in pixels
PIXELS = SIDE**2
REACH = SIDE - 1  # rows and columns between two pixels of a window, at most
MOST_ITERATIONS = 10_000


def matting_laplacian(picture: Tensor, epsilon: float = 1e-7) -> Any:
    """Return L of a picture as a sparse matrix (scipy's `dia_matrix`), pixels row by row.

    Symmetric and positive semi-definite, each row of sum 0, 25 numbers a pixel.

    >>> picture = torch.rand(1, 3, 20, 30)
    >>> L = matting_laplacian(picture)
    >>> L.shape
    (600, 600)
    >>> red = picture[0, 0].flatten().double().numpy()
    >>> bool(red @ L @ red < 1e-4)
    True

    Parameters
    ----------
    picture
        (1, 3, H, W), of at least 5 pixels a side.
    epsilon
        What a window's map costs for its slope a, ε‖a‖²: more makes flat regions constant.

    Raises
    ------
    ValueError
        No picture of finite values, or a smaller one; epsilon not above 0.
    """
    from scipy.sparse import dia_matrix

    check_image("the picture", picture)
    epsilon = check_number("epsilon", epsilon, above=0)
    height, width = picture.shape[2:]
    if min(height, width) <= 2 * REACH:
        raise ValueError(
            f"the picture must have at least {2 * REACH + 1} pixels a side, got {height}×{width}"
        )
    coordinates = _whitened(picture, epsilon)
    # One array for each shift from i to j. Its entries lie at j, as `dia_matrix` wants them.
    shifts = list(product(range(-REACH, REACH + 1), repeat=2))
    diagonals = {shift: np.zeros((height, width)) for shift in shifts}
    places = list(product(range(SIDE), repeat=2))
    for i, j in combinations_with_replacement(range(PIXELS), 2):
        entry = float(i == j) - (1 + (coordinates[i] * coordinates[j]).sum(-1)) / PIXELS
        for a, b in {(i, j), (j, i)}:
            (row, column), (to_row, to_column) = places[a], places[b]
            diagonal = diagonals[to_row - row, to_column - column]
            diagonal[to_row : to_row + height - REACH, to_column : to_column + width - REACH] += (
                entry
            )
    data = np.stack([diagonals[shift].ravel() for shift in shifts])
    offsets = [rows * width + columns for rows, columns in shifts]
    return dia_matrix((data, offsets), shape=(height * width, height * width))


def _whitened(picture: Tensor, epsilon: float) -> NDArray[np.float64]:
    """C⁻¹ (c_i - μ_k) with C Cᵀ = Σ_k + ε/9, (9, H - 2, W - 2, 3): i in each window k."""
    colors = picture[0].detach().cpu().double().permute(1, 2, 0).numpy()
    windows = np.lib.stride_tricks.sliding_window_view(colors, (SIDE, SIDE), axis=(0, 1))
    windows = windows.reshape(*windows.shape[:3], PIXELS)  # (H - 2, W - 2, 3, 9)
    centred = windows - windows.mean(-1, keepdims=True)
    covariance = centred @ centred.swapaxes(-1, -2) / PIXELS
    root = np.linalg.cholesky(covariance + epsilon / PIXELS * np.eye(3))
    return np.moveaxis(np.linalg.solve(root, centred), -1, 0)


def project(
    result: Tensor, content: Tensor, strength: float = 100.0, epsilon: float = 1e-7
) -> Tensor:
    """Return the picture near `result` that is more nearly locally affine in the content's colours.

    Each channel x minimises ‖x - r‖² + strength · xᵀ L x: it solves (L + λ) x = λ r with
    λ = 1 / strength, here by conjugate gradients, until the residual is a hundred-thousandth of r.

    Parameters
    ----------
    result, content
        (1, 3, H, W), of the same size.
    strength
        0 changes nothing; at 100, noise of single pixels is gone.
    epsilon
        As for `matting_laplacian`.

    Returns
    -------
    Tensor
        (1, 3, H, W) of the result's type; values may leave 0..1.

    Raises
    ------
    ValueError
        Pictures that are none, or differ in size; a negative strength, or one so large that the
        equations cannot be solved.
    """
    from scipy.sparse import diags, identity
    from scipy.sparse.linalg import cg

    check_image("the result", result)
    if content.shape != result.shape:
        raise ValueError(
            f"result and content differ in size: {tuple(result.shape)}, {tuple(content.shape)}"
        )
    strength = check_number("strength", strength)
    laplacian = matting_laplacian(content, epsilon)
    system = strength * laplacian + identity(laplacian.shape[0])
    preconditioner = diags(1 / system.diagonal())
    channels = []
    for channel in result[0].detach().cpu().double().flatten(1).numpy():
        solution, failed = cg(
            system, channel, channel, atol=0.0, maxiter=MOST_ITERATIONS, M=preconditioner
        )
        if failed:
            raise ValueError(
                f"no projection of strength {strength:g} within {MOST_ITERATIONS} steps; "
                "take less strength"
            )
        channels.append(torch.from_numpy(solution))
    return torch.stack(channels).view(result.shape).to(result)
