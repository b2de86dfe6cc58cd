import pytest
import torch

from nst_tutorial import check


def gradient_of(x, loss):
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad(loss(leaf), leaf)[0]


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
        ("content_gradient", lambda a, P: a.relu() - P, "where a < 0 the gradient should be 0"),
        ("content_gradient", lambda a, P: (P - a.relu()) * (a > 0), "the wrong way"),
        ("content_gradient", lambda a, P: 2 * (a.relu() - P) * (a > 0), "twice too large"),
        ("content_gradient", lambda a, P: (a.relu() - P) * (a > 0) / a.numel(), "not"),
        ("content_gradient", lambda a, P: a * (a > 0), "equals P the gradient should be 0"),
        ("content_gradient", lambda a, P: (a - P).sum(), "should have the shape (1, 3, 4, 5)"),
        ("relative_content_loss", lambda F, P: (F - P).square().mean(), "ten times as large"),
        (
            "relative_content_loss",
            lambda F, P: (F - P).square().mean() / P.square().sum(),
            "twice as wide should give the same",
        ),
        (
            "relative_content_loss",
            lambda F, P: 0.5 * (F - P).square().sum() / P.square().sum(),
            "the loss 1, not 0.5",
        ),
        (
            "relative_content_loss",
            lambda F, P: (F - P).square().sum() / (F.square().sum() + P.square().sum()),
            "divide by the squares of P alone",
        ),
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
