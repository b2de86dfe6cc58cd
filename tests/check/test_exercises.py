"""Every exercise that checks itself: its stub is not yet, its solution is right."""

import json
import math
import re
from pathlib import Path

import pytest
import torch

import nst_tutorial as nst
from nst_tutorial.check.exercise import NOT_YET, RIGHT
from nst_tutorial.cli.course import SOLUTION

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
CALL = re.compile(r"^check\.(?!claim\b|sized\b|quiz\b)(\w+)\(", flags=re.M)


def exercises():
    """(notebook, code of the stub, code of its solution) for each cell that calls a check."""
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text())["cells"]
        for i, cell in enumerate(cells):
            source = "".join(cell["source"])
            if cell["cell_type"] != "code" or not CALL.search(source):
                continue
            behind = next(("".join(c["source"]) for c in cells[i + 1 :]
                           if c["cell_type"] == "markdown"), "")  # fmt: skip
            solution = re.search(
                r"<details><summary>Solution</summary>.*?```python\n(.*?)```", behind, flags=re.S
            )
            name = CALL.search(source)[1]
            yield pytest.param(source, solution and solution[1], id=f"{path.stem}-{name}")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_solution_shares_its_cell_with_nothing(path):
    """Students get the course without the cells that begin with a solution, so with all in them."""
    for cell in json.loads(path.read_text())["cells"]:
        source = "".join(cell["source"])
        if source.startswith(SOLUTION):
            assert source.rstrip().endswith("</details>"), cell["id"]
            assert source.count("<details>") == 1, cell["id"]


@pytest.mark.parametrize(("stub", "solution"), list(exercises()))
def test_stubs_are_not_yet_and_solutions_are_right(stub, solution, capsys):
    names = {"torch": torch, "nst": nst, "math": math, "check": nst.check, "F": torch.nn.functional}
    exec(stub, names)
    assert capsys.readouterr().out == f"{NOT_YET}\n"
    assert solution, "a collapsed solution must follow"
    exec(solution, names)
    for line in re.findall(r"^check\..*$", stub, flags=re.M):
        exec(line, names)
    assert capsys.readouterr().out.startswith(RIGHT)
