"""Exercises of notebook 04: feature maps, MMD², moments, blind spots."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import torch
from torch import Tensor

from ..kernels.moments import BatchNormStatistics
from .exercise import ask, close, exercise, expect, features, number, tensor


@exercise
def feature_map(answer):
    """a (C,), c → φ(a), a vector with φ(a)ᵀ φ(b) = (aᵀb + c)²."""
    a, b = features(3), features(3, seed=1)
    phi = tensor(ask(answer, a, 1.5), name="φ(a)")
    expect(
        phi.dim() == 1,
        f"φ(a) should be a vector, but has the shape {tuple(phi.shape)}",
        "flatten the matrix a aᵀ, and put the parts one after another with torch.cat",
    )
    other = tensor(ask(answer, b, 1.5), tuple(phi.shape), "φ(b)")
    result = float(phi @ other)
    expect(
        close(float(phi @ phi), (float(a @ a) + 1.5) ** 2) or not close(result, float(a @ b) ** 2),
        "φ(a)ᵀ φ(b) is (aᵀb)²: the offset c is not in it yet",
        "expand (aᵀb + c)²: besides (aᵀb)² there are 2c · aᵀb and c²",
    )
    expect(
        not close(result, float(a @ b) ** 2 + 3.0 * float(a @ b)),
        "the term c² is missing",
        "a constant entry c in φ gives c · c",
    )
    mixed = float(a @ b) ** 2 + 1.5**2
    expect(
        not close(result, mixed + 1.5 * float(a @ b))
        and not close(result, mixed + 9 * float(a @ b)),
        "the term in aᵀb has the wrong factor",
        "it should be 2c, so the entries of φ are √(2c) times those of a",
    )
    expect(
        close(result, (float(a @ b) + 1.5) ** 2),
        "φ(a)ᵀ φ(b) is not (aᵀb + c)²",
        "(aᵀb + c)² = (aᵀb)² + 2c · aᵀb + c²: each summand has a piece of φ of its own, and a "
        "factor in φ counts twice, once in φ(a) and once in φ(b)",
    )
    big = features(5), features(5, seed=2)
    values = [ask(answer, each, 0.25) for each in big]
    expect(
        close(float(values[0] @ values[1]), (float(big[0] @ big[1]) + 0.25) ** 2),
        "it holds for C = 3 and c = 1.5, but not for C = 5 and c = 0.25",
    )
    return "one product of two long vectors is the kernel"


@exercise
def unbiased_mmd2(answer):
    """x (M, C), y (M', C), k → MMD² without the pairs of a point with itself."""

    def linear(a: Tensor, b: Tensor) -> Tensor:
        return a @ b.T

    def square(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T) ** 2

    def of(x: Tensor, y: Tensor, k: Callable[[Tensor, Tensor], Tensor] = linear) -> float:
        return number(ask(answer, x, y, k), "MMD²")

    x, y = features(6, 3), features(4, 3, seed=1) + 0.5
    result, alike = of(x, y), of(x, y, lambda a, b: a.new_ones(len(a), len(b)))
    biased = (x.mean(0) - y.mean(0)).square().sum()
    itself = [float(z.square().sum()) / len(z) ** 2 for z in (x, y)]  # of M² pairs
    expect(
        not close(result, biased),
        "this is MMD² with all pairs: each point still meets itself",
        "take the trace of k(x, x) and of k(y, y) off their sums",
    )
    expect(
        not close(result, biased - sum(itself)),
        "the pairs of a point with itself are out of the sum, but still counted",
        "M points have M (M - 1) pairs without them, not M²",
    )
    expect(
        not close(of(x, y, square), result),
        "aᵀb and (aᵀb)² come out the same: do you use the k that you are given?",
    )
    expect(
        abs(alike) < 1e-6,
        "if every two points are equally alike, MMD² should be 0",
        "three means of 1, and k(x, y) counts twice with a minus: 1 + 1 - 2 = 0",
    )
    expect(
        close(of(y, x), result),
        "the distance changes when the two sets are swapped",
        "k(x, x) and k(y, y) are treated alike, each with its own number of points",
    )
    dealt = [of(points, rest) for points, rest in _deals(features(6, 2, seed=2))]
    expect(
        abs(sum(dealt)) < 1e-4 * sum(map(abs, dealt)),
        "six points dealt out to two sets in all possible ways should have an MMD² of 0 on average",
        "only a point with itself is left out; every pair in k(x, y) counts",
    )
    return "unbiased: 0 on average if both sets come from one source, and so sometimes below 0"


def _deals(points: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Every way to deal points out to two sets of equal size."""
    everyone = range(len(points))
    chosen = combinations(everyone, len(points) // 2)
    return [(points[list(c)], points[[i for i in everyone if i not in c]]) for c in chosen]


@exercise
def bn_from_gram(answer):
    """G (C, C) and the mean (C,) → the standard deviation of each channel, (C,)."""
    x = features(3, 40) * torch.tensor([[1.0], [2.0], [0.5]]) + torch.tensor([[0.5], [1.0], [3.0]])
    G, mu = x @ x.T / 40, x.mean(dim=1)
    sigma = tensor(ask(answer, G, mu), (3,), "σ of 3 channels")
    variance = x.var(dim=1, correction=0)
    expect(
        not close(sigma, variance),
        "these are the variances: one step is missing",
        "σ is the square root of the variance",
    )
    expect(
        not close(sigma, G.diagonal().sqrt()),
        "√G_ii is the root mean square: it counts the mean as spread",
        "the variance is the mean of the squares minus the square of the mean",
    )
    expect(
        close(sigma, variance.sqrt(), 1e-3),
        "these are not the standard deviations",
        "G_ii is the mean square of channel i; the variance is G_ii - μ_i²",
    )
    gram = features(4, 30, seed=5) + 1
    expect(
        close(
            ask(answer, gram @ gram.T / 30, gram.mean(dim=1)),
            gram.std(dim=1, correction=0),
            1e-3,
        ),
        "it holds for one G but not for another",
    )
    epsilon = BatchNormStatistics().epsilon
    return f"BN keeps 2C of the numbers that G and μ hold (the package adds {epsilon:g} to σ²)"


@exercise
def blind_spot(x, y):
    """Two sets (M, 2): other means, other covariances, but one and the same Gram matrix."""
    x, y = (tensor(torch.as_tensor(z, dtype=torch.float64) if isinstance(z, list) else z,
                   name=name).double() for z, name in ((x, "x"), (y, "y")))  # fmt: skip
    for z, name in ((x, "x"), (y, "y")):
        expect(
            z.dim() == 2 and z.shape[1] == 2,
            f"{name} should have the shape (M, 2), but has {tuple(z.shape)}",
            "one row a point, two channels",
        )
    expect(
        not close(x.mean(dim=0), y.mean(dim=0), 1e-3),
        "the means agree, so the linear kernel does not see a difference either",
        "what does the sign of a do to a aᵀ?",
    )
    Gx, Gy = x.T @ x / len(x), y.T @ y / len(y)
    expect(
        close(Gx.diagonal(), Gy.diagonal(), 1e-3),
        f"the mean squares of the channels differ: {_shown(Gx.diagonal())} and "
        f"{_shown(Gy.diagonal())}",
        "turn the sign of some points: squares do not change",
    )
    expect(
        close(Gx, Gy, 1e-3),
        "the diagonals of G agree, but the means of the product of both channels do not",
        "turn the sign of both channels of a point together",
    )
    return "the Gram matrix takes them for one and the same; the mean does not"


def _shown(values: Tensor) -> str:
    return ", ".join(f"{value:.3g}" for value in values.tolist())
