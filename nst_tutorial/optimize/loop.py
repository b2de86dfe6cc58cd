"""The optimisation loop: from an objective and a start to the best picture found.

Everything is counted in *evaluations* of loss and gradient, since these take nearly all the time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..checks import check_choice, check_integer, check_number, old_keywords
from ..images.resizing import shape_of
from ..losses.objective import Evaluation, HasGradient
from ..machine.modes import leaving_inference_mode
from ..setting_values import check_decay, check_settle
from .methods import LBFGS, OPTIMIZERS, Adam
from .parametrization import PARAMETRIZATIONS, Parametrization

DIVERGED = 100.0  # a rise by this many times the first loss is not worth following
PATIENCE = 50  # evaluations without a better picture, before something is done about it
BETTER = 1e-5  # by which part of the loss a picture must be better to count as such
NOTHING_BETTER = "nothing better than the start"
SETTLED = "settled"
SETTLING = 10  # evaluations over which a loss is seen to have settled


@dataclass(frozen=True)
class Progress:
    """What a callback sees after each evaluation."""

    evaluation: int  # 1, 2, …, steps
    steps: int
    total: float
    terms: dict[str, float]  # each term by name, before its weight
    term_weights: dict[str, float]  # total = Σ weight · term
    seconds: float  # since the start
    size: tuple[int, int]  # height and width of the picture at this scale
    unclamped: Tensor = field(repr=False)
    event: str = ""  # what went wrong at this evaluation, and what was done about it
    fraction: float = 0.0  # of the run's work that is done: large pictures count for more

    @property
    def image(self) -> Tensor:
        """The picture of this evaluation, (1, 3, H, W), clamped to 0..1."""
        return self.unclamped.clamp(0, 1)

    @property
    def weights(self) -> dict[str, float]:
        """`term_weights` by the name that they had in version 0.1.0."""
        return self.term_weights

    def row(self) -> dict:
        """A row of a history: the evaluation, its losses before their weights, and the time."""
        row = {
            "evaluation": self.evaluation, "size": max(self.size), "total": self.total,
            **self.terms, "seconds": self.seconds,
        }  # fmt: skip
        return {**row, "event": self.event} if self.event else row


Callback = Callable[[Progress], bool | None]


@dataclass
class State:
    """Where an optimisation stands between two evaluations: all it needs to go on bit for bit."""

    z: Tensor  # the parameters to evaluate next
    method: LBFGS | Adam
    evaluation: int = 0  # how many are done
    best: tuple[float, Tensor, Tensor] | None = None  # total, z, gradient
    image: Tensor | None = None  # to be returned: of the best, or the average so far
    first: float = 0.0  # total of the first evaluation
    mark: tuple[int, float] = (0, math.inf)  # the last evaluation better by BETTER, its total
    decay: float = 0.0  # of the average; 0: there is none
    averaged: int = 0  # pictures in it
    finished: bool = False  # it has been evaluated, and there is nothing left to do
    recent: tuple[float, ...] = ()  # the least total after each of the last SETTLING + 1

    @property
    def improved(self) -> bool:
        """Whether an evaluation was better than the first, by more than rounding."""
        return self.mark[0] > 1

    def has_settled(self, settle: float) -> bool:
        """Whether the least total fell by less than this part of itself while SETTLING went by."""
        if len(self.recent) <= SETTLING:
            return False
        before, now = self.recent[0], self.recent[-1]
        return before - now < settle * abs(before)


@dataclass
class Minimum:
    """The best picture found, or the average of the iterates; not clamped. Its history, its end.

    There is a row of the history for each evaluation. With an average the last row is that of the
    picture, unless a callback or Ctrl-C ended the run: then it was not evaluated.
    """

    image: Tensor
    z: Tensor
    """The coordinates of the best picture, or, before any evaluation, of the start."""

    history: list[dict]
    stopped: str | None = None
    """None: all steps done; else "callback", "interrupted", "no improvement" for long, "settled"
    as asked for, or `NOTHING_BETTER`: of several evaluations none was better than the first, by
    more than rounding, so that `image` is the start or as good as it. Weights or a learning rate
    may be too large by far, or there is nothing to be done."""


@old_keywords(parameters="parametrization", history="lbfgs_pairs")
@leaving_inference_mode
def minimize(
    objective: HasGradient,
    start: Tensor,
    *,
    steps: int,
    method: str = "lbfgs",
    parametrization: str | Parametrization = "fourier",
    z: Tensor | None = None,
    learning_rate: float | None = None,
    lbfgs_pairs: int = 20,
    average: float = 0.0,
    settle: float = 0.0,
    callback: Callback | None = None,
    resume: State | None = None,
    keep: Callable[[State, bool], None] | None = None,
) -> Minimum:
    """Minimise an objective over pictures.

    The picture is never clamped on the way: clamping behind the optimiser's back changes z without
    changing what L-BFGS believes of it: its curvature pairs become lies, and the loss may rise
    without end (notebook 06 makes it happen).

    A loss or gradient that is not finite, or a loss that explodes, costs one evaluation: the
    picture goes back to the best one, the method forgets its past and goes on with steps half as
    long. The same is done after 50 evaluations without a better picture; after 100 the loop ends.
    Ctrl-C ends the loop and gives the best picture so far.

    With `average` β > 0 the picture returned is not the best one but a mean of all that were
    evaluated, x_1, …, x_n, the later the more: Σ β^{n-i} x_i / Σ β^{n-i}. That is the exponential
    moving average of Adam's paper (Kingma & Ba, arXiv 1412.6980, section 3), with its correction of
    the bias. Steps that do not shrink leave noise in each picture, and little in their mean. What
    its loss is cannot be told from theirs, so the last evaluation is spent on the average itself.
    Pictures that diverged are not in it. If nothing was better than the start, that is returned.

    >>> import torch
    >>> from nst_tutorial.losses import Evaluation
    >>> class Grey:
    ...     # ½ ‖image - 0.5‖²
    ...     term_weights = {"distance": 1.0}
    ...
    ...     def value_and_gradient(self, image):
    ...         residual = image - 0.5
    ...         total = 0.5 * float((residual**2).sum())
    ...         return Evaluation(total, {"distance": total}, residual)
    >>> minimum = minimize(Grey(), torch.zeros(1, 3, 16, 16), steps=10)
    >>> torch.allclose(minimum.image, torch.tensor(0.5), atol=1e-4)
    True

    Parameters
    ----------
    objective
        Anything with `value_and_gradient(image)`.
    start
        (1, 3, H, W), sRGB, 0..1.
    steps
        Evaluations of loss and gradient; 0 returns the start.
    method, learning_rate, lbfgs_pairs
        "lbfgs" (step length 1; `lbfgs_pairs` are remembered) or "adam" (learning rate 0.02).
    parametrization
        The coordinates in which the method works: "pixel", "fourier", or any `Parametrization`. Its
        penalties are among the terms of the loss.
    z
        Those of the start, if they are known; None: the parametrisation's own of `start`.
    average
        β, the decay of the average, in [0, 1): it goes back over about 1 / (1 - β) pictures. 0: the
        best picture is returned. For "adam"; with "lbfgs", whose steps shrink, it only lags behind.
    settle
        A fraction in [0, 1): the loop ends when over the last 10 evaluations the best loss fell by
        less than this part of itself, say 0.002; where something went wrong the count begins anew.
        0: never. For "lbfgs": Adam's loss often rises at first, and that looks the same.
    callback
        Called after each evaluation with a `Progress`; returning True ends the loop.
    resume
        A state to go on from, instead of the start; see `new_state`.
    keep
        Called after each step with the state, and whether the loop ends there before all steps are
        done. It must copy what it wants to have later.

    Raises
    ------
    ValueError
        An unknown method or parametrisation, a number out of range; a loss not finite at the start.
    """
    steps, settle = check_integer("steps", steps, 0), check_settle("settle", settle)
    basis = _basis(parametrization, start)
    state = resume or new_state(
        start, method, basis, learning_rate, lbfgs_pairs, average, z=z
    )  # fmt: skip
    if not basis.every_picture and state.evaluation == 0:
        start = basis.to_image(state.z)
    result = Minimum(start if state.image is None else state.image, state.z, [])
    begin = time.perf_counter()
    try:
        while state.evaluation < steps and not state.finished:
            stuck = state.evaluation - state.mark[0] >= 2 * PATIENCE
            if stuck and not state.decay:
                result.stopped = "no improvement"
                break
            settled = state.has_settled(settle)
            if settled and not state.decay:
                result.stopped = SETTLED
                break
            finish = state.averaged > 1 and (
                stuck or settled or state.evaluation == steps - 1
            )  # fmt: skip
            image = _next(state, basis, start, finish)
            evaluation = _evaluate(objective, basis, image, state.z)
            gradient = evaluation.gradient
            if finish:
                event = _take_in_average(state, evaluation, basis)
            else:
                event = _take_in(state, evaluation, gradient, image)
                _note_least(state, event)
            if state.image is not None:
                result.image = state.image
            ends = state.finished or (state.has_settled(settle) and not state.decay)
            last = state.evaluation if ends else steps
            progress = Progress(
                state.evaluation, last, evaluation.total, evaluation.terms,
                {**objective.term_weights, **basis.term_weights}, time.perf_counter() - begin,
                shape_of(image), image, event, state.evaluation / last,
            )  # fmt: skip
            result.history.append(progress.row())
            stop = callback is not None and callback(progress)
            if not finish:
                if event and state.best is not None:
                    _, state.z, gradient = state.best
                    state.method.reset(0.5)
                step = state.method.step(state.z, gradient)
                state.z = state.z + _at_most(basis.longest_step, step)
            if keep is not None:
                keep(state, bool(stop) or ends)
            if stop:
                result.stopped = "callback"
                break
    except KeyboardInterrupt:
        result.stopped = "interrupted"
    if state.finished and state.evaluation < steps and result.stopped is None:
        result.stopped = SETTLED if state.has_settled(settle) else "no improvement"
    done = result.stopped not in ("callback", "interrupted")
    if done and state.evaluation > 1 and not state.improved:
        result.stopped = NOTHING_BETTER
        if state.decay and state.best is not None:
            result.image = basis.to_image(state.best[1])
    result.z = state.z if state.best is None else state.best[1]
    return result


def new_state(
    start: Tensor,
    method: str = "lbfgs",
    parametrization: str | Parametrization = "fourier",
    learning_rate: float | None = None,
    lbfgs_pairs: int = 20,
    average: float = 0.0,
    *,
    z: Tensor | None = None,
) -> State:
    """Return the state of `minimize` before its first evaluation."""
    decay = check_decay("average", average)
    check_choice("method", method, OPTIMIZERS)
    pairs = check_integer("lbfgs_pairs", lbfgs_pairs, 1)
    options: dict[str, Any] = {} if method == "adam" else {"history": pairs}
    if learning_rate is not None:
        options["learning_rate"] = check_number("learning_rate", learning_rate, above=0)
    basis = _basis(parametrization, start)
    if decay and basis.term_weights:  # what is averaged are pictures, and they have no coordinates
        raise ValueError("average is of pixels or Fourier coefficients; with a grid it must be 0")
    z = basis.from_image(start) if z is None else z
    return State(z, OPTIMIZERS[method](**options), decay=decay)


def _basis(parametrization: str | Parametrization, start: Tensor) -> Parametrization:
    if not isinstance(parametrization, str):
        return parametrization
    check_choice("parametrization", parametrization, PARAMETRIZATIONS)
    return PARAMETRIZATIONS[parametrization](start.shape, start.device)


def _next(state: State, basis: Parametrization, start: Tensor, finish: bool) -> Tensor:
    """The picture to evaluate next."""
    if finish and state.image is not None:
        return state.image
    return start if state.evaluation == 0 else basis.to_image(state.z)


def _at_most(length: float, step: Tensor) -> Tensor:
    """A step, shortened if the root mean square of it is longer than that."""
    if length == math.inf:
        return step
    return step * (length / step.square().mean().sqrt().clamp(min=length))


def _evaluate(
    objective: HasGradient, basis: Parametrization, image: Tensor, z: Tensor
) -> Evaluation:
    """Evaluate the loss and its gradient with respect to the coordinates, penalties included."""
    seen = objective.value_and_gradient(image)
    total, terms, gradient = seen.total, dict(seen.terms), basis.pull_back(seen.gradient)
    for name, penalty in basis.penalties(z).items():
        weight = basis.term_weights[name]
        total, terms[name] = total + weight * penalty.value, penalty.value
        gradient = gradient + weight * penalty.gradient
    return Evaluation(total, terms, gradient)


def _take_in(state: State, evaluation: Evaluation, gradient: Tensor, image: Tensor) -> str:
    """Count an evaluation; return "" or what is wrong with it, so that it cannot be followed."""
    state.evaluation += 1
    if state.evaluation == 1:
        state.first = evaluation.total
    finite = math.isfinite(evaluation.total) and bool(torch.isfinite(gradient).all())
    if state.best is None:
        if not finite:
            raise ValueError(
                f"the loss or its gradient is not finite at the start ({evaluation.terms}): "
                "are the weights too large, or the pictures?"
            )
    elif not finite:
        return "not finite: back to the best picture, half the step"
    elif evaluation.total - state.best[0] > DIVERGED * max(abs(state.first), abs(state.best[0])):
        return "diverged: back to the best picture, half the step"
    if state.best is None or evaluation.total < state.best[0]:
        state.best = evaluation.total, state.z, gradient
        state.image = state.image if state.decay else image
    if state.decay:
        state.averaged += 1
        state.image = _averaged(state.image, image, state.decay, state.averaged)
    if evaluation.total < state.mark[1] - BETTER * abs(state.mark[1]) or state.evaluation == 1:
        state.mark = state.evaluation, evaluation.total
    elif state.evaluation - state.mark[0] == PATIENCE:
        return f"no better for {PATIENCE} evaluations: back to the best picture, half the step"
    return ""


def _note_least(state: State, event: str) -> None:
    """Keep the least total of late; after something went wrong the count begins anew."""
    if event or state.best is None:
        state.recent = ()
    else:
        state.recent = (*state.recent, state.best[0])[-SETTLING - 1 :]


def _averaged(before: Tensor | None, image: Tensor, decay: float, count: int) -> Tensor:
    """The mean of `count` pictures, the last with weight 1 and each before it with β times less.

    a_n = a_{n-1} + (x_n - a_{n-1}) · (1 - β) / (1 - βⁿ): no bias towards zero is to be corrected.
    """
    if before is None:
        return image
    return torch.lerp(before, image, (1 - decay) / (1 - decay**count))


def _take_in_average(state: State, evaluation: Evaluation, basis: Parametrization) -> str:
    """Count the evaluation of the average, the last one; return "" or what is wrong with it."""
    state.evaluation += 1
    state.finished = True
    if evaluation.total < state.mark[1] - BETTER * abs(state.mark[1]):
        state.mark = state.evaluation, evaluation.total
    if not math.isfinite(evaluation.total) and state.best is not None:
        state.image = basis.to_image(state.best[1])
        return "the average is not finite: the best picture in its place"
    return ""
