"""An unfinished run on disk: killed at any moment, it goes on and ends with the same picture.

One safetensors file holds the state of `optimize.minimize`, which scale it is at, the history so
far, and what the run is: its settings and its pictures. It replaces the one before in one step.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .files import replacing
from .methods import METHODS
from .optimize import State
from .planning import Stage

FORMAT = "nst_tutorial checkpoint 2"


@dataclass
class Saved:
    """What a checkpoint holds."""

    state: State
    record: dict  # what was given to `save`


class Checkpoint:
    """Where `scales.through_scales` notes its state.

    Parameters
    ----------
    path
        The file; it need not exist.
    identity
        What the run is, as JSON can hold it. A file with another identity is refused.
    every
        Evaluations from one note to the next.
    """

    def __init__(self, path: str | Path, identity: Mapping, every: int = 10):
        self.path, self.identity, self.every = path, identity, every
        self.saved: Saved | None = None
        self.run: dict = {}

    def begin(
        self, stages: Sequence[Stage], balance: dict[str, float], device="cpu"
    ) -> tuple[Sequence[Stage], dict[str, float]]:
        """Read the file if it is there; return the stages and gradient norms to go on with.

        The tiles stay those of the beginning, even if there is more or less memory free by now.
        `balance` may be filled later; it is noted as it is by then.
        """
        self.saved = load(self.path, self.identity, device)
        if self.saved is not None:
            stages = tuple(Stage(*values) for values in self.saved.record["stages"])
            balance = self.saved.record["balance"]
        self.run = {"stages": [astuple(stage) for stage in stages], "balance": balance}
        return stages, balance

    def keeper(self, stage: int, steps: int, history: list[dict]) -> Callable[[State], None]:
        """A function for `optimize.minimize` that notes the state now and then, and at the end."""

        def keep(state: State) -> None:
            if state.evaluation % self.every == 0 or state.evaluation == steps:
                record = {**self.run, "stage": stage, "history": history}
                save(self.path, state, record, self.identity)

        return keep


def save(path: str | Path, state: State, record: Mapping, identity: Mapping) -> None:
    """Write a checkpoint, or replace the one that is there.

    `record` and `identity` are what JSON can hold; `identity` says what the run is.

    Raises
    ------
    OSError
        The folder is missing or not writable, the disk is full. What was there before still is.
    """
    remembered, numbers = state.method.state()
    total, best_z, best_gradient = state.best
    named = {f"method.{name}": tensor for name, tensor in remembered.items()}
    named |= {"z": state.z, "best.z": best_z, "best.gradient": best_gradient, "image": state.image}
    tensors, names = {}, {}  # several names may mean one tensor, and a file has it once
    for name, tensor in named.items():
        key = f"{tensor.data_ptr()} {tuple(tensor.shape)}"
        names[name] = tensors.setdefault(key, (name, tensor))[0]
    header = {
        "format": FORMAT,
        "identity": json.dumps(identity),
        "record": json.dumps(dict(record)),
        "names": json.dumps(names),
        "state": json.dumps(
            {
                "method": next(n for n, kind in METHODS.items() if type(state.method) is kind),
                "numbers": numbers,
                "evaluation": state.evaluation,
                "best": total,
                "first": state.first,
                "mark": state.mark,
            }
        ),
    }
    write_tensors(path, dict(tensors.values()), header)


def load(path: str | Path, identity: Mapping, device="cpu") -> Saved | None:
    """Read a checkpoint; None if there is none yet.

    Raises
    ------
    ValueError
        The file is no checkpoint, is damaged, or belongs to another run: the message says in what.
    """
    path = Path(path)
    if not path.exists():
        return None
    header, unique = read_tensors(path, FORMAT, "checkpoint")
    unique = {name: tensor.to(device) for name, tensor in unique.items()}
    with named_if_damaged(path, "checkpoint"):
        theirs = json.loads(header["identity"])
        check_same_run(path, theirs, json.loads(json.dumps(identity)))
        tensors = {name: unique[key] for name, key in json.loads(header["names"]).items()}
        return Saved(_state(tensors, json.loads(header["state"])), json.loads(header["record"]))


def _state(tensors: dict[str, Tensor], about: dict) -> State:
    method = METHODS[about["method"]]()
    method.restore(
        {name[7:]: t for name, t in tensors.items() if name.startswith("method.")},
        about["numbers"],
    )
    return State(
        z=tensors["z"],
        method=method,
        evaluation=about["evaluation"],
        best=(about["best"], tensors["best.z"], tensors["best.gradient"]),
        image=tensors["image"],
        first=about["first"],
        mark=tuple(about["mark"]),
    )


# --- files of tensors ------------------------------------------------------------------------

_DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


def write_tensors(
    path: str | Path,
    tensors: Mapping[str, Tensor],
    header: Mapping[str, str],
    *,
    overwrite: bool = True,
) -> None:
    """Write a header and tensors as a safetensors file with a checksum, whole or not at all.

    The format is 8 bytes with the length of a JSON text, the text, and the tensors' own bytes. We
    write it ourselves: the library's `save` holds it all in memory once more, gigabytes for what
    L-BFGS remembers of a large picture, and its `save_file` renames a file of its own over ours,
    which then reaches the disk some time or other.

    Raises
    ------
    OSError
        The folder is missing or not writable, the disk is full; FileExistsError.
    """
    found = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    # Wide numbers first, so that each begins at a multiple of its width, as readers want it.
    found = dict(sorted(found.items(), key=lambda item: (-item[1].element_size(), item[0])))
    table: dict[str, dict] = {
        "__metadata__": {**header, "checksum": _checksum(found, header)},
    }
    end = 0
    for name, tensor in found.items():
        begin, end = end, end + tensor.numel() * tensor.element_size()
        dtype, shape = _DTYPES[tensor.dtype], list(tensor.shape)
        table[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(table).encode()
    text += b" " * (-len(text) % 8)
    with replacing(path, overwrite=overwrite) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in found.values():
            file.write(_bytes_of(tensor))


def read_tensors(
    path: str | Path, form: str, what: str, *, always_checked: bool = True
) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Return the header and the tensors of a safetensors file of ours.

    `always_checked`: a file without a checksum is refused. One that does not fit always is.

    Raises
    ------
    ValueError
        It is no such file, is damaged, or has another form than `form`; `what` is its kind.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            header = file.metadata() or {}
            # Cloned, so that they begin where torch's own tensors begin in memory: sums in vector
            # registers depend on that in their last bit.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, RuntimeError) as error:
        raise ValueError(f"{path}: not a {what}, or damaged ({error})") from error
    found = header.get("format", "")
    if found != form:
        named = f"it is a {found.rpartition(' ')[0]}" if found else "it was not made by us"
        raise ValueError(f"{path}: not a {what} of this version ({form}); {named}")
    checked = always_checked or "checksum" in header
    if checked and header.get("checksum") != _checksum(tensors, header):
        raise ValueError(f"{path}: not a {what}, or damaged (its checksum does not fit)")
    return header, tensors


@contextmanager
def named_if_damaged(path: str | Path, what: str) -> Iterator[None]:
    """What goes wrong in the block because a file holds something else is told as a ValueError."""
    wrong = (LookupError, TypeError, AttributeError, RuntimeError, json.JSONDecodeError)
    try:
        yield
    except wrong as error:
        raise ValueError(f"{path}: not a {what}, or damaged ({error!r})") from error


def _checksum(tensors: Mapping[str, Tensor], header: Mapping[str, str]) -> str:
    """Of all that is in the file: a bit that has flipped must not become a part of a picture."""
    total = 0
    for name, text in sorted(header.items()):
        if name != "checksum":
            total = zlib.crc32(f"{name}={text}".encode(), total)
    for name, tensor in sorted(tensors.items()):
        total = zlib.crc32(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode(), total)
        total = zlib.crc32(_bytes_of(tensor), total)
    return f"{total:08x}"


def _bytes_of(tensor: Tensor) -> np.ndarray:
    """The numbers of a contiguous tensor as they lie in memory, not copied."""
    return tensor.flatten().view(torch.uint8).numpy()


# --- which run it is -------------------------------------------------------------------------


def check_same_run(path: Path, theirs: Mapping, ours: Mapping) -> None:
    """A ValueError names the first thing in which two runs differ."""
    for name in sorted({*theirs, *ours}):
        if theirs.get(name) != ours.get(name):
            raise ValueError(
                f"{path} is a checkpoint of another run: {name} was {theirs.get(name)!r} and is "
                f"{ours.get(name)!r} now; give another checkpoint, or remove this one"
            )


def fingerprint(tensor: Tensor | None) -> str:
    """A short name of a picture's values: shape, and the beginning of a hash."""
    if tensor is None:
        return "none"
    array = tensor.detach().to("cpu", torch.float32).contiguous().numpy()
    shape = "×".join(map(str, reversed(array.shape[-2:])))
    return f"{shape} {hashlib.sha256(array.tobytes()).hexdigest()[:12]}"
