"""Background threads: their memory, and the threads that help them."""

import ctypes
import sys
import threading
from pathlib import Path

import pytest
import torch

from nst_tutorial.machine import malloc as allocator
from nst_tutorial.machine import openmp as threads


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
        found.append(threads.in_main_arena())
        over.wait()

    started = [threading.Thread(target=work) for _ in range(6)]
    for thread in started:
        thread.start()
    yield found
    over.set()
    for thread in started:
        thread.join()


@needs_glibc
def test_the_main_thread_has_the_main_arena_and_a_started_one_too(others):
    assert threads.in_main_arena()
    seen = []
    for _ in range(5):
        threads.start_thread(lambda: seen.append(threads.in_main_arena()), "work").join(10)
    assert seen == [True] * 5


@needs_glibc
def test_threads_that_were_only_tried_are_gone(others):
    before = threading.active_count()
    threads.start_thread(lambda: None, "work").join(10)
    for thread in threading.enumerate():
        if thread.name == "work":
            thread.join(10)
    assert threading.active_count() == before


def test_elsewhere_it_is_a_thread_as_any(monkeypatch):
    monkeypatch.setattr(threads, "keep_freed_memory", lambda: False)
    seen = []
    thread = threads.start_thread(lambda: seen.append(threading.current_thread()), "work")
    thread.join(10)
    assert seen == [thread]
    assert (thread.name, thread.daemon) == ("work", True)


def threads_of_the_process() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


@pytest.mark.skipif(not threads._gnu_openmp(), reason="torch has another OpenMP here")
def test_a_team_is_dismissed_and_gathers_again(monkeypatch):
    monkeypatch.setattr(threads, "keep_freed_memory", lambda: False)  # so that one is started
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    large = torch.rand(3_000_000)
    try:
        expected = large.exp()
        assert threads.dismiss_team()
        alone = threads_of_the_process()
        assert large.exp().equal(expected)
        assert threads_of_the_process() == alone + 2
        seen = []
        threads.start_thread(lambda: seen.append(threads_of_the_process()), "work").join(10)
        assert seen == [alone + 1]
    finally:
        torch.set_num_threads(before)


def test_where_there_is_no_team_to_dismiss(monkeypatch):
    monkeypatch.setattr(threads, "_gnu_openmp", list)
    assert not threads.dismiss_team()


def test_a_library_that_was_replaced_meanwhile_does_no_harm(monkeypatch):
    line = "7f0000000000-7f0000001000 r-xp 00000000 00:00 1    /gone/libgomp.so.1 (deleted)\n"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: line)
    monkeypatch.setattr(threads.sys, "platform", "linux")
    assert threads._gnu_openmp() == []
    assert not threads.dismiss_team()


def test_an_error_before_the_work_leaves_nobody_waiting(monkeypatch):
    def broken():
        raise RuntimeError("no memory")

    monkeypatch.setattr(threads, "in_main_arena", broken)
    monkeypatch.setattr(threads, "_MOST_TRIES", 3)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    done = threading.Event()
    asking = threading.Thread(target=lambda: threads.start_thread(done.set, "work"), daemon=True)
    asking.start()
    assert done.wait(10)
    asking.join(10)
    assert not asking.is_alive()


@pytest.mark.parametrize(("refuses", "kept"), [((), True), ((-3,), True), ((-3, -4), False)])
def test_an_old_glibc_is_told_in_another_way(monkeypatch, refuses, kept):
    """It refuses a threshold (-3) over 32 MB; that no block is mapped (-4) does the same."""
    asked = []

    class Old:
        @staticmethod
        def mallopt(number, value):
            asked.append((number, value))
            return int(number not in refuses)

    monkeypatch.setattr(allocator, "glibc", Old)
    monkeypatch.setattr(allocator.sys, "platform", "linux")
    monkeypatch.delenv(allocator.VARIABLE, raising=False)
    assert allocator.keep_freed_memory.__wrapped__() is kept
    assert ((-4, 0) in asked) == (-3 in refuses)
