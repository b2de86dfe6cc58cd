"""What every command needs: plain errors, a progress bar, results that are not lost."""

from __future__ import annotations

import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from ..storage.atomic import free_name, save_under_free_name, shortened
from .console import complain, err, out, silence_closed_terminals

if TYPE_CHECKING:
    from ..optimize.loop import Callback, Progress
    from ..optimize.result import Result

Outcome = TypeVar("Outcome")
SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")  # Ctrl-C; kill; the terminal was closed
    if hasattr(signal, name)  # Windows has no SIGHUP
]


class _Ended(KeyboardInterrupt):
    """One of `SIGNALS` ended the run; `number` is the signal's."""

    number: int = signal.SIGINT


def ended_by_signal() -> int:
    """The exit code after Ctrl-C or another signal that ends a run."""
    return 128 + _Ended.number


def _end(number: int, frame: object) -> None:
    silence_closed_terminals()
    _Ended.number = number
    raise _Ended


@contextmanager
def _handling_signals(handler) -> Iterator[None]:
    """In the block, `SIGNALS` go to `handler`; after it, where they went before.

    One that is ignored stays so: `nohup` does that with SIGHUP, and a shell with the Ctrl-C that is
    not meant for its background jobs.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    heard = [number for number, old in before.items() if old is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])


NOTHING_YET = "interrupted before there was a picture; nothing was written"


@dataclass
class Ending:
    """How a command ends that is interrupted."""

    interrupted: str
    """What is said after Ctrl-C. The command changes it as soon as there is something to keep."""


@contextmanager
def plain_errors(interrupted: str = NOTHING_YET) -> Iterator[Ending]:
    """Bad input ends with one line and exit code 2; a signal with 128 and its number.

    Warnings are one line each too. The handlers of signals and warnings are put back at the end.
    """
    ending = Ending(interrupted)
    try:
        with _handling_signals(_end), warnings.catch_warnings():
            warnings.showwarning = lambda message, *rest, **more: complain(str(message))
            yield ending
    except (MemoryError, RuntimeError, SystemError, ImportError) as error:
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


def choose_out(out: Path | None, name: str, overwrite: bool, **form: Any) -> Path:
    """Where to write: `out` if it may be written, else a free name in the folder `results`.

    `form`: what `check_can_save` must know of the file.
    """
    from ..images.reading import check_can_save

    path = out or free_name(Path("results", shortened(f"{name}.png")))
    if path.exists() and not path.is_dir() and not overwrite:
        raise FileExistsError(f"{path}: exists already; give another --out, or --overwrite")
    return check_can_save(path, **form)


def with_progress(run: Callable[[Callback], Outcome], what: str = "") -> Outcome:
    """Show a bar while `run(callback)` works.

    `what` it works on is said as soon as the first evaluation is done: by then all is checked.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeRemainingColumn(),
        TextColumn("[dim]{task.description}"),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("loading VGG19", total=1.0)
        unsaid = [what] if what else []

        def announce() -> None:
            if unsaid:
                err.print(unsaid.pop(), markup=False, soft_wrap=True)

        def report(progress) -> None:
            announce()
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

        result = run(report)
        announce()  # no steps: then there was nothing to report
        return result


def until(last: int | None, callback: Callback) -> Callback:
    """The same callback, which ends the run at the evaluation of this number."""

    def call(progress: Progress) -> bool:
        callback(progress)
        return progress.evaluation == last

    return call


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


def deliver(
    result: Result,
    path: Path,
    names: Mapping[str, object],
    *,
    overwrite: bool = False,
    **form: Any,
) -> None:
    """Save the result with its settings, say where it is, and end as it deserves.

    Where that is says `keep`. If it cannot be written to `path`, or no evaluation was better than
    the start, the exit code is 1; after Ctrl-C it is 130. `form`: how `save_image` writes the file.
    """
    from ..images.reading import save_image

    if result.stopped == "interrupted" and not result.history:
        raise KeyboardInterrupt
    settings = {**result.settings, **names, "seconds": round(result.seconds, 1)}

    def save(path: Path, overwrite: bool) -> Path:
        return save_image(result.image, path, settings, overwrite=overwrite, **form)

    saved, in_place = keep(save, path, overwrite, "nst_result.png")
    out.print(f"{result.seconds:.0f} s; the picture is", end=" ")
    out.print(str(saved), style="bold", markup=False, soft_wrap=True)
    if not in_place:
        raise typer.Exit(1)
    done = len(result.history)
    if result.stopped == "interrupted":
        err.print(f"interrupted after {done} evaluations; this is the best so far")
        raise typer.Exit(ended_by_signal())
    _judge(result)


def _judge(result: Result) -> None:
    """Say what went otherwise than it was meant to; exit code 1 if nothing was done."""
    rows, done = result.history, len(result.history)
    bad = [
        row["event"] for row in rows if not row.get("event", "no better").startswith("no better")
    ]
    wrong = f"{len(bad)} went wrong ({bad[0].partition(':')[0]})" if bad else ""
    if done <= len({row["size"] for row in rows}):
        first = "no evaluation" if done == 0 else "the first evaluation only measures the start"
        err.print(f"{first}: this is the start itself; more --steps change it", soft_wrap=True)
    elif not _improves(rows):
        complain(
            f"nothing was done: of {done} evaluations none was better than the start, which this "
            f"picture is (its loss {rows[0]['total']:.3g}{wrong and '; ' + wrong}); other weights, "
            "or a smaller --learning-rate, may help"
        )
        raise typer.Exit(1)
    elif result.stopped == "no improvement":
        err.print(f"ended after {done} evaluations: it got no better{wrong and '; ' + wrong}")
    elif result.settled:
        sizes = ", ".join(map(str, result.settled))
        err.print(f"settled early at {sizes} px; {done} evaluations were enough")
    elif bad:
        err.print(f"of {done} evaluations {wrong}; this is the best of the others")


def _improves(rows: Sequence[dict]) -> bool:
    """Whether a loss fell below that of the start, at any size, by more than rounding."""
    from ..optimize.loop import BETTER

    start: dict[int, float] = {}
    for row in rows:
        first = start.setdefault(row["size"], row["total"])
        if row["total"] < first - BETTER * abs(first):
            return True
    return False
