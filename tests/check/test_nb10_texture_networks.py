import math

import pytest
import torch

from nst_tutorial import check
from nst_tutorial.check.exercise import NOT_YET, RIGHT
from nst_tutorial.texture_networks.objective import nearness


def wrap(x):
    return torch.cat([x[-1:], x, x[:1]])


def pays(training, optimising, applying):
    if optimising <= applying:
        return math.inf
    return math.floor(training / (optimising - applying)) + 1


def distances(x):
    flat = x.flatten(1)
    return (flat[:, None] - flat[None]).square().mean(dim=2).sqrt()


def spread(x):
    d = distances(x) + torch.diag(torch.full((len(x),), torch.inf))
    return -d.min(dim=1).values.log().mean()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("wrap_around", wrap),
        ("weight_gradient", lambda z, g: ((g * z).sum(), g.sum())),
        ("weight_gradient", lambda z, g: (float(g @ z), float(g.sum()))),
        ("break_even", pays),
        ("nearness", spread),
        ("nearness", nearness),
    ],
)
def test_right_answers(capsys, name, answer):
    getattr(check, name)(answer)
    assert capsys.readouterr().out.startswith(RIGHT)


@pytest.mark.parametrize("name", ["wrap_around", "weight_gradient", "break_even", "nearness"])
def test_stubs_are_not_yet(capsys, name):
    getattr(check, name)(lambda *arguments: ...)
    assert capsys.readouterr().out == f"{NOT_YET}\n"


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("wrap_around", lambda x: x, "a row of 5 should become one of 7"),
        ("wrap_around", lambda x: torch.cat([x[:1], x, x[-1:]]), "repeats the border"),
        ("wrap_around", lambda x: torch.nn.functional.pad(x, (1, 1)), "zeros at the ends"),
        ("wrap_around", lambda x: torch.cat([x[-1:], x, x[-1:]]), "new last number is not"),
        ("wrap_around", lambda x: torch.cat([x, x[:2]]), "five numbers in the middle"),
        ("weight_gradient", lambda z, g: g.sum(), "return two numbers"),
        ("weight_gradient", lambda z, g: (g * z, g), "should be one number, but has 6"),
        ("weight_gradient", lambda z, g: ((g * z).mean(), g.mean()), "those are means"),
        ("weight_gradient", lambda z, g: (g.sum(), (g * z).sum()), "swapped"),
        ("weight_gradient", lambda z, g: (g.sum() * z.sum(), g.sum()), "product of sums"),
        ("weight_gradient", lambda z, g: ((g * z).sum(), 1.0), "∂L/∂b is wrong"),
        ("break_even", lambda t, o, a: math.ceil(t / (o - a)), "should be *faster*"),
        ("break_even", lambda t, o, a: t / (o - a), "whole one"),
        ("break_even", lambda t, o, a: math.floor(t / o) + 1, "takes time as well"),
        ("break_even", lambda t, o, a: math.floor(t / (o - a)), "that is 11 pictures"),
        ("break_even", lambda t, o, a: math.floor(t / (o - a)) + 1, "never pays"),
        ("nearness", lambda x: -distances(x).min(dim=1).values.log().mean(), "not finite"),
        ("nearness", lambda x: -spread(x), "the sign is turned"),
        ("nearness", lambda x: 2 * spread(x), "squared distances"),
        ("nearness", lambda x: 4 * spread(x), "the sum over the pictures"),
        ("nearness", lambda x: -distances(x).max(dim=1).values.log().mean(), "farthest"),
        ("nearness", lambda x: spread(x) + 1, "nearest distances 0.1, 0.1, 0.4, 0.4"),
        ("nearness", lambda x: spread(x[:, :1]), "right for grey, wrong for colours"),
        ("nearness", lambda x: x, "one number"),
    ],
)
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    getattr(check, name)(answer)
    assert hint in capsys.readouterr().out
