"""The fastest path of each block on this machine, measured once and kept.

The first run that is long enough measures it, in two or three seconds. The answer lies in the
user's cache folder, in a file for this processor, number of threads and version of torch.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from ..checks import warn
from ..machine.modes import leaving_inference_mode
from ..machine.processor import describe_processor
from ..storage.atomic import replacing
from ..storage.cache import VARIABLE, cache_folder
from .layers import BLOCKS
from .measuring import LEAST_COSINE, BusyError, Seconds, cosine_with_float32, measure, quickest
from .network import VGG19
from .paths import PATHS, candidates, default_paths, paths_asked_for

FORMAT = "nst_tutorial convolutions 1"
WORTHWHILE = {"cpu": 4e6, "cuda": 400e6}  # pixels, each as often as it is seen: some 15 s of work
LIMIT = 3.0  # seconds that a run may spend on measuring
PATIENCE = 10  # seconds to wait for another process that measures


@dataclass(frozen=True)
class Calibration:
    """What was measured on a machine."""

    machine: str
    paths: tuple[str, ...]  # the fastest for each of the five blocks
    seconds: Seconds
    cosine: float | None  # of the probe's gradient with float32's; None: all paths are in float32


def fastest(model: VGG19, pixels: float) -> VGG19:
    """Return the network with the fastest convolutions of this machine, unless they were chosen.

    Parameters
    ----------
    model
        Stays as it is; the one returned shares its weights.
    pixels
        That the run will look at, each counted as often as it does. For a short run nothing is
        measured: without an earlier measurement the network is returned as it is.

    Warns
    -----
    UserWarning
        What was measured cannot be kept, or what was kept is damaged; or nothing could be measured,
        since others compute on this machine.
    """
    if model.paths_are_chosen or model.mean.dtype != torch.float32:
        return model
    names = candidates(model.device, model.precision_asked_for)
    if len(names) < 2:
        return model.with_paths(names[0]) if names else model
    known = recall(model.device)
    if known is None:
        if pixels < WORTHWHILE.get(model.device.type, float("inf")):
            return model
        try:
            known = calibrate(model, limit=LIMIT)
        except BusyError:
            warn(
                "the fastest convolutions could not be measured, since this machine is busy; "
                "nst doctor --calibrate does it at a better time"
            )
            return model
    if model.precision_asked_for != "auto":  # whatever the probe says: it was asked for
        return model.with_paths(quickest(known.seconds, names))
    return model.with_paths(known.paths)


def likely_paths(device: torch.device) -> tuple[str, ...]:
    """Return the convolutions that a run with default settings takes, as far as is known."""
    fixed = paths_asked_for("auto", "auto", device)
    known = recall(device) if fixed is None else None
    return fixed or (known.paths if known is not None else default_paths("auto", device))


_known: dict[str, Calibration] = {}  # machine → what this process has measured or read


def recall(device: torch.device) -> Calibration | None:
    """Return what was measured on this machine, now or earlier; None: nothing."""
    machine = _machine(device)
    if machine not in _known:
        kept = _read(file_of(device), device)
        if kept is None:
            return None
        _known[machine] = kept
    return _known[machine]


@leaving_inference_mode
def calibrate(model: VGG19, *, anew: bool = False, limit: float = math.inf) -> Calibration:
    """Measure this machine, keep the answer and return it.

    Of several processes that begin at once one measures, and the others take its answer. `anew`:
    whatever was measured before.

    Raises
    ------
    BusyError
        It takes more than `limit` seconds.
    """
    path = file_of(model.device)
    with _one_at_a_time(path):
        if not anew:
            _known.pop(_machine(model.device), None)  # another process may have measured by now
            known = recall(model.device)
            if known is not None:
                return known
        known = _known[_machine(model.device)] = _calibration(model, limit)
        _keep(path, known)
        return known


def _calibration(model: VGG19, limit: float) -> Calibration:
    names = candidates(model.device)
    seconds = measure(names, model.device, limit)
    paths, cosine = quickest(seconds, names), None
    if any(PATHS[name].precision != "float32" for name in paths):
        cosine = cosine_with_float32(model, paths)
        if not cosine > LEAST_COSINE:
            exact = [name for name in names if PATHS[name].precision == "float32"]
            paths = quickest(seconds, exact)
    return Calibration(_machine(model.device), paths, seconds, cosine)


# --- kept ------------------------------------------------------------------------------------


def file_of(device: torch.device) -> Path:
    """Return where this machine's calibration is kept."""
    code = hashlib.sha256(f"{FORMAT}, {_machine(device)}".encode()).hexdigest()[:12]
    return cache_folder() / f"convolutions-{code}.json"


def _machine(device: torch.device) -> str:
    return f"{describe_processor(device)}, torch {torch.__version__}"


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Wait for another process in the same block; not for one that hangs, nor where none can."""
    lock = FileLock(path.with_suffix(".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=PATIENCE)
    except (OSError, NotImplementedError, Timeout):
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _keep(path: Path, known: Calibration) -> None:
    try:
        with replacing(path) as file:
            file.write(json.dumps({"format": FORMAT, **asdict(known)}, indent=1).encode())
    except OSError as error:
        warn(
            f"what was measured cannot be kept in {path.parent} ({error.strerror}), so each "
            f"program measures it anew; set {VARIABLE} to a folder that can be written to"
        )


def _read(path: Path, device: torch.device) -> Calibration | None:
    """What a file holds, if that is of this machine; a damaged one counts as none, with a word."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        warn(f"{path} cannot be read ({error}); measuring anew")
        return None
    try:
        record = json.loads(text)
        if record.pop("format") != FORMAT or record["machine"] != _machine(device):
            raise ValueError("it belongs to another machine or version")
        known = Calibration(
            record["machine"],
            tuple(record["paths"]),
            tuple(
                {str(name): float(s) for name, s in times.items()} for times in record["seconds"]
            ),
            None if record["cosine"] is None else float(record["cosine"]),
        )
        lacking = {*known.paths, *(n for times in known.seconds for n in times)} - set(
            candidates(device)
        )
        if lacking or not len(known.paths) == len(known.seconds) == len(BLOCKS):
            raise ValueError(f"paths that there are not: {', '.join(lacking)}")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        warn(f"{path} is damaged ({error}); measuring anew")
        return None
    return known
