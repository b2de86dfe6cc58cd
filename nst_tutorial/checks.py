"""Values from outside, checked: every error names the value and what would be right."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping


def one_of(what: str, value: object, choices: Iterable[str]) -> None:
    """Raise a ValueError unless `value` is one of the choices."""
    choices = list(choices)
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{what} must be one of {', '.join(choices)}; got {value!r}")


def whole(what: str, value: object, least: int) -> int:
    """Return a whole number of at least `least` as int, or raise a ValueError."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not (least <= number < 2**63 and number == math.floor(number)):
        raise ValueError(f"{what} must be a whole number ≥ {least}, got {value!r}")
    return int(number)


def number(what: str, value: object, *, above: float | None = None) -> float:
    """Return a finite number ≥ 0, or above `above`, as float, or raise a ValueError."""
    right = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if above is not None and not (right and value > above):
        raise ValueError(f"{what} must be a number above {above:g}, got {value!r}")
    if not (right and value >= 0):
        raise ValueError(f"{what} must be finite and ≥ 0, got {value!r}")
    return float(value)


def layer_weights(what: str, value: object) -> dict[str, float]:
    """Return layer → weight as a dict of its own, or raise a ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} must be a mapping of layer names to weights, got {value!r}")
    return {name: number(f"the weight of {name} in {what}", w) for name, w in value.items()}
