"""Texture networks in files: those that come with the package, and your own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..machine.device import choose_device
from ..storage.tensor_files import read_tensors, write_tensors
from .generator import Generator

FORMAT = "nst_tutorial generator 1"
LONGEST = 200  # characters of a message about what a file holds


def bundled() -> dict[str, Path]:
    """Name → file of the generators that come with the package, trained by us."""
    folder = Path(__file__).resolve().parents[1] / "data" / "networks"
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def save_generator(generator: Generator, path: str | Path, *, overwrite: bool = True) -> Path:
    """Write a generator with its design and its training settings into one safetensors file.

    Raises
    ------
    ValueError
        A weight that is not finite, settings that JSON cannot hold.
    OSError
        The folder is missing or not writable, the disk is full; FileExistsError.
    """
    state = generator.state_dict()
    try:
        _check_finite(state)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    try:
        header = {"format": FORMAT, "design": json.dumps(generator.design),
                  "settings": json.dumps(generator.settings)}  # fmt: skip
    except TypeError as error:
        raise ValueError(f"{path}: the generator's settings cannot be stored ({error})") from error
    write_tensors(path, state, header, overwrite=overwrite)
    return Path(path)


def load_generator(name: str | Path, device: str = "auto") -> Generator:
    """Return a generator, ready to `sample`, from a file or by the name of a bundled one.

    Raises
    ------
    FileNotFoundError
        Neither a file nor a bundled name; the message lists what there is.
    ValueError
        The file is no generator, is damaged, or its weights do not fit its design.
    """
    path = Path(name)
    if not path.is_file():
        known = bundled()
        if str(name) not in known:
            raise FileNotFoundError(
                f"{name}: no such file; by name there are the generators {', '.join(known)}"
            )
        path = known[str(name)]
    header, state = read_tensors(path, FORMAT, "generator", always_checked=False)
    try:
        design, settings = json.loads(header["design"]), json.loads(header["settings"])
        with torch.device("meta"):  # no memory is taken before the shapes are compared
            planned = Generator(**design)
        _check_weights(planned.state_dict(), state)
        generator = Generator(**design)
        generator.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path}: not a generator that can be used ({_legible(error)})") from error
    if not isinstance(settings, dict):
        raise ValueError(f"{path}: its settings are damaged: {_legible(settings)} is no mapping")
    generator.settings = settings
    return generator.to(choose_device(device)).eval()


def _check_weights(planned: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
    """A ValueError names the first tensor of a file that the design does not have so."""
    for name in sorted({*planned, *state}):
        if name not in state:
            raise ValueError(f"the weights {name} are missing")
        if name not in planned:
            raise ValueError(f"the design has no weights {name}")
        ours, theirs = planned[name], state[name]
        if ours.shape != theirs.shape:
            raise ValueError(
                f"the weights {name} have the shape {tuple(theirs.shape)}, "
                f"and {tuple(ours.shape)} by the design"
            )
        if ours.is_floating_point() != theirs.is_floating_point():
            raise ValueError(f"the weights {name} are of the type {theirs.dtype}")
        if name.endswith("running_var") and (theirs < 0).any():
            raise ValueError(f"the variances {name} are negative")
    _check_finite(state)


def _check_finite(state: Mapping[str, Tensor]) -> None:
    for name, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"the weights {name} are not finite")


def _legible(content: object) -> str:
    """What a file holds, in one short line without control characters."""
    line = " ".join(str(content).split())
    line = line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
