"""An unfinished training on disk: weights, their averages, Adam's moments, the history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch

from ..optimize.checkpoint import check_same_run
from ..storage.tensor_files import named_if_damaged, read_tensors, write_tensors
from .average import WeightAverage

FORMAT = "nst_tutorial learning 1"
WHAT = "checkpoint of a training"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam keeps of each weight


def note(
    path: str | Path,
    identity: Mapping,
    average: WeightAverage,
    adam: torch.optim.Adam,
    history: list[dict],
) -> None:
    """Write the state of a training, or replace the one that is there, whole or not at all."""
    state = {f"network.{name}": t for name, t in average.network.state_dict().items()}
    state |= {f"average.{name}": t for name, t in average.weights.items()}
    for i, moments in adam.state_dict()["state"].items():
        state |= {f"adam.{i}.{name}": moments[name] for name in MOMENTS}
    header = {
        "format": FORMAT, "identity": json.dumps(identity), "history": json.dumps(history),
        "updates": json.dumps(average.updates),
    }  # fmt: skip
    write_tensors(path, state, header)


def resume(
    path: str | Path, identity: Mapping, average: WeightAverage, adam: torch.optim.Adam
) -> list[dict]:
    """Put a network, its averages and its optimiser where a checkpoint left them.

    Returns
    -------
    list
        The history; empty if there is no such file, and nothing is changed.

    Raises
    ------
    ValueError
        The file is no checkpoint, is damaged, or belongs to another training.
    """
    path = Path(path)
    if not path.exists():
        return []
    header, state = read_tensors(path, FORMAT, WHAT)
    with named_if_damaged(path, WHAT):
        theirs = dict(json.loads(header["identity"]))
    check_same_run(path, theirs, json.loads(json.dumps(identity)))
    with named_if_damaged(path, WHAT):
        history, updates = json.loads(header["history"]), json.loads(header["updates"])
        groups = adam.state_dict()["param_groups"]
        steps = {
            i: {name: state[f"adam.{i}.{name}"] for name in MOMENTS}
            for group in groups
            for i in group["params"]
            if f"adam.{i}.step" in state  # none, if every step so far failed
        }
        names = list(average.weights)
        average.network.load_state_dict({name: state[f"network.{name}"] for name in names})
        average.restore({name: state[f"average.{name}"] for name in names}, updates)
        adam.load_state_dict({"state": steps, "param_groups": groups})
    return history
