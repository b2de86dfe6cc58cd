"""Keep freed memory for the next tensor instead of giving it back to the system.

glibc returns every large freed block at once, and the system clears each page anew when it is
handed out again: on a CPU a good part of the time of each evaluation. With higher thresholds the
freed blocks stay with the process.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import lru_cache

VARIABLE = "NST_ALLOCATOR"  # "system" leaves the allocator as it is
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4  # numbers of glibc's malloc.h


@lru_cache(maxsize=1)
def keep_freed_memory() -> bool:
    """Raise glibc's thresholds once for this process; return whether that was done.

    Only on Linux with glibc, and not if the environment variable NST_ALLOCATOR is "system". The
    process then keeps the most memory it ever used until it ends.
    """
    if sys.platform != "linux" or os.environ.get(VARIABLE) == "system":
        return False
    try:
        mallopt = glibc().mallopt
    except (OSError, AttributeError):  # another C library, such as musl
        return False
    most = 2**31 - 1
    # An old glibc takes no threshold over 32 MB, but a number of such blocks: none.
    own = mallopt(_MMAP_THRESHOLD, most) or mallopt(_MMAP_MAX, 0)
    return bool(own and mallopt(_TRIM_THRESHOLD, most))


def glibc() -> ctypes.CDLL:
    """The C library; OSError where it is another one."""
    return ctypes.CDLL("libc.so.6")
