"""From a start to a result through several scales, coarse to fine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from torch import Tensor

from ..checks import warn
from ..images.resizing import enlarge, resize, shape_of
from ..looks.look import Look
from ..losses.objective import HasGradient
from ..presets import Settings
from ..tiling.planning import Stage
from .checkpoint import Checkpoint, Position
from .grid import GridAtScales
from .loop import NOTHING_BETTER, SETTLED, Callback, Progress, State, minimize
from .parametrization import PARAMETRIZATIONS, Parametrization
from .result import Result


class ObjectiveAtScales(Protocol):
    """What makes the objective of each scale."""

    gradient_norms: dict[str, float]
    """What the terms were balanced with at the first scale; empty without balancing."""

    def at(self, stage: Stage) -> HasGradient:
        """Return the objective at a scale of the plan."""


def through_scales(
    start: Tensor,
    objectives: ObjectiveAtScales,
    settings: Settings,
    stages: Sequence[Stage],
    callback: Callback | None = None,
    *,
    detail: Tensor | None = None,
    grids: GridAtScales | None = None,
    checkpoint: Checkpoint | None = None,
    saved: Position | None = None,
) -> Result:
    """Minimise an objective at growing sizes, each start being the result before, enlarged.

    The size of the result is that of the last scale.

    A grid of colour maps is not enlarged but applied to the larger content.

    Parameters
    ----------
    start
        (1, 3, H, W). If it is smaller than the first scale, it is enlarged as a result before.
    objectives
        Makes the objective of each scale.
    settings
        The optimiser's options are read.
    stages
        The scales with their steps and tiles, from `tiling.plan`.
    callback
        Sees every evaluation, counted through all scales.
    detail
        A picture (1, 3, H, W) whose fine detail, lost at the smaller scale, is put back at the
        larger one.
    grids
        With `parametrization="grid"`: the grid, at each scale.
    checkpoint
        Where to note the position from time to time.
    saved
        The position to go on from, instead of the start.
    """
    stages = tuple(stages)
    result = Result(start)
    if saved is not None:
        result.history, result.settled = list(saved.history), list(saved.settled)
    spent = result.history[-1]["seconds"] if result.history else 0.0
    diary = _Diary(result.history, stages, time.perf_counter() - spent, callback)
    first = 0 if saved is None else saved.stage
    # Until this scale is ready again, the best so far is the one in the checkpoint.
    image = start if saved is None or saved.state.image is None else saved.state.image
    z = None if saved is None or saved.state.best is None else saved.state.best[1]
    improved = _improved(result.history)
    try:
        for number in range(first, len(stages)):
            stage = stages[number]
            resumed = saved.state if saved is not None and number == first else None
            if resumed is None:
                image = _resized(image, stage, detail)
            objective = None  # the coarser one may go
            objective = objectives.at(stage)
            basis = _basis_at(stage, settings, grids, image)
            result.term_weights = {**objective.term_weights, **basis.term_weights}
            minimum = minimize(
                objective, image, steps=stage.steps, method=settings.method,
                parametrization=basis, z=None if grids is None else z,
                learning_rate=settings.learning_rate,
                lbfgs_pairs=max(1, stage.pairs), average=settings.average, settle=settings.settle,
                callback=diary.at(number, 0 if resumed is None else resumed.evaluation),
                resume=resumed, keep=_keeper(checkpoint, stages, number, result, objectives),
            )  # fmt: skip
            image, z, result.stopped = minimum.image, minimum.z, minimum.stopped
            improved = improved or result.stopped != NOTHING_BETTER
            if result.stopped == SETTLED:
                result.settled.append(max(stage.height, stage.width))
            if result.stopped in ("callback", "interrupted"):
                break
    except KeyboardInterrupt:  # between two evaluations of `minimize`
        result.stopped = "interrupted"
    if improved and result.stopped == NOTHING_BETTER:  # at the last scale only
        ended_early = evaluations_at(stages, result.history)[-1] < stages[-1].steps
        result.stopped = "no improvement" if ended_early else None
    if grids is None or z is None:
        result.image = _resized(image, stages[-1], None).clamp(0, 1).cpu()
    else:
        result.image, result.look = grids.picture(z), _look(grids, z)
    result.gradient_norms = objectives.gradient_norms
    result.seconds = time.perf_counter() - diary.begin
    return result


def _basis_at(
    stage: Stage, settings: Settings, grids: GridAtScales | None, image: Tensor
) -> Parametrization:
    if grids is not None:
        return grids.at(stage)
    return PARAMETRIZATIONS[settings.parametrization](image.shape, image.device)


def _look(grids: GridAtScales, z: Tensor) -> Look | None:
    """The look of a run; None, with a warning, if no file could hold it: the picture is there."""
    try:
        return grids.look(z)
    except ValueError as error:
        warn(f"the picture is made, but no look to save or to apply to others: {error}")
        return None


def evaluations_at(stages: Sequence[Stage], history: Sequence[Mapping]) -> list[int]:
    """Return how many evaluations of a history were at each scale."""
    counts = Counter(row["size"] for row in history)
    return [counts[max(stage.height, stage.width)] for stage in stages]


def _improved(history: Sequence[Mapping]) -> bool:
    """Whether at any scale of a history an evaluation was better than the scale's first."""
    first: dict[int, float] = {}
    return any(row["total"] < first.setdefault(row["size"], row["total"]) for row in history)


def _resized(image: Tensor, stage: Stage, detail: Tensor | None) -> Tensor:
    """The picture at a scale; if it was smaller, with the fine detail that it could not hold."""
    before, shape = shape_of(image), (stage.height, stage.width)
    image = enlarge(image, shape)
    if detail is None or max(before) >= max(shape):
        return image
    coarse = resize(detail, before)
    return image + resize(detail, shape) - enlarge(coarse, shape)


@dataclass(frozen=True)
class _Diary:
    """Counts evaluations through all scales, writes the history and tells the callback."""

    history: list[dict]
    stages: tuple[Stage, ...]
    begin: float  # when the run would have begun, had it not been interrupted
    callback: Callback | None

    def at(self, number: int, done: int) -> Callback:
        """What `minimize` calls at a scale of which a number of evaluations is done.

        Those that scales before it have spared are no longer counted among the run's.
        """
        work = [stage.work for stage in self.stages]
        before = len(self.history) - done
        after = sum(stage.steps for stage in self.stages[number + 1 :])

        def note(progress: Progress) -> bool | None:
            progress = replace(
                progress, evaluation=len(self.history) + 1, steps=before + progress.steps + after,
                seconds=time.perf_counter() - self.begin,
                fraction=(sum(work[:number]) + progress.fraction * work[number]) / sum(work),
            )  # fmt: skip
            self.history.append(progress.row())
            return None if self.callback is None else self.callback(progress)

        return note


def _keeper(
    checkpoint: Checkpoint | None,
    stages: tuple[Stage, ...],
    number: int,
    result: Result,
    objectives: ObjectiveAtScales,
) -> Callable[[State, bool], None] | None:
    """What `minimize` calls with its state after each step, to note the position now and then."""
    if checkpoint is None:
        return None

    def keep(state: State, ends: bool) -> None:
        due = state.evaluation % checkpoint.every == 0 or state.evaluation == stages[number].steps
        if ends or due:
            norms, settled = objectives.gradient_norms, tuple(result.settled)
            checkpoint.write(Position(state, stages, number, result.history, norms, settled))

    return keep
