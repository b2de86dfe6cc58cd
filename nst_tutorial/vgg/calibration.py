"""The fastest path of each block on this machine, measured once and kept.

The first run that is long enough measures it, in two or three seconds. The answer lies in the
user's cache folder, in a file for this processor, number of threads and version of torch.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
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
from .passes import Versions
from .paths import PATHS, candidates, default_paths, paths_asked_for

FORMAT = "nst_tutorial convolutions 1"
WORTHWHILE = {"cpu": 4e6, "cuda": 400e6}  # pixels, each as often as it is seen: some 15 s of work
LIMIT = 3.0  # seconds that a run may spend on measuring
PATIENCE = 10  # seconds to wait for another process that measures


@dataclass(frozen=True)
class Calibration:
    """What was measured on a machine."""

    machine: str
    seconds: Seconds
    cosine: float | None
    """Of a probe's gradient by `paths` with float32's, original weights; None: not known."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The fastest for each of the five blocks."""
        return quickest(self.seconds, list(self.seconds[0]))


def fastest(model: VGG19, pixels: float) -> VGG19:
    """Return the network with the fastest convolutions of this machine, unless they were chosen.

    Reduced precision is taken if a probe's gradient through this network keeps its direction.

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
        What was measured cannot be kept, or what was kept is damaged; or nothing could be measured.
    """
    if model.paths_are_chosen or model.mean.dtype != torch.float32:
        return model
    names = candidates(model.device, model.precision_asked_for)
    if model.padding == "circular":  # which `winograd` does not know
        names = tuple(name for name in names if PATHS[name].algorithm == "direct")
    if len(names) < 2:
        return model.with_paths(names[0]) if names else model
    known = recall(model.device)
    if known is None:
        too_short = pixels < WORTHWHILE.get(model.device.type, math.inf)
        if too_short or _machine(model.device) in _given_up:
            return model
        known = _calibrated_in_time(model)
    return model if known is None else model.with_paths(_choice(model, known, names))


def _choice(model: VGG19, known: Calibration, names: tuple[str, ...]) -> tuple[str, ...]:
    paths = quickest(known.seconds, names)
    if model.precision_asked_for == "auto" and _reduced(paths):
        if _is_original(model) and paths == known.paths and known.cosine is not None:
            cosine = known.cosine
        else:
            cosine = _cosine(model, paths)
        if not cosine > LEAST_COSINE:
            paths = quickest(known.seconds, [name for name in names if not _reduced([name])])
    return paths


def _reduced(paths: Sequence[str]) -> bool:
    return any(PATHS[name].precision != "float32" for name in paths)


def _is_original(model: VGG19) -> bool:
    untouched = Versions(*model.buffers()) == model.kept.first
    plain = model.weights == "original" and model.pooling == "max" and model.edges == "zeros"
    return plain and untouched


@leaving_inference_mode
def _cosine(model: VGG19, paths: tuple[str, ...]) -> float:
    """Of the probe's gradient with float32's, computed once for a network; 0: there is none."""
    key = (model.pooling, model.edges, *paths)
    if key not in model.kept.cosines:
        try:
            model.kept.cosines[key] = cosine_with_float32(model, paths)
        except ValueError:  # weights that float16 cannot hold
            model.kept.cosines[key] = 0.0
    return model.kept.cosines[key]


_known: dict[str, Calibration] = {}  # machine → what this process has measured or read
_given_up: set[str] = set()  # machines on which it could not be measured


def _calibrated_in_time(model: VGG19) -> Calibration | None:
    try:
        return calibrate(model, limit=LIMIT)
    except (BusyError, RuntimeError, NotImplementedError, MemoryError) as error:
        _given_up.add(_machine(model.device))
        reason = f"it took more than {LIMIT:g} s; is the machine busy?"
        warn(
            "the fastest convolutions could not be measured "
            f"({reason if isinstance(error, BusyError) else error}); "
            "nst doctor --calibrate does it at a better time"
        )
        return None


def likely_paths(device: torch.device) -> tuple[str, ...]:
    """Return the convolutions that a run with default settings takes, as far as is known."""
    fixed = paths_asked_for("auto", "auto", device)
    known = recall(device) if fixed is None else None
    return fixed or (known.paths if known is not None else default_paths("auto", device))


def recall(device: torch.device) -> Calibration | None:
    """Return what was measured on this machine, now or earlier; None: nothing that can be used."""
    known = _known.get(_machine(device))
    if known is None:
        with suppress(_DamagedError):  # `calibrate` tells of it
            known = _read(file_of(device), device)
    if known is not None:
        _known[known.machine] = known
    return known


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
    device = model.device
    path = file_of(device)
    with _one_at_a_time(path):
        known = None if anew else recall(device)
        if known is None:
            if not anew:
                _tell_if_damaged(path, device)
            seconds = measure(candidates(device), device, limit)
            known = Calibration(_machine(device), seconds, None)
            if _is_original(model):
                cosine = _cosine(model, known.paths) if _reduced(known.paths) else None
                known = replace(known, cosine=cosine)
            _known[known.machine] = known
            _keep(path, known)
        return known


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


class _DamagedError(Exception):
    """A file holds no calibration of this machine."""


def _tell_if_damaged(path: Path, device: torch.device) -> None:
    try:
        _read(path, device)
    except _DamagedError as error:
        warn(f"{path} is damaged ({error}); measuring anew")


def _read(path: Path, device: torch.device) -> Calibration | None:
    """What a file holds, if that is of this machine; None: there is no file."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise _DamagedError(str(error)) from error
    try:
        if record["format"] != FORMAT or record["machine"] != _machine(device):
            raise ValueError("it belongs to another machine or version")
        seconds = tuple({n: float(s) for n, s in times.items()} for times in record["seconds"])
        cosine = None if record["cosine"] is None else float(record["cosine"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _DamagedError(str(error)) from error
    complete = all(set(times) == set(candidates(device)) for times in seconds)
    positive = all(0 < s < math.inf for times in seconds for s in times.values())
    if len(seconds) != len(BLOCKS) or not complete or not positive:
        raise _DamagedError("its times are not those of this machine's paths")
    return Calibration(record["machine"], seconds, cosine)
