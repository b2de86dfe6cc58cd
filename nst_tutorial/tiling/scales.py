"""The scales of a run, coarse to fine, and how many evaluations each of them gets."""

from __future__ import annotations

from collections.abc import Sequence

from ..checks import SMALLEST_SIDE, check_integer
from ..setting_values import check_scale_factor, check_steps

COARSEST = 192  # pixels of the longer side: from smaller ones the content does not survive
ENOUGH = 30  # evaluations at the finest scale, which the eye sees, or
PERCENT_AT_FINEST = 15  # of all, if those are fewer
HALVINGS = 40  # of the interval in which a ratio is sought: far below what changes a count


def schedule(
    size: int,
    steps: int | Sequence[int],
    coarse_to_fine: bool = True,
    narrowest: float = 1.0,
    factor: float = 2.0,
    begin_at: int | None = None,
) -> list[tuple[int, int]]:
    """Return the scales to work at, coarse to fine, as (longer side in pixels, evaluations).

    Each scale is `factor` times as large as the one before. With one number of `steps` it gets as
    many times fewer evaluations, since each costs factor² times as much and finds most of the work
    done: scales of half the size get twice as many, and the cost of a scale is `factor` times that
    of the one before. Together they are `steps`. That would leave the finest of many scales, which
    is the one that is looked at, with next to none: so it gets 15 % of them, or 30 if that is less,
    and from scale to scale they become fewer by a ratio below `factor`, or are the same at all.
    With a number for each scale these are the evaluations.

    No picture gets too small for the network: `narrowest` is the shorter side of the narrowest one
    over `size`. Scales below `begin_at` are left out, together with their evaluations: what is left
    are the last stages of the whole run.

    >>> schedule(512, 300)
    [(256, 200), (512, 100)]
    >>> schedule(512, 300, factor=2**0.5)
    [(256, 137), (362, 96), (512, 67)]
    >>> schedule(4096, 200)
    [(256, 53), (512, 44), (1024, 39), (2048, 34), (4096, 30)]
    >>> schedule(4096, 200, begin_at=1000)
    [(1024, 39), (2048, 34), (4096, 30)]
    >>> schedule(1024, [120, 60, 40])
    [(256, 120), (512, 60), (1024, 40)]

    Raises
    ------
    ValueError
        A factor below 1.1; no whole numbers of steps, or not one for each scale; `begin_at` above
        `size`.
    """
    factor, steps = check_scale_factor("scale_factor", factor), check_steps("steps", steps)
    first = _first_scale(size, begin_at)
    sizes = sizes_of_scales(size, factor, narrowest) if coarse_to_fine else [size]
    if isinstance(steps, Sequence):
        sizes = [each for each in sizes if each >= first]
        return list(zip(sizes, _one_for_each(steps, sizes), strict=True))
    sizes = sizes[-max(1, steps) :]
    counts = _counts(steps, len(sizes), factor)
    while counts != sorted(counts, reverse=True):  # too many scales for so few evaluations
        sizes.pop(0)
        counts = _counts(steps, len(sizes), factor)
    return [scale for scale in zip(sizes, counts, strict=True) if scale[0] >= first]


def _first_scale(size: int, begin_at: int | None) -> int:
    if begin_at is None:
        return 0
    if check_integer("begin_at", begin_at, 1) > size:
        raise ValueError(f"begin_at must be at most the longer side, {size} px; got {begin_at}")
    return begin_at


def sizes_of_scales(size: int, factor: float = 2.0, narrowest: float = 1.0) -> list[int]:
    """Return longer sides, from the coarsest that content and network bear to `size`; `schedule`
    says what the parameters are, and leaves out the coarsest if evaluations are few.
    """
    sizes = [size]
    while sizes[0] >= factor * COARSEST:
        smaller = round(sizes[0] / factor)
        if smaller * narrowest < SMALLEST_SIDE + 1:  # one for rounding
            break
        sizes.insert(0, smaller)
    return sizes


def _one_for_each(steps: Sequence[int], sizes: Sequence[int]) -> Sequence[int]:
    if len(steps) != len(sizes) == 1:
        raise ValueError(
            f"steps must be one number, since there is one scale ({sizes[0]} px); got {list(steps)}"
        )
    if len(steps) != len(sizes):
        raise ValueError(
            f"steps must be one number, or one for each of {len(sizes)} scales "
            f"({', '.join(map(str, sizes))} px), coarse to fine; got {list(steps)}"
        )
    return steps


def _counts(steps: int, scales: int, factor: float) -> list[int]:
    """Evaluations at each scale, at least one but for the first, which has what is left."""
    ratio = _ratio(steps, scales, factor)
    shares = [ratio**-i for i in range(scales)]
    counts = [max(1, int(steps * share / sum(shares))) for share in shares]
    counts[0] += steps - sum(counts)
    return counts


def _ratio(steps: int, scales: int, factor: float) -> float:
    """The largest ratio up to `factor` that leaves enough to the finest scale, or 1."""
    enough = min(ENOUGH, -(-steps * PERCENT_AT_FINEST // 100))

    def at_finest(ratio: float) -> int:
        return int(steps / sum(ratio**i for i in range(scales)))

    if at_finest(factor) >= enough:
        return factor
    low, high = 1.0, factor
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if at_finest(middle) >= enough else (low, middle)
    return low
