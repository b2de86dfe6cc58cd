"""Texture networks in files: those that come with the package, and your own."""

from __future__ import annotations

from pathlib import Path

from ..learning.files import load_network as _load
from ..learning.files import save_network as _save
from ..storage.tensor_files import read_header
from .generator import Generator
from .painter import Painter

FORMAT = "nst_tutorial generator 1"
PAINTER = "nst_tutorial painter 1"
DATA = Path(__file__).resolve().parents[1] / "data"


def bundled() -> dict[str, Path]:
    """Name → file of the generators that come with the package, trained by us."""
    return {path.stem: path for path in sorted((DATA / "networks").glob("*.safetensors"))}


def bundled_painters() -> dict[str, Path]:
    """Name → file of the painters that come with the package, trained by us."""
    return {path.stem: path for path in sorted((DATA / "painters").glob("*.safetensors"))}


def save_generator(generator: Generator, path: str | Path, *, overwrite: bool = True) -> Path:
    """Write a generator with its design and its training settings into one safetensors file.

    Raises
    ------
    ValueError
        A weight that is not finite, settings that JSON cannot hold.
    OSError
        The folder is missing or not writable, the disk is full; FileExistsError.
    """
    return _save(generator, path, FORMAT, "generator", overwrite=overwrite)


def load_generator(name: str | Path, device: str = "auto") -> Generator:
    """Return a generator, ready to `sample`, from a file or by the name of a bundled one.

    Raises
    ------
    FileNotFoundError
        Neither a file nor a bundled name; the message lists what there is.
    ValueError
        The file is no generator, is damaged, or its weights do not fit its design.
    """
    path = _find(name, bundled(), "generators")
    return _load(path, FORMAT, "generator", Generator, device)


def save_painter(painter: Painter, path: str | Path, *, overwrite: bool = True) -> Path:
    """Write a painter with its design and its training settings, as `save_generator` does."""
    return _save(painter, path, PAINTER, "painter", overwrite=overwrite)


def load_painter(name: str | Path, device: str = "auto") -> Painter:
    """Return a painter, ready to `repaint`, from a file or by the name of a bundled one.

    Raises what `load_generator` does.
    """
    path = _find(name, bundled_painters(), "painters")
    return _load(path, PAINTER, "painter", Painter, device)


def load_network(name: str | Path, device: str = "auto") -> Generator | Painter:
    """Return a generator or a painter, whichever has this name or lies in this file.

    Raises what `load_generator` does.
    """
    path = _find(name, {**bundled(), **bundled_painters()}, "networks")
    if read_header(path).get("format", "").startswith(PAINTER.rpartition(" ")[0]):
        return load_painter(path, device)
    return load_generator(path, device)


def _find(name: str | Path, known: dict[str, Path], kind: str) -> Path:
    path = Path(name)
    if path.is_file():
        return path
    if str(name) in known:
        return known[str(name)]
    there_are = f"by name there are the {kind} {', '.join(known)}" if known else (
        f"and no {kind} come with the package"
    )  # fmt: skip
    raise FileNotFoundError(f"{name}: no such file; {there_are}")
