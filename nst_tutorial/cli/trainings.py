"""What commands that train a network for long have in common: files, interruptions, reports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..storage.atomic import check_can_write, free_name, shortened
from .options import MACHINE, OPTIMIZER, option, path_from, with_default
from .terminal import Ending, complain, ended_by_signal, err, keep, with_progress
from .terminal import out as console

if TYPE_CHECKING:
    from ..learning.loop import Learnt
    from ..learning.stream import PictureStream
    from ..optimize.loop import Callback

NETWORK = ".safetensors"  # the suffix of a network's file
UNFINISHED = ".training"  # and of the state of its training, beside it
NO_NETWORK = "interrupted before there was a network; nothing was written"
MINUTES = 90.0
MOST_NAMED = 20  # pictures that are not used; of more only the number is told

Photos = Annotated[
    Path,
    option("FOLDER", "Of photographs, any number and size, to learn from.", parser=path_from),
]
Minutes = Annotated[
    float | None,
    option("NUMBER", with_default("How long, preparations included.", f"{MINUTES:g}; or --steps")),
]
Steps = Annotated[
    int | None, option("COUNT", "Of Adam, at most; alone, instead of minutes.", panel=OPTIMIZER)
]
CutOut = Annotated[int, option("PIXELS", "Side of the cut-outs that it learns from.", "--size")]
Batch = Annotated[int, option("COUNT", "Photographs in each step.", panel=OPTIMIZER)]
Decay = Annotated[
    float, option("NUMBER", "Of the average of the weights; 0: none.", panel=OPTIMIZER)
]
State = Annotated[
    Path | None,
    option(
        "FILE",
        with_default("Note the state here, and go on from it.", "--out, ending in .training"),
        "--checkpoint",
        parser=path_from,
        panel=MACHINE,
    ),
]


def minutes_from(minutes: float | None, steps: int | None) -> float | None:
    """The minutes of a training: those asked for; as many as it takes, if steps are."""
    return MINUTES if minutes is None and steps is None else minutes


def choose_files(
    out: Path | None, name: str, checkpoint: Path | None, overwrite: bool
) -> tuple[Path, Path]:
    """Where the network and the state of its training are written.

    A network whose training is unfinished is replaced by that which the training ends with.
    """

    def state_of(path: Path) -> Path:
        return checkpoint or path.with_suffix(UNFINISHED)

    def taken(path: Path) -> bool:
        return path.exists() and not state_of(path).is_file()

    path = out or free_name(Path("results", shortened(f"{name}{NETWORK}")), taken)
    if path.suffix != NETWORK:
        raise ValueError(f"{path}: the name of a network must end in {NETWORK}")
    if taken(path) and path.is_file() and not overwrite:
        raise FileExistsError(f"{path}: exists already; give another --out, or --overwrite")
    return check_can_write(path), check_can_write(state_of(path))


def train(
    run: Callable[[Callback], Learnt],
    save: Callable[[Path, bool], Path],
    path: Path,
    state: Path,
    streams: list[PictureStream],
    ending: Ending,
    overwrite: bool,
    finish: Callable[[], str] | None = None,
) -> None:
    """Run a training with a bar, save the network, say what was skipped, and end as it deserves.

    `finish` measures the network after its file is safe, and returns what to say; then it is saved
    once more. The state is removed when all is done, and kept where the training can go on.
    """
    replaces = overwrite or state.is_file()
    if state.is_file():
        ending.interrupted = f"interrupted; the same command goes on from {state}"
        err.print(f"going on from {state}", markup=False, soft_wrap=True)
    learnt = with_progress(run)
    tell_skipped(streams)
    if learnt.stopped == "interrupted" and not learnt.history:
        raise KeyboardInterrupt
    saved, in_place = keep(save, path, replaces, f"nst_network{NETWORK}")
    console.print(f"{len(learnt.history)} steps, {learnt.seconds:.0f} s; the network is", end=" ")
    console.print(str(saved), style="bold", markup=False, soft_wrap=True)
    if not in_place:
        raise typer.Exit(1)
    if learnt.stopped == "interrupted":
        goes_on = f"; the same command goes on from {state}" if state.is_file() else ""
        err.print(f"interrupted: this is the network as far as it got{goes_on}", soft_wrap=True)
        raise typer.Exit(ended_by_signal())
    if learnt.stopped == "diverged":
        complain(
            f"{learnt.history[-1]['event']}: the network is as good as it was before; a smaller "
            "--learning-rate may help"
        )
        raise typer.Exit(1)
    ending.interrupted = f"interrupted; {saved} is there, without its measures"
    if finish is not None:
        console.print(finish(), markup=False)
        save(saved, True)
    state.unlink(missing_ok=True)


def tell_skipped(streams: list[PictureStream]) -> None:
    """Say which pictures could not be used."""
    reasons = [reason for stream in streams for reason in stream.skipped.values()]
    for reason in reasons[:MOST_NAMED]:
        complain(f"skipped: {reason}")
    if len(reasons) > MOST_NAMED:
        complain(f"skipped: {len(reasons) - MOST_NAMED} more")


def optional(**options: Any) -> dict[str, Any]:
    """Those that are not None: the others are left to the function they are passed to."""
    return {name: value for name, value in options.items() if value is not None}
