"""A background thread that computes as fast as the main thread would."""

from __future__ import annotations

import ctypes
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path

_SOFT = 1  # of OpenMP's omp_pause_resource_t: settings are kept


def start_thread(target: Callable[[], None], name: str) -> threading.Thread:
    """Start a daemon thread for a long computation. Whoever asks for it should compute little more.

    See `dismiss_team` for what would make it slower than the thread that starts it.
    """
    dismiss_team()
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread


def dismiss_team() -> bool:
    """End the threads that help this one to compute; return whether there was a way to do so.

    GNU's OpenMP, which torch uses on Linux, has a team of threads for each thread that ever
    computed, until that thread ends. As soon as there are more of them than cores, idle ones
    counted, the members of every team fall asleep after each operation instead of waiting for the
    next one for a moment, which costs a seventh of an evaluation on a machine that is idle
    otherwise. (On a busy one waiting costs more than sleep.) This thread's next operation on a
    large tensor gathers a new team. Teams of other threads are not touched (so it is in GNU's
    library; the standard would allow more), and within an operation nothing is done.
    """
    results = [library.omp_pause_resource_all(_SOFT) for library in _gnu_openmp()]
    return bool(results) and not any(results)


def _gnu_openmp() -> list[ctypes.CDLL]:
    """All copies of the library that this process has loaded; those before OpenMP 5 left out."""
    if sys.platform != "linux":
        return []
    try:
        files = Path("/proc/self/maps").read_text(errors="replace")
        paths = set(re.findall(r" (/.*/libgomp[^/\n]*)$", files, flags=re.MULTILINE))
        libraries = [ctypes.CDLL(path) for path in sorted(paths)]
    except OSError:  # not readable, or a file that was replaced while it was in use
        return []
    return [library for library in libraries if hasattr(library, "omp_pause_resource_all")]
