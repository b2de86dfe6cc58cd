"""The network's first layer: a direct 3×3 convolution with its ReLU, in strips of rows.

Its three input channels are too few for `winograd`, and so are its multiplications for a reduced
precision to matter: it is computed in float32 always, so that neither the picture nor its gradient
is rounded. Its output is the largest of all features: what it is converted to, and what of its
gradient is needed, is computed strip by strip.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

ROWS = 32  # of a strip


class ConvReLU(torch.autograd.Function):
    """ReLU(conv3×3(x) + bias), zero padding, frozen weights: the gradient goes to x alone.

    The features are given in `dtype`; convolutions are computed in that of x.
    """

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor, dtype: torch.dtype) -> Tensor:
        if dtype == x.dtype:
            y = F.conv2d(x, weight, bias, padding=1).relu_()
        else:
            y = _in_strips(x, weight, bias, dtype)
        ctx.save_for_backward(y, weight)
        ctx.dtype = x.dtype
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        y, weight = ctx.saved_tensors
        count, _, height, width = y.shape
        out = y.new_empty(count, weight.shape[1], height, width, dtype=ctx.dtype)
        for first in range(0, height, ROWS):
            last = min(first + ROWS, height)
            a, b = max(first - 1, 0), min(last + 1, height)  # with the neighbours
            strip = torch.ops.aten.threshold_backward(gradient[:, :, a:b], y[:, :, a:b], 0)
            back = F.conv_transpose2d(strip.to(ctx.dtype), weight, padding=1)
            out[:, :, first:last] = back[:, :, first - a : last - a]
        return out, None, None, None


def _in_strips(x: Tensor, weight: Tensor, bias: Tensor, dtype: torch.dtype) -> Tensor:
    """The layer's features in another type than that of x, without all of them in that of x."""
    count, _, height, width = x.shape
    shape = count, len(bias), height, width
    y = torch.empty(shape, dtype=dtype, device=x.device, memory_format=torch.channels_last)
    for first in range(0, height, ROWS):
        last = min(first + ROWS, height)
        a, b = max(first - 1, 0), min(last + 1, height)
        strip = F.conv2d(x[:, :, a:b], weight, bias, padding=1)
        y[:, :, first:last] = strip[:, :, first - a : last - a].relu_()
    return y
