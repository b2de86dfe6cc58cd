import pytest
import torch

from nst_tutorial import check
from nst_tutorial.check.exercise import NOT_YET, RIGHT


def phi(a, c):
    return torch.cat([torch.outer(a, a).flatten(), (2 * c) ** 0.5 * a, torch.tensor([c])])


def no_constant(a, c):
    return phi(a, c)[:-1]


def no_root_of_two(a, c):
    return torch.cat([torch.outer(a, a).flatten(), c**0.5 * a, torch.tensor([c])])


def distance(x, y, k):
    return k(x, x).mean() + k(y, y).mean() - 2 * k(x, y).mean()


def unbiased(x, y, k):
    return others(k(x, x)) + others(k(y, y)) - 2 * k(x, y).mean()


def others(K):
    return (K.sum() - K.trace()) / (len(K) * (len(K) - 1))


def still_counted(x, y, k):
    K, L = k(x, x), k(y, y)
    return (
        (K.sum() - K.trace()) / K.numel() + (L.sum() - L.trace()) / L.numel() - 2 * k(x, y).mean()
    )


def pairs_in_step(x, y, k):
    least = min(len(x), len(y))
    return others(k(x, x)) + others(k(y, y)) - 2 * others(k(x[:least], y[:least]))


def one_counts_more(x, y, k):
    return others(k(x, x)) + k(y, y).mean() - 2 * k(x, y).mean()


def deviation(G, mu):
    return (G.diagonal() - mu**2).sqrt()


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("feature_map", lambda a, c: torch.outer(a, a), "should be a vector"),
        ("feature_map", lambda a, c: torch.outer(a, a).flatten(), "the offset c is not in it"),
        ("feature_map", no_constant, "the term c² is missing"),
        ("feature_map", no_root_of_two, "the wrong factor"),
        ("feature_map", lambda a, c: torch.cat([a, a]), "is not (aᵀb + c)²"),
        ("unbiased_mmd2", distance, "each point still meets itself"),
        ("unbiased_mmd2", still_counted, "but still counted"),
        ("unbiased_mmd2", lambda x, y, k: others(k(x, x)) - k(x, y).mean(), "are swapped"),
        ("unbiased_mmd2", lambda x, y, k: unbiased(x, y, k) + k(x, y).mean(), "should be 0"),
        ("unbiased_mmd2", one_counts_more, "are swapped"),
        ("unbiased_mmd2", pairs_in_step, "in all possible ways"),
        ("unbiased_mmd2", lambda x, y, k: unbiased(x, y, lambda a, b: a @ b.T), "do you use the k"),
        ("bn_from_gram", lambda G, mu: G.diagonal() - mu**2, "these are the variances"),
        ("bn_from_gram", lambda G, mu: G.diagonal().sqrt(), "counts the mean as spread"),
        ("bn_from_gram", lambda G, mu: (G.diagonal() - mu).abs(), "not the standard deviations"),
        ("bn_from_gram", lambda G, mu: G, "shape (3,)"),
    ],
)
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    getattr(check, name)(answer)
    assert hint in capsys.readouterr().out


X = torch.tensor([[1.0, 2.0], [3.0, 1.0]])


@pytest.mark.parametrize(
    ("x", "y", "hint"),
    [
        (X, X.flip(0), "the means agree"),
        (X, X + 1, "mean squares of the channels differ"),
        (X, X * torch.tensor([1.0, -1.0]), "means of the product of both channels"),
        (X.T[:1], X[0], "should have the shape (M, 2)"),
    ],
)
def test_wrong_blind_spots_get_the_right_hint(capsys, x, y, hint):
    check.blind_spot(x, y)
    assert hint in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("feature_map", [phi]),
        ("unbiased_mmd2", [unbiased]),
        ("bn_from_gram", [deviation]),
        ("blind_spot", [X, -X]),
        ("blind_spot", [X, X * torch.tensor([[1.0], [-1.0]])]),
        ("blind_spot", [[[1.0, 2.0]], [[-1.0, -2.0]]]),
    ],
)
def test_right_answers(capsys, name, answers):
    getattr(check, name)(*answers)
    assert capsys.readouterr().out.startswith(RIGHT)


def test_stubs_are_not_yet(capsys):
    for name in ("feature_map", "unbiased_mmd2", "bn_from_gram"):
        getattr(check, name)(lambda *_: ...)
    check.blind_spot(..., ...)
    assert capsys.readouterr().out == 4 * f"{NOT_YET}\n"
