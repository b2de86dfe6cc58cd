"""Short names of pictures, files and networks: what tells one run from another."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn


def fingerprint_of_file(path: Path) -> str:
    """The beginning of a hash of the file's bytes."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:16]


def fingerprint_of_network(model: nn.Module) -> str:
    """A short name of a network's weights: a file of the same name may hold others."""
    return fingerprint(torch.cat([b.detach().flatten().float().cpu() for b in model.buffers()]))


def fingerprint(tensor: Tensor | None) -> str:
    """A short name of a picture's values: shape, and the beginning of a hash."""
    if tensor is None:
        return "none"
    array = tensor.detach().to("cpu", torch.float32).contiguous().numpy()
    shape = "×".join(map(str, reversed(array.shape[-2:])))
    return f"{shape} {hashlib.sha256(array.tobytes()).hexdigest()[:12]}"
