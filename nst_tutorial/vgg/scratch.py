"""Memory that is written to again and again, so that it stays in the processor's cache."""

from __future__ import annotations

import threading

import torch
from torch import Tensor

_buffers = threading.local()


def workspace(name: str, *sizes: int, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """Uninitialised buffers of these sizes, kept from call to call in each thread.

    A second call by the same name hands out the same memory.
    """
    buffer = getattr(_buffers, name, None)
    if buffer is None or buffer.numel() < sum(sizes):
        buffer = empty(sum(sizes), dtype=dtype)
        setattr(_buffers, name, buffer)
    return list(buffer[: sum(sizes)].split(sizes))


@torch.inference_mode(False)  # else it could not be written to outside that mode
def empty(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """An uninitialised tensor on the CPU."""
    return torch.empty(shape, dtype=dtype)
