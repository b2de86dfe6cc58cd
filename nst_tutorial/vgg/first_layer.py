"""A direct 3×3 convolution with its ReLU, whose gradient is computed in strips of rows.

For the network's first layer, whose three input channels are too few for `winograd`. Its output is
the largest of all features: autograd would make a second tensor of that size on the way back.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

ROWS = 32  # of a strip


class ConvReLU(torch.autograd.Function):
    """ReLU(conv3×3(x) + bias), zero padding, frozen weights: the gradient goes to x alone."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        y = F.conv2d(x, weight, bias, padding=1).relu_()
        ctx.save_for_backward(y, weight)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        y, weight = ctx.saved_tensors
        count, _, height, width = y.shape
        out = y.new_empty(count, weight.shape[1], height, width)
        for first in range(0, height, ROWS):
            last = min(first + ROWS, height)
            a, b = max(first - 1, 0), min(last + 1, height)  # with the neighbours
            strip = torch.ops.aten.threshold_backward(gradient[:, :, a:b], y[:, :, a:b], 0)
            back = F.conv_transpose2d(strip, weight, padding=1)
            out[:, :, first:last] = back[:, :, first - a : last - a]
        return out, None, None
