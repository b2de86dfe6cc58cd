"""Keep freed memory for the next tensor instead of giving it back to the system.

glibc returns every large freed block at once, and the system clears each page anew when it is
handed out again: on a CPU a good part of the time of each evaluation. With higher thresholds the
freed blocks stay with the process.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from functools import lru_cache

VARIABLE = "NST_ALLOCATOR"  # "system" leaves the allocator as it is
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # numbers of glibc's malloc.h
_NOT_MAIN = 4  # a bit in the word before each block of glibc: it is not from the main arena
_MOST_TRIES = 200  # threads; a computer has eight arenas for each core at most


@lru_cache(maxsize=1)
def keep_freed_memory() -> bool:
    """Raise glibc's thresholds once for this process; return whether that was done.

    Only on Linux with glibc, and not if the environment variable NST_ALLOCATOR is "system". The
    process then keeps the most memory it ever used until it ends.
    """
    if sys.platform != "linux" or os.environ.get(VARIABLE) == "system":
        return False
    try:
        mallopt = _glibc().mallopt
    except (OSError, AttributeError):  # another C library, such as musl
        return False
    most = 2**31 - 1
    return bool(mallopt(_MMAP_THRESHOLD, most) and mallopt(_TRIM_THRESHOLD, most))


def start_thread(target: Callable[[], None], name: str) -> threading.Thread:
    """Start a daemon thread that keeps freed memory as the main thread does.

    glibc gives each new thread one of several arenas. Only the main one can keep large blocks: in
    the others a block over 64 MB is new memory each time. With no new arenas allowed, glibc hands
    out the old ones in turn; a thread that got another one waits until one has got the main one.
    """
    chosen, over = threading.Event(), threading.Event()

    def begin(seen: threading.Event, last: bool) -> None:
        mine = last or _in_main_arena()
        if mine:
            chosen.set()
        seen.set()
        if mine:
            target()
        else:
            over.wait()

    tries = _MOST_TRIES if keep_freed_memory() and _glibc().mallopt(_ARENA_MAX, 1) else 1
    for number in range(1, tries + 1):
        seen = threading.Event()
        thread = threading.Thread(
            target=begin, args=(seen, number == tries), name=name, daemon=True
        )
        thread.start()
        seen.wait()
        if chosen.is_set():
            break
    over.set()
    return thread


def _glibc() -> ctypes.CDLL:
    return ctypes.CDLL("libc.so.6")


def _in_main_arena() -> bool:
    """Whether the memory of the thread that asks comes from the main arena."""
    glibc = _glibc()
    glibc.malloc.restype, glibc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    block = glibc.malloc(5000)  # more than a thread keeps for itself
    word = ctypes.c_size_t.from_address(block - ctypes.sizeof(ctypes.c_size_t)).value
    glibc.free(block)
    return not word & _NOT_MAIN
