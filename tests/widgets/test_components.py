"""Components of the studio, spoken to as the page does it: by messages and traits."""

import re

import pytest
from studios import as_png, shown
from traitlets import TraitError

from nst_tutorial.widgets import components
from nst_tutorial.widgets.components import (
    CompareView,
    Picture,
    PicturePicker,
    PictureRow,
    ResultStrip,
    StepSlider,
)


def sent_by(widget):
    """What a widget sends to the page, as it comes."""
    sent = []
    widget.send = lambda content, buffers=None: sent.append((content, buffers))
    return sent


def a_picker(**options):
    looked = {"a": b"1", "b": b"2", "c": b""}
    options = {"look": looked.__getitem__, "limit": 100, "accept": (".png", ".jpg"), **options}
    return PicturePicker("Content", ["a", "b", "c"], "b", **options)


# --- what all have in common -----------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in components.__all__ if name != "Picture"])
def test_scripts_are_sent_whole_and_ask_nothing_of_a_server(name):
    component = getattr(components, name)
    assert "export default { render }" in component._esm
    assert not re.search(r"https?://|\bimport\b|\bfetch\(|XMLHttpRequest|WebSocket", component._esm)
    assert not re.search(r"https?://|@import|url\(", component._css)
    assert ":focus-visible" in component._css  # where the keyboard is, is seen
    assert "--jp-layout-color0" in component._css  # the theme's, on which notebooks lie


# --- the comparison --------------------------------------------------------------------------


def test_a_new_picture_is_seen_from_its_after_side():
    view = CompareView()
    view.position = 70.0
    view.show(b"after", (30, 50), before=b"before")
    assert (view.width, view.height, view.position) == (50, 30, 0.0)
    assert (view.before, view.after) == (b"before", b"after")
    view.show(b"alone", (30, 50))
    assert view.before == b""


def test_a_file_goes_to_the_page_that_asked():
    view = CompareView(lambda kind: ("x.png", b"bytes") if kind == "PNG" else None)
    sent = sent_by(view)
    for message in (
        {"kind": "download", "format": "PNG", "view": "7"},
        {"kind": "download", "format": "JPEG", "view": "8"},
        {"kind": "download", "format": "EXE", "view": "9"},
        {"kind": "something else"},
    ):
        view._handle_custom_msg(message, [])
    assert sent == [
        ({"kind": "file", "view": "7", "name": "x.png", "format": "PNG"}, [b"bytes"]),
        ({"kind": "none", "view": "8"}, None),
        ({"kind": "none", "view": "9"}, None),
    ]


# --- the picker ------------------------------------------------------------------------------


def test_only_what_is_offered_can_be_chosen():
    picker = a_picker()
    picker.value = "c"
    with pytest.raises(TraitError, match="Content: there is no picture of the name 'd'"):
        picker.value = "d"
    picker.offer(["d", "c"])
    assert picker.value == "c"
    picker.offer(["d", "e"])
    assert (picker.value, picker.options) == ("d", ["d", "e"])


def test_pictures_come_when_they_are_looked_at():
    picker = a_picker()
    sent = sent_by(picker)
    picker._handle_custom_msg({"kind": "look", "names": ["c", "a", "../secret"]}, [])
    assert sent == [({"kind": "pictures", "names": ["c", "a"]}, [b"", b"1"])]


def test_files_are_taken_or_refused_and_answered_each():
    taken, refused, picker = [], [], a_picker()
    picker.take = lambda name, content: taken.append((name, content))
    picker.refuse = lambda name, why: refused.append((name, why))
    sent = sent_by(picker)
    picker._handle_custom_msg({"kind": "file", "name": "x.png"}, [memoryview(b"content")])
    picker._handle_custom_msg({"kind": "too large", "name": "y.png", "size": 101}, [])
    picker._handle_custom_msg({"kind": "unread", "name": "z.png", "why": "it is gone"}, [])
    assert taken == [("x.png", b"content")]
    assert refused == [("y.png", 101), ("z.png", "it is gone")]
    assert [content for content, _ in sent] == [{"kind": "taken"}] * 3


def test_a_file_that_fails_is_answered_too():
    def fail(name, content):
        raise ValueError("not this one")

    picker = a_picker()
    picker.take = fail
    sent = sent_by(picker)
    with pytest.raises(ValueError, match="not this one"):
        picker._hear(picker, {"kind": "file", "name": "x.png"}, [b""])
    assert sent == [({"kind": "taken"}, None)]


# --- the strip -------------------------------------------------------------------------------


def test_the_strip_calls_for_results_it_has():
    called = []
    strip = ResultStrip(called.append)
    strip.items = [{"key": 3, "label": "a", "picture": b""}]
    for key in (3, 4, None):
        strip._handle_custom_msg({"kind": "choose", "key": key}, [])
    assert called == [3]


# --- the slider ------------------------------------------------------------------------------


def test_a_slider_stands_at_one_of_its_marks():
    slider = StepSlider("Size", [("1 px", 1.0), ("2 px", 2.0), ("many", "all")], 2.0)
    assert (slider.index, slider.labels) == (1, ["1 px", "2 px", "many"])
    slider.value = "all"
    assert slider.index == 2
    slider.index = 0  # as the page does it
    assert slider.value == 1.0
    with pytest.raises(TraitError, match="Size: 3 is none of"):
        slider.value = 3
    with pytest.raises(TraitError, match="Size: there is no mark 3"):
        slider.index = 3
    assert (slider.value, slider.index) == (1.0, 0)


def test_another_list_keeps_what_was_chosen_or_takes_the_last():
    slider = StepSlider("Channel", [(str(i), i) for i in range(8)], 7)
    seen = []
    slider.observe(lambda change: seen.append(change.new), "value")
    slider.offer([(str(i), i) for i in range(4)])
    assert (slider.value, slider.index, slider.labels) == (3, 3, ["0", "1", "2", "3"])
    slider.offer([("3", 3), ("4", 4)])
    assert (slider.value, slider.index, slider.options) == (3, 0, (3, 4))
    assert seen == [3]
    slider.value = 4
    assert slider.index == 1


# --- pictures side by side -------------------------------------------------------------------


def test_pictures_have_a_text_and_a_place():
    row = PictureRow(["50%", "20em"])
    row.show([Picture(b"light", b"dark", "a curve"), Picture(b"photo")])
    assert [(p["light"], p["dark"], p["alt"]) for p in row.pictures] == [
        (b"light", b"dark", "a curve"), (b"photo", b"", ""),
    ]  # fmt: skip
    row.show([])
    assert row.pictures == []
    with pytest.raises(ValueError, match="3 pictures, and 2 have a place"):
        row.show([Picture(b"")] * 3)


def test_a_picker_that_takes_no_files_says_so():
    picker = PicturePicker("Content", ["a"], "a", look=lambda name: b"1")
    assert (picker.limit, picker.accept) == (0, "")


# --- in the studio ---------------------------------------------------------------------------


def test_earlier_results_come_back_with_their_knobs(small):
    c = small.controls
    small.run.click()
    assert small.wait(60)
    first, recipe = small.result.image, small.recipe
    c.content.value, c.style_weight.value, c.kernel.value = "cat", 50.0, "bn"
    assert small.result is None  # another content is seen
    assert small.strip.chosen == -1
    c.steps.value = 2
    small.run.click()
    assert small.wait(60)
    assert [item["key"] for item in small.strip.items] == [0, 1]
    assert small.strip.items[1]["label"] == "cat × starry_night, 64 px"
    assert small.strip.chosen == 1
    small.strip._handle_custom_msg({"kind": "choose", "key": 0}, [])
    assert (c.content.value, c.style_weight.value, c.kernel.value) == (
        "temple", 6.5, "distribution")  # fmt: skip
    assert c.steps.value == 3
    assert c.recipe().options == recipe.options
    assert (small.strip.chosen, small.recipe) == (0, recipe)
    assert small.result.image.equal((first * 255).round() / 255)  # as it would be saved
    assert small.screen.view.finished
    assert abs(shown(small.screen.view.after) - first[0].permute(1, 2, 0).numpy()).mean() < 0.05
    assert recipe.shell() in small.code.value.replace("&#x27;", "'")


def test_a_content_that_is_chosen_during_a_run_is_for_the_next(small):
    small.controls.steps.value = 2000
    small.run.click()
    small.controls.content.value = "cat"
    assert small.screen.view.alt_before == "temple, the photograph"
    small.stop.click()
    assert small.wait(60)
    assert small.screen.view.finished  # the result is not hidden by the other content
    assert small.screen.view.alt_after == "temple in the manner of starry_night"
    assert small.recipe.content.name == "temple"
    small.controls.content.value = "coffee"
    assert small.screen.view.alt_after == "coffee, the photograph"


def test_earlier_results_wait_for_the_end_of_a_run(small):
    small.run.click()
    assert small.wait(60)
    small.controls.steps.value = 2000
    small.run.click()
    small.strip._handle_custom_msg({"kind": "choose", "key": 0}, [])
    assert "when the run is over" in small.message.value
    assert small.controls.steps.value == 2000
    small.stop.click()
    assert small.wait(60)


def test_the_oldest_results_are_given_up(small, monkeypatch):
    small.run.click()
    assert small.wait(60)
    monkeypatch.setattr("nst_tutorial.widgets.studio.shelf.MOST_RESULTS", 2)
    content = small.shelf[0].content.float() / 255
    for _ in range(2):
        small._keep(small.recipe, {}, content, small.result)
    assert list(small.shelf) == [1, 2]
    assert [item["key"] for item in small.strip.items] == [1, 2]
    monkeypatch.setattr("nst_tutorial.widgets.studio.shelf.MOST_BYTES", 1)
    small._keep(small.recipe, {}, content, small.result)
    assert list(small.shelf) == [3]  # the last one stays, however large


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Subtle", {"steps": 3, "style_weight": 2.0}),
        ("Painting", {"steps": 3, "style_weight": 6.5}),
        ("Wild", {"steps": 3, "style_weight": 70.0, "style_scale": 1.4}),
        ("Keep my colours", {"steps": 3, "style_weight": 6.5, "color": "luminance"}),
        ("Photo mode", {"preset": "photo", "steps": 3, "style_weight": 2.0}),
    ],
)
def test_settings_to_begin_with(small, name, options):
    c, told = small.controls, []
    c.content.value, c.size.value, c.kernel.value, c.seed.value = "cat", 128, "polynomial", 4
    c.mode.value = "photo"
    c.regions.value = 2
    c.on_change(lambda: told.append(c.recipe().options))
    c.begin_with(name)
    assert told == [options]  # once, when all stand where they shall
    assert (c.content.value, c.size.value) == ("cat", 128)


def test_reset_leaves_the_pictures(small):
    c = small.controls
    before = c.values()
    c.content.value = "cat"
    c.begin_with("Photo mode")
    c.size.value, c.others[0].value, c.style_layers["relu1_1"].value = 256, "coffee", 0.9
    small.reset.click()
    assert c.values() == {**before, "content": "cat"}


def test_another_content_is_shown_when_it_is_chosen(small, scene):
    assert small.screen.view.alt_after == "temple, the photograph"
    small.controls.content._handle_custom_msg({"kind": "file", "name": "mine.png"}, [as_png(scene)])
    view = small.screen.view
    assert view.alt_after == "mine.png, the photograph"
    assert (view.width, view.height, view.before, view.finished) == (*scene.size, b"", False)


def test_folds_open_by_their_buttons(small):
    fold = small.controls.more()[0]
    assert fold.inside.layout.display == "none"
    assert fold.button.description == "▸ What counts as style"
    fold.button.value = True
    assert fold.inside.layout.display is None
    assert fold.button.description == "▾ What counts as style"
