"""Exercises of notebook 03: the Gram matrix."""

from __future__ import annotations

import torch

from ..kernels import gram_matrix as ours
from .exercise import ask, close, exercise, expect, features, tensor


@exercise
def gram_matrix(answer):
    """(1, C, H, W) → (1, C, C): F Fᵀ / M."""
    x = features(1, 3, 4, 5)
    G = tensor(ask(answer, x), (1, 3, 3), "the Gram matrix of features (1, 3, 4, 5)")
    expect(
        close(G, G.transpose(1, 2)),
        "G is not symmetric",
        "G[i, j] sums the products of channels i and j; so does G[j, i]",
    )
    shuffled = x.flatten(2)[:, :, torch.randperm(20, generator=torch.Generator().manual_seed(1))]
    expect(
        close(ask(answer, shuffled.view(1, 3, 4, 5)), G),
        "G changes when the positions are shuffled",
        "sum over all positions; none may count differently from another",
    )
    expect(
        close(ask(answer, 2 * x), 4 * G),
        "features twice as large should give a G four times as large",
        "each entry is a sum of products of two features",
    )
    twice = torch.cat([x, x], dim=3)
    expect(
        close(ask(answer, twice), G),
        "the same picture twice, side by side, should have the same G",
        "divide the sum by the number of positions, H · W",
    )
    expect(close(G, ours(x)), "the properties hold, but the numbers are not those of F Fᵀ / M")
    return "symmetric, blind to positions, and the same for large and small pictures"
