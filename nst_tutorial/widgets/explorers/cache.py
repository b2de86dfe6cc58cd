"""What takes long to make is made once: it comes with the course, or is kept in a folder."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from torch import Tensor

from ... import __version__
from ...images.catalog import find_image
from ...images.reading import to_pil
from ...storage.atomic import replacing
from ...storage.cache import cache_folder
from ...storage.fingerprints import fingerprint_of_network
from ...vgg.network import VGG19

BUNDLED = Path(__file__).resolve().parents[2] / "data" / "explorers"  # made by `precompute`
ORIGINAL = "20024390 f7d45827e16f"  # `fingerprint_of_network` the original weights
MOST_BYTES = 200e6  # kept in the folder; beyond that, the oldest go
Arrays = dict[str, np.ndarray]


def remembered(name: str, settings: Mapping, make: Callable[[], Mapping]) -> Arrays:
    """Return the named arrays that `make` gives for these settings, made only once.

    Looked for among the bundled ones, then in `cache_folder()`. There the key holds, beside the
    settings, the version and the package's own source, so that a change of the code is never
    answered with what the old code made. A damaged file counts as none.

    Parameters
    ----------
    name
        The beginning of the file's name.
    settings
        All that decides the outcome, as JSON can hold it.
    make
        Called without arguments; gives name → array.
    """
    arrays = _read(bundled_path(name, settings))
    if arrays is not None:
        return arrays
    path = cache_folder() / f"{name}-{_digest([settings, __version__, SOURCE])}.npz"
    arrays = _read(path)
    if arrays is None:
        arrays = {key: np.asarray(value) for key, value in make().items()}
        _keep(path, arrays)
    return arrays


def bundled_path(name: str, settings: Mapping) -> Path:
    """Where a bundled answer to these settings lies, if there is one."""
    return BUNDLED / f"{name}-{_digest(settings)[:16]}.npz"


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays, whole or not at all.

    Raises
    ------
    OSError
        The folder is missing or not writable, the disk is full.
    """
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # any name could be `allow_pickle`
    with replacing(path) as file:
        file.write(buffer.getvalue())


def _read(path: Path) -> Arrays | None:
    try:
        with np.load(path, allow_pickle=False) as file:  # a zip file: it knows when it is damaged
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None


def _keep(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, arrays)
        _forget_the_oldest(path.parent)
    except OSError as error:
        warnings.warn(
            f"nothing can be kept in {path.parent} ({error.strerror}), so pictures are computed "
            "anew each time; set NST_CACHE to a folder that can be written to",
            stacklevel=2,
        )


def _forget_the_oldest(where: Path) -> None:
    files = [(path.stat().st_mtime, path.stat().st_size, path) for path in where.glob("*.npz")]
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files, key=lambda file: file[0]):
        if total <= MOST_BYTES:
            break
        path.unlink(missing_ok=True)
        total -= size


# --- keys ------------------------------------------------------------------------------------


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


PACKAGE = Path(__file__).resolve().parents[2]


def _source(package: Path = PACKAGE) -> str:
    """Of the package's own source: exercises invite to change it."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


# At import: what is edited later is not what answers until Python is started anew.
SOURCE = _source()


def picture_key(picture: str | Path) -> str:
    """Of a picture's file: its content, not its name."""
    return hashlib.sha256(find_image(picture).read_bytes()).hexdigest()


def model_key(model: VGG19 | None) -> list:
    """Of a network; None is the default one, which need not be there to be named.

    A given one is told by its weights, whatever they are called: they can be changed in place.
    """
    if model is None:
        return ["original", "max", "zeros", False, ""]
    digest = _fingerprint_of(model)
    digest = "" if digest == ORIGINAL else digest
    return [model.weights, model.pooling, model.border, model.rescaled, digest]


_known: WeakKeyDictionary[VGG19, tuple[list, str]] = WeakKeyDictionary()


def _fingerprint_of(model: VGG19) -> str:
    """Of its weights, which takes a fifth of a second; kept until they change."""
    state = [(buffer.data_ptr(), buffer._version) for buffer in model.buffers()]
    before, digest = _known.get(model, (None, ""))
    if before != state:
        digest = fingerprint_of_network(model)
        _known[model] = state, digest
    return digest


# --- pictures as arrays ----------------------------------------------------------------------


def packed(data: bytes) -> np.ndarray:
    """A file's bytes as an array."""
    return np.frombuffer(data, np.uint8)


def compressed(image: Tensor, quality: int = 85) -> np.ndarray:
    """A picture (1, 3, H, W) as a JPEG file that keeps its fine colour, as an array."""
    buffer = io.BytesIO()
    to_pil(image).save(buffer, format="JPEG", quality=quality, subsampling=0)
    return packed(buffer.getvalue())
