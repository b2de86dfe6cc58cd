import math

import pytest

from nst_tutorial import check
from nst_tutorial.check.exercise import RIGHT


def unweighted(alpha, beta, a, b):
    return (a + b) / 2


def swapped(alpha, beta, a, b):
    return (beta * a + alpha * b) / (alpha + beta)


def not_divided(alpha, beta, a, b):
    return (alpha * a + beta * b) / 2


def from_zero(alpha, beta, a, b):
    return beta * b / (alpha + beta)


def all_points(points):
    return points


def beaten_in_both(points):
    return [p for p in points if not any(q[0] < p[0] and q[1] < p[1] for q in points)]


def best_of_each(points):
    return [min(points), min(points, key=lambda p: p[1])]


def no_equals(points):
    kept = []
    for i, p in enumerate(points):
        others = points[:i] + points[i + 1 :]
        if not any(q[0] <= p[0] and q[1] <= p[1] for q in others):
            kept.append(p)
    return kept


def under_lines(points):
    points = beaten_in_both(points)
    return [p for p in points if p != (1.4, 1.9)]


def bisected(loss, target, low=1e-4, high=1e4, middle=lambda a, b: math.sqrt(a * b)):
    while True:
        r = middle(low, high)
        value = loss(r)
        if abs(value / target - 1) < 0.01:
            return r
        low, high = (r, high) if value > target else (low, r)


def from_below(loss, target):
    r = 1e-4
    while loss(r) > target:
        r *= 1.002
    return r


def in_plain_steps(loss, target):
    return bisected(loss, target, middle=lambda a, b: (a + b) / 2)


def wrong_way(loss, target):
    low, high = 1e-4, 1e4
    for _ in range(18):
        r = math.sqrt(low * high)
        low, high = (r, high) if loss(r) < target else (low, r)
    return r


def near_one(loss, target):
    low, high = 0.1, 10.0
    for _ in range(14):
        r = math.sqrt(low * high)
        low, high = (r, high) if loss(r) > target else (low, r)
    return r


def of_the_toy(loss, target):
    return 4 / math.sqrt(target) - 1


def without_the_four(weight, G):
    return weight * float(G.square().sum()) / G.shape[-1] ** 2


def wrong_side(weight, G):
    return weight / (4 * G.shape[-1] ** 2 * float(G.square().sum()))


def four_channels(weight, G):
    return weight * float(G.square().sum()) / (4 * 4**2)


def one_channel(weight, G):
    return weight * float(G.square().sum()) / (4 * len(G) ** 2)


def norm_not_squared(weight, G):
    return weight * float(G.norm()) / (4 * G.shape[-1] ** 2)


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("weighted_minimum", unweighted, "should pull the minimum towards b"),
        ("weighted_minimum", swapped, "should pull the minimum towards b"),
        ("weighted_minimum", not_divided, "the minimum is at 3"),
        ("weighted_minimum", from_zero, "should move the minimum by 2"),
        ("pareto_front", all_points, "(0.5, 1.0) beats it in both"),
        ("pareto_front", beaten_in_both, "has the same content loss"),
        ("pareto_front", best_of_each, "a point is missing"),
        ("pareto_front", no_equals, "two equal points"),
        ("pareto_front", under_lines, "(0.5, 1.5) is on your front"),
        ("find_weight", lambda loss, target: 1.0, "for a target of 1 your weight gives"),
        ("find_weight", wrong_way, "for a target of 1 your weight gives"),
        ("find_weight", near_one, "right for a target of 1, but for 15.9"),
        ("find_weight", of_the_toy, "right for one style loss but not for another"),
        ("find_weight", in_plain_steps, "each time is a whole stylisation"),
        ("find_weight", from_below, "stops with RuntimeError"),
        ("translate_weight", without_the_four, "four times too large"),
        ("translate_weight", wrong_side, "the wrong side"),
        ("translate_weight", four_channels, "for a layer of eight channels"),
        ("translate_weight", one_channel, "C seems to be 1"),
        ("translate_weight", norm_not_squared, "the same number in both units"),
    ],
)
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    getattr(check, name)(answer)
    assert hint in capsys.readouterr().out


def test_a_weight_may_be_searched_for_in_any_way_that_needs_few_runs(capsys):
    check.find_weight(bisected)
    assert capsys.readouterr().out.startswith(RIGHT)
