"""On which device tensors live."""

from __future__ import annotations

import torch


def choose_device(device: str | torch.device = "auto") -> torch.device:
    """Return the torch device: "auto" is CUDA if there is one, else Apple's MPS, else the CPU."""
    if str(device) != "auto":
        try:
            (torch.ones(1, device=device) + 1).item()
            return torch.empty(0, device=device).device
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"device {device!r} cannot be used here: {reason}") from error
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
