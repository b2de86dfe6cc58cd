"""Layers by Winograd's algorithm: a convolution, its ReLU and, where one follows, the pooling.

The gradient goes to the input alone. Features come in, and go out, in the type of the products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .products import Products
from .scratch import empty
from .winograd import correlate


def _tile_by_tile(picture: Tensor, first: int, rows: int) -> Tensor:
    """View (4 H', 4 W', K) as (4, 4, rows, W', K), the form in which `correlate` has results."""
    tiles = picture.unflatten(0, (-1, 4)).unflatten(2, (-1, 4))
    return tiles[first : first + rows].permute(3, 1, 0, 2, 4)


class Conv3x3ReLU(torch.autograd.Function):
    """ReLU(conv3×3(x) + bias) for frozen weights, on channels-last pictures (N, C, H, W).

    `products` hold the `transform_weights` of the layer. Kept for the gradient is one byte a pixel
    and channel: whether the ReLU let it through.
    """

    @staticmethod
    def forward(ctx, x: Tensor, products: Products, bias: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        count, height, width, _ = x.shape
        K = len(bias)
        out = empty(count, height + -height % 4, width + -width % 4, K, dtype=products.dtype)
        alive = torch.empty(out.shape if ctx.needs_input_grad[0] else 0, dtype=torch.bool)

        def read(image: int, begin: int, end: int, target: Tensor) -> None:
            target.copy_(x[image, begin:end])

        def write(image: int, first: int, Y: Tensor) -> None:
            Y.view(-1, K).add_(bias).relu_()
            _tile_by_tile(out[image], first, Y.shape[2]).copy_(Y)
            if ctx.needs_input_grad[0]:
                strip = slice(4 * first, 4 * (first + Y.shape[2]))
                alive[image, strip].copy_(out[image, strip])

        correlate(x.shape, K, products, "forward", read, write)
        ctx.save_for_backward(alive.view(torch.uint8))
        ctx.products, ctx.like = products, (x.shape[3], x.dtype)
        return out[:, :height, :width].permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        (alive,) = ctx.saved_tensors
        gradient = gradient.permute(0, 2, 3, 1)
        width = gradient.shape[2]

        def read(image: int, begin: int, end: int, target: Tensor) -> None:
            _masked(gradient[image, begin:end], alive[image, begin:end, :width], target)

        return _transposed(gradient.shape, ctx.like, ctx.products, read), None, None


def _masked(gradient: Tensor, mask: Tensor, out: Tensor) -> None:
    """gradient · mask → out, in float32."""
    if gradient.dtype == out.dtype:
        torch.mul(gradient, mask, out=out)
    else:  # twice as fast as letting the product convert
        out.copy_(gradient).mul_(mask)


def _transposed(
    shape: Sequence[int], like: tuple[int, torch.dtype], products: Products, read: Callable
) -> Tensor:
    """The gradient of the input, from that of the output (N, H, W, K).

    It is (N, C, H, W), of the C and the type in `like`.
    """
    count, height, width, _ = shape
    C, dtype = like
    out = empty(count, height + -height % 4, width + -width % 4, C, dtype=dtype)

    def write(image: int, first: int, Y: Tensor) -> None:
        _tile_by_tile(out[image], first, Y.shape[2]).copy_(Y)

    correlate(shape, C, products, "backward", read, write)
    return out[:, :height, :width].permute(0, 3, 1, 2)


class Conv3x3ReLUPool(torch.autograd.Function):
    """The same with the 2×2 pooling after it: a tile's four windows are pooled in the cache.

    Kept for the gradient is one byte a window. For "max" it is 1 + the number of the pixel that was
    largest, or 0 if the ReLU let none through; for "average" a bit for each pixel let through.
    """

    @staticmethod
    def forward(ctx, x: Tensor, products: Products, bias: Tensor, pooling: str) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        count, height, width, _ = x.shape
        K = len(bias)
        out = empty(count, 2 * -(-height // 4), 2 * -(-width // 4), K, dtype=products.dtype)
        codes = torch.empty(out.shape, dtype=torch.uint8)
        pool = {"max": _max_pool, "average": _average_pool}[pooling]

        def read(image: int, begin: int, end: int, target: Tensor) -> None:
            target.copy_(x[image, begin:end])

        def write(image: int, first: int, Y: Tensor) -> None:
            rows = Y.shape[2]
            for whole, part in zip((out, codes), pool(Y, bias), strict=True):
                tiles = whole[image].unflatten(0, (-1, 2)).unflatten(2, (-1, 2))
                tiles[first : first + rows].permute(3, 1, 0, 2, 4).copy_(part)

        correlate(x.shape, K, products, "forward", read, write)
        ctx.save_for_backward(codes)
        ctx.products, ctx.like = products, (x.shape[3], x.dtype)
        ctx.size, ctx.pooling = (height, width), pooling
        return out[:, : height // 2, : width // 2].permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        (codes,) = ctx.saved_tensors
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
                _masked(gradient[image, first:last], mine.view(torch.uint8), pixels[: last - first])
            target[max(2 * h - begin, 0) :].zero_()  # an odd side's last row was in no window

        shape = count, *ctx.size, K
        return _transposed(shape, ctx.like, ctx.products, read), None, None, None


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
