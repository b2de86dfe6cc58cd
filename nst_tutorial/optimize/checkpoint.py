"""An unfinished run on disk: killed at any moment, it goes on and ends with the same picture.

One safetensors file holds the state of `minimize`, which scale it is at, the history so
far, and what the run is: its settings and its pictures. It replaces the one before in one step.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..checks import check_integer, check_number
from ..setting_values import check_decay
from ..settings import BEFORE
from ..storage.tensor_files import named_if_damaged, read_tensors, write_tensors
from ..tiling.engine import SMALLEST_TILE
from ..tiling.planning import Stage
from .grid import SMOOTHNESS
from .loop import SETTLING, State
from .methods import OPTIMIZERS

FORMAT = "nst_tutorial checkpoint 2"


@dataclass
class Saved:
    """What a checkpoint holds."""

    state: State
    record: dict  # what was given to `save`


@dataclass(frozen=True)
class Position:
    """Where a run through several scales stands: all that it needs to go on."""

    state: State
    stages: tuple[Stage, ...]
    stage: int  # which of them the state belongs to, from 0
    history: list[dict]
    gradient_norms: dict[str, float]  # that the terms are balanced with, at every scale
    settled: tuple[int, ...] = ()  # longer sides of the scales before that ended early so


class Checkpoint:
    """Where `coarse_to_fine.through_scales` notes its position.

    Parameters
    ----------
    path
        The file; it need not exist.
    identity
        What the run is, as JSON can hold it. A file with another identity is refused.
    every
        Evaluations from one note to the next.
    """

    def __init__(self, path: str | Path, identity: Mapping, every: int = 10):
        self.path, self.identity, self.every = path, identity, every

    def read(
        self,
        planned: Sequence[Stage],
        like: Tensor,
        grid: tuple[int, int, int] | None = None,
    ) -> Position | None:
        """Return the position that the run had reached; None: it has not begun.

        Its tiles stay those of the beginning, even if there is more or less memory free by now; all
        else of its stages must be as `planned`. The picture is on the device of `like`. What is
        optimised has the shape of the picture, or (depth, rows, columns) of a `grid` of maps.

        Raises
        ------
        ValueError
            The file is no checkpoint, is damaged, or belongs to another run.
        """
        saved = load(self.path, self.identity, like.device)
        if saved is None:
            return None
        with named_if_damaged(self.path, "checkpoint"):
            record = saved.record
            stages = tuple(Stage(*values) for values in record["stages"])
            position = Position(
                saved.state, stages, record["stage"], record["history"], record["balance"],
                tuple(record.get("settled", ())),
            )  # fmt: skip
            _check_stages(stages, planned)
            _check_position(position, like.dtype, grid)
            return position

    def write(self, position: Position) -> None:
        """Note a position, or raise an OSError; what was noted before is then still there."""
        record = {
            "stages": [astuple(stage) for stage in position.stages],
            "stage": position.stage,
            "history": position.history,
            "balance": position.gradient_norms,
            "settled": position.settled,
        }
        save(self.path, position.state, record, self.identity)


COLUMNS = {"evaluation", "size", "total", "seconds"}  # of each row of the history, beside terms


def _check_stages(stages: Sequence[Stage], planned: Sequence[Stage]) -> None:
    scales = [[(s.height, s.width, s.steps) for s in each] for each in (stages, planned)]
    if scales[0] != scales[1]:
        raise ValueError(f"its scales are {scales[0]}, and those of this run {scales[1]}")
    for stage in stages:
        if stage.tile is not None:
            check_integer("tile", stage.tile, SMALLEST_TILE)
        check_integer("pairs", stage.pairs, 0)
        check_number("memory", stage.memory)
        check_number("work", stage.work, above=0)


def _check_position(
    position: Position, dtype: torch.dtype, grid: tuple[int, int, int] | None
) -> None:
    """A ValueError, TypeError or LookupError unless a run can go on from there."""
    state, stages, history = position.state, position.stages, position.history
    number = check_integer("stage", position.stage, 0, len(stages) - 1)
    stage, before = stages[number], sum(stage.steps for stage in stages[:number])
    picture = (1, 3, stage.height, stage.width)
    shapes = {
        "image": (state.image, picture), "z": (state.z, picture if grid is None else (1, 12, *grid))
    }  # fmt: skip
    for name, (tensor, shape) in shapes.items():
        if tensor is None or tensor.dtype != dtype or tensor.shape != shape:
            raise ValueError(f"its {name} is no tensor {shape} of {dtype}")
    check_integer("evaluation", state.evaluation, 1, stage.steps)
    check_integer("rows", len(history), state.evaluation, before + state.evaluation)
    if not set(position.settled) <= {max(s.height, s.width) for s in stages[:number]}:
        raise ValueError(f"scales that have settled are none of its own: {position.settled}")
    for row in history:
        numbers = [value for name, value in row.items() if name != "event"]
        if not row.keys() >= COLUMNS or not all(type(value) in (int, float) for value in numbers):
            raise ValueError("its history is none")
    terms = {name for row in history for name in row} - COLUMNS - {"event", SMOOTHNESS}
    norms = position.gradient_norms
    if norms and set(norms) != terms:
        raise ValueError(f"its gradient norms are of {sorted(norms)}, and not of {sorted(terms)}")
    for name, norm in norms.items():
        check_number(name, norm)


def save(path: str | Path, state: State, record: Mapping, identity: Mapping) -> None:
    """Write a checkpoint, or replace the one that is there.

    `record` and `identity` are what JSON can hold; `identity` says what the run is.

    Raises
    ------
    OSError
        The folder is missing or not writable, the disk is full. What was there before still is.
    """
    remembered, numbers = state.method.state()
    if state.best is None or state.image is None:
        raise ValueError("a run has nothing to note before its first evaluation")
    total, best_z, best_gradient = state.best
    named = {f"method.{name}": tensor for name, tensor in remembered.items()}
    named |= {"z": state.z, "best.z": best_z, "best.gradient": best_gradient, "image": state.image}
    # Several names may mean one tensor, and a file has it once.
    tensors: dict[str, tuple[str, Tensor]] = {}
    names: dict[str, str] = {}
    for name, tensor in named.items():
        key = f"{tensor.data_ptr()} {tuple(tensor.shape)}"
        names[name] = tensors.setdefault(key, (name, tensor))[0]
    header = {
        "format": FORMAT,
        "identity": json.dumps(identity),
        "record": json.dumps(dict(record)),
        "names": json.dumps(names),
        "state": json.dumps(
            {
                "method": next(n for n, kind in OPTIMIZERS.items() if type(state.method) is kind),
                "numbers": numbers,
                "evaluation": state.evaluation,
                "best": total,
                "first": state.first,
                "mark": state.mark,
                "decay": state.decay,
                "averaged": state.averaged,
                "finished": state.finished,
                "recent": state.recent,
            }
        ),
    }
    write_tensors(path, dict(tensors.values()), header)


def load(path: str | Path, identity: Mapping, device: str | torch.device = "cpu") -> Saved | None:
    """Read a checkpoint; None if there is none yet.

    Raises
    ------
    ValueError
        The file is no checkpoint, is damaged, or belongs to another run: the message says in what.
    """
    path = Path(path)
    if not path.exists():
        return None
    header, unique = read_tensors(path, FORMAT, "checkpoint")
    unique = {name: tensor.to(device) for name, tensor in unique.items()}
    with named_if_damaged(path, "checkpoint"):
        theirs = dict(json.loads(header["identity"]))
    check_same_run(path, theirs, json.loads(json.dumps(identity)))
    with named_if_damaged(path, "checkpoint"):
        tensors = {name: unique[key] for name, key in json.loads(header["names"]).items()}
        return Saved(_state(tensors, json.loads(header["state"])), json.loads(header["record"]))


def _state(tensors: dict[str, Tensor], about: dict) -> State:
    shape, dtype = tensors["z"].shape, tensors["z"].dtype
    for name, tensor in tensors.items():  # all are like z, apart from the pairs' curvatures
        wanted = tensor.shape if name == "image" else () if name.endswith(".1") else shape
        if tensor.shape != wanted or tensor.dtype != dtype:
            raise ValueError(f"{name} is not of this run")
    numbers = about["numbers"]
    check_number("learning_rate", numbers["learning_rate"], above=0)
    for name in set(numbers) - {"learning_rate"}:
        check_integer(name, numbers[name], 0)
    method = OPTIMIZERS[about["method"]]()
    method.restore(
        {name[7:]: t for name, t in tensors.items() if name.startswith("method.")}, numbers
    )
    evaluation, mark = check_integer("evaluation", about["evaluation"], 1), about["mark"]
    if not math.isfinite(about["best"] + about["first"] + mark[1]):
        raise ValueError("its losses are not finite")
    return State(
        z=tensors["z"],
        method=method,
        evaluation=evaluation,
        best=(about["best"], tensors["best.z"], tensors["best.gradient"]),
        image=tensors["image"],
        first=about["first"],
        mark=(check_integer("mark", mark[0], 1, evaluation), mark[1]),
        decay=check_decay("decay", about.get("decay", 0.0)),
        averaged=check_integer("averaged", about.get("averaged", 0), 0, evaluation),
        finished=about.get("finished", False) is True,
        recent=_totals(about.get("recent", ())),
    )


def _totals(values: Sequence[object]) -> tuple[float, ...]:
    """Least totals of late, none below the one after it."""
    totals = tuple(float(value) for value in values)  # type: ignore[arg-type]  # else a TypeError
    falling = list(totals) == sorted(totals, reverse=True)
    if len(totals) > SETTLING + 1 or not falling or not all(map(math.isfinite, totals)):
        raise ValueError("its latest losses are none")
    return totals


# --- which run it is -------------------------------------------------------------------------


def check_same_run(path: Path, theirs: Mapping, ours: Mapping) -> None:
    """A ValueError names the first thing in which two runs differ.

    A setting that there was not yet when a checkpoint was written is what was done then.
    """
    theirs = {**{name: value for name, value in BEFORE.items() if name in ours}, **theirs}
    for name in sorted({*theirs, *ours}, key=lambda name: (name != "version", name)):
        if theirs.get(name) != ours.get(name):
            raise ValueError(
                f"{path} is a checkpoint of another run: {name} was {theirs.get(name)!r} and is "
                f"{ours.get(name)!r} now; give another checkpoint, or remove this one"
            )
