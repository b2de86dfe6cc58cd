"""Style statistics: what is kept of a layer's features when their positions are forgotten.

Write f_p for the C features at position p, M for the number of positions. Matching statistics of
two pictures x and y means minimising the squared maximum mean discrepancy under a kernel k (Li et
al. 2017, "Demystifying Neural Style Transfer", arXiv 1701.01036, section 3),

    MMD²(x, y) = mean k(f_p(x), f_q(x)) + mean k(f_p(y), f_q(y)) - 2 mean k(f_p(x), f_q(y)),

over all pairs of positions p, q. A kernel k(a, b) = <φ(a), φ(b)> with a finite feature map φ needs
no pairs: MMD² = ‖S_x - S_y‖² with the statistic S = mean φ(f_p). For k = (aᵀb)² the map is
φ(a) = a aᵀ, so S is the Gram matrix, and this is the style loss of Gatys et al. 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Statistic(Protocol):
    """What a style can be: a mean over positions, and a distance between two of them."""

    def statistic(self, features: Tensor) -> Tensor:
        """(N, C, H, W) → (N, …): the mean over positions of φ(f_p), in float32 or float64."""

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        """The squared distance of two statistics, summed over the batch: a scalar."""

    def magnitude(self, y: Tensor) -> Tensor:
        """The distance of y from the statistic of features that are all zero: a scalar."""


def positions(features: Tensor) -> Tensor:
    """(N, C, H, W) → (N, M, C): one feature vector a position. A view if channels are last."""
    if features.dim() != 4 or features.numel() == 0:
        raise ValueError(
            f"features must have shape (N, C, H, W), none of them 0; got {tuple(features.shape)}"
        )
    features = features if features.dtype == torch.float64 else features.float()
    return features.permute(0, 2, 3, 1).flatten(1, 2)


class _SecondMoment(torch.autograd.Function):
    """FᵀF / M for F of shape (N, M, C), with half the work in the gradient: F (D + Dᵀ) / M."""

    @staticmethod
    def forward(ctx, F: Tensor) -> Tensor:
        ctx.save_for_backward(F)
        return F.transpose(1, 2) @ F / F.shape[1]

    @staticmethod
    def backward(ctx, D: Tensor) -> Tensor:
        (F,) = ctx.saved_tensors
        return F @ ((D + D.transpose(1, 2)) / F.shape[1])


def gram_matrix(features: Tensor) -> Tensor:
    """Return the Gram matrices F Fᵀ / M, (N, C, C), of features (N, C, H, W).

    Gatys et al. 2016, equation 3, divided by the number of positions M, so that pictures of
    different sizes can be compared. Computed in float32 at least: float16 would overflow.
    """
    return _SecondMoment.apply(positions(features))


def _check_same_shape(x: Tensor, y: Tensor) -> None:
    if x.shape[1:] != y.shape[1:]:
        raise ValueError(
            f"statistics of different layers cannot be compared: {tuple(x.shape)} and "
            f"{tuple(y.shape)}"
        )


@dataclass(frozen=True)
class Gram:
    """The Gram matrix, i.e. k(a, b) = (aᵀb)². Its distance is ‖G_x - G_y‖² (Frobenius)."""

    def statistic(self, features: Tensor) -> Tensor:
        return gram_matrix(features)

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        _check_same_shape(x, y)
        return (x - y).square().sum()

    def magnitude(self, y: Tensor) -> Tensor:
        return y.square().sum()


KERNELS = {"gram": Gram}


def get_kernel(name: str) -> Statistic:
    """Return the style statistic of that name; a ValueError lists the names there are."""
    if name not in KERNELS:
        raise ValueError(f"unknown kernel {name!r}; there are {', '.join(KERNELS)}")
    return KERNELS[name]()
