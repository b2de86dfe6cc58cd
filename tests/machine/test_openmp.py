"""Background threads, the threads that help them, and freed memory."""

import threading
from pathlib import Path

import pytest
import torch

from nst_tutorial.machine import malloc as allocator
from nst_tutorial.machine import openmp as threads


def test_a_thread_of_its_own_that_ends_with_the_program():
    seen = []
    thread = threads.start_thread(lambda: seen.append(threading.current_thread()), "work")
    thread.join(10)
    assert seen == [thread]
    assert (thread.name, thread.daemon) == ("work", True)


def threads_of_the_process() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


@pytest.mark.skipif(not threads._gnu_openmp(), reason="torch has another OpenMP here")
def test_a_team_is_dismissed_and_gathers_again():
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
