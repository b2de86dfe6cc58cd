import pytest
import torch

from nst_tutorial import check
from nst_tutorial.check.exercise import RIGHT


def recursion(g, S, Y, newest_first=True, scaled=True, same_order=False, factor=1.0):
    """Algorithm 7.4, with its typical mistakes to choose from."""
    q, alphas = g, {}
    order = list(range(len(S)))
    for i in reversed(order) if newest_first else order:
        alphas[i] = (S[i] @ q) / (S[i] @ Y[i])
        q = q - alphas[i] * Y[i]
    r = q * (S[-1] @ Y[-1]) / (Y[-1] @ Y[-1]) if scaled else q
    if newest_first == same_order:
        order = order[::-1]
    for i in order:
        beta = (Y[i] @ r) / (S[i] @ Y[i])
        r = r + (alphas[i] - factor * beta) * S[i]
    return r


def pair(gradient, x0, x1):
    return x1 - x0, gradient(x1) - gradient(x0)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("secant_pair", pair),
        ("two_loop", recursion),
        ("pull_back", lambda g: g.flip(0).cumsum(0).flip(0)),
        ("pull_back", lambda g: torch.tril(torch.ones(len(g), len(g))).T @ g),
    ],
)
def test_right_answers(capsys, name, answer):
    getattr(check, name)(answer)
    assert capsys.readouterr().out.startswith(RIGHT)


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("secant_pair", lambda f, a, b: b - a, "two things, s and y"),
        ("secant_pair", lambda f, a, b: (a - b, f(b) - f(a)), "s points backwards"),
        ("secant_pair", lambda f, a, b: (b - a, f(a) - f(b)), "opposite order"),
        ("secant_pair", lambda f, a, b: (b - a, f(b)), "one gradient"),
        ("secant_pair", lambda f, a, b: (b, f(b) - f(a)), "not the way from x0 to x1"),
        ("two_loop", lambda g, S, Y: -recursion(g, S, Y), "the sign is turned"),
        ("two_loop", lambda g, S, Y: g / g.norm(), "twice as long"),
        ("two_loop", lambda g, S, Y: 0.5 * g, "with a single pair"),
        ("two_loop", lambda g, S, Y: recursion(g, S, Y, factor=0.0), "not symmetric"),
        ("two_loop", lambda g, S, Y: recursion(g, S, Y, factor=-1.0), "not symmetric"),
        ("two_loop", lambda g, S, Y: recursion(g, S, Y, newest_first=False), "of several"),
        ("two_loop", lambda g, S, Y: recursion(g, S, Y, same_order=True), "of several"),
        ("two_loop", lambda g, S, Y: recursion(g, S, Y, scaled=False), "no pair has seen"),
        ("two_loop", lambda g, S, Y: recursion(g, S[-1:], Y[-1:]), "not algorithm 7.4"),
        ("pull_back", lambda g: g, "unchanged"),
        ("pull_back", lambda g: g.cumsum(0), "that is B g"),
        ("pull_back", lambda g: torch.cat([g[:1], g.diff()]), "the inverse"),
        ("pull_back", lambda g: g.flip(0).cumsum(0), "<g, B z> and <Bᵀ g, z> differ"),
    ],
)
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    getattr(check, name)(answer)
    assert hint in capsys.readouterr().out
