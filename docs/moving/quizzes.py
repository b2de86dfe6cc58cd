"""Quizzes and exercises of the notebooks whose answers are choices or numbers, judged in the page.

Of a quiz the page holds a digest for each right letter and not the letter, so that it cannot be
read off by the way.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from .answers import write_json

EXERCISES = {
    "blind_spot": ("04_kernels", "[[1, 2], [0, 1]]"),
    "skewed_pair": ("12_beyond_gram", "[1, 2, 3]"),
}
"""Checks whose answers are numbers, which the page has the rules of: the notebook, an example."""

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
CALL = "check.quiz("
QUESTION = re.compile(r"^\s*\.\.\.,\s+# (\d+): (.*)$", flags=re.M)
CHOICE = re.compile(r"(?:^|\s+)([a-z])\) ")
PREDICTION = "> **Predict"


def cells(path: Path, kind: str) -> Iterator[str]:
    """The sources of a notebook's cells of one kind, "code" or "markdown"."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == kind:
            yield "".join(cell["source"])


def quizzes(folder: Path = NOTEBOOKS) -> dict[str, str]:
    """Notebook → the source of the cell with its quiz."""
    return {
        path.stem: source
        for path in sorted(folder.glob("*.ipynb"))
        for source in cells(path, "code")
        if CALL in source
    }


def with_predictions(folder: Path = NOTEBOOKS) -> list[str]:
    """The notebooks that ask for predictions."""
    paths = sorted(folder.glob("*.ipynb"))
    return [p.stem for p in paths if any(PREDICTION in source for source in cells(p, "markdown"))]


def number_of(source: str) -> str:
    """The quiz that a cell calls for: the first argument of `check.quiz`."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    quiz = next(call for call in calls if ast.unparse(call.func).endswith(CALL.rstrip("(")))
    return ast.literal_eval(quiz.args[0])


def questions(source: str) -> list[list[tuple[str, str]]]:
    """For each question of a cell its choices: a letter, and what it stands for."""
    return [
        list(zip(*[iter(CHOICE.split(text)[1:])] * 2, strict=True))
        for _, text in QUESTION.findall(source)
    ]


def digest(number: str, question: int, letter: str) -> str:
    """Of a letter as the answer to a question, counted from 1."""
    return hashlib.sha256(f"{number}/{question}/{letter}".encode()).hexdigest()


def write_quiz(source: str, letters: str, folder: Path) -> None:
    """Write the quiz of a cell.

    Raises
    ------
    ValueError
        A question without choices, or whose right letter is not among them.
    """
    number, asked = number_of(source), questions(source)
    rows = []
    if len(asked) != len(letters):
        raise ValueError(f"quiz {number}: {len(asked)} questions, but {len(letters)} answers")
    for i, (choices, letter) in enumerate(zip(asked, letters, strict=True), start=1):
        if letter not in dict(choices):
            raise ValueError(f"quiz {number}, question {i}: {letter!r} is none of its choices")
        rows.append({"choices": [list(c) for c in choices], "right": digest(number, i, letter)})
    write_json(folder / "explorer.json", {"kind": "quiz", "number": number, "questions": rows})


def write_exercise(name: str, folder: Path) -> None:
    """Write one of `EXERCISES`: the page has its rule, and needs its name."""
    _, example = EXERCISES[name]
    write_json(folder / "explorer.json", {"kind": "exercise", "rule": name, "example": example})
