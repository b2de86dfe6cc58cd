"""What every command needs: plain errors, a progress bar, results that are not lost."""

from __future__ import annotations

import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

if TYPE_CHECKING:
    from ..optimize.loop import Callback
    from ..optimize.result import Result
from ..storage.atomic import free_name, save_under_free_name, shortened

out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)


class _Ended(KeyboardInterrupt):
    """Ctrl-C or a polite kill; `number` is the signal's."""

    number = signal.SIGINT


def ended_by_signal() -> int:
    """The exit code after Ctrl-C or a polite kill."""
    return 128 + _Ended.number


def _end(number: int, frame: object) -> None:
    _Ended.number = number
    raise _Ended


@contextmanager
def _handling_signals(handler) -> Iterator[None]:
    """In the block, Ctrl-C and a polite kill go to `handler`; after it, where they went before."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


NOTHING_YET = "interrupted before there was a picture; nothing was written"


@dataclass
class Ending:
    """How a command ends that is interrupted."""

    interrupted: str
    """What is said after Ctrl-C. The command changes it as soon as there is something to keep."""


@contextmanager
def plain_errors(interrupted: str = NOTHING_YET) -> Iterator[Ending]:
    """Bad input ends with one line and exit code 2; Ctrl-C with 130, a polite kill with 143.

    Warnings are one line each too. The handlers of signals and warnings are put back at the end.
    """
    ending = Ending(interrupted)
    try:
        with _handling_signals(_end), warnings.catch_warnings():
            warnings.showwarning = lambda message, *rest, **more: complain(str(message))
            yield ending
    except (MemoryError, RuntimeError) as error:
        from ..tiling.engine import is_out_of_memory

        if not is_out_of_memory(error):
            raise
        complain("not enough memory; take a smaller --size (nst doctor tells which will fit)")
        raise typer.Exit(2) from error
    except (ValueError, OSError) as error:
        text = error.strerror if isinstance(error, OSError) and error.errno else str(error)
        name = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
        complain(f"{name}{text or error}")
        raise typer.Exit(2) from error
    except KeyboardInterrupt as interrupt:
        complain(ending.interrupted)
        raise typer.Exit(ended_by_signal()) from interrupt


def complain(message: str) -> None:
    """One line on standard error, whatever is in it."""
    err.print(f"nst: {message}", style="red", markup=False, soft_wrap=True)


def choose_out(out: Path | None, name: str, overwrite: bool) -> Path:
    """Where to write: `out` if it may be written, else a free name in the folder `results`."""
    from ..images.reading import check_can_save

    path = out or free_name(Path("results", shortened(f"{name}.png")))
    if path.exists() and not path.is_dir() and not overwrite:
        raise FileExistsError(f"{path}: exists already; give another --out, or --overwrite")
    return check_can_save(path)


def with_progress(run: Callable[[Callback], Result]) -> Result:
    """Show a bar while `run(callback)` works."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeRemainingColumn(),
        TextColumn("[dim]{task.description}"),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("loading VGG19", total=1.0)

        def report(progress) -> None:
            kinds = ("content", "style")
            sums = {
                kind: sum(v for k, v in progress.terms.items() if k.split()[0] == kind)
                for kind in kinds
                if any(k.split()[0] == kind for k in progress.terms)
            }
            losses = ", ".join(f"{kind} {value:.3g}" for kind, value in sums.items())
            text = f"{progress.evaluation}/{progress.steps} at {max(progress.size)} px: {losses}"
            bar.update(task, completed=progress.fraction, description=text)
            if not err.is_terminal and progress.evaluation % max(1, progress.steps // 10) == 0:
                err.print(f"{text}; {progress.seconds:.0f} s", markup=False)

        return run(report)


def keep(
    save: Callable[[Path, bool], Path], path: Path, overwrite: bool, spare: str
) -> tuple[Path, bool]:
    """Write what took long to make; return where it is, and whether that is where it should be.

    `save(path, overwrite)` writes it. If somebody else has written `path` meanwhile and `overwrite`
    is False, it gets the next free name. If it cannot be written there now, after the work, it goes
    to the folder for temporary files, under the name `spare`.
    """

    with _handling_signals(signal.SIG_IGN):  # a second Ctrl-C must not lose it
        try:
            return save_under_free_name(save, path, overwrite), True
        except (OSError, ValueError) as error:
            complain(f"{path} could not be written ({getattr(error, 'strerror', None) or error})")
            return save_under_free_name(save, Path(tempfile.gettempdir(), spare)), False


def deliver(result: Result, path: Path, names: dict[str, str], *, overwrite: bool = False) -> None:
    """Save the result with its settings, say where it is, and end as it deserves.

    Where that is says `keep`. If it cannot be written to `path`, the exit code is 1; after Ctrl-C
    it is 130.
    """
    from ..images.reading import save_image

    if result.stopped == "interrupted" and not result.history:
        raise KeyboardInterrupt
    settings = {**result.settings, **names, "seconds": round(result.seconds, 1)}

    def save(path: Path, overwrite: bool) -> Path:
        return save_image(result.image, path, settings, overwrite=overwrite)

    saved, in_place = keep(save, path, overwrite, "nst_result.png")
    out.print(f"{result.seconds:.0f} s; the picture is", end=" ")
    out.print(str(saved), style="bold", markup=False, soft_wrap=True)
    if not in_place:
        raise typer.Exit(1)
    if result.stopped == "no improvement":
        err.print(f"ended after {len(result.history)} evaluations: it got no better")
    if result.stopped == "interrupted":
        err.print(f"interrupted after {len(result.history)} evaluations; this is the best so far")
        raise typer.Exit(ended_by_signal())
