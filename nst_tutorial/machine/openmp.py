"""A background thread that computes as fast as the main thread would."""

from __future__ import annotations

import ctypes
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from .malloc import glibc, keep_freed_memory

_ARENA_MAX = -8  # number of glibc's malloc.h
_NOT_MAIN = 4  # a bit in the word before each block of glibc: it is not from the main arena
_MOST_TRIES = 200  # threads; more arenas than that there are on large machines only
_SOFT = 1  # of OpenMP's omp_pause_resource_t: settings are kept


def start_thread(target: Callable[[], None], name: str) -> threading.Thread:
    """Start a daemon thread for a long computation. Whoever asks for it should compute little more.

    Two things would make it slower than the thread that starts it.

    Memory: glibc gives each new thread one of several arenas. Only the main one can keep large
    blocks: in the others a block over 64 MB is new memory each time. Where no new arenas are
    allowed, from then on and in the whole process, glibc hands out the old ones in turn; a thread
    that got another one waits until one has got the main one. (A process that has many threads
    already, may go on making arenas. Then the last thread tried takes what it got.)

    Helpers: see `dismiss_team`.
    """
    dismiss_team()
    chosen, over = threading.Event(), threading.Event()

    def begin(seen: threading.Event, last: bool) -> None:
        mine = last
        try:
            mine = mine or in_main_arena()
        finally:
            if mine:
                chosen.set()
            seen.set()
        if mine:
            target()
        else:
            over.wait()

    tries = _MOST_TRIES if keep_freed_memory() and glibc().mallopt(_ARENA_MAX, 1) else 1
    try:
        for number in range(1, tries + 1):
            seen = threading.Event()
            thread = threading.Thread(
                target=begin, args=(seen, number == tries), name=name, daemon=True
            )
            thread.start()
            seen.wait()
            if chosen.is_set():
                break
    finally:
        over.set()
    return thread


def in_main_arena() -> bool:
    """Whether the memory of the thread that asks comes from glibc's main arena."""
    library = glibc()
    library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    block = library.malloc(5000)  # more than a thread keeps for itself
    word = ctypes.c_size_t.from_address(block - ctypes.sizeof(ctypes.c_size_t)).value
    library.free(block)
    return not word & _NOT_MAIN


def dismiss_team() -> bool:
    """End the threads that help this one to compute; return whether there was a way to do so.

    GNU's OpenMP, which torch uses on Linux, has a team of threads for each thread that ever
    computed, until that thread ends. As soon as there are more of them than cores, idle ones
    counted, the members of every team fall asleep after each operation instead of waiting for the
    next one for a moment, which costs a fifth of an evaluation. This thread's next operation on a
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
