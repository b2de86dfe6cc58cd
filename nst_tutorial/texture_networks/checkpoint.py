"""An unfinished training on disk: the weights, Adam's moments, and the best weights so far."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ..optimize.checkpoint import check_same_run
from ..storage.fingerprints import fingerprint
from ..storage.tensor_files import named_if_damaged, read_tensors, write_tensors
from .generator import Generator

FORMAT = "nst_tutorial training 3"
WHAT = "checkpoint of a training"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam keeps of each weight
WINDOW = 10  # steps over whose losses is averaged: each sees other noise


@dataclass
class Best:
    """The weights with the least loss so far."""

    loss: float = math.inf
    """Mean over the last `WINDOW` steps."""

    step: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)

    def update(self, generator: Generator, history: Sequence[Mapping], total: float) -> None:
        """Copy the weights if their loss, `total` and those before it, is the least so far."""
        loss = recent_loss([*history[1 - WINDOW :], {"total": total}])
        if math.isfinite(total) and loss < self.loss:
            self.loss, self.step = loss, len(history) + 1
            self.weights = {n: t.detach().clone() for n, t in generator.state_dict().items()}


def recent_loss(history: Sequence[Mapping]) -> float:
    """The mean total of the last `WINDOW` rows; totals that are not finite are left out."""
    totals = [row["total"] for row in history[-WINDOW:] if math.isfinite(row["total"])]
    return sum(totals) / len(totals) if totals else math.inf


def fingerprint_of_tensors(tensors: Iterable[Tensor]) -> str:
    """A short name of all their values."""
    return fingerprint(torch.cat([t.detach().flatten().float().cpu() for t in tensors]))


def note(path, identity: Mapping, generator, adam, history: list[dict], best: Best) -> None:
    """Write the state of a training, or replace the one that is there."""
    state = {f"generator.{name}": t for name, t in generator.state_dict().items()}
    for i, moments in adam.state_dict()["state"].items():
        state |= {f"adam.{i}.{name}": t for name, t in moments.items()}
    state |= {f"best.{name}": t for name, t in best.weights.items()}
    header = {
        "format": FORMAT, "identity": json.dumps(identity), "history": json.dumps(history),
        "best": json.dumps([best.loss, best.step]),
    }  # fmt: skip
    write_tensors(path, state, header)


def resume(path: str | Path, identity: Mapping, generator, adam) -> tuple[list[dict], float, Best]:
    """Put a generator and its optimiser where a checkpoint left them.

    Return the history, the seconds so far and the best weights.
    """
    path = Path(path)
    if not path.exists():
        return [], 0.0, Best()
    header, state = read_tensors(path, FORMAT, WHAT)
    with named_if_damaged(path, WHAT):
        theirs = dict(json.loads(header["identity"]))
    check_same_run(path, theirs, json.loads(json.dumps(identity)))
    with named_if_damaged(path, WHAT):
        history = json.loads(header["history"])
        seconds = float(history[-1]["seconds"])
        groups = adam.state_dict()["param_groups"]
        moments = {
            i: {name: state[f"adam.{i}.{name}"] for name in MOMENTS}
            for group in groups
            for i in group["params"]
        }
        names = generator.state_dict()
        loss, step = json.loads(header["best"])
        best = Best(loss, step, {name: state[f"best.{name}"] for name in names})
        generator.load_state_dict({name: state[f"generator.{name}"] for name in names})
        adam.load_state_dict({"state": moments, "param_groups": groups})
    return history, seconds, best
