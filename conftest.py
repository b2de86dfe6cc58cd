"""How tests and notebooks share two processes.

Beside `tests` and not in it, because `pytest notebooks` reads this file, too.
"""

import os

import pytest
from xdist.scheduler import LoadGroupScheduling

os.environ.setdefault("NST_FAST", "1")  # notebooks: small sizes and few steps
os.environ.setdefault("MPLBACKEND", "agg")
if "PYTEST_XDIST_WORKER" in os.environ:  # before torch is loaded: one thread a process
    os.environ.setdefault("OMP_NUM_THREADS", "1")


class Groups(LoadGroupScheduling):
    """The groups of `xdist_group`, and the cells of a notebook in one process, in their order.

    A mark would not do for cells: nbval's have names of their own, to which no group is added.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::")[0]
        return path if path.endswith(".ipynb") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    return Groups(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """What opens ports and starts servers does so one at a time."""
    for item in items:
        if item.get_closest_marker("browser") or item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.xdist_group("whole_machine"))
