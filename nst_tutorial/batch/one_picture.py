"""One picture of a batch: made unless it is there, written with its settings, told as a row."""

from __future__ import annotations

import math
import threading
from functools import lru_cache
from numbers import Real
from pathlib import Path

from torch import Tensor

from ..checks import LARGEST_SIZE, SMALLEST_SIDE, printable
from ..images.reading import load_image, save_image
from ..optimize.result import Result
from ..storage.atomic import claimed
from ..storage.fingerprints import fingerprint_of_file
from ..transfer.style_transfer import stylize
from .manifest import DONE, FAILED, MEASURED
from .tasks import RECORD, Task, finished

THERE, BUSY, UNWRITABLE = "there", "busy", "unwritable"  # not in the manifest

_one_at_a_time = threading.Lock()  # a picture uses all threads and the memory of its process


def perform(
    task: Task,
    out: Path,
    device: str = "auto",
    memory: float | None = None,
    worker: str | None = None,
) -> dict:
    """Make the picture of a task unless it is there; return its row of the manifest.

    "status" is "done"; "there", if somebody else has made it; "busy", if somebody else is making it
    right now; "failed" or "unwritable", with "error". Ctrl-C raises `KeyboardInterrupt`,
    and nothing is written.
    """
    path = Path(out, task.file)
    try:
        with _one_at_a_time, claimed(path) as mine:
            if not mine:
                return row_of(task, BUSY)
            record = finished(path, task)
            if record is not None:
                return there(task, record)
            try:
                result = _make(task, device, memory)
            except OSError as error:  # of a picture that is read, not of the folder of results
                return failed(task, error)
            row = {**row_of(task, DONE), **_losses(result)}
            row |= {} if worker is None else {"worker": worker}
            record = {RECORD: {"identity": task.identity, "row": row}}
            names = {**task.names, "size": task.size}
            save_image(result.image, path, {**result.settings, **names, **record})
            return row
    except OSError as error:
        return {**row_of(task, UNWRITABLE), "error": _one_line(error)}
    except Exception as error:  # this picture fails, not the batch
        return failed(task, error)


def row_of(task: Task, status: str) -> dict:
    """The row of a task, without what is only known when it is done. Its texts are printable."""
    options = {k: printable(v) if isinstance(v, str) else v for k, v in task.options.items()}
    return {"file": task.file, "status": status, **task.names, **options}


def there(task: Task, record: dict) -> dict:
    """The row of a task that was done before.

    Of what is recorded in the file only the measurements count: its pictures are called as they are
    in this batch, and a record may have been written by anybody.
    """
    recorded = record["row"]
    row = row_of(task, THERE)
    row |= {name: recorded[name] for name in MEASURED if isinstance(recorded.get(name), Real)}
    return row | ({"worker": printable(str(recorded["worker"]))} if "worker" in recorded else {})


def failed(task: Task, error: BaseException) -> dict:
    """The row of a task that could not be done."""
    return {**row_of(task, FAILED), "error": _one_line(error)}


def _one_line(error: BaseException) -> str:
    text = printable(" ".join(str(error).split()))
    plain = isinstance(error, ValueError | OSError) and text
    return text if plain else f"{type(error).__name__}: {text}"


def _make(task: Task, device: str, memory: float | None) -> Result:
    style_scale = float(task.identity["style_scale"])
    # As large as it will be used, so that a huge painting does not fill the memory.
    style_size = math.ceil(min(max(SMALLEST_SIDE, task.size * style_scale), LARGEST_SIZE))
    content = _load(_unchanged(task.content, task.identity["content"]), task.size, True)
    style = _load(_unchanged(task.style, task.identity["style"]), style_size, False)
    options = {name: value for name, value in task.options.items() if name != "size"}
    result = stylize(content, style, device=device, memory=memory, **options)
    if result.stopped == "interrupted":  # what there is by now is not what was asked for
        raise KeyboardInterrupt
    return result


def _unchanged(path: Path, fingerprint: str) -> tuple[Path, str]:
    if fingerprint_of_file(path) != fingerprint:
        raise ValueError(f"{path}: has changed since the batch began; start the batch again")
    return path, fingerprint


@lru_cache(maxsize=4)
def _load(picture: tuple[Path, str], size: int, enlarge: bool) -> Tensor:
    """A picture, kept for the next task; another fingerprint is another picture."""
    return load_image(picture[0], size, enlarge=enlarge)


def forget_pictures() -> None:
    """Free the memory of the pictures kept for the next task."""
    _load.cache_clear()


def _losses(result: Result) -> dict:
    """The losses of the picture: Σ layer weight · term, before content and style weight."""
    best = result.row
    sums = {"total_loss": best.get("total")}
    for kind in ("content", "style"):
        weights = result.settings[f"{kind}_layers"]
        terms = [w * best.get(f"{kind} {layer}", math.nan) for layer, w in weights.items()]
        sums[f"{kind}_loss"] = sum(terms) if best and terms else None
    known = {name: value for name, value in sums.items() if value is not None}
    return {**known, "evaluations": len(result.history), "seconds": round(result.seconds, 3)}
