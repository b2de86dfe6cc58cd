"""The optimisation loop: from an objective and a start to the best picture found.

Everything is counted in *evaluations* of loss and gradient, since these take nearly all the time.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from .checks import number, one_of, whole
from .losses import Evaluation
from .parameters import PARAMETERS

FIRST_STEP = 0.01  # root mean square of the first change: 2.5 grey levels of 255
DIVERGED = 100.0  # a rise by this many times the first loss is not worth following


class HasGradient(Protocol):
    weights: dict[str, float]

    def value_and_gradient(self, image: Tensor) -> Evaluation: ...


# --- methods: which step to take -------------------------------------------------------------


class LBFGS:
    """Limited-memory BFGS with a fixed step (Nocedal & Wright, Numerical Optimization, §7.2).

    Remembers the last `history` changes s of the parameters and y of the gradient, and turns a
    gradient into a step by the two-loop recursion (algorithm 7.4). There is no line search: along
    these steps a length of 1 is nearly always good, and trying others costs evaluations.
    """

    def __init__(self, history: int = 20, learning_rate: float = 1.0):
        self.pairs: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=history)
        self.learning_rate = learning_rate
        self.last: tuple[Tensor, Tensor] | None = None

    def step(self, z: Tensor, gradient: Tensor) -> Tensor:
        """Return the change of z to make, given the gradient there."""
        if self.last is not None:
            s, y = z - self.last[0], gradient - self.last[1]
            curvature = torch.sum(s * y)
            # Else H would not stay positive definite. A cosine: the loss's units do not matter.
            if curvature > 1e-8 * s.norm() * y.norm():
                self.pairs.append((s, y, 1 / curvature))
        self.last = (z, gradient)
        if not self.pairs:
            first = FIRST_STEP * self.learning_rate
            return -gradient * (first / gradient.square().mean().sqrt().clamp(min=1e-30))
        return self.direction(gradient).mul_(-self.learning_rate)

    def direction(self, gradient: Tensor) -> Tensor:
        """Return H g, H being the estimate of the inverse Hessian."""
        q = gradient.clone()
        alphas = []
        for s, y, rho in reversed(self.pairs):
            alpha = rho * torch.sum(s * q)
            q.sub_(alpha * y)
            alphas.append(alpha)
        s, y, rho = self.pairs[-1]
        r = q.div_(rho * torch.sum(y * y))
        for (s, y, rho), alpha in zip(self.pairs, reversed(alphas), strict=True):
            beta = rho * torch.sum(y * r)
            r.add_((alpha - beta) * s)
        return r

    def reset(self, factor: float) -> None:
        """Forget the past and take steps shorter by `factor`."""
        self.pairs.clear()
        self.last = None
        self.learning_rate *= factor


class Adam:
    """Adam (Kingma & Ba, arXiv 1412.6980, algorithm 1); the learning rate is in units of 0..1."""

    def __init__(self, learning_rate: float = 0.02, betas: tuple[float, float] = (0.9, 0.99)):
        self.learning_rate, self.betas = learning_rate, betas
        self.reset(1.0)

    def step(self, z: Tensor, gradient: Tensor) -> Tensor:
        self.t += 1
        first, second = self.betas
        self.m = self.m * first + gradient * (1 - first)
        self.v = self.v * second + gradient.square() * (1 - second)
        m, v = self.m / (1 - first**self.t), self.v / (1 - second**self.t)
        return -self.learning_rate * m / (v.sqrt() + 1e-12)

    def reset(self, factor: float) -> None:
        self.t, self.m, self.v = 0, 0.0, 0.0
        self.learning_rate *= factor


METHODS = {"lbfgs": LBFGS, "adam": Adam}


# --- the loop --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """What a callback sees after each evaluation."""

    evaluation: int  # 1, 2, …, steps
    steps: int
    total: float
    terms: dict[str, float]  # each term by name, before its weight
    weights: dict[str, float]  # total = Σ weight · term
    seconds: float  # since the start
    size: tuple[int, int]  # height and width of the picture at this scale
    unclamped: Tensor = field(repr=False)

    @property
    def image(self) -> Tensor:
        """The picture of this evaluation, (1, 3, H, W), clamped to 0..1."""
        return self.unclamped.clamp(0, 1)


Callback = Callable[[Progress], bool | None]


@dataclass
class Minimum:
    """The best picture found, not clamped, one row of history per evaluation, why it ended."""

    image: Tensor
    history: list[dict]
    stopped: str | None = None  # None: all steps done; "callback"; "interrupted"


def minimize(
    objective: HasGradient,
    start: Tensor,
    *,
    steps: int,
    method: str = "lbfgs",
    parameters: str = "fourier",
    learning_rate: float | None = None,
    history: int = 20,
    callback: Callback | None = None,
) -> Minimum:
    """Minimise an objective over pictures.

    The picture is never clamped on the way: clamping behind the optimiser's back changes z without
    changing what L-BFGS believes of it, its curvature pairs become lies and the loss explodes.

    A loss or gradient that is not finite, or a loss that explodes, costs one
    evaluation: the picture goes back to the best one, the method forgets its past and goes on with
    steps half as long. Ctrl-C ends the loop and gives the best picture so far.

    Parameters
    ----------
    objective
        Anything with `value_and_gradient(image)`.
    start
        (1, 3, H, W), sRGB, 0..1.
    steps
        Evaluations of loss and gradient; 0 returns the start.
    method, learning_rate, history
        "lbfgs" (step length 1; `history` pairs) or "adam" (learning rate 0.02).
    parameters
        "pixel" or "fourier": the coordinates in which the method works.
    callback
        Called after each evaluation with a `Progress`; returning True ends the loop.

    Raises
    ------
    ValueError
        An unknown method or parametrisation, a number out of range; a loss not finite at the start.
    """
    one_of("method", method, METHODS)
    one_of("parameters", parameters, PARAMETERS)
    steps, history = whole("steps", steps, 0), whole("history", history, 1)
    options = {}
    if learning_rate is not None:
        options["learning_rate"] = number("learning_rate", learning_rate, above=0)
    if method == "lbfgs":
        options["history"] = history
    stepper = METHODS[method](**options)
    basis = PARAMETERS[parameters](start.shape, start.device)
    begin = time.perf_counter()
    z = basis.from_image(start)
    result = Minimum(start, [])
    best: tuple[float, Tensor, Tensor] | None = None  # total, z, gradient
    try:
        for evaluation in range(1, steps + 1):
            image = start if evaluation == 1 else basis.to_image(z)
            found = objective.value_and_gradient(image)
            seconds = time.perf_counter() - begin
            row = {"evaluation": evaluation, "total": found.total, **found.terms}
            result.history.append({**row, "seconds": seconds})
            gradient = basis.pull_back(found.gradient)
            if not _usable(found, gradient, best, result.history[0]["total"]):
                if best is None:
                    raise ValueError(
                        f"the loss or its gradient is not finite at the start ({row}): "
                        "are the weights too large, or the pictures?"
                    )
                stepper.reset(0.5)
                _, z, gradient = best
            elif best is None or found.total < best[0]:
                best = (found.total, z, gradient)
                result.image = image
            progress = Progress(
                evaluation, steps, found.total, found.terms, objective.weights, seconds,
                tuple(image.shape[2:]), image,
            )  # fmt: skip
            if callback is not None and callback(progress):
                result.stopped = "callback"
                break
            z = z + stepper.step(z, gradient)
    except KeyboardInterrupt:
        result.stopped = "interrupted"
    return result


def _usable(found: Evaluation, gradient: Tensor, best: tuple | None, first: float) -> bool:
    if not (math.isfinite(found.total) and bool(torch.isfinite(gradient).all())):
        return False
    return best is None or found.total - best[0] <= DIVERGED * max(abs(first), abs(best[0]))
