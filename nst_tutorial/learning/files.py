"""Networks in files: their design, their weights, and how they were trained."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from ..machine.device import choose_device
from ..storage.tensor_files import read_tensors, write_tensors

LONGEST = 200  # characters of a message about what a file holds


class Network(Protocol):
    """What a network must have to be kept in a file: all but `design` and `settings` is torch's."""

    design: dict
    """Keyword arguments that make a network of the same shapes."""

    settings: dict
    """How it was trained, as JSON can hold it."""

    def state_dict(self) -> dict[str, Tensor]: ...
    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> object: ...
    def to(self, device: torch.device) -> Network: ...
    def eval(self) -> Network: ...


Kind = TypeVar("Kind", bound=Network)


def save_network(
    network: Network, path: str | Path, form: str, what: str, *, overwrite: bool = True
) -> Path:
    """Write a network with its design and its training settings into one safetensors file.

    `form` names the kind of file and its version, `what` the kind of network.

    Raises
    ------
    ValueError
        A weight that is not finite, settings that JSON cannot hold.
    OSError
        The folder is missing or not writable, the disk is full; FileExistsError.
    """
    state = network.state_dict()
    try:
        _check_finite(state)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    try:
        header = {"format": form, "design": json.dumps(network.design),
                  "settings": json.dumps(network.settings)}  # fmt: skip
    except TypeError as error:
        raise ValueError(f"{path}: the {what}'s settings cannot be stored ({error})") from error
    write_tensors(path, state, header, overwrite=overwrite)
    return Path(path)


def load_network(
    path: Path, form: str, what: str, make: Callable[..., Kind], device: str | torch.device
) -> Kind:
    """Return a network from a file; `make(**design)` makes one of its shapes.

    Raises
    ------
    ValueError
        The file is none of that kind, is damaged, or its weights do not fit its design.
    """
    header, state = read_tensors(path, form, what, always_checked=False)
    try:
        design, settings = json.loads(header["design"]), json.loads(header["settings"])
        with torch.device("meta"):  # no memory is taken before the shapes are compared
            planned = make(**design)
        _check_weights(planned.state_dict(), state)
        network = make(**design)
        network.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path}: not a {what} that can be used ({_legible(error)})") from error
    if not isinstance(settings, dict):
        raise ValueError(f"{path}: its settings are damaged: {_legible(settings)} is no mapping")
    network.settings = settings
    network.to(choose_device(device))
    network.eval()
    return network


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
