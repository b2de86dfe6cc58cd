"""Which processor computes, in words: what was measured on one says nothing of another."""

from __future__ import annotations

import platform
from functools import lru_cache
from pathlib import Path

import torch


def describe_processor(device: torch.device) -> str:
    """Return what decides the speed of a device: its name, its instructions, its threads."""
    if device.type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        return f"{torch.cuda.get_device_name(device)}, compute capability {major}.{minor}"
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{_model()}, {capability}, {torch.get_num_threads()} threads"


@lru_cache(maxsize=1)
def _model() -> str:
    """The processor's name with its family, since virtual machines hide the rest of the name."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not on Linux
        return f"{platform.machine()} {platform.processor()}".strip()
    first = text.split("\n\n")[0]
    lines = [line.partition(":") for line in first.splitlines()]
    fields = {name.strip(): value.strip() for name, _, value in lines}
    known = [fields.get(name) for name in ("model name", "cpu family", "model", "stepping")]
    if not any(known):  # Arm names no model
        known = [fields.get(name) for name in ("CPU implementer", "CPU part", "CPU revision")]
    return f"{platform.machine()} {' '.join(word for word in known if word)}"
