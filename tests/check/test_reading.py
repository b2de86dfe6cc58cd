"""What depends on whether a notebook is read or rehearsed."""

import pytest
import torch

from nst_tutorial.check import reading
from nst_tutorial.check.reading import claim, sized


@pytest.fixture(autouse=True)
def _as_in_a_new_kernel(monkeypatch):
    monkeypatch.setattr(reading, "_told", [])


def test_for_reading_nothing_is_reduced(monkeypatch, capsys):
    monkeypatch.delenv("NST_FAST", raising=False)
    assert sized((384, 160), fast=(96, 8)) == (384, 160)
    claim(True)
    claim(torch.tensor(1.0) > 0)
    with pytest.raises(AssertionError, match="not those that the text speaks of"):
        claim(torch.tensor(1.0) < 0)
    assert capsys.readouterr().out == ""


def test_a_rehearsal_says_once_that_numbers_do_not_apply(monkeypatch, capsys):
    monkeypatch.setenv("NST_FAST", "1")
    assert sized((384, 160), fast=(96, 8)) == (96, 8)
    assert sized(10, fast=1) == 1
    claim(False)
    assert capsys.readouterr().out == "reduced sizes: numbers in the text do not apply\n"
