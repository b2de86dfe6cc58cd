import pytest
import torch

from nst_tutorial import check
from nst_tutorial.check.exercise import NOT_YET, RIGHT


def gram(x):
    F = x.flatten(2)
    return F @ F.transpose(1, 2) / F.shape[2]


def sum_only(x):
    return x.flatten(2) @ x.flatten(2).transpose(1, 2)


def of_positions(x):
    return x.flatten(2).transpose(1, 2) @ x.flatten(2)


def centred(x):
    F = x.flatten(2)
    F = F - F.mean(dim=2, keepdim=True)
    return F @ F.transpose(1, 2) / F.shape[2]


def not_symmetric(x):
    return (x.flatten(2) @ x.flatten(2).transpose(1, 2)).cumsum(2)


def loss_of_features(x, y):
    return (x.mean(dim=(2, 3)) - y.mean(dim=(2, 3))).square().sum() + (x[..., 0, 0] - y[..., 0, 0]
        ).square().sum()  # fmt: skip


def loss_of_sums(x, y):
    return (sum_only(x) - sum_only(y)).square().sum() / 36


def right_gradient(F, A):
    C, M = F.shape
    return (F @ F.T / M - A) @ F / (C**2 * M)


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("gram_matrix", sum_only, "twice, side by side, should have the same G"),
        ("gram_matrix", of_positions, "should have the shape (1, 3, 3)"),
        ("gram_matrix", not_symmetric, "not symmetric"),
        ("gram_matrix", lambda x: torch.eye(3)[None], "four times as large"),
        ("gram_matrix", lambda x: gram(x) / 3, "not by C · H · W"),
        ("gram_matrix", centred, "not those of F Fᵀ / M"),
        ("style_loss", lambda x, y: gram(x) - gram(y), "should be one number"),
        ("style_loss", lambda x, y: (gram(x) - gram(y)).sum(), "the two pictures are swapped"),
        ("style_loss", loss_of_features, "x and its mirror image cost 0"),
        ("style_loss", loss_of_sums, "twice, side by side, should have the same loss"),
        ("style_loss", lambda x, y: (gram(x) - gram(y)).abs().sum(), "16 times as large"),
        ("style_loss", lambda x, y: (gram(x) - gram(y)).square().sum(), "divide by 4 C²"),
        ("style_loss", lambda x, y: (gram(x) - gram(y)).square().mean(), "not yet divided by 4"),
        ("style_gradient", lambda F, A: F @ F.T / F.shape[1] - A, "shape (3, 5)"),
        ("style_gradient", lambda F, A: (F @ F.T - A) @ F / 45, "so the gradient there should be"),
        ("style_gradient", lambda F, A: -right_gradient(F, A), "the loss falls"),
        ("style_gradient", lambda F, A: right_gradient(F, A) / 5, "one power of M"),
        ("style_gradient", lambda F, A: 4 * right_gradient(F, A), "promises 4 times"),
        ("order_free", lambda x: x.mean(dim=1), "when the positions are shuffled"),
        ("order_free", lambda x: x.flatten(2).sort().values, "depends on the size"),
        ("order_free", lambda x: x.sum(dim=(2, 3)), "should have the same statistic"),
        ("order_free", lambda x: torch.ones(3), "sees very little"),
        ("order_free", gram, "follows from the Gram matrix"),
        ("order_free", lambda x: x.square().mean(dim=(2, 3)), "follows from the Gram matrix"),
    ],
)
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    getattr(check, name)(answer)
    assert hint in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("gram_matrix", gram),
        ("style_loss", lambda x, y: (gram(x) - gram(y)).square().mean() / 4),
        ("style_gradient", right_gradient),
        ("order_free", lambda x: x.mean(dim=(2, 3))),
        ("order_free", lambda x: x.amax(dim=(2, 3))),
        ("order_free", lambda x: (x**3).mean(dim=(2, 3))),
        ("order_free", lambda x: x.flatten(2).quantile(torch.tensor([0.25, 0.5, 0.75]), dim=2)),
    ],
)
def test_right_answers(capsys, name, answer):
    getattr(check, name)(answer)
    assert capsys.readouterr().out.startswith(RIGHT)


@pytest.mark.parametrize("name", ["gram_matrix", "style_loss", "style_gradient", "order_free"])
def test_stubs_are_not_yet(capsys, name):
    getattr(check, name)(lambda *_: ...)
    assert capsys.readouterr().out == f"{NOT_YET}\n"
