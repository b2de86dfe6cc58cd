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
    _check_finite(path, state)
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
        planned.load_state_dict(state, assign=True)
        generator = Generator(**design)
        generator.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path}: its weights do not fit its design ({error})") from error
    if not isinstance(settings, dict):
        raise ValueError(f"{path}: its settings are damaged: {settings!r} is no mapping")
    generator.settings = settings
    _check_finite(path, state)
    return generator.to(choose_device(device)).eval()


def _check_finite(path: str | Path, state: Mapping[str, Tensor]) -> None:
    for name, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{path}: the weights {name} are not finite")
