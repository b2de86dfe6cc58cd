"""Files of tensors with a header and a checksum, whole or not at all."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from .atomic import replacing

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
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    # Wide numbers first, so that each begins at a multiple of its width, as readers want it.
    stored = dict(sorted(stored.items(), key=lambda item: (-item[1].element_size(), item[0])))
    table: dict[str, dict] = {
        "__metadata__": {**header, "checksum": _checksum(stored, header)},
    }
    end = 0
    for name, tensor in stored.items():
        begin, end = end, end + tensor.numel() * tensor.element_size()
        dtype, shape = _DTYPES[tensor.dtype], list(tensor.shape)
        table[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(table).encode()
    text += b" " * (-len(text) % 8)
    with replacing(path, overwrite=overwrite) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in stored.values():
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
    actual = header.get("format", "")
    if actual != form:
        named = f"it is a {actual.rpartition(' ')[0]}" if actual else "it was not made by us"
        raise ValueError(f"{path}: not a {what} of this version ({form}); {named}")
    checked = always_checked or "checksum" in header
    if checked and header.get("checksum") != _checksum(tensors, header):
        raise ValueError(f"{path}: not a {what}, or damaged (its checksum does not fit)")
    return header, tensors


def read_header(path: str | Path) -> dict[str, str]:
    """Return the header of a file of tensors alone; of one that cannot be read, an empty one."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError, RuntimeError):
        return {}


@contextmanager
def named_if_damaged(path: str | Path, what: str) -> Iterator[None]:
    """What goes wrong in the block because a file holds something else is told as a ValueError."""
    wrong = (LookupError, TypeError, AttributeError, ValueError, OverflowError, RuntimeError)
    try:
        yield
    except wrong as error:
        reason = str(error) if isinstance(error, ValueError) else repr(error)
        raise ValueError(f"{path}: not a {what}, or damaged ({reason})") from error


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


def _bytes_of(tensor: Tensor) -> memoryview:
    """The numbers of a contiguous tensor as they lie in memory, not copied."""
    return tensor.flatten().view(torch.uint8).numpy().data
