import numpy as np
import pytest
import torch

from nst_tutorial.check.exercise import (
    NOT_YET,
    RIGHT,
    Wrong,
    ask,
    close,
    exercise,
    expect,
    number,
    tensor,
)


@exercise
def double(answer):
    x = torch.arange(3.0)
    y = tensor(ask(answer, x), (3,))
    expect(close(y, 2 * x), "that is not twice x", "multiply by 2")
    return "twice as much"


def said(capsys, *answers, judge=double):
    judge(*answers)
    return capsys.readouterr().out


def unfinished(x):
    raise NotImplementedError


def in_place(x):
    x.mul_(2)
    return x


def random(x):
    return torch.rand(3)


def broken(x):
    return x @ torch.rand(7)


def test_right_wrong_and_not_yet(capsys):
    assert said(capsys, lambda x: x * 2) == f"{RIGHT}: twice as much\n"
    for stub in (..., lambda x: ..., unfinished, lambda x: (x, ...)):
        assert said(capsys, stub) == f"{NOT_YET}\n"
    assert "that is not twice x" in said(capsys, lambda x: x * 3)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda x: None, "your result is None"),
        (lambda x: np.ones(3), "an array of numpy"),
        (lambda x: [1, 2, 3], "should be a tensor, but it is of type list"),
        (lambda x: x[:2], "should have the shape (3,), but has (2,)"),
        (lambda x: x / 0, "not finite"),
        (broken, "your function stops with RuntimeError"),
        (broken, "of broken: return x @ torch.rand(7))"),
        (lambda: 1, "your function stops with TypeError"),
        (random, "two different results"),
        (in_place, "changes the tensor that it was given"),
        (7, "your answer should be a function, but it is int 7"),
        (None, "your answer should be a function, but it is None"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_bad_answers_are_explained(capsys, answer, hint):
    found = said(capsys, answer)
    assert hint in found
    assert "exercise.py" not in found


def test_the_second_hint_is_plainer(capsys):
    said(capsys, lambda x: 2 * x)  # a right answer forgets the tries
    first, second = (said(capsys, lambda x: x * 3) for _ in range(2))
    assert "multiply by 2" not in first
    assert "a plainer hint: multiply by 2" in second
    said(capsys, lambda x: 2 * x)
    assert "multiply by 2" not in said(capsys, lambda x: x * 3)


def test_a_judge_that_stumbles_over_an_answer_says_so(capsys):
    @exercise
    def judge(answer):
        return answer.nonsense

    assert "cannot be judged (AttributeError" in said(capsys, 3, judge=judge)


def test_numbers():
    assert number(torch.tensor([2.5])) == 2.5
    assert number(np.float32(2)) == 2
    for value, hint in [
        (torch.ones(2), "should be one number"),
        (True, "should be a number, but it is bool True"),
        ("3", "should be a number, but it is str '3'"),
        (float("nan"), "not finite"),
    ]:
        with pytest.raises(Wrong, match=hint):
            number(value)


def test_close():
    assert close(torch.ones(2), torch.ones(2) + 1e-5)
    assert not close(torch.ones(2), torch.ones(3))
    assert not close(1.0, 1.1)
    assert close(1e6, 1e6 + 1)
