"""How tests and notebooks share two processes.

Beside `tests` and not in it, because `pytest notebooks` reads this file, too.
"""

import os

from xdist.scheduler import LoadFileScheduling

os.environ.setdefault("NST_FAST", "1")  # notebooks: small sizes and few steps
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("NST_CONVOLUTIONS", "winograd")  # the same digits on every machine
if "PYTEST_XDIST_WORKER" in os.environ:  # before torch is loaded: one thread a process
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# What has many threads, measures memory or starts servers: one at a time
WHOLE_MACHINE = (
    "tests/batch/test_dask.py",
    "tests/cli/test_web_server.py",
    "tests/machine/test_openmp.py",
    "tests/plots/test_browser_figures.py",
    "tests/test_moving.py",
    "tests/test_site.py",
    "tests/test_wheel.py",
    "tests/tiling/test_planning.py",
    "tests/widgets/test_browser_explorers.py",
    "tests/widgets/test_browser_studio.py",
    "tests/widgets/test_browser_votes.py",
)


class Files(LoadFileScheduling):
    """A file stays in one process, so that the cells of a notebook keep their order.

    By name and not by xdist's marks, which do not reach the scheduler with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "the whole machine" if file in WHOLE_MACHINE else file


def pytest_xdist_make_scheduler(config, log):
    return Files(config, log) if config.getvalue("dist") == "loadfile" else None
