import pytest
import torch

from nst_tutorial import check


def gradient_of(x, loss):
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad(loss(leaf), leaf)[0]


def slopes(a, slope):
    return torch.where(a > 0, 1.0, slope)


def leaky(a, slope):
    return a * slopes(a, slope)


def with_graph(x, loss, rate):
    leaf = x.clone().requires_grad_()
    (g,) = torch.autograd.grad(loss(leaf), leaf)
    return leaf - rate * g


def spread_evenly(F, P):
    whole = (F - P).square().sum() / P.square().sum()
    return (whole / F[0, 0].numel()).expand(F.shape[2:])


def each_by_its_own(F, P):
    share = (F - P).square().sum(dim=(0, 1)) / (P.square().sum(dim=(0, 1)) + 1e-6)
    whole = (F - P).square().sum() / P.square().sum()
    return share * whole / share.sum().clamp(min=1e-9)


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("loss_map", lambda F, P: (F - P).square(), "should have the shape (4, 5)"),
        ("loss_map", lambda F, P: (F - P).sum(dim=(0, 1)) / P.square().sum(), "is negative"),
        ("loss_map", spread_evenly, "where F and P are equal"),
        ("loss_map", lambda F, P: (F - P).square().sum(dim=(0, 1)), "divide by one number"),
        (
            "loss_map",
            lambda F, P: (F - P).square().mean(dim=(0, 1)) / P.square().sum(),
            "does not add up to the relative loss",
        ),
        ("loss_map", each_by_its_own, "not by its own squares of P"),
        ("leaky_gradient", lambda a, P, s: (P - leaky(a, s)) * slopes(a, s), "the wrong way"),
        ("leaky_gradient", lambda a, P, s: 2 * (leaky(a, s) - P) * slopes(a, s), "F - P, with F"),
        ("leaky_gradient", lambda a, P, s: (a.relu() - P) * (a > 0), "passes a change on"),
        ("leaky_gradient", lambda a, P, s: leaky(a, s) - P, "that factor is missing"),
        ("leaky_gradient", lambda a, P, s: (a.relu() - P) * slopes(a, s), "and not 0"),
        ("leaky_gradient", lambda a, P, s: (a - P) * slopes(a, s), "then the factor slope"),
        ("leaky_gradient", lambda a, P, s: (a - P).sum(), "should have the shape (1, 3, 4, 5)"),
        ("descent_step", lambda x, loss, rate: x, "has not moved"),
        ("descent_step", lambda x, loss, rate: x + rate * gradient_of(x, loss), "has grown"),
        (
            "descent_step",
            lambda x, loss, rate: x - rate * gradient_of(x, loss).sign(),
            "the wrong length",
        ),
        ("descent_step", with_graph, "still hangs on the graph"),
        ("descent_step", lambda x, loss, rate: x - 0.1 * gradient_of(x, loss), "rate of 0"),
    ],
)
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    for _ in range(2):  # the plainer hint counts, too
        getattr(check, name)(answer)
    said = capsys.readouterr().out
    assert hint in said
    assert "right:" not in said
