"""How an answer is judged: by properties, in order, and the first that fails gives a hint.

A check is a function that asks the learner's function and expects things of what comes back:

    @exercise
    def gram(answer):
        F = features(3, 2, 4)
        G = tensor(ask(answer, F), (3, 3))
        expect(close(G, G.T), "G is not symmetric", "G[i, j] and G[j, i] sum the same products")

Nothing here compares with random numbers of one run, and no trace of ours is ever shown.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import wraps

import numpy as np
import torch
from torch import Tensor

NOT_YET = "not yet: replace the ... above with your answer, and run this cell again"
RIGHT = "✔ right"
_tries: dict[str, list[str]] = {}  # exercise → the hints given so far


class Unanswered(Exception):
    """The stub is still there."""


class Wrong(Exception):
    """A property does not hold: a hint, and a plainer one for the second time."""

    def __init__(self, hint: str, more: str = ""):
        super().__init__(hint)
        self.hint, self.more = hint, more


def exercise(judge: Callable[..., str | None]) -> Callable[..., None]:
    """Make a check of a function that raises `Wrong`, or returns a word to go with "right"."""

    @wraps(judge)
    def check(*answers) -> None:
        try:
            if any(answer is ... for answer in answers):
                raise Unanswered
            praise = judge(*answers)
        except Unanswered:
            print(NOT_YET)
        except Wrong as wrong:
            hints = _tries.setdefault(judge.__name__, [])
            again = wrong.hint in hints
            hints.append(wrong.hint)
            print(f"not right yet: {wrong.hint}")
            if again and wrong.more:
                print(f"a plainer hint: {wrong.more}")
        except Exception as error:
            print(f"this answer cannot be judged ({type(error).__name__}: {error})")
        else:
            _tries.pop(judge.__name__, None)
            print(f"{RIGHT}: {praise}" if praise else RIGHT)

    return check


def expect(condition: object, hint: str, more: str = "") -> None:
    """Raise `Wrong` unless the condition holds."""
    if not bool(condition):
        raise Wrong(hint, more)


def ask(function: Callable, *arguments):
    """Return what the learner's function makes of copies of the arguments.

    It is called twice: the answers must agree, and the arguments must be left alone.
    """
    if not callable(function):
        raise Wrong(f"your answer should be a function, but it is {_kind(function)}")
    first = _call(function, arguments)
    second = _call(function, arguments)
    if _comparable(first) and not _same(first, second):
        raise Wrong(
            "called twice with the same arguments, your function gives two different results",
            "is there something random in it, or a variable that it changes?",
        )
    return first


def _call(function: Callable, arguments: tuple):
    copies = tuple(a.clone() if isinstance(a, Tensor) else a for a in arguments)
    try:
        outcome = function(*copies)
    except NotImplementedError as error:
        raise Unanswered from error
    except Exception as error:
        raise Wrong(
            f"your function stops with {type(error).__name__}: {error}{_line(error)}"
        ) from None
    if outcome is ... or (isinstance(outcome, tuple) and any(part is ... for part in outcome)):
        raise Unanswered
    for before, after in zip(arguments, copies, strict=True):
        if isinstance(before, Tensor) and not torch.equal(before, after):
            raise Wrong(
                "your function changes the tensor that it was given",
                "x += 1 and x.mul_(2) write into x; x = x + 1 and x * 2 do not",
            )
    return outcome


def tensor(value, shape: tuple[int, ...] | None = None, name: str = "your result") -> Tensor:
    """Return the value if it is a finite tensor of that shape."""
    if value is None:
        raise Wrong(f"{name} is None", "does your function end with return, and a value after it?")
    if isinstance(value, np.ndarray):
        raise Wrong(
            f"{name} is an array of numpy; a tensor of torch is wanted",
            "stay in torch all the way: .numpy() cuts the gradient off",
        )
    if not isinstance(value, Tensor):
        raise Wrong(f"{name} should be a tensor, but it is {_kind(value)}")
    if shape is not None and tuple(value.shape) != tuple(shape):
        raise Wrong(f"{name} should have the shape {tuple(shape)}, but has {tuple(value.shape)}")
    if value.is_floating_point() and not torch.isfinite(value).all():
        raise Wrong(f"{name} holds values that are not finite (nan or inf)")
    return value


def number(value, name: str = "your result") -> float:
    """Return the value as a float, if it is a finite number or a tensor with one."""
    if isinstance(value, Tensor):
        if value.numel() != 1:
            raise Wrong(f"{name} should be one number, but has the shape {tuple(value.shape)}")
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise Wrong(f"{name} should be a number, but it is {_kind(value)}")
    if not np.isfinite(value):
        raise Wrong(f"{name} is {value}, which is not finite")
    return float(value)


def close(a, b, tolerance: float = 1e-4) -> bool:
    """Whether two tensors or numbers agree up to a part of the larger one's greatest entry."""
    a, b = (torch.as_tensor(x).detach().double() for x in (a, b))
    if a.shape != b.shape:
        return False
    scale = max(float(a.abs().max()), float(b.abs().max()), 1e-12)
    return float((a - b).abs().max()) <= tolerance * scale


def features(*shape: int, seed: int = 0) -> Tensor:
    """Some tensor of that shape in float32, the same at every call."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _kind(value) -> str:
    if value is None:
        return "None"
    if isinstance(value, bool | int | float | str):
        return f"{type(value).__name__} {value!r}"
    return f"of type {type(value).__name__}"


def _line(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if frame.filename != __file__]
    place = next((frame for frame in theirs if "site-packages" not in frame.filename), None)
    if place is None or not place.lineno:
        return ""
    code = f": {place.line}" if place.line else ""
    return f" (line {place.lineno} of {place.name}{code})"


def _comparable(value) -> bool:
    return isinstance(value, Tensor | int | float) or (
        isinstance(value, tuple | list) and all(_comparable(part) for part in value)
    )


def _same(a, b) -> bool:
    if isinstance(a, tuple | list):
        return isinstance(b, tuple | list) and len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.shape == b.shape and torch.equal(a.nan_to_num(7.0), b.nan_to_num(7.0))
    return type(a) is type(b) and (a == b or a != a)
