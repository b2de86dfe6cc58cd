"""The loop of a training: steps of Adam until the budget is spent, averages, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from ..checks import check_integer, check_number
from ..optimize.loop import Callback, Progress
from ..storage.atomic import check_can_write
from .average import WeightAverage
from .budget import Budget, rate_at
from .checkpoint import note, resume

PATIENCE = 10  # steps that are not finite, in a row, before a training is given up
LONGEST_GRADIENT = 10.0  # times its usual norm; see `learn`
RECENT = 20  # steps whose mean duration the next one is expected to take


@dataclass
class Step:
    """What one step of a training has computed; the gradients are in the network's weights."""

    total: float
    terms: dict[str, float]
    """Each term by name, before its weight."""

    images: Tensor = field(repr=False)
    """(N, 3, H, W): what the network has made."""


@dataclass
class Learnt:
    """How a network was trained. Its weights are the averages."""

    history: list[dict] = field(default_factory=list)
    """One row a step: "evaluation", "total", each term by name before its weight, "norm" (of the
    gradient), "learning_rate", "seconds", and "event" where something went wrong."""

    stopped: str | None = None
    """None if the budget was spent, else "callback", "interrupted" (Ctrl-C) or "diverged"."""

    @property
    def seconds(self) -> float:
        return self.history[-1]["seconds"] if self.history else 0.0


def learn(
    network: nn.Module,
    step: Callable[[int], Step],
    budget: Budget,
    *,
    learning_rate: float,
    decay: float = 0.999,
    longest_gradient: float = LONGEST_GRADIENT,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 50,
    identity: Mapping | None = None,
    callback: Callback | None = None,
    term_weights: Mapping[str, float] | None = None,
    clock: Callable[[], float] = time.perf_counter,
    begun: float | None = None,
) -> Learnt:
    """Train a network in place until the budget is spent; it ends with the averages of its weights.

    Parameters
    ----------
    network, step
        `step(number)` computes a loss of the network's outputs and adds its gradient to those of
        the weights, which are 0 before. What is random in it must depend on the number alone.
    budget, learning_rate
        How long, and the highest rate of Adam, see `rate_at`.
    decay
        Of the average of the weights, see `WeightAverage`.
    longest_gradient
        A gradient longer than this many times the usual (the median of the latest) is shortened to
        that, so that one strange batch does not spoil the rest.
    checkpoint, checkpoint_every, identity
        A file, the number of steps after which the state is written to it, and what the training
        is. If the file is there, it goes on: with the same steps as if it had never stopped.
    callback
        Called after each step with a `Progress`; returning True stops. Ctrl-C stops too.
    term_weights
        For the callback.
    clock, begun
        Seconds, and when the training began, preparations included; None: now.

    Raises
    ------
    ValueError
        A value out of range; a checkpoint of another training or a damaged one.
    OSError
        The checkpoint cannot be written.
    """
    begun = clock() if begun is None else begun
    rate = check_number("learning_rate", learning_rate, above=0, most=1000)
    every = check_integer("checkpoint_every", checkpoint_every, 1)
    network.train()
    average = WeightAverage(network, decay)
    adam = torch.optim.Adam(network.parameters(), lr=rate)
    result = Learnt()
    if checkpoint is not None:
        check_can_write(checkpoint)
        identity = {**(identity or {}), "budget": vars(budget), "learning_rate": rate,
                    "decay": average.decay}  # fmt: skip
        result.history = resume(checkpoint, identity, average, adam)
    begun -= result.seconds
    history = result.history
    try:
        while not budget.is_spent(len(history), clock() - begun, _usual_duration(history)):
            done = len(history)
            fraction = budget.fraction(done, clock() - begun)
            adam.zero_grad()
            made = step(done)
            row = {
                "evaluation": done + 1, "size": max(made.images.shape[2:]), "total": made.total,
                **made.terms, "learning_rate": rate * rate_at(fraction),
            }  # fmt: skip
            row |= _move(adam, average, made.total, row["learning_rate"], longest_gradient, history)
            row["seconds"] = seconds = clock() - begun
            history.append(row)
            if _has_diverged(history):
                result.stopped = "diverged"
                break
            stop = callback is not None and callback(
                _progress(budget, row, made, term_weights or {})
            )
            last = stop or budget.is_spent(len(history), seconds, _usual_duration(history))
            if checkpoint is not None and (last or len(history) % every == 0):
                note(checkpoint, identity or {}, average, adam, history)
            if stop:
                result.stopped = "callback"
                break
    except KeyboardInterrupt:
        result.stopped = "interrupted"
    average.apply()
    network.eval()
    return result


def _move(
    adam: torch.optim.Adam, average: WeightAverage, total: float, rate: float, times: float,
    history: list[dict],
) -> dict:  # fmt: skip
    """A step along the gradient, unless that is not finite; return what to record of it."""
    weights = [w for group in adam.param_groups for w in group["params"] if w.grad is not None]
    norm = float(torch.nn.utils.get_total_norm([w.grad for w in weights]))
    if not (math.isfinite(total) and math.isfinite(norm)):
        return {"norm": norm, "event": "the loss or its gradient is not finite"}
    recent = [row["norm"] for row in history[-RECENT:] if "event" not in row]
    if len(recent) == RECENT:
        longest = times * sorted(recent)[RECENT // 2]
        if norm > longest:
            for weight in weights:
                weight.grad.mul_(longest / norm)
    for group in adam.param_groups:
        group["lr"] = rate
    adam.step()
    average.update()
    return {"norm": norm}


def _usual_duration(history: list[dict]) -> float:
    """Seconds of a step, in the mean of the latest; 0 if there was none."""
    recent = history[-RECENT - 1 :]
    if len(recent) < 2:
        return history[-1]["seconds"] if history else 0.0
    return (recent[-1]["seconds"] - recent[0]["seconds"]) / (len(recent) - 1)


def _has_diverged(history: list[dict]) -> bool:
    recent = history[-PATIENCE:]
    return len(recent) == PATIENCE and all("event" in row for row in recent)


def _progress(budget: Budget, row: dict, made: Step, weights: Mapping[str, float]) -> Progress:
    """What a callback sees; the number of steps is an estimate where minutes are the budget."""
    done, seconds = row["evaluation"], row["seconds"]
    fraction = budget.fraction(done, seconds)
    images = made.images.detach()
    return Progress(
        done, max(done, round(done / fraction)), row["total"], made.terms, dict(weights), seconds,
        (images.shape[2], images.shape[3]), images[:1], row.get("event", ""), fraction,
    )  # fmt: skip
