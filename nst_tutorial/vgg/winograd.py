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

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache, reduce

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

POINTS = (0.0, 1.0, -1.0, 0.5, -2.0)  # and infinity: of the small sets, the one with least rounding
TILES_PER_STRIP = 256
_scratch = threading.local()


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

    The 36 points are in column-major order, as `_correlate` has them.
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
    """Whether Winograd is the faster way for this layer: on a CPU, float32, unless it is tiny.

    A fixed rule, so that two runs take the same path and give the same bits.
    """
    wide = min(weight.shape[:2]) >= 32
    enough_tiles = image.shape[-2] * image.shape[-1] >= 16 * 16
    return image.device.type == "cpu" and image.dtype == torch.float32 and wide and enough_tiles


def _workspace(*sizes: int) -> list[Tensor]:
    """Uninitialised float32 buffers, kept from call to call in each thread."""
    buffer = getattr(_scratch, "buffer", None)
    if buffer is None or buffer.numel() < sum(sizes):
        _scratch.buffer = buffer = _empty(sum(sizes))
    return list(buffer[: sum(sizes)].split(sizes))


@torch.inference_mode(False)  # else it could not be written to outside that mode
def _empty(*shape: int) -> Tensor:
    return torch.empty(shape, dtype=torch.float32)


def _correlate(
    shape: Sequence[int], products: Tensor, direction: str, read: Callable, write: Callable
) -> None:
    """3×3 correlation with zero padding of pictures (N, H, W, C) by products (36, C, K).

    The pictures are worked on in strips of rows of tiles. `read(image, begin, end, target)` puts
    the rows begin…end of one of the N pictures into target (rows, W, C). `write(image, first, Y)`
    takes the results for the rows of tiles from `first` on: Y (4, 4, rows, tiles across, K), where
    Y[x, y] are the pixels x to the right and y down in their tiles. It may write into Y.
    """
    B_T, A_T = _transforms()[direction]
    count, height, width, C = shape
    K = products.shape[2]
    down, across = -(-height // 4), -(-width // 4)
    rows = min(down, max(1, TILES_PER_STRIP // across))  # of tiles in a strip
    tiles, line = rows * across, (4 * across + 2) * C
    padded, half, gathered, spare, product = _workspace(
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
        M = torch.bmm(V.view(36, n, C), products, out=product[: 36 * n * K].view(36, n, K))
        m = torch.mm(A_T, M.view(6, 6 * n * K), out=spare[: 24 * n * K].view(4, 6 * n * K))
        Y = torch.matmul(A_T, m.view(4, 6, n * K), out=product[: 16 * n * K].view(4, 4, n * K))
        write(image, first, Y.view(4, 4, r, across, K))


def _tile_by_tile(picture: Tensor, first: int, rows: int) -> Tensor:
    """View (4 H', 4 W', K) as (4, 4, rows, W', K), the form in which `_correlate` has results."""
    tiles = picture.unflatten(0, (-1, 4)).unflatten(2, (-1, 4))
    return tiles[first : first + rows].permute(3, 1, 0, 2, 4)


class Conv3x3ReLU(torch.autograd.Function):
    """ReLU(conv3×3(x) + bias) for frozen weights, on channels-last pictures (N, C, H, W).

    `products` are the `transform_weights` of the layer. The gradient goes to x alone. Kept for it
    is one byte a pixel and channel: whether the ReLU let it through.
    """

    @staticmethod
    def forward(ctx, x: Tensor, products: Tensor, bias: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        count, height, width, _ = x.shape
        K = len(bias)
        out = _empty(count, height + -height % 4, width + -width % 4, K)
        alive = torch.empty(out.shape if ctx.needs_input_grad[0] else 0, dtype=torch.bool)

        def read(image: int, begin: int, end: int, target: Tensor) -> None:
            target.copy_(x[image, begin:end])

        def write(image: int, first: int, Y: Tensor) -> None:
            Y.view(-1, K).add_(bias).relu_()
            _tile_by_tile(out[image], first, Y.shape[2]).copy_(Y)
            if ctx.needs_input_grad[0]:
                strip = slice(4 * first, 4 * (first + Y.shape[2]))
                alive[image, strip].copy_(out[image, strip])

        _correlate(x.shape, products, "forward", read, write)
        ctx.save_for_backward(alive.view(torch.uint8), products)
        return out[:, :height, :width].permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        alive, products = ctx.saved_tensors
        gradient = gradient.permute(0, 2, 3, 1)
        width = gradient.shape[2]

        def read(image: int, begin: int, end: int, target: Tensor) -> None:
            torch.mul(gradient[image, begin:end], alive[image, begin:end, :width], out=target)

        return _transposed(gradient.shape, products, read), None, None


def _transposed(shape: Sequence[int], products: Tensor, read: Callable) -> Tensor:
    """The gradient of the input, (N, C, H, W), from that of the output, (N, H, W, K)."""
    count, height, width, _ = shape
    out = _empty(count, height + -height % 4, width + -width % 4, products.shape[1])

    def write(image: int, first: int, Y: Tensor) -> None:
        _tile_by_tile(out[image], first, Y.shape[2]).copy_(Y)

    _correlate(shape, products.transpose(1, 2), "backward", read, write)
    return out[:, :height, :width].permute(0, 3, 1, 2)


class Conv3x3ReLUPool(torch.autograd.Function):
    """The same with the 2×2 pooling after it: a tile's four windows are pooled in the cache.

    Kept for the gradient is one byte a window. For "max" it is 1 + the number of the pixel that was
    largest, or 0 if the ReLU let none through; for "average" a bit for each pixel let through.
    """

    @staticmethod
    def forward(ctx, x: Tensor, products: Tensor, bias: Tensor, pooling: str) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        count, height, width, _ = x.shape
        K = len(bias)
        out = _empty(count, 2 * -(-height // 4), 2 * -(-width // 4), K)
        codes = torch.empty(out.shape, dtype=torch.uint8)
        pool = {"max": _max_pool, "average": _average_pool}[pooling]

        def read(image: int, begin: int, end: int, target: Tensor) -> None:
            target.copy_(x[image, begin:end])

        def write(image: int, first: int, Y: Tensor) -> None:
            rows = Y.shape[2]
            for whole, part in zip((out, codes), pool(Y, bias), strict=True):
                tiles = whole[image].unflatten(0, (-1, 2)).unflatten(2, (-1, 2))
                tiles[first : first + rows].permute(3, 1, 0, 2, 4).copy_(part)

        _correlate(x.shape, products, "forward", read, write)
        ctx.save_for_backward(codes, products)
        ctx.size, ctx.pooling = (height, width), pooling
        return out[:, : height // 2, : width // 2].permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        codes, products = ctx.saved_tensors
        gradient = gradient.permute(0, 2, 3, 1)
        count, h, w, K = gradient.shape
        if ctx.pooling == "average":
            gradient = gradient / 4

        def read(image: int, begin: int, end: int, target: Tensor) -> None:
            for k in range(4):
                first, last = (-(-(edge - k // 2) // 2) for edge in (begin, end))
                last = min(last, h)
                code = codes[image, first:last, :w]
                mine = code == k + 1 if ctx.pooling == "max" else (code >> k) & 1
                pixels = target[2 * first + k // 2 - begin : end - begin : 2, k % 2 : 2 * w : 2]
                torch.mul(gradient[image, first:last], mine.view(torch.uint8),
                          out=pixels[: last - first])  # fmt: skip
            target[max(2 * h - begin, 0) :].zero_()  # an odd side's last row was in no window

        return _transposed((count, *ctx.size, K), products, read), None, None, None


def _windows(Y: Tensor) -> list[Tensor]:
    """The four pixels of each 2×2 window of tiles (4, 4, …), row by row: each (2, 2, …)."""
    return [Y[dx::2, dy::2] for dy in (0, 1) for dx in (0, 1)]


def _max_pool(Y: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """ReLU(max + bias) = max of ReLU(… + bias), and the codes. Of equal pixels the first wins."""
    a, b, c, d = _windows(Y)
    right, lower_right = (b > a).view(torch.uint8), (d > c).view(torch.uint8)
    upper, lower = torch.maximum(a, b), torch.maximum(c, d)
    low = (lower > upper).view(torch.uint8)
    largest = torch.maximum(upper, lower, out=upper).add_(bias).relu_()
    which = lower_right.add_(2).sub_(right).mul_(low).add_(right).add_(1)
    return largest, which.mul_(largest.to(torch.bool).view(torch.uint8))


def _average_pool(Y: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    pixels = _windows(Y.add_(bias).relu_())
    alive = [pixel.to(torch.bool).view(torch.uint8) << k for k, pixel in enumerate(pixels)]
    return reduce(torch.add, pixels) / 4, reduce(torch.add, alive)
