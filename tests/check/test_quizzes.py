"""The quizzes: letters are judged one by one, and what a notebook offers can be answered."""

import json
import re
from pathlib import Path

import pytest

import nst_tutorial as nst
from nst_tutorial import check
from nst_tutorial.check.quizzes import LETTERS

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
WRONG = "not right: think again, then unfold the answer"


def quizzes():
    """(number of the notebook, source of the cell, what it printed) for each quiz."""
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text())["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and re.match(r"(nst\.)?check\.quiz\(", source):
                printed = "".join("".join(output["text"]) for output in cell["outputs"])
                yield pytest.param(path.stem.partition("_")[0], source, printed, id=path.stem)


def test_each_answer_is_judged_by_itself(capsys):
    check.quiz("05", "A", "z", ..., " c ", 7)
    assert capsys.readouterr().out.splitlines() == [
        "1. ✔ right",
        f"2. {WRONG}",
        "3. not yet",
        "4. ✔ right",
        '5. a letter is wanted, such as "a", not 7',
    ]


@pytest.mark.parametrize("notebook", LETTERS)
def test_the_right_letters_are_right_and_no_others(notebook, capsys):
    right = LETTERS[notebook]
    check.quiz(notebook, *right)
    assert capsys.readouterr().out.count("✔ right") == len(right) == 5
    check.quiz(notebook, *("b" if letter == "a" else "a" for letter in right))
    assert capsys.readouterr().out.count(WRONG) == 5


def test_what_is_no_quiz_is_said():
    with pytest.raises(ValueError, match="there is no quiz '99'; there are 00, 01"):
        check.quiz("99", "a")
    with pytest.raises(ValueError, match="the quiz has 5 questions, but 2 answers came"):
        check.quiz("05", "a", "b")


def test_every_quiz_is_in_its_notebook():
    assert [parameters.values[0] for parameters in quizzes()] == list(LETTERS)


@pytest.mark.parametrize(("notebook", "source", "printed"), list(quizzes()))
def test_a_notebook_offers_the_right_letter_for_each_question(notebook, source, printed, capsys):
    exec(source, {"check": check, "nst": nst})
    assert capsys.readouterr().out == printed
    assert printed == "not yet: replace the ... above with your letters, and run this cell again\n"
    offered = re.findall(r"^    \.\.\.,  # (\d): (.*)$", source, flags=re.M)
    assert [number for number, _ in offered] == ["1", "2", "3", "4", "5"]
    for (_, choices), letter in zip(offered, LETTERS[notebook], strict=True):
        letters = re.findall(r"\b([a-d])\) ", choices)
        assert letters == list("abcd"[: len(letters)])
        assert len(letters) >= 2
        assert letter in letters
