"""The network's first layer: a direct 3×3 convolution with its ReLU, in strips of rows.

Its three input channels are too few for `winograd`, and so are its multiplications for a reduced
precision to matter: it is computed in float32 always, so that neither the picture nor its gradient
is rounded. Its output is the largest of all features: what it is converted to, and what of its
gradient is needed, is computed strip by strip.

It alone sees the picture, so here it is decided how the picture goes on beyond its border.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

ROWS = 32  # of a strip


def extended(x: Tensor, border: str) -> Tensor:
    """The picture (N, C, H, W) with one more pixel on each side, as F.pad's mode `border` has it.

    "zeros" are left to the convolution, and the picture is as it was.
    """
    return x if border == "zeros" else F.pad(x, (1, 1, 1, 1), mode=border)


def convolve(x: Tensor, weight: Tensor, bias: Tensor, border: str) -> Tensor:
    """A 3×3 convolution (N, C, H, W) → (N, K, H, W) of a picture that goes on as `border` says."""
    return F.conv2d(extended(x, border), weight, bias, padding=_implied(border))


def _implied(border: str) -> int:
    """Pixels on each side that the convolution adds of itself."""
    return 1 if border == "zeros" else 0


class ConvReLU(torch.autograd.Function):
    """ReLU(conv3×3(x) + bias), frozen weights: the gradient goes to x alone.

    The features are given in `dtype`; convolutions are computed in that of x. `border`: "zeros",
    "replicate" or "reflect".
    """

    @staticmethod
    def forward(
        ctx, x: Tensor, weight: Tensor, bias: Tensor, dtype: torch.dtype, border: str = "zeros"
    ) -> Tensor:
        if dtype == x.dtype:
            y = convolve(x, weight, bias, border).relu_()
        else:
            y = _in_strips(x, weight, bias, dtype, border)
        ctx.save_for_backward(y, weight)
        ctx.dtype, ctx.border = x.dtype, border
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        y, weight = ctx.saved_tensors
        count, _, height, width = y.shape
        implied = _implied(ctx.border)
        more = 1 - implied  # rows and columns beyond the picture that have a gradient of their own
        sides = height + 2 * more, width + 2 * more
        out = y.new_empty(count, weight.shape[1], *sides, dtype=ctx.dtype)
        for first in range(-more, height + more, ROWS):
            last = min(first + ROWS, height + more)
            a, b = max(first - 1, 0), min(last + 1, height)  # with the neighbours
            strip = torch.ops.aten.threshold_backward(gradient[:, :, a:b], y[:, :, a:b], 0)
            back = F.conv_transpose2d(strip.to(ctx.dtype), weight, padding=implied)
            rows = slice(first - a + more, last - a + more)
            out[:, :, first + more : last + more] = back[:, :, rows]
        return _folded(out, ctx.border), None, None, None, None


def _folded(gradient: Tensor, border: str) -> Tensor:
    """The gradient of a picture from that of the `extended` one."""
    if border == "zeros":
        return gradient
    fold = {
        "replicate": torch.ops.aten.replication_pad2d_backward,
        "reflect": torch.ops.aten.reflection_pad2d_backward,
    }[border]
    inner = gradient[:, :, 1:-1, 1:-1]  # whose shape is asked for, not its values
    return fold(gradient, inner, [1, 1, 1, 1])


def _in_strips(x: Tensor, weight: Tensor, bias: Tensor, dtype: torch.dtype, border: str) -> Tensor:
    """The layer's features in another type than that of x, without all of them in that of x."""
    count, _, height, width = x.shape
    shape = count, len(bias), height, width
    y = torch.empty(shape, dtype=dtype, device=x.device, memory_format=torch.channels_last)
    x, implied = extended(x, border), _implied(border)
    for first in range(0, height, ROWS):
        last = min(first + ROWS, height)
        a, b = max(first - implied, 0), min(last + 2 - implied, x.shape[2])
        strip = F.conv2d(x[:, :, a:b], weight, bias, padding=implied)
        y[:, :, first:last] = strip[:, :, first - a : last - a].relu_()
    return y
