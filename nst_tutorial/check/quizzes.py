"""The quizzes at the end of notebooks: questions in the text, a letter for each answer."""

from __future__ import annotations

from .exercise import NOT_YET, RIGHT

# Notebook → the right letters, in the order of the questions
LETTERS = {
    "00": "bacba",
    "01": "cbacb",
    "02": "bacbc",
    "03": "acbba",
    "04": "cabba",
    "05": "abbcb",
    "06": "abcba",
    "07": "bcabc",
    "08": "abcba",
    "08b": "bacba",
    "09": "bacba",
    "10": "abbaa",
    "11": "bcabc",
    "12": "acbab",
}


def quiz(notebook: str, *answers: object) -> None:
    """Print which answers to the quiz of a notebook are right; `...` stands for none yet.

    Parameters
    ----------
    notebook
        The number before its name: "05".
    answers
        A letter for each question, in their order.

    Raises
    ------
    ValueError
        There is no such quiz, or it has not so many questions.
    """
    right = LETTERS.get(notebook)
    if right is None:
        raise ValueError(f"there is no quiz {notebook!r}; there are {', '.join(LETTERS)}")
    if len(answers) != len(right):
        raise ValueError(f"the quiz has {len(right)} questions, but {len(answers)} answers came")
    if all(answer is ... for answer in answers):
        print(NOT_YET.replace("your answer", "your letters"))
        return
    for number, (answer, letter) in enumerate(zip(answers, right, strict=True), start=1):
        print(f"{number}. {_verdict(answer, letter)}")


def _verdict(answer: object, letter: str) -> str:
    if answer is ...:
        return "not yet"
    if not isinstance(answer, str) or len(answer.strip()) != 1:
        return f'a letter is wanted, such as "a", not {answer!r}'
    if answer.strip().lower() == letter:
        return RIGHT
    return "not right: think again, then unfold the answer"
