"""Exercises of notebook 06: secant pairs, the two-loop recursion, a change of variables."""

from __future__ import annotations

import torch
from torch import Tensor

from ..optimize.methods import LBFGS
from .exercise import Wrong, ask, close, exercise, expect, features, tensor


def _quadratic(n: int) -> Tensor:
    root = features(n, n, seed=2)
    return root @ root.T / n + torch.eye(n)


@exercise
def secant_pair(answer):
    """gradient (a function), x0, x1 → s, y: the change of the place and that of the gradient."""
    A, x0, x1 = _quadratic(3), features(3, seed=3), features(3, seed=4)
    pair = ask(answer, lambda x: A @ x, x0, x1)
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise Wrong("your function should return two things, s and y", "return s, y")
    s, y = tensor(pair[0], (3,), "s"), tensor(pair[1], (3,), "y")
    expect(
        not close(s, x0 - x1),
        "s points backwards, from x1 to x0",
        "new minus old: s = x1 - x0",
    )
    expect(
        close(s, x1 - x0), "s is not the way from x0 to x1", "s is the new place minus the old one"
    )
    expect(
        not close(y, -A @ s),
        "y = -A s: the two differences are taken in opposite order",
        "new minus old, for both",
    )
    expect(
        not close(y, A @ x1) and not close(y, A @ x0),
        "y is one gradient; it should be the difference of two",
        "ask for the gradient at x1 and at x0",
    )
    expect(close(y, A @ s), "on a quadratic with Hessian A, y should be A s, and it is not")
    return "y = A s, so each step tells you how A acts along one direction"


@exercise
def two_loop(answer):
    """g (n,), S (m, n), Y (m, n), oldest pair first → H g by algorithm 7.4."""
    n, m = 8, 3
    A, S, g = _quadratic(n), features(m, n, seed=5), features(n, seed=6)
    Y = S @ A
    Hg = tensor(ask(answer, g, S, Y), (n,), "H g")
    expect(
        g @ Hg > 0 or not close(-Hg, _ours(g, S, Y)),
        "that is -H g: the sign is turned",
        "return H g; whoever takes the step subtracts it",
    )
    expect(
        close(ask(answer, 2 * g, S, Y), 2 * Hg),
        "a gradient twice as long should give a result twice as long: H is a matrix",
        "every alpha and every beta is a product with q or r, so it doubles too",
    )
    one = ask(answer, Y[-1], S[-1:], Y[-1:])
    expect(
        close(one, S[-1]),
        "with a single pair, H y should be s, and it is not",
        "alpha = sᵀq / sᵀy, q = q - alpha y; then beta = yᵀr / sᵀy, r = r + (alpha - beta) s",
    )
    expect(
        close(ask(answer, Y[-1], S, Y), S[-1]),
        "H y = s holds for one pair, but not for the newest of several",
        "the first loop runs from the newest pair to the oldest, the second one back again",
    )
    h = features(n, seed=7)
    expect(
        close(h @ Hg, g @ ask(answer, h, S, Y), 1e-3),
        "H is not symmetric: aᵀ(H b) and bᵀ(H a) differ",
        "each beta belongs to the alpha of the same pair, in the second loop's order",
    )
    aside = torch.linalg.qr(torch.cat([S, Y]).T).Q  # all that the pairs know of
    unknown = g - aside @ (aside.T @ g)
    gamma = (S[-1] @ Y[-1]) / (Y[-1] @ Y[-1])
    expect(
        close(ask(answer, unknown, S, Y), gamma * unknown, 1e-3),
        "along directions that no pair has seen, H should be gamma times the identity",
        "between the loops: r = gamma q, gamma = sᵀy / yᵀy of the newest pair",
    )
    expect(close(Hg, _ours(g, S, Y), 1e-3), "the properties hold, but this is not algorithm 7.4")
    return "symmetric, H y = s, and the n × n matrix was never there"


def _ours(g: Tensor, S: Tensor, Y: Tensor) -> Tensor:
    method = LBFGS(history=len(S))
    method.pairs.extend((s, y, 1 / (s @ y)) for s, y in zip(S, Y, strict=True))
    return method.direction(g)


@exercise
def pull_back(answer):
    """g (n,) → Bᵀ g for B z = z.cumsum(0)."""
    n = 5
    g, z = features(n, seed=8), features(n, seed=9)
    gradient = tensor(ask(answer, g), (n,), "the gradient with respect to z")
    expect(
        not close(gradient, g),
        "that is the gradient with respect to x, unchanged",
        "which of the x does z₁ move? All of them",
    )
    expect(
        not close(gradient, torch.cat([g[:1], g.diff()])),
        "that is B⁻¹ g, the inverse; the chain rule wants the transpose",
        "x₁ to x₅ all hold z₁, so all of g₁ to g₅ count for it",
    )
    expect(
        not close(gradient, g.cumsum(0)),
        "that is B g; the chain rule wants Bᵀ g",
        "z₅ is in x₅ alone, so its gradient is g₅; for z₁ they all add up",
    )
    expect(
        close(g @ z.cumsum(0), gradient @ z),
        "<g, B z> and <Bᵀ g, z> differ",
        "the gradient for z_j sums the g_i of those x_i that hold z_j: i = j, j + 1, …",
    )
    expect(
        close(gradient, g.flip(0).cumsum(0).flip(0)),
        "the identity holds for one z, but this is not Bᵀ g",
    )
    return "<g, B z> = <Bᵀ g, z>: the transpose carries gradients back"
