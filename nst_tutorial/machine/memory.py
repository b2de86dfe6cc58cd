"""How much memory there is to be had, and how a library says that it was not enough."""

from __future__ import annotations

from pathlib import Path

import psutil
import torch

SPARE = 0.8  # of the free memory is planned with


# --- what there is ---------------------------------------------------------------------------


def usable(device: torch.device, sharing: int = 1) -> float | None:
    """Bytes that one of `sharing` processes may grow to.

    That is what it has already, and its share of four fifths of the free memory. None: not known.
    """
    free = free_memory(device)
    held = torch.cuda.memory_reserved(device) if device.type == "cuda" else _resident()
    return None if free is None else held + SPARE * free / sharing


def free_memory(device: torch.device) -> float | None:
    """Bytes that can still be used on the device, or None where that cannot be told."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    limits = (_free_in_container(), _free_in_address_space())
    free = [psutil.virtual_memory().available, *(left for left in limits if left is not None)]
    return float(min(free))


def _free_in_address_space() -> int | None:
    """What a limit of the process (`ulimit -v`) leaves; None: there is no such limit."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    return max(0, limit - psutil.Process().memory_info().vms)


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


def _resident() -> int:
    """Bytes of this process that are in the memory."""
    return psutil.Process().memory_info().rss


# --- what was not enough ---------------------------------------------------------------------

TOO_LITTLE = (
    *("out of memory", "not enough memory", "allocate memory", "bad_alloc"),
    *("alloc_failed", "allocation_failed"),  # of cuBLAS and cuDNN
    # oneDNN: no memory for its machine code, its scratch or a reordered tensor
    *("could not create a primitive", "could not create a memory", "could not execute a primitive"),
    "failed to map segment",  # of the loader of shared libraries
)
WITHOUT_WORDS = ("without setting an exception", "without exception set")  # of CPython


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that there was not enough memory, on any device.

    Few libraries say so by MemoryError. One that finds no memory for the exception itself leaves
    CPython with a SystemError of no content.
    """
    if isinstance(error, MemoryError):
        return True
    message = str(error).lower()
    if isinstance(error, SystemError):
        return any(words in message for words in WITHOUT_WORDS)
    return any(words in message for words in TOO_LITTLE)
