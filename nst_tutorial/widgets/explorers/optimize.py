"""The optimiser explorer: a walker in a valley beside a wall, its path and its loss."""

from __future__ import annotations

import torch
from torch import Tensor

from ... import plots
from ...optimize.methods import LBFGS, Adam
from ..drawings import drawn
from .controls import choice, steps_of, tick
from .explorer import Answer, Explorer, kept

METHODS = ("gradient descent", "L-BFGS", "Adam")
LENGTHS = (0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0, 1.5)
HISTORIES = (1, 2, 5, 20)
FREE, BEHIND, TOLD, WALL = (
    "no walls",
    "clamped behind its back",
    "clamped, and told so",
    "a wall in the loss",
)
WALLS = (FREE, BEHIND, TOLD, WALL)
VALLEYS = {
    "round": [[2.0, 0.0], [0.0, 2.0]],
    "along the axes": [[0.5, 0.0], [0.0, 5.0]],
    "slanting": [[2.0, -3.0], [-3.0, 5.0]],
}
START, BOTTOM, BOX = (0.5, 0.5), (1.5, 0.5), (0.0, 1.0)
EVALUATIONS, FAR = 25, 4.0


class Descent:
    """Gradient descent with a fixed rate."""

    def __init__(self, rate: float):
        self.rate = rate

    def step(self, z: Tensor, gradient: Tensor) -> Tensor:
        return -self.rate * gradient


def optimizer_explorer() -> Explorer:
    """Return a widget that walks down a valley whose bottom lies beyond a wall.

    Controls: `method`, `length` (of the steps: the learning rate), `history` (pairs of L-BFGS),
    `walls`, `valley`, and `before`, whether the walk shown before stays on the same axes.
    """
    walks: list[dict] = []

    def answer(before: bool, **walk: object) -> Answer:
        if walk["method"] != "L-BFGS":
            walk = {**walk, "history": 0}
        if not walks or walks[-1] != walk:
            walks.append(walk)
        shown = walks[-1:] if not before else walks[-2:]
        shown = [each for each in shown if each["valley"] == walk["valley"]]
        return kept("walk", {"walks": shown}, lambda: _drawn(shown))

    controls = {
        "method": choice(METHODS, "L-BFGS", "method", "who walks"),
        "length": steps_of(LENGTHS, 1.0, "step length", "the learning rate"),
        "history": steps_of(HISTORIES, 20, "history", "how many pairs L-BFGS remembers"),
        "walls": choice(WALLS, FREE, "walls", "what keeps both numbers between 0 and 1"),
        "valley": choice(list(VALLEYS), "slanting", "valley", "its shape"),
        "before": tick(True, "keep the walk before", "on the same axes, to compare"),
    }

    def adjust(_change: object = None) -> None:
        controls["history"].disabled = controls["method"].value != "L-BFGS"

    controls["method"].observe(adjust, names="value")
    what = "the optimiser explorer: a walker in a valley beside a wall"
    return Explorer(what, controls, answer, ("38%", "60%"))


def walk(
    method: str, length: float, history: int, walls: str, valley: str
) -> tuple[Tensor, list[float]]:
    """The places (k, 2) of a walk, one for each evaluation, and the losses there.

    The loss is that of the clamped place if there are walls. A walk that leaves the surroundings
    ends there.
    """
    A = torch.tensor(VALLEYS[valley], dtype=torch.float64)
    bottom, x = (torch.tensor(place, dtype=torch.float64) for place in (BOTTOM, START))
    walker = _walker(method, length, history)
    believed = x
    path: list[Tensor] = []
    losses: list[float] = []
    while len(path) < EVALUATIONS and x.abs().max() < FAR:
        path.append(x)
        losses.append(loss(A, x if walls == FREE else x.clamp(*BOX)))
        gradient = A @ (x - bottom)
        if walls == WALL:
            gradient = gradient + 2 * (x - x.clamp(*BOX))
        change = walker.step(believed, gradient)
        if walls == BEHIND and isinstance(walker, LBFGS):
            walker.last = (x, gradient)  # it goes on from where it was put, as PyTorch's does
        believed = x + change
        x = believed.clamp(*BOX) if walls in (BEHIND, TOLD) else believed
        if walls == TOLD:
            believed = x
    return torch.stack(path), losses


def _walker(method: str, length: float, history: int) -> LBFGS | Adam | Descent:
    if method == "L-BFGS":
        return LBFGS(history, length)
    return Adam(length) if method == "Adam" else Descent(length)


def loss(A: Tensor, x: Tensor) -> float:
    """½ (x - bottom)ᵀ A (x - bottom)."""
    away = x - torch.tensor(BOTTOM, dtype=A.dtype)
    return float(0.5 * away @ A @ away)


def least(valley: str, walls: str) -> float:
    """The lowest loss that is allowed, on a fine grid."""
    if walls == FREE:
        return 0.0
    A = torch.tensor(VALLEYS[valley], dtype=torch.float64)
    line = torch.linspace(*BOX, 501, dtype=torch.float64)
    away = torch.cartesian_prod(line, line) - torch.tensor(BOTTOM, dtype=torch.float64)
    return float(0.5 * ((away @ A) * away).sum(dim=1).min())


def named(walk: dict) -> str:
    """A walk's settings in two lines."""
    pairs = f", {walk['history']} pairs" if walk["history"] else ""
    return f"{walk['method']}, step {walk['length']:g}{pairs},\n{walk['walls']}"


def _drawn(walks: list[dict]) -> Answer:
    walked = [walk(**each) for each in walks]
    now = walks[-1]
    names = ["now"] if len(walks) == 1 else ["before", "now"]
    A = torch.tensor(VALLEYS[now["valley"]], dtype=torch.float64)
    box = None if all(each["walls"] == FREE for each in walks) else BOX
    # The present walk first, so that it keeps its colour
    paths = {name: path for name, (path, _) in reversed([*zip(names, walked, strict=True)])}
    valley = plots.descent_paths({f"{now['valley']} valley": (A, paths)}, BOTTOM, box)
    told = [f"{name}: {named(each)}" for name, each in zip(names, walks, strict=True)]
    floors = {
        text: [max(value, 1e-5) for value in losses]
        for text, (_, losses) in reversed([*zip(told, walked, strict=True)])
    }
    race = plots.race(floors, "The loss on the way (drawn no lower than 1e-5)")
    return Answer((drawn(valley), drawn(race)), told_of(now, *walked[-1]))


def told_of(walk: dict, path: Tensor, losses: list[float]) -> str:
    """A walk's settings and its losses, in words."""
    allowed = least(walk["valley"], walk["walls"])
    words = (
        f"<b>{named(walk)}</b>: begins with a loss of {losses[0]:.3g}, best {min(losses):.3g}, "
        f"last {losses[-1]:.3g}; the lowest that is allowed is {allowed:.3g}."
    )
    if len(path) < EVALUATIONS:
        words += f" After {len(path)} evaluations it left these surroundings."
    return words
