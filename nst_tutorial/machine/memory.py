"""How much memory there is to be had."""

from __future__ import annotations

import os
from pathlib import Path

import torch

SPARE = 0.8  # of the free memory is planned with


# --- what there is ---------------------------------------------------------------------------


def usable(device: torch.device, sharing: int = 1) -> float | None:
    """Bytes that one of so many processes may grow to.

    That is what it has already, and its share of four fifths of the free memory. None: not known.
    """
    free = free_memory(device)
    held = torch.cuda.memory_reserved(device) if device.type == "cuda" else _resident()
    return None if free is None else held + SPARE * free / sharing


def free_memory(device: torch.device) -> float | None:
    """Bytes that can still be used on the device, or None where that cannot be told."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    known = [bytes_ for bytes_ in (_free_in_machine(), _free_in_container()) if bytes_ is not None]
    return min(known, default=None)


def _free_in_machine() -> float | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _free_in_container(
    folder: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> float | None:
    """What the control groups (of a container, a batch system) still allow, on Linux.

    The group of this process, which `own` names, lies inside others: the strictest counts.
    """
    try:
        lines = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:
        lines = []
    old = next((path for _, kinds, path in lines if "memory" in kinds.split(",")), "/")
    new = next((path for _, kinds, path in lines if not kinds), "/")
    known = [
        free
        for root, path, names in (
            (folder, new, ("memory.max", "memory.current", "inactive_file")),
            (
                folder / "memory", old,
                ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
            ),
        )
        for group in _upwards(root, path)
        if (free := _free_in_group(group, *names)) is not None
    ]  # fmt: skip
    return min(known, default=None)


def _upwards(root: Path, path: str) -> list[Path]:
    """A control group's folder and those above it, up to the root."""
    parts = Path(path.lstrip("/")).parts
    return [root.joinpath(*parts[:n]) for n in range(len(parts), -1, -1)]


def _free_in_group(group: Path, most: str, used: str, cache: str) -> float | None:
    """What is left of a group's limit. Cached files count as used, though they give way."""
    try:
        left = int((group / most).read_text()) - int((group / used).read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return None
    try:
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        left += int(stat.get(cache, 0))
    except (OSError, ValueError):
        pass  # not told: then nothing gives way
    return max(0, left)


def _resident() -> float:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0.0
