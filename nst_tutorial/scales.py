"""From a start to a result through several scales, coarse to fine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torch import Tensor

from .images import SMALLEST_SIDE, resize
from .losses import Objective
from .optimize import Callback, Progress, minimize
from .presets import Settings

COARSEST = 192  # pixels of the longer side: from smaller ones the content does not survive


@dataclass
class Result:
    """A picture and how it came about."""

    image: Tensor
    """(1, 3, H, W), sRGB, 0..1, on the CPU: the picture of the lowest loss at the finest scale
    that was reached, enlarged if that was not the last."""

    history: list[dict] = field(default_factory=list)
    """One row an evaluation: "evaluation", "size" (longer side), "total", each term by name before
    its weight, and "seconds" since the start."""

    settings: dict = field(default_factory=dict)
    """Everything that made the picture, as JSON can hold it; goes into `save_image`."""

    weights: dict[str, float] = field(default_factory=dict)
    """The weight of each term in the total, at the last scale."""

    gradient_norms: dict[str, float] = field(default_factory=dict)
    """With balance="gradient": the norm of each term's gradient at the start, before its weight."""

    seconds: float = 0.0
    """How long it took."""

    stopped: str | None = None
    """None if all steps were done, else "callback" or "interrupted" (Ctrl-C)."""


def schedule(
    size: int, steps: int, coarse_to_fine: bool = True, narrowest: float = 1.0
) -> list[tuple[int, int]]:
    """Return the scales to work at, coarse to fine, as (longer side in pixels, evaluations).

    Each scale doubles the one before and gets half as many evaluations, since each costs four
    times as much and finds most of the work done. Together they are `steps`. No picture gets too
    small for the network: `narrowest` is the shorter side of the narrowest one over `size`.
    """
    sizes = [size]
    while coarse_to_fine and sizes[0] >= 2 * COARSEST and len(sizes) < steps:
        half = round(sizes[0] / 2)
        if half * narrowest < SMALLEST_SIDE + 1:  # one for rounding
            break
        sizes.insert(0, half)
    shares = [2.0**-i for i in range(len(sizes))]
    counts = [max(1, int(steps * share / sum(shares))) for share in shares]
    counts[0] += steps - sum(counts)
    return list(zip(sizes, counts, strict=True))


def through_scales(
    start: Tensor,
    objective_at: Callable[[int], Objective],
    settings: Settings,
    callback: Callback | None = None,
    detail: Tensor | None = None,
    narrowest: float = 1.0,
) -> Result:
    """Minimise an objective at growing sizes, each start being the result before, enlarged.

    Parameters
    ----------
    start
        (1, 3, H, W); its size is that of the result.
    objective_at
        The objective for pictures of a given longer side.
    settings
        Steps and the optimiser's options are read.
    callback
        Sees every evaluation, counted through all scales.
    detail
        A picture whose fine detail, lost at the smaller scale, is put back at the larger one.
    narrowest
        See `schedule`.
    """
    begin = time.perf_counter()
    result = Result(start)
    full_size = tuple(start.shape[2:])

    def record(progress: Progress) -> bool | None:
        done = len(result.history) + 1
        progress = replace(
            progress, evaluation=done, steps=settings.steps, seconds=time.perf_counter() - begin
        )
        size = max(progress.size)
        row = {"evaluation": done, "size": size, "total": progress.total, **progress.terms}
        result.history.append({**row, "seconds": progress.seconds})
        return callback(progress) if callback is not None else None

    image, before = start, None
    try:
        plan = schedule(max(full_size), settings.steps, settings.coarse_to_fine, narrowest)
        for size, steps in plan:
            here = tuple(resize(start, size).shape[2:])
            image = resize(image, here)
            if detail is not None:
                now = resize(detail, here)
                image = image if before is None else image + now - resize(before, here)
                before = now
            objective = objective_at(size)
            result.weights = objective.weights
            found = minimize(
                objective,
                image,
                steps=steps,
                method=settings.method,
                parameters=settings.parameters,
                learning_rate=settings.learning_rate,
                history=settings.history,
                callback=record,
            )
            image, result.stopped = found.image, found.stopped
            if result.stopped is not None:
                break
    except KeyboardInterrupt:  # between two evaluations of `minimize`
        result.stopped = "interrupted"
    result.image = resize(image, full_size).clamp(0, 1).cpu()
    result.seconds = time.perf_counter() - begin
    return result
