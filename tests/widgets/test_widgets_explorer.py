import ipywidgets
import pytest

from nst_tutorial import plots
from nst_tutorial.widgets.explorers.explorer import (
    Answer,
    Explorer,
    choice,
    kept,
    labelled,
    steps_of,
    tick,
)


def line(value):
    return plots.to_bytes(plots.lines({"y": ([0, 1], [value, 2 * value])}, "t", "x", "y"))


def an_explorer(answer):
    controls = {
        "n": steps_of((1, 2, 3), 1, "number", "tip"),
        "word": choice(("a", "b"), "a", "w", "t"),
    }
    return Explorer("the test explorer: this and that", controls, answer, ("50%", "50%"))


def test_each_control_asks_anew():
    asked = []

    def answer(n, word):
        asked.append((n, word))
        return Answer((line(n), line(1)), f"{n} {word}")

    explorer = an_explorer(answer)
    before = explorer.pictures[0].value
    assert before[:4] == b"\x89PNG"
    explorer.controls["n"].value = 3
    assert explorer.pictures[0].value != before
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
    assert [p.layout.display for p in explorer.pictures] == [None, "none"]
    explorer.controls["n"].value = 2
    assert explorer.words.value == "<b>This cannot be shown:</b> n = 2 is &lt;odd&gt;"
    assert isinstance(explorer.error, ValueError)
    assert {p.layout.display for p in explorer.pictures} == {"none"}  # not the picture before
    explorer.controls["n"].value = 3
    assert "KeyError" in explorer.words.value
    explorer.controls["n"].value = 1
    assert (explorer.words.value, explorer.error) == ("fine", None)
    assert explorer.pictures[0].layout.display is None


def test_jpeg_and_png_are_told_apart():
    photo = plots.to_bytes(plots.lines({"y": ([0], [1.0])}, "t", "x", "y"), "jpeg")
    explorer = an_explorer(lambda n, word: Answer((photo, line(1)), ""))
    assert [p.format for p in explorer.pictures] == ["jpeg", "png"]


def test_it_says_what_it_is_without_a_kernel():
    explorer = an_explorer(lambda n, word: Answer((), ""))
    assert repr(explorer) == "(the test explorer: this and that; it moves while a kernel runs)"


def test_controls_wait_until_they_are_let_go_and_have_a_label_and_a_tip():
    slider = labelled(ipywidgets.IntSlider(continuous_update=False), "how many", "a tip")
    for control in (slider, steps_of((1, 2), 1, "s", "a tip"), tick(True, "on", "a tip")):
        assert control.description
        assert getattr(control, "continuous_update", False) is False
        name = "tooltip" if control.has_trait("tooltip") else "description_tooltip"
        assert getattr(control, name) == "a tip"
    with pytest.raises(Exception, match="[Ii]nvalid"):  # ipywidgets' own
        steps_of((1, 2), 3, "s", "t")


def test_an_answer_is_drawn_once(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE", str(tmp_path))
    drawn = []

    def make():
        drawn.append(1)
        return Answer((line(1), b"\xff\xd8 a JPEG"), "σ = 3 <b>words</b>")

    first, again = kept("test", {"n": 1}, make), kept("test", {"n": 1}, make)
    assert drawn == [1]
    assert first == again
    assert again.words == "σ = 3 <b>words</b>"
