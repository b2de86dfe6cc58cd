"""Exercises of notebook 03: the Gram matrix, its loss and gradient, and what else is blind."""

from __future__ import annotations

import torch

from ..kernels.moments import gram_matrix as ours
from .exercise import ask, close, exercise, expect, features, number, tensor


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
    expect(
        not close(3 * G, ours(x)),
        "G is C times too small: divide by the number of positions alone, not by C · H · W",
        "M = H · W, the length of a row of F; x.numel() counts the channels too",
    )
    expect(
        close(G, ours(x)),
        "the properties hold, but the numbers are not those of F Fᵀ / M",
        "the features go in as they are: nothing is taken off or divided out before the product",
    )
    return "symmetric, blind to positions, and the same for large and small pictures"


@exercise
def style_loss(answer):
    """(1, C, H, W), (1, C, H', W') → Σ (G_x - G_y)² / 4C², G being means over positions."""
    x, y = features(1, 3, 4, 5), features(1, 3, 2, 6, seed=1)
    result = number(ask(answer, x, y), "the style loss")
    expect(
        close(ask(answer, y, x), result),
        "the loss changes when the two pictures are swapped",
        "square the difference of the two Gram matrices: then its sign does not matter",
    )
    expect(
        abs(number(ask(answer, x, x))) < 1e-9,
        "the loss of a picture against itself should be 0",
        "compare the Gram matrix of x with that of y, nothing else",
    )
    expect(
        abs(number(ask(answer, x, x.flip(3)))) < 1e-6 < result,
        "the loss should not care where the features are: x and its mirror image cost 0",
        "compare Gram matrices, not features",
    )
    expect(
        close(ask(answer, torch.cat([x, x], dim=3), y), result),
        "the same picture twice, side by side, should have the same loss",
        "divide each Gram matrix by its own number of positions",
    )
    expect(
        close(ask(answer, 2 * x, 2 * y), 16 * result),
        "features twice as large should give a loss 16 times as large",
        "G grows fourfold, and the difference of two G is squared",
    )
    exact = float((ours(x) - ours(y)).square().sum()) / (4 * 3**2)
    expect(
        not close(result, 4 * 3**2 * exact),
        "the factor in front is missing: divide by 4 C²",
        "C is the number of channels, x.shape[1]",
    )
    expect(
        not close(result, 4 * exact),
        "the mean over the C² entries is not yet divided by 4",
        "equation 4 has a 4 below the fraction line, so that its gradient has none",
    )
    expect(close(result, exact), "the properties hold, but the factor is not 1 / 4C²")
    return "this is equation 4, for pictures of any two sizes"


@exercise
def style_gradient(answer):
    """F (C, M) and the target A (C, C) → the gradient of Σ (G - A)² / 4C², G = F Fᵀ / M."""
    F = features(3, 5)
    A = ours(features(1, 3, 2, 4, seed=1))[0]
    D = tensor(ask(answer, F, A), (3, 5), "the gradient for F of shape (3, 5)")
    expect(
        float(tensor(ask(answer, F, F @ F.T / 5)).abs().max()) < 1e-6,
        "where G = A the loss is at its lowest, so the gradient there should be 0",
        "the gradient is a product with the difference G - A, where G = F Fᵀ / M",
    )
    order = torch.tensor([3, 0, 4, 1, 2])
    expect(
        close(ask(answer, F[:, order], A), D[:, order]),
        "shuffle the positions of F, and the columns of the gradient should move with them",
        "the same matrix G - A is applied to the vector of each position: (G - A) @ F",
    )
    direction = features(3, 5, seed=2).double()

    def loss(z):
        return ((z @ z.T / 5 - A.double()).square().sum() / (4 * 3**2)).item()

    h = 1e-5
    z = F.double()
    slope = (loss(z + h * direction) - loss(z - h * direction)) / (2 * h)
    mine = float((D.double() * direction).sum())
    expect(
        mine * slope > 0,
        "along your gradient the loss falls, where it should rise",
        "the difference is G - A, not A - G",
    )
    expect(
        not close(5 * mine, slope, 1e-3),
        "your gradient is M times too small: one power of M below the line is too many",
        "equation 6 is for raw sums and has M²; G and A are means here, and have taken up one M",
    )
    expect(
        close(mine, slope, 1e-3),
        f"your gradient promises {mine / slope:.3g} times the rise that the loss really has",
        "the factor is 1 / (C² M): F stands twice in F Fᵀ, the square gives another 2, "
        "and 2 · 2 / 4 = 1",
    )
    return "a small step in any direction changes the loss as you say"


@exercise
def order_free(answer):
    """(1, C, H, W) → any tensor that forgets positions, and is no function of the Gram matrix."""
    x = features(1, 3, 4, 5).relu()
    S = tensor(ask(answer, x))
    flat = x.flatten(2)
    for seed in range(3):
        order = torch.randperm(20, generator=torch.Generator().manual_seed(seed))
        expect(
            close(ask(answer, flat[:, :, order].view(1, 3, 4, 5)), S),
            "your statistic changes when the positions are shuffled",
            "a sum, a mean, a maximum over positions do not; sorting them first helps too",
        )
    other = tensor(ask(answer, torch.cat([x, x], dim=3)))
    expect(
        other.shape == S.shape,
        f"its shape depends on the size of the picture: {tuple(S.shape)} for 20 positions, "
        f"{tuple(other.shape)} for 40",
        "two pictures of different sizes are to be compared; reduce over positions",
    )
    expect(
        close(other, S, 1e-2),
        "the same picture twice, side by side, should have the same statistic",
        "take means, maxima or quantiles over positions, not sums; torch's std and var divide by "
        "M - 1, so give them correction=0",
    )
    expect(
        not close(ask(answer, 3 * x), S),
        "your statistic is the same for weak and for strong features, so it sees very little",
        "let it depend on the values themselves",
    )
    # F Q with an orthogonal Q has the same Gram matrix, and is no shuffling.
    Q = torch.linalg.qr(features(20, 20, seed=3).double())[0].float()
    mixed = (flat @ Q).view(1, 3, 4, 5)
    expect(
        not close(ask(answer, mixed), S, 1e-3),
        "your statistic follows from the Gram matrix, so it can see nothing that G cannot",
        "try a mean, a maximum, or a mean of another power; squares and products of two are in G",
    )
    return "it forgets positions as G does, but it sees something that G does not"
