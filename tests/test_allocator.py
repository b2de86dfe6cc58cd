"""Threads that keep freed memory as the main thread does."""

import ctypes
import sys
import threading

import pytest

from nst_tutorial import allocator


def glibc():
    try:
        return ctypes.CDLL("libc.so.6")
    except OSError:
        return None


needs_glibc = pytest.mark.skipif(
    sys.platform != "linux" or glibc() is None, reason="there are arenas in glibc only"
)


@pytest.fixture
def others():
    """Threads with memory of their own, as a notebook's kernel has."""
    over = threading.Event()
    found = []

    def work():
        found.append(allocator._in_main_arena())
        over.wait()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    yield found
    over.set()
    for thread in threads:
        thread.join()


@needs_glibc
def test_the_main_thread_has_the_main_arena_and_a_started_one_too(others):
    assert allocator._in_main_arena()
    seen = []
    for _ in range(5):
        allocator.start_thread(lambda: seen.append(allocator._in_main_arena()), "work").join(10)
    assert seen == [True] * 5


@needs_glibc
def test_threads_that_were_only_tried_are_gone(others):
    before = threading.active_count()
    allocator.start_thread(lambda: None, "work").join(10)
    for thread in threading.enumerate():
        if thread.name == "work":
            thread.join(10)
    assert threading.active_count() == before


def test_elsewhere_it_is_a_thread_as_any(monkeypatch):
    monkeypatch.setattr(allocator, "keep_freed_memory", lambda: False)
    seen = []
    thread = allocator.start_thread(lambda: seen.append(threading.current_thread()), "work")
    thread.join(10)
    assert seen == [thread]
    assert (thread.name, thread.daemon) == ("work", True)
