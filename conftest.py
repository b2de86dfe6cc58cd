"""How tests and notebooks share two processes.

Beside `tests` and not in it, because `pytest notebooks` reads this file, too.
"""

import os

import pytest

os.environ.setdefault("NST_FAST", "1")  # notebooks: small sizes and few steps
os.environ.setdefault("MPLBACKEND", "agg")
if "PYTEST_XDIST_WORKER" in os.environ:  # before torch is loaded: one thread a process
    os.environ.setdefault("OMP_NUM_THREADS", "1")

WHOLE_MACHINE = pytest.mark.xdist_group("whole_machine")  # one at a time: threads, memory, ports


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """The cells of a notebook stay in order, and what fills the machine does not meet its like."""
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker(pytest.mark.xdist_group(item.path.name))
        elif item.get_closest_marker("browser") or item.get_closest_marker("cluster"):
            item.add_marker(WHOLE_MACHINE)
