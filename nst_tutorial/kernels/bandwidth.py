"""The Gaussian kernel itself, and what its bandwidth may be."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..checks import check_number

SMALLEST = 1e-18  # bandwidth: its square and the square's inverse are float32 numbers


def check_bandwidth(bandwidth: object, rules: Sequence[str]) -> float | str:
    """Return one of the rules, or a number whose square float32 holds; else raise a ValueError."""
    if isinstance(bandwidth, str):
        if bandwidth not in rules:
            raise ValueError(f"bandwidth must be {', '.join(rules)} or a number; got {bandwidth!r}")
        return bandwidth
    number = check_number("bandwidth", bandwidth, above=0)
    if not SMALLEST < number < 1 / SMALLEST:
        raise ValueError(
            f"bandwidth must lie between {SMALLEST:g} and {1 / SMALLEST:g}: its square "
            f"would be no number; got {bandwidth!r}"
        )
    return number


def chosen(bandwidth: float | str) -> float:
    """Return σ, or raise a ValueError if it is still a rule."""
    if isinstance(bandwidth, str):
        raise ValueError(
            f"the bandwidth {bandwidth!r} is still a rule; use kernel.fitted(statistic)"
        )
    return bandwidth


def squared_gaps(a: Tensor, b: Tensor) -> Tensor:
    """‖a_p - b_q‖² of points (M, C) and (M', C): (M, M')."""
    return (a[:, None] - b[None]).square().sum(dim=-1)


def bell(squared: Tensor, bandwidth: float | str) -> Tensor:
    """k = exp(-‖a - b‖² / 2σ²) from squared distances."""
    return torch.exp(squared / (-2 * chosen(bandwidth) ** 2))
