"""How long a training lasts, in steps or in seconds, and its learning rate on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..checks import check_integer, check_number

WARM_UP = 0.02  # of a training, in which the rate rises
LEAST = 0.01  # of the highest rate, at the end
MOST_STEPS = 1_000_000
MOST_MINUTES = 60 * 24 * 30


@dataclass(frozen=True)
class Budget:
    """Steps or seconds; whichever is spent first ends a training.

    Raises
    ------
    ValueError
        Neither is given, or one is not above 0.
    """

    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        if self.steps is None and self.minutes is None:
            raise ValueError("a training needs a budget: give minutes, or steps")
        if self.steps is not None:
            object.__setattr__(self, "steps", check_integer("steps", self.steps, 1, MOST_STEPS))
        if self.minutes is not None:
            minutes = check_number("minutes", self.minutes, above=0, most=MOST_MINUTES)
            object.__setattr__(self, "minutes", minutes)

    def fraction(self, steps: int, seconds: float) -> float:
        """The part of the budget that is spent, 0..1."""
        parts = [steps / self.steps] if self.steps else []
        parts += [seconds / (60 * self.minutes)] if self.minutes else []
        return min(1.0, max(parts))

    def is_spent(self, steps: int, seconds: float, step: float = 0.0) -> bool:
        """Whether another step, of so many seconds, would end farther from the end than now is.

        One step is always allowed.
        """
        if steps == 0:
            return False
        if self.steps is not None and steps >= self.steps:
            return True
        return self.minutes is not None and seconds + step / 2 > 60 * self.minutes


def rate_at(fraction: float) -> float:
    """The learning rate at a fraction of a training, as a part of the highest.

    It rises linearly and then falls as half a wave of a cosine (Loshchilov & Hutter 2017, arXiv
    1608.03983, equation 5, without restarts).

    >>> [round(rate_at(f), 3) for f in (0.0, 0.02, 0.51, 1.0)]
    [0.01, 1.0, 0.505, 0.01]
    """
    if fraction < WARM_UP:
        return LEAST + (1 - LEAST) * fraction / WARM_UP
    wave = 0.5 * (1 + math.cos(math.pi * (fraction - WARM_UP) / (1 - WARM_UP)))
    return LEAST + (1 - LEAST) * wave
