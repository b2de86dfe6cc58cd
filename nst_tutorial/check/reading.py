"""Two qualities of a notebook: for reading, and small and rough for a rehearsal.

With `NST_FAST=1` in the environment a notebook takes the same steps on small pictures and after few
evaluations. Tests run it so, and teachers before a lesson.
"""

from __future__ import annotations

import os
from typing import TypeVar

Value = TypeVar("Value")

REDUCED = "reduced sizes: numbers in the text do not apply"
_told: list[str] = []  # what has been printed: once is enough


def sized(reading: Value, *, fast: Value) -> Value:
    """Return `reading`; in fast mode `fast`, and say once that numbers in the text do not apply."""
    if not _in_fast_mode():
        return reading
    if not _told:
        print(REDUCED)
        _told.append(REDUCED)
    return fast


def claim(holds: object) -> None:
    """Assert what the text says of numbers at reading quality; in fast mode nothing is said.

    Raises
    ------
    AssertionError
        It does not hold.
    """
    if not _in_fast_mode() and not bool(holds):
        raise AssertionError("these numbers are not those that the text speaks of")


def _in_fast_mode() -> bool:
    return "NST_FAST" in os.environ
