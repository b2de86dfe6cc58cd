import math
import random

import numpy as np
import pytest
from scipy.optimize import minimize

from nst_tutorial.league import Vote, bradley_terry, non_dominated
from nst_tutorial.league.standing import PRIOR


def test_the_front_is_that_of_brute_force():
    draw = random.Random(0)
    scores = {f"c{i}": (draw.randint(0, 9), draw.randint(0, 9)) for i in range(40)}
    front = set(non_dominated(scores, (False, True)))
    for name, (cost, gain) in scores.items():
        beaten = any(c <= cost and g >= gain and (c, g) != (cost, gain) for c, g in scores.values())
        assert (name in front) != beaten


def test_two_with_equal_scores_are_both_on_the_front():
    assert non_dominated({"a": (1, 1), "b": (1, 1), "c": (2, 1)}, (False, False)) == ["a", "b"]


def _votes(pi, count, seed=0):
    draw, names = random.Random(seed), list(pi)
    for _ in range(count):
        a, b = draw.sample(names, 2)
        yield Vote(a, b, a if draw.random() < pi[a] / (pi[a] + pi[b]) else b)


def test_strengths_and_errors_are_those_of_scipys_maximum():
    votes = [*_votes({"a": 1.0, "b": 2.0, "c": 4.0}, 60), Vote("a", "c", None)]
    names = ["a", "b", "c"]

    def cost(logs):
        pi = dict(zip(names, np.exp(logs), strict=True))
        total = sum(PRIOR * (math.log(1 + 1 / p) + math.log(1 + p)) for p in pi.values())
        for vote in votes:
            for winner in (vote.winner,) if vote.winner else (vote.first, vote.second):
                loser = vote.second if winner == vote.first else vote.first
                share = 1 if vote.winner else 0.5
                total -= share * math.log(pi[winner] / (pi[winner] + pi[loser]))
        return total

    best = minimize(cost, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    expected = dict(zip(names, best.x - best.x.mean(), strict=True))
    ranks = bradley_terry(votes)
    assert [rank.name for rank in ranks] == sorted(names, key=lambda n: -expected[n])
    for rank in ranks:
        assert rank.strength == pytest.approx(expected[rank.name], abs=1e-5)
        i = names.index(rank.name)
        assert rank.error == pytest.approx(_curvature(cost, best.x)[i], rel=1e-3)


def _curvature(cost, at, h=1e-4):
    """Standard errors, by differences."""
    n = len(at)
    hessian = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            e, f = np.eye(n)[i] * h, np.eye(n)[j] * h
            ends = cost(at + e + f) - cost(at + e - f) - cost(at - e + f) + cost(at - e - f)
            hessian[i, j] = ends / (4 * h * h)
    centre = np.eye(n) - 1 / n  # strengths have the mean 0
    return np.sqrt(np.diag(centre @ np.linalg.inv(hessian) @ centre))


def test_many_votes_find_the_true_strengths():
    ranks = bradley_terry(_votes({"a": 1.0, "b": 3.0}, 4000))
    assert ranks[0].name == "b"
    assert ranks[0].chance_against(ranks[1]) == pytest.approx(0.75, abs=0.02)
    assert ranks[0].votes == 4000


def test_errors_fall_as_one_over_the_root_of_the_votes():
    pi = {"a": 1.0, "b": 2.0, "c": 1.5}
    few, many = (bradley_terry(list(_votes(pi, 500)) * times) for times in (1, 100))
    for one, other in zip(few, many, strict=True):
        assert one.error / other.error == pytest.approx(10, rel=0.05)


def test_ties_alone_leave_all_equal():
    ranks = bradley_terry([Vote("a", "b", None)] * 3)
    assert [rank.strength for rank in ranks] == pytest.approx([0, 0], abs=1e-9)
    assert [rank.name for rank in ranks] == ["a", "b"]


def test_who_never_lost_is_no_infinity():
    ranks = bradley_terry([Vote("a", "b", "a")] * 50)
    assert ranks[0].name == "a"
    assert 2 < ranks[0].strength < 10


def test_votes_that_are_none():
    with pytest.raises(ValueError, match="no votes yet"):
        bradley_terry([])
    with pytest.raises(ValueError, match="'a' twice"):
        Vote("a", "a", None)
    with pytest.raises(ValueError, match="must be 'a', 'b' or None, got 'c'"):
        Vote("a", "b", "c")
