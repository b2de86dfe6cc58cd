import io

import numpy as np
import pytest
from PIL import Image
from traitlets import TraitError

from nst_tutorial import plots
from nst_tutorial.widgets.components import Picture
from nst_tutorial.widgets.drawings import drawn
from nst_tutorial.widgets.explorers.controls import choice, numbers, span_of, steps_of, tick
from nst_tutorial.widgets.explorers.explorer import Answer, Explorer, kept


def line(value):
    return drawn(plots.lines({"y": ([0, 1], [value, 2 * value])}, "t", "x", "y"))


def photograph(height, width):
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "JPEG")
    return Picture(buffer.getvalue(), alt=f"{width} wide")


def an_explorer(answer, **options):
    controls = {
        "n": steps_of((1, 2, 3), 1, "number", "tip"),
        "word": choice(("a", "b"), "a", "w", "t"),
    }
    what = "the test explorer: this and that"
    return Explorer(what, controls, answer, ("50%", "50%"), **options)


def test_each_control_asks_anew():
    asked = []

    def answer(n, word):
        asked.append((n, word))
        return Answer((line(n), line(1)), f"{n} {word}")

    explorer = an_explorer(answer)
    before = explorer.pictures[0]
    assert before.light[:4] == b"\x89PNG"
    explorer.controls["n"].value = 3
    assert explorer.pictures[0] != before
    assert explorer.row.pictures[0]["light"] == explorer.pictures[0].light
    explorer.controls["word"].value = "b"
    assert explorer.words.value == "3 b"
    assert asked == [(1, "a"), (3, "a"), (3, "b")]


def test_several_controls_can_be_set_for_one_answer():
    asked = []
    explorer = an_explorer(lambda n, word: asked.append((n, word)) or Answer((), f"{n} {word}"))
    explorer.set(n=2, word="b")
    assert asked == [(1, "a"), (2, "b")]
    with pytest.raises(KeyError):
        explorer.set(n=3, nothing=1)
    explorer.controls["word"].value = "a"  # it still listens
    assert explorer.words.value == "3 a"


def test_errors_are_shown_in_words_and_the_next_answer_recovers():
    def answer(n, word):
        if n == 2:
            raise ValueError("n = 2 is <odd>")
        if n == 3:
            raise KeyError("lost")
        return Answer((line(n),), "fine")

    explorer = an_explorer(answer)
    assert len(explorer.pictures) == len(explorer.row.pictures) == 1
    explorer.controls["n"].value = 2
    assert explorer.words.value == "<b>This cannot be shown:</b> n = 2 is &lt;odd&gt;"
    assert isinstance(explorer.error, ValueError)
    assert explorer.pictures == ()
    assert explorer.row.pictures == []  # not the picture before
    assert explorer.row.layout.display == "none"
    explorer.controls["n"].value = 3
    assert "KeyError" in explorer.words.value
    explorer.controls["n"].value = 1
    assert (explorer.words.value, explorer.error) == ("fine", None)
    assert explorer.row.layout.display is None


def test_two_pictures_are_compared_in_one_place_and_the_divider_stays_where_it_was():
    def answer(n, word):
        if word == "b":
            return Answer((), "none")
        return Answer((photograph(20, 30), photograph(10 * n, 50), line(n)), "three")

    explorer = an_explorer(answer, compares=True)
    view, row = explorer.view, explorer.row
    assert (view.position, view.layout.display) == (50, None)
    explorer.view.position = 20.0
    explorer.controls["n"].value = 2
    assert (view.width, view.height, view.position) == (50, 20, 20)
    assert (view.alt_before, view.alt_after) == ("30 wide", "50 wide")
    assert (view.before, view.after) == tuple(p.light for p in explorer.pictures[:2])
    assert [p["light"] for p in row.pictures] == [explorer.pictures[2].light]
    explorer.controls["word"].value = "b"
    assert (view.layout.display, row.layout.display) == ("none", "none")
    assert explorer.pictures == ()


def test_an_explorer_that_compares_nothing_shows_no_divider():
    explorer = an_explorer(lambda n, word: Answer((line(n), line(n + 1)), ""))
    assert explorer.view is None
    assert len(explorer.row.pictures) == 2


def test_drawings_bring_their_text_and_a_file_for_dark_pages():
    shown = line(1)
    assert "y" in shown.alt
    light, dark = (
        np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"), int)
        for data in (shown.light, shown.dark)
    )
    assert light.shape == dark.shape
    assert (light[0, 0] == 255).all()
    assert dark[0, 0, 3] == 0  # no paper


def test_it_says_what_it_is_without_a_kernel():
    explorer = an_explorer(lambda n, word: Answer((), ""))
    assert repr(explorer) == "(the test explorer: this and that; it moves while a kernel runs)"


def test_controls_wait_until_they_are_let_go_and_have_a_label_and_a_tip():
    slider = span_of(0, 1, 0.25, 0.5, "how much", "a tip")
    for control in (slider, steps_of((1, 2), 1, "s", "a tip"), tick(True, "on", "a tip")):
        assert control.description
        assert getattr(control, "continuous", False) is False
        name = "tooltip" if control.has_trait("tooltip") else "description_tooltip"
        assert getattr(control, name) == "a tip"
    with pytest.raises(TraitError, match=r"s: 3 is none of \(1, 2\)"):
        steps_of((1, 2), 3, "s", "t")


def test_numbers_are_those_that_are_read():
    """0.1 + 0.1 + 0.1 is not 0.3, but the mark that reads so is."""
    marks = numbers(0.1, 1.0, 0.05, 2)
    assert [value for _, value in marks] == [float(label) for label, _ in marks]
    assert marks[0] == ("0.10", 0.1)
    assert marks[-1] == ("1.00", 1.0)
    assert len(marks) == 19


def test_an_answer_is_drawn_once(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE", str(tmp_path))
    drawn = []

    def make():
        drawn.append(1)
        photo = Picture(b"\xff\xd8 a JPEG", alt="é")
        return Answer((line(1), photo), "σ = 3 <b>words</b>")

    first, again = kept("test", {"n": 1}, make), kept("test", {"n": 1}, make)
    assert drawn == [1]
    assert first == again
    assert again.words == "σ = 3 <b>words</b>"
    assert again.pictures[1] == Picture(b"\xff\xd8 a JPEG", b"", "é")
    assert again.pictures[0].dark not in (b"", again.pictures[0].light)
