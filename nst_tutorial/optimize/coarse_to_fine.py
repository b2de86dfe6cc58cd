"""From a start to a result through several scales, coarse to fine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import Tensor

from ..images.resizing import resize
from ..presets import Settings
from ..tiling.planning import Stage
from .checkpoint import Checkpoint
from .loop import Callback, HasGradient, Progress, minimize
from .result import Result


def through_scales(
    start: Tensor,
    objective_at: Callable[[Stage], HasGradient],
    settings: Settings,
    stages: Sequence[Stage],
    callback: Callback | None = None,
    detail: Tensor | None = None,
    checkpoint: Checkpoint | None = None,
) -> Result:
    """Minimise an objective at growing sizes, each start being the result before, enlarged.

    Parameters
    ----------
    start
        (1, 3, H, W); its size is that of the result.
    objective_at
        The objective at a stage of the plan.
    settings
        The optimiser's options are read.
    stages
        The scales with their steps and tiles, from `planning.plan`.
    callback
        Sees every evaluation, counted through all scales.
    detail
        A picture whose fine detail, lost at the smaller scale, is put back at the larger one.
    checkpoint
        Where to note the state from time to time, and to go on from.
    """
    result = Result(start)
    full_size = tuple(start.shape[2:])
    saved = None if checkpoint is None else checkpoint.saved
    spent = 0.0
    if saved is not None:
        result.history = saved.record["history"]
        spent = result.history[-1]["seconds"]
    begin = time.perf_counter() - spent
    steps = sum(stage.steps for stage in stages)
    work = [stage.work for stage in stages]

    def record(progress: Progress) -> bool | None:
        done = len(result.history) + 1
        finished = sum(work[:number]) + progress.fraction * work[number]
        progress = replace(
            progress, evaluation=done, steps=steps, seconds=time.perf_counter() - begin,
            fraction=finished / sum(work),
        )  # fmt: skip
        size = max(progress.size)
        row = {"evaluation": done, "size": size, "total": progress.total, **progress.terms}
        noted = {"event": progress.event} if progress.event else {}
        result.history.append({**row, "seconds": progress.seconds, **noted})
        return callback(progress) if callback is not None else None

    # Until this scale is ready again, the best so far is the one in the checkpoint.
    image, before = (start if saved is None else saved.state.image), None
    try:
        for number, stage in enumerate(stages):
            here = (stage.height, stage.width)
            now = resize(detail, here) if detail is not None else None
            if saved is not None and number < saved.record["stage"]:
                before = now
                continue
            resume, keep = None, None
            if saved is not None and number == saved.record["stage"]:
                resume = saved.state
            else:
                image = resize(image, here)
                if before is not None:
                    image = image + now - resize(before, here)
            before = now
            objective = objective_at(stage)
            result.weights = objective.weights
            if checkpoint is not None:
                keep = checkpoint.keeper(number, stage.steps, result.history)
            found = minimize(
                objective,
                image,
                steps=stage.steps,
                method=settings.method,
                parameters=settings.parameters,
                learning_rate=settings.learning_rate,
                history=max(1, stage.history),
                callback=record,
                resume=resume,
                keep=keep,
            )
            image, result.stopped = found.image, found.stopped
            if result.stopped in ("callback", "interrupted"):
                break
    except KeyboardInterrupt:  # between two evaluations of `minimize`
        result.stopped = "interrupted"
    result.image = resize(image, full_size).clamp(0, 1).cpu()
    result.seconds = time.perf_counter() - begin
    return result
