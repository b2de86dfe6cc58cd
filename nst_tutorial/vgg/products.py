"""Who multiplies: Winograd's 36 matrix products of a strip, by one library or another.

Each class holds the transformed weights of a layer in the form that its library wants, and the type
of the features that go in and out of the layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from .scratch import workspace


class Products(Protocol):
    """The transformed weights (36, C, K) of a layer, ready to be multiplied with."""

    dtype: torch.dtype

    def multiply(self, V: Tensor, turned: bool, out: Tensor) -> None:
        """V (36, n, C) by the weights → out (36, n, K); if `turned`, (36, n, K) → (36, n, C)."""


class BlasProducts:
    """In float32 by the BLAS that torch was built with (MKL, OpenBLAS, Accelerate)."""

    dtype = torch.float32

    def __init__(self, weights: Tensor):
        self.weights = weights  # (36, C, K)

    def multiply(self, V: Tensor, turned: bool, out: Tensor) -> None:
        """See `Products`."""
        torch.bmm(V, self.weights.transpose(1, 2) if turned else self.weights, out=out)


class OneDnnProducts:
    """In float32 by oneDNN: as a 1×1 convolution whose 36 groups of channels are the points."""

    dtype = torch.float32

    def __init__(self, weights: Tensor):
        P, C, K = weights.shape
        self.filters = weights.transpose(1, 2).reshape(P * K, C, 1, 1).contiguous()
        self.turned_filters = weights.reshape(P * C, K, 1, 1).contiguous()

    def multiply(self, V: Tensor, turned: bool, out: Tensor) -> None:
        """See `Products`."""
        P, n, C = V.shape
        (x,) = workspace("onednn", V.numel())
        x = x.view(n, P, C).copy_(V.transpose(0, 1))
        image = x.view(n, P * C).t()[None, :, :, None]  # channels last: (1, 36 C, n, 1)
        filters = self.turned_filters if turned else self.filters
        y = F.conv2d(image, filters, groups=P)
        out.copy_(y.view(P, -1, n).transpose(1, 2))


class Bfloat16Products:
    """In bfloat16, which oneDNN adds up in float32; what goes in and comes out is rounded."""

    dtype = torch.bfloat16

    def __init__(self, weights: Tensor):
        self.weights = weights.bfloat16()

    def multiply(self, V: Tensor, turned: bool, out: Tensor) -> None:
        """See `Products`."""
        rounded, product = workspace("bfloat16", V.numel(), out.numel(), dtype=torch.bfloat16)
        weights = self.weights.transpose(1, 2) if turned else self.weights
        rounded, product = rounded.view(V.shape).copy_(V), product.view(out.shape)
        out.copy_(torch.bmm(rounded, weights, out=product))


PRODUCTS: dict[str, Callable[[Tensor], Products]] = {
    "winograd": BlasProducts,
    "winograd-onednn": OneDnnProducts,
    "winograd-bfloat16": Bfloat16Products,
}
