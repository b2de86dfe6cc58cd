"""The studio, turned from Python: what must change changes, and the code makes the same picture."""

import random
import re
import threading
import time
from dataclasses import replace

import ipywidgets
import pytest
import torch
from folders import names_in
from studios import as_png, shown, text, until, upload

from nst_tutorial import load_image, stylize
from nst_tutorial.images.catalog import find_image
from nst_tutorial.optimize.loop import Progress
from nst_tutorial.optimize.result import Result
from nst_tutorial.presets import PRESETS
from nst_tutorial.widgets import Compare, Studio, split
from nst_tutorial.widgets.studio import app as studio
from nst_tutorial.widgets.studio import recipe
from nst_tutorial.widgets.studio.page import in_words
from nst_tutorial.widgets.studio.screen import frame
from nst_tutorial.widgets.studio.worker import Job, Pace

# --- the knobs -------------------------------------------------------------------------------


def test_the_plan_follows_size_and_steps(small):
    small.controls.size.value = 256
    small.controls.steps.value = 40
    plan = text(small.plan)
    assert "256×171: 40 evaluations in one piece" in plan
    # 40 × 0.0438 megapixels × 1 s
    assert re.match(
        r"<details.*><summary.*>About 2 s, \d\.\d GB of memory<", small.plan.value, re.S
    )
    small.controls.size.value = 768
    assert [part in text(small.plan) for part in ("192×128", "384×256", "768×512")] == [True] * 3
    before = text(small.plan)
    small.controls.style_weight.value = 50.0  # costs nothing
    assert text(small.plan) == before
    small.controls.steps.value = 80
    assert text(small.plan) != before


def test_knobs_that_do_not_count_are_hidden(small):
    c = small.controls

    def hidden(*controls):
        return [control.layout.display == "none" for control in controls]

    assert hidden(c.degree, c.offset, c.estimator, c.seed, *c.mix) == [True] * 7
    c.kernel.value = "polynomial"
    assert hidden(c.degree, c.offset, c.estimator) == [False, False, True]
    c.kernel.value = "gaussian"
    assert hidden(c.degree, c.offset, c.estimator) == [True, True, False]
    c.start.value = "noise"
    assert hidden(c.seed) == [False]
    c.others[1].value = "coffee" if "coffee" in c.others[1].options else c.others[1].options[1]
    assert hidden(*c.mix) == [False, True, False]


def test_only_what_differs_is_in_the_recipe(small):
    c = small.controls
    assert c.recipe().options == {"steps": 3, "style_weight": 6.5}
    assert (c.recipe().content.name, c.recipe().size) == ("temple", 64)
    c.seed.value = 7  # nothing is drawn
    c.kernel.value = "polynomial"
    c.offset.value = 1.5
    c.style_layers["relu5_1"].value = 0
    c.content_layer.value = "relu3_2"
    c.denoise.value = "bilateral"
    c.color.value, c.grain_weight.value = "luminance", 200.0
    layers = {"relu1_1": 0.05, "relu2_1": 0.1, "relu3_1": 0.2, "relu4_1": 0.35}
    assert c.recipe().options == {
        "steps": 3,
        "style_weight": 15.0,
        "kernel": {"name": "polynomial", "degree": 2, "offset": 1.5},
        "style_layers": layers,
        "content_layers": {"relu3_2": 1.0},
        "denoise": "bilateral",
        "color": "luminance",
        "grain_weight": 200.0,
    }
    c.start.value = "noise"
    assert c.recipe().options["seed"] == 7


def test_the_style_weight_goes_along_with_the_statistic_unless_it_was_moved(small):
    c = small.controls
    c.kernel.value = "gram"
    assert c.style_weight.value == 15.0
    c.kernel.value = "distribution"
    assert c.style_weight.value == 6.5
    c.style_weight.value = 50.0
    c.kernel.value = "gram"
    assert c.style_weight.value == 50.0


def test_a_photograph_begins_with_the_settings_of_photo_mode(small):
    c = small.controls
    c.mode.value = "photo"
    chosen = c.recipe()
    assert chosen.options == {"preset": "photo", "steps": 3, "style_weight": 2.0}
    assert chosen.settings == replace(PRESETS["photo"], steps=3)
    c.regions.value, c.keep_faces.value = "auto", True
    chosen = c.recipe()
    assert (chosen.settings.regions, chosen.settings.keep_faces) == ("auto", True)
    assert "keep_faces=True" in chosen.python()
    assert "--preset photo" in chosen.shell()
    assert chosen.shell().endswith("--regions auto --keep-faces")
    c.regions.value, c.keep_faces.value = "none", False
    c.mode.value = "default"
    assert c.recipe().options == {"steps": 3, "style_weight": 6.5}


def test_every_list_shows_what_is_chosen(small):
    lists = [k for k in small.controls.named.values() if isinstance(k, ipywidgets.Dropdown)]
    assert len(lists) > 5
    assert [k.description for k in lists if k.index is None] == []


def test_a_photograph_may_be_the_style_of_another(small):
    c = small.controls
    assert {"starry_night", "sunset_hills"} <= set(c.style.options)
    c.style.value = "sunset_hills"
    assert c.recipe().styles[0].path == find_image("sunset_hills")
    assert "stylize temple sunset_hills" in c.recipe().shell()


def test_settings_that_cannot_be_used_are_told_in_words(small):
    small.controls.style_scale.value = 0.25  # 16 pixels wide, 13 high
    wrong = "starry_night: at size 16 only 16×13 pixels; each side needs at least 16"
    assert text(small.plan).startswith(wrong)  # and nothing of where it lies here
    assert 'role="alert"' in small.plan.value
    small.run.click()
    assert text(small.message).startswith(wrong)
    assert small.job is None
    small.controls.style_scale.value = 1.0
    assert "3 evaluations" in text(small.plan)


# --- a run -----------------------------------------------------------------------------------


def test_a_run_from_the_button(small):
    begin = time.monotonic()
    small.run.click()
    assert time.monotonic() - begin < 5  # it does not wait for the picture
    assert small.running
    assert (small.run.disabled, small.pause.disabled, small.save.disabled) == (True, False, True)
    assert small.wait(120)
    expected = stylize(load_image("temple", 64), load_image("starry_night", 64), steps=3)
    assert torch.equal(small.result.image, expected.image)
    assert small.job.history == [
        {k: v for k, v in row.items() if k != "seconds"} for row in expected.history
    ]
    assert "Done after 3 evaluations" in text(small.screen.status)
    assert small.screen.progress.fraction == 1
    assert (small.run.disabled, small.pause.disabled, small.save.disabled) == (False, True, False)
    view = small.screen.view
    assert (view.width, view.height, view.position, view.finished) == (64, 43, 0, True)
    result = small.result.image[0].permute(1, 2, 0).numpy()
    assert abs(shown(view.after) - result).mean() < 0.05
    content = load_image("temple", 64)[0].permute(1, 2, 0).numpy()
    assert abs(shown(view.before) - content).mean() < 0.05
    assert (view.alt_before, view.alt_after) == (
        "temple, the photograph",
        "temple in the manner of starry_night",
    )
    assert shown(small.screen.curves.pictures[0]["light"]).shape[2] == 3


def test_the_picture_and_the_curves_are_alive(small):
    small.controls.steps.value = 2000
    small.run.click()
    first = small.screen.view.after
    assert first == small.screen.view.before  # the divider is there from the beginning
    until(lambda: small.screen.frames >= 3)
    assert small.screen.view.after != first
    assert small.screen.view.before == first
    assert not small.screen.view.finished
    assert small.screen.folded_curves.layout.display is None
    told = r"evaluation \d+ of 2000 at 64 px; about [\d.]+ (s|min|h) left"
    assert re.search(told, text(small.screen.status))
    assert 0 < small.screen.progress.fraction < 1
    small.stop.click()
    assert small.wait(60)
    assert 0 < small.screen.progress.fraction < 1  # it did not come to its end


def test_knobs_that_are_turned_during_a_run_are_for_the_next(small):
    small.controls.steps.value = 2000
    assert text(small.plan).startswith("About ")
    small.run.click()
    assert text(small.plan).startswith("The next run: about ")
    small.controls.size.value = 128
    assert text(small.plan).startswith("The next run: about ")
    assert "128×85" in text(small.plan)
    assert small.recipe.size == 64
    small.stop.click()
    assert small.wait(60)
    assert text(small.plan).startswith("About ")


def test_pause_holds_and_stop_ends(small):
    small.controls.steps.value = 5000
    small.run.click()
    until(lambda: len(small.job.history) >= 2)
    small.pause.click()
    assert small.pause.description == "Resume"
    until(lambda: small.job.waiting)
    held = len(small.job.history)
    time.sleep(0.6)
    assert len(small.job.history) == held
    until(lambda: f"paused: evaluation {held} of" in text(small.screen.status))
    small.pause.click()
    until(lambda: len(small.job.history) > held)
    small.pause.click()
    small.stop.click()  # out of a pause
    done = len(small.job.history)
    assert small.wait(60)
    assert done <= len(small.job.history) <= done + 1
    assert small.result.stopped == "callback"
    assert small.recipe.stop_after == len(small.job.history)
    assert small.job.seconds_paused > 0.5
    assert f"Stopped after {len(small.job.history)} evaluations" in text(small.screen.status)


def progress(number: int) -> Progress:
    one = {"content": 1.0}
    image = torch.zeros(1, 3, 8, 8)
    return Progress(number, 9, 1.0, one, one, 0.1, (8, 8), image, fraction=0.5)


def test_stop_takes_effect_within_one_evaluation():
    begun, go = [], threading.Semaphore(0)

    def work(callback):
        for number in range(1, 10):
            begun.append(number)
            go.acquire()
            if callback(progress(number)):
                return Result(torch.zeros(1, 3, 8, 8), stopped="callback")
        return Result(torch.zeros(1, 3, 8, 8))

    job = Job(work)
    job.start()
    go.release(3)
    until(lambda: begun == [1, 2, 3, 4])
    job.stop()  # while the fourth is being worked on
    go.release()
    assert job.wait(10)
    assert begun == [1, 2, 3, 4]
    assert len(job.history) == 4


def held_up(callback) -> Result:
    """Work that takes no time and ends only when it is told to."""
    number = 0
    while not callback(progress(number := number + 1)):
        time.sleep(0)  # somebody else's turn
    return Result(torch.zeros(1, 3, 8, 8), stopped="callback")


def test_a_job_that_was_stopped_cannot_be_paused():
    job = Job(held_up)
    job.start()
    job.stop()
    job.pause()
    assert (job.paused, job.stopping) == (False, True)
    assert job.wait(10)


def test_no_order_of_pause_resume_and_stop_holds_a_job():
    draw = random.Random(0)
    for _ in range(500):
        job = Job(held_up)
        orders = [draw.choice((job.pause, job.resume)) for _ in range(draw.randrange(6))]
        orders.insert(draw.randrange(len(orders) + 1), job.stop)
        job.start()
        for order in orders:
            order()
        assert job.wait(10), [order.__name__ for order in orders]
        assert not job.paused


def test_no_order_of_clicks_leaves_the_studio_without_buttons(small, monkeypatch):
    """A click that waits in the queue comes also where its button is off by then."""
    monkeypatch.setattr(recipe.Recipe, "run", lambda self, callback: held_up(callback))
    monkeypatch.setattr(small.screen, "follow", lambda job: None)  # drawn elsewhere
    monkeypatch.setattr(small.screen, "end", lambda result, content, recipe: None)
    draw = random.Random(0)
    for _ in range(100):
        clicks = draw.choices((small.run, small.pause, small.stop), k=draw.randrange(1, 8))
        for button in (small.run, *clicks, small.stop, small.pause):
            button.click()
        assert small.wait(10), [button.description for button in clicks]
        assert not small.running
        buttons = small.run, small.pause, small.stop, small.save
        assert [button.disabled for button in buttons] == [False, True, True, False]
        assert small.pause.description == "Pause"


def test_an_error_in_the_thread_is_shown(small, monkeypatch):
    def broken(self, callback=None):
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate")

    monkeypatch.setattr(recipe.Recipe, "run", broken)
    small.run.click()
    assert small.wait(10)
    assert "There is not enough memory. Take a smaller size" in text(small.message)
    assert (small.run.disabled, small.save.disabled, small.running) == (False, True, False)
    monkeypatch.undo()
    small.run.click()
    assert small.wait(60)
    assert (text(small.message), small.save.disabled) == ("", False)


def test_a_job_that_cannot_start_leaves_the_button(small, monkeypatch):
    def broken(self):
        raise RuntimeError("can't start new thread")

    small.run.click()
    assert small.wait(60)
    first = small.result
    monkeypatch.setattr(Job, "start", broken)
    small.run.click()
    assert "can't start new thread" in text(small.message)
    assert (small.running, small.run.disabled, small.result) == (False, False, first)


def test_looking_at_other_pictures_does_not_slow_down_a_run(small, monkeypatch):
    """The threads that the main one has gathered meanwhile are dismissed."""
    dismissed = []
    monkeypatch.setattr(studio, "dismiss_team", lambda: dismissed.append(small.running))
    small.controls.content.value = "cat"
    assert dismissed == []
    small.run.click()
    small.pause.click()
    small.controls.content.value = "coffee"
    assert True in dismissed


@pytest.mark.parametrize("part", ["follow", "end"])
def test_a_picture_that_cannot_be_shown_can_be_saved(small, tmp_path, monkeypatch, part):
    def broken(*arguments):
        raise RuntimeError("no display")

    monkeypatch.setattr(small.screen, part, broken)
    small.run.click()
    assert small.wait(60)
    assert "Nothing can be shown (RuntimeError: no display)" in text(small.message)
    assert (small.running, small.run.disabled, small.save.disabled) == (False, False, False)
    small.save.click()
    assert names_in(tmp_path / "results") == ["temple_starry_night.png"]


def test_a_picture_that_was_deleted_is_told_in_words(tmp_path, monkeypatch, scene):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images" / "content").mkdir(parents=True)
    path = tmp_path / "images" / "content" / "mine.png"
    scene.save(path)
    made = Studio("mine", size=64, steps=3, speed=1.0)
    path.unlink()
    made.controls.steps.value = 2
    assert text(made.plan) == "mine: this picture is no longer in images/content; choose another"
    made.run.click()
    assert text(made.message).startswith("mine: this picture is no longer in images/content")
    assert not made.running
    upload(made.controls.content, "other.png", as_png(scene))
    assert made.controls.content.value == "other.png"
    assert "2 evaluations" in text(made.plan)


def test_a_style_without_layers_is_refused(small):
    for slider in small.controls.style_layers.values():
        slider.value = 0
    assert text(small.plan).startswith("All style layers are at 0")
    small.run.click()
    assert text(small.message).startswith("All style layers are at 0")
    assert small.job is None
    small.controls.style_layers["relu3_1"].value = 0.5
    assert "3 evaluations" in text(small.plan)


def test_errors_in_words():
    assert in_words(ValueError("steps must be a whole number")) == "steps must be a whole number"
    assert in_words(ZeroDivisionError("x")) == "ZeroDivisionError: x"


def test_pace_limits_the_share_of_the_time():
    pace = Pace(0.01, 0.1)
    assert pace.due
    begin = time.monotonic()
    with pace.once():
        time.sleep(0.02)
    until(lambda: pace.due)
    assert time.monotonic() - begin >= 0.2  # ten times as long as it took
    with pace.once():
        pass
    assert not pace.due
    until(lambda: pace.due, 1)


def test_frames_are_small_and_keep_their_mean():
    image = torch.rand(1, 3, 1200, 1600)
    small = shown(frame(image))
    assert small.shape == (400, 533, 3)
    assert abs(small.mean() - float(image.mean())) < 0.01


# --- before and after ------------------------------------------------------------------------


def test_compare_shows_two_tensors_with_the_divider_in_the_middle():
    compare = Compare()
    compare.show_both(torch.zeros(1, 3, 15, 25), torch.ones(1, 3, 30, 50))
    assert (compare.height, compare.width, compare.position) == (30, 50, 50)
    assert shown(compare.before).mean() < 0.01
    assert shown(compare.after).mean() > 0.99


def test_split_is_the_one_on_the_left_and_the_other_on_the_right():
    before, after = torch.zeros(1, 3, 10, 20), torch.full((1, 3, 20, 40), 0.5)
    assert torch.equal(split(before, after, 0), after)
    assert torch.equal(split(before, after, 1), torch.zeros_like(after))
    both = split(before, after, 0.25)
    assert torch.equal(both[..., :9], torch.zeros(1, 3, 20, 9))
    assert torch.equal(both[..., 9:11], torch.ones(1, 3, 20, 2))
    assert torch.equal(both[..., 11:], after[..., 11:])
    assert (after == 0.5).all()  # not written into
    with pytest.raises(ValueError, match="share must be between 0 and 1, got 1.5"):
        split(before, after, 1.5)
