import pytest
import torch

from nst_tutorial import check
from nst_tutorial.check.exercise import NOT_YET, RIGHT

FLAT_AND_LEANING = ([0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 2.0, 2.0, 0.0, 2.0], [0.5] * 8 + [3.0] * 2)


@pytest.mark.parametrize(
    ("x", "y", "hint"),
    [
        ([0.0, 2.0], [0.0, 3.0], "the means differ: 1 and 1.5"),
        ([0.0, 2.0], [0.5, 1.5], "the variances differ: 1 and 0.25"),
        ([0.0, 2.0], [2.0, 0.0, 2.0, 0.0], "third central moments agree, too"),
        ([1.0, 1.0], [1.0, 1.0, 1.0], "give it some spread"),
        ([[0.0, 1.0]], [0.0, 2.0], "x should be a list of at least two numbers"),
    ],
)
def test_wrong_samples_get_the_right_hint(capsys, x, y, hint):
    check.skewed_pair(x, y)
    assert hint in capsys.readouterr().out


def transport(x, y):
    grains = x.repeat_interleave(len(y) // len(x))
    return (grains.sort().values - y.sort().values).square().mean()


def thinned(x, y):
    return transport(x, y.sort().values[:: len(y) // len(x)])


def across_the_edge(x, down, across):
    moved = x.roll((-down, -across), dims=(2, 3))
    return x[0].flatten(1) @ moved[0].flatten(1).T / x[0, 0].numel()


def shifted(x, down, across):
    begin = x[0, :, : x.shape[2] - down, : x.shape[3] - across].flatten(1)
    return begin @ x[0, :, down:, across:].flatten(1).T / begin.shape[1]


def all_positions(x, down, across):
    pairs = (x.shape[2] - down) * (x.shape[3] - across)
    return shifted(x, down, across) * pairs / x[0, 0].numel()


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("sorted_distance", lambda x, y: (x - y).square().mean(), "the order of the positions"),
        ("sorted_distance", lambda x, y: len(x) * transport(x, y), "squared distance 4"),
        ("sorted_distance", lambda x, y: transport(x, y).sqrt(), "squared distance 4"),
        ("sorted_distance", lambda x, y: (x.mean() - y.mean()) ** 2, "distance of the means"),
        ("sorted_distance", lambda x, y: transport(-x, y), "should be at the distance 0"),
        ("sorted_distance", lambda x, y: (x.median() - y.median()) ** 2, "one of another shape"),
        ("sorted_distance", thinned, "but not for 7 values and 21"),
        ("shifted_gram", lambda x, d, a: shifted(x, d, a) * 2, "should be the Gram matrix"),
        ("shifted_gram", all_positions, "fewer pairs lie inside"),
        ("shifted_gram", lambda x, d, a: shifted(x, a, d), "down and across are swapped"),
        ("shifted_gram", lambda x, d, a: shifted(x, 0, 0), "should give 0, ½ and ½"),
        ("shifted_gram", lambda x, d, a: shifted(x, d, a).T, "rows and columns are swapped"),
        ("shifted_gram", across_the_edge, "lead around the edge"),
        ("shifted_gram", lambda x, d, a: shifted(x, d, a)[0], "shape (3, 3)"),
    ],
)
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    getattr(check, name)(answer)
    assert hint in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("skewed_pair", FLAT_AND_LEANING),
        ("skewed_pair", tuple(map(torch.tensor, FLAT_AND_LEANING))),
        ("sorted_distance", [transport]),
        ("shifted_gram", [shifted]),
    ],
)
def test_right_answers(capsys, name, answers):
    getattr(check, name)(*answers)
    assert capsys.readouterr().out.startswith(RIGHT)


def test_stubs_are_not_yet(capsys):
    check.skewed_pair(..., ...)
    for name in ("sorted_distance", "shifted_gram"):
        getattr(check, name)(lambda *_: ...)
    assert capsys.readouterr().out == 3 * f"{NOT_YET}\n"
