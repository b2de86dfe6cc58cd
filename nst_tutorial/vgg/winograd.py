"""3×3 convolutions as batched matrix products: what makes VGG19 fast on a CPU.

A 3×3 convolution computed output by output costs nine multiplications per channel pair. Winograd's
minimal filtering F(4×4, 3×3) computes a tile of 4×4 outputs from a tile of 6×6 inputs with 36
instead of 144 multiplications (Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks",
arXiv 1509.09308, equation 8):

    Y = Aᵀ [ (G w Gᵀ) ⊙ (Bᵀ d B) ] A

d is the tile of inputs, w the filter, ⊙ the product per element, which becomes a matrix product
over channels once the tiles are lined up. Two things here go beyond the paper:

* The picture is worked on in strips of about 256 tiles, so that everything between the input and
  the output of a layer stays in the processor's cache.
* The gradient with respect to the input is a convolution with the filter turned by 180°. Turned
  filters evaluated at the points 1/p are the old ones evaluated at p, up to a factor. So the
  backward pass uses the *same* transformed weights, and only its small matrices differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from .products import Products
from .scratch import workspace

POINTS = (0.0, 1.0, -1.0, 0.5, -2.0)  # and infinity: of the small sets, the one with least rounding
TILES_PER_STRIP = 256


def cook_toom(points: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Bᵀ (6×6), G (6×3) and Aᵀ (4×6) of F(4, 3) for five finite points and infinity.

    Filter and input are read as polynomials: G evaluates the filter at the points, Bᵀ holds the
    coefficients of Lagrange's polynomials, Aᵀ the powers of the points.
    """
    B_T, G, A_T = np.zeros((6, 6)), np.zeros((6, 3)), np.zeros((4, 6))
    for j, p in enumerate(points):
        others = [q for q in points if q != p]
        B_T[j, :5] = np.poly(others)[::-1]
        G[j] = np.array([1, p, p * p]) / np.prod([p - q for q in others])
        A_T[:, j] = [1, p, p**2, p**3]
    B_T[5], G[5, 2], A_T[3, 5] = np.poly(points)[::-1], 1, 1
    return B_T, G, A_T


@lru_cache(maxsize=1)
def _transforms() -> dict[str, tuple[Tensor, Tensor]]:
    """(Bᵀ, Aᵀ) for the two directions."""
    B_T, G, A_T = cook_toom(POINTS)
    reciprocal = (0.0, *(1 / p for p in POINTS[1:]))
    B_T_back, G_back, A_T_back = cook_toom(reciprocal)
    # The turned filter at q = 1/p is q² times the filter at p; 0 and infinity change places.
    swap = [5, 1, 2, 3, 4, 0]
    scale = [
        G_back[5, 2] / G[0, 0],
        *(G_back[j, 0] / (G[j, 0] * POINTS[j] ** 2) for j in range(1, 5)),
        G_back[0, 0] / G[5, 2],
    ]
    B_T_back, A_T_back = np.array(scale)[:, None] * B_T_back[swap], A_T_back[:, swap]

    def as_tensor(matrix: np.ndarray) -> Tensor:
        return torch.from_numpy(matrix).float().contiguous()

    return {
        "forward": (as_tensor(B_T), as_tensor(A_T)),
        "backward": (as_tensor(B_T_back), as_tensor(A_T_back)),
    }


@torch.inference_mode(False)
def transform_weights(weight: Tensor) -> Tensor:
    """Return G w Gᵀ for every filter: (36, C_in, C_out) float32 from (C_out, C_in, 3, 3).

    The 36 points are in column-major order, as `correlate` has them.
    """
    G = torch.from_numpy(cook_toom(POINTS)[1])
    K, C = weight.shape[:2]
    transformed = torch.empty(6, 6, C, K, dtype=torch.float32)
    for some in range(0, K, 64):  # not all at once in float64: that would be the peak of memory
        w = weight[some : some + 64].detach().double().cpu()
        transformed[..., some : some + 64] = torch.einsum("ik,ockl,jl->jico", G, w, G)
    return transformed.flatten(0, 1)


@torch.inference_mode(False)
def weighted_sums(weight: Tensor) -> Tensor:
    """Return a checksum (C_out,) of filters (C_out, C_in, 3, 3): Σ a w with fixed random a.

    Other filters, or the same in another order or with another sign, have other sums. The cost is
    that of reading them once, below 1 % of an evaluation at 256×256 pixels.
    """
    rows = weight.detach().permute(0, 2, 3, 1).flatten(1)
    return rows @ _random_factors(rows.shape[1])


@lru_cache(maxsize=8)
def _random_factors(count: int) -> Tensor:
    return torch.rand(count, generator=torch.Generator().manual_seed(0), dtype=torch.float32)


def pays_off(image: Tensor, weight: Tensor) -> bool:
    """Whether Winograd can be the faster way for this layer: on a CPU, unless it is tiny.

    A fixed rule, so that two runs take the same path and give the same bits.
    """
    wide = min(weight.shape[:2]) >= 32
    enough_tiles = image.shape[-2] * image.shape[-1] >= 16 * 16
    return weight.device.type == "cpu" and weight.dtype == torch.float32 and wide and enough_tiles


def correlate(
    shape: Sequence[int],
    K: int,
    products: Products,
    direction: str,
    read: Callable,
    write: Callable,
) -> None:
    """3×3 correlation with zero padding of pictures (N, H, W, C) that gives K channels.

    The pictures are worked on in strips of rows of tiles. `read(image, begin, end, target)` puts
    the rows begin…end of one of the N pictures into target (rows, W, C). `write(image, first, Y)`
    takes the results for the rows of tiles from `first` on: Y (4, 4, rows, tiles across, K), where
    Y[x, y] are the pixels x to the right and y down in their tiles. It may write into Y.
    """
    B_T, A_T = _transforms()[direction]
    count, height, width, C = shape
    down, across = -(-height // 4), -(-width // 4)
    rows = min(down, max(1, TILES_PER_STRIP // across))  # of tiles in a strip
    tiles, line = rows * across, (4 * across + 2) * C
    padded, half, gathered, spare, product = workspace(
        "winograd",
        (4 * rows + 2) * line, 6 * rows * line, 36 * tiles * C,
        tiles * max(36 * C, 24 * K), 36 * tiles * K,
    )  # fmt: skip
    padded = padded.view(4 * rows + 2, 4 * across + 2, C).zero_()
    for image, first in ((i, j) for i in range(count) for j in range(0, down, rows)):
        r = min(rows, down - first)
        n = r * across
        top = 4 * first - 1  # the picture's row that is the strip's row 0
        begin, end = max(top, 0), min(top + 4 * r + 2, height)
        read(image, begin, end, padded[begin - top : end - top, 1 : width + 1])
        padded[: begin - top].zero_()
        padded[end - top :].zero_()
        # Bᵀ d B: down the rows of the strip first, then across, where six columns make a tile.
        six_rows = padded.as_strided((r, 6, line), (4 * line, line, 1))
        h = torch.bmm(B_T.expand(r, 6, 6), six_rows, out=half[: 6 * r * line].view(r, 6, line))
        d = gathered[: 36 * n * C].view(6, 6, r, across, C)
        d.copy_(h.as_strided(d.shape, (C, line, 6 * line, 4 * C, 1)))
        V = torch.mm(B_T, d.view(6, 6 * n * C), out=spare[: 36 * n * C].view(6, 6 * n * C))
        # The products of all channels, point by point, and Aᵀ … A, across first.
        M = product[: 36 * n * K].view(36, n, K)
        products.multiply(V.view(36, n, C), direction == "backward", out=M)
        m = torch.mm(A_T, M.view(6, 6 * n * K), out=spare[: 24 * n * K].view(4, 6 * n * K))
        Y = torch.matmul(A_T, m.view(4, 6, n * K), out=product[: 16 * n * K].view(4, 4, n * K))
        write(image, first, Y.view(4, 4, r, across, K))
