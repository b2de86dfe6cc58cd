"""torch's inference mode, in which gradients cannot be computed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")


def leaving_inference_mode(work: Callable[P, R]) -> Callable[P, R]:
    """Let a function do its work as if `torch.inference_mode()` were off.

    Tensors made in that mode cannot take part in a gradient, ever after: those among the arguments,
    in lists, tuples and mappings too, are copied.
    """

    @wraps(work)
    def outside(*args: P.args, **kwargs: P.kwargs) -> R:
        with torch.inference_mode(False):
            return work(*_ordinary(args), **_ordinary(kwargs))

    return outside


def _ordinary(value):
    if isinstance(value, Tensor):
        return value.clone() if value.is_inference() else value
    if type(value) in (list, tuple):
        return type(value)(map(_ordinary, value))
    if type(value) is dict:
        return {key: _ordinary(each) for key, each in value.items()}
    return value
