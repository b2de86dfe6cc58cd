import pytest

from nst_tutorial import check


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


def times_norm(weights, norms):
    return {name: weight * norms[name] for name, weight in weights.items()}


def plain_inverse(weights, norms):
    return {name: weight / norms[name] for name, weight in weights.items()}


def forgets_weights(weights, norms):
    first = next(iter(norms.values()))
    return {name: first / norms[name] for name in weights}


def unchanged(weights, norms):
    return weights


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
        ("balance_weights", times_norm, "stronger still"),
        ("balance_weights", unchanged, "the same for every term"),
        ("balance_weights", plain_inverse, "should keep its weight"),
        ("balance_weights", forgets_weights, "six times as hard"),
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
