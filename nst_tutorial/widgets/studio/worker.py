"""A style transfer in a background thread, to be watched, paused and stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...machine.openmp import start_thread
from ...optimize.loop import Callback, Progress
from ...optimize.result import Result


class Job:
    """One call of `stylize` (or of anything that takes its callback) in a thread of its own.

    The callback does next to nothing: it notes where the optimisation stands, and waits there while
    the job is paused. Whoever wants to show the picture looks at `latest` when it likes. (torch has
    one grad mode and one number of threads for each thread; both are set anew in ours, so the
    picture is that of a call in the main thread, bit for bit.)

    Parameters
    ----------
    work
        Called with the callback; what it returns is `result`, what it raises is `error`.
    """

    def __init__(self, work: Callable[[Callback], Result]):
        self.history: list[dict] = []  # one row an evaluation, as in a Result
        self.latest: Progress | None = None
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.waiting = False  # paused, and the evaluation that was being worked on is over
        self.seconds_paused = 0.0
        self._work = work
        self._go, self._stop = threading.Event(), threading.Event()
        self._order = threading.Lock()  # between pause and stop, from whatever threads they come
        self._news, self._done = threading.Event(), threading.Event()
        self._go.set()

    def start(self) -> None:
        start_thread(self._run, "stylize")

    @property
    def done(self) -> bool:
        return self._done.is_set()

    @property
    def paused(self) -> bool:
        return not self._go.is_set()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def pause(self) -> None:
        """Wait after the evaluation that is being worked on, until `resume` or `stop`.

        After `stop` it does nothing: a job that ends cannot be held, since nobody would resume it.
        """
        with self._order:
            if not self.stopping:
                self._go.clear()

    def resume(self) -> None:
        self._go.set()

    def stop(self) -> None:
        """End after the evaluation that is being worked on, also out of a pause."""
        with self._order:
            self._stop.set()
            self._go.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; return whether it has come."""
        return self._done.wait(seconds)

    def wait_for_news(self, seconds: float) -> None:
        """Wait for an evaluation that was not waited for yet, for the end, or `seconds` seconds."""
        self._news.wait(seconds)
        self._news.clear()

    def callback(self, progress: Progress) -> bool:
        """Note where the optimisation stands; wait while paused; return whether to stop."""
        row = {"evaluation": progress.evaluation, "size": max(progress.size)}
        self.history.append({**row, "total": progress.total, **progress.terms})
        self.latest = progress
        self._news.set()
        if self.paused:
            begin = time.monotonic()
            self.waiting = True
            self._go.wait()
            self.waiting = False
            self.seconds_paused += time.monotonic() - begin
        return self.stopping

    def _run(self) -> None:
        try:
            self.result = self._work(self.callback)
        except BaseException as error:  # to be shown: nobody catches what a thread raises
            self.error = error
        finally:
            self._done.set()
            self._news.set()


class Pace:
    """When something may be done again that takes time from the optimisation.

    Not sooner than `seconds` after the last time, and so rarely that it takes no more than `share`
    of the time.
    """

    def __init__(self, seconds: float, share: float):
        self.seconds, self.share, self._next = seconds, share, 0.0

    @property
    def due(self) -> bool:
        return time.monotonic() >= self._next

    @contextmanager
    def once(self) -> Iterator[None]:
        """Do it in this block."""
        begin = time.monotonic()
        yield
        taken = time.monotonic() - begin
        self._next = begin + max(self.seconds, taken / self.share)
