import pytest
import torch

from nst_tutorial import check


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


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("gram_matrix", sum_only, "twice, side by side, should have the same G"),
        ("gram_matrix", of_positions, "should have the shape (1, 3, 3)"),
        ("gram_matrix", not_symmetric, "not symmetric"),
        ("gram_matrix", lambda x: torch.eye(3)[None], "four times as large"),
        ("gram_matrix", centred, "not those of F Fᵀ / M"),
    ],
)
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    getattr(check, name)(answer)
    assert hint in capsys.readouterr().out
