"""The studio, turned from Python: what must change changes, and the code makes the same picture."""

import base64
import datetime
import html
import importlib
import io
import os
import re
import shlex
import socket
import subprocess
import threading
import time

import ipywidgets
import numpy as np
import pytest
import torch
from conftest import COMMAND, QUICK, names_in
from PIL import Image
from test_decoding import BAD, write_bad

from nst_tutorial import load_image, load_settings, stylize
from nst_tutorial.cli import app
from nst_tutorial.cli.options import layers_from
from nst_tutorial.course import notebooks_folder
from nst_tutorial.optimize import Progress
from nst_tutorial.scales import Result
from nst_tutorial.widgets import Compare, Studio, recipe, split, studio, uploads
from nst_tutorial.widgets.page import in_words
from nst_tutorial.widgets.screen import frame
from nst_tutorial.widgets.worker import Job, Pace

web = importlib.import_module("nst_tutorial.cli.studio")  # the package's name is the command
NO_FILES = ("missing", "folder", "pipe")  # nothing that a browser could upload


@pytest.fixture
def small(tmp_path):
    """A studio with small settings, saving into a folder of its own."""
    made = Studio(size=64, steps=3, folder=tmp_path / "results", speed=1.0)
    yield made
    if made.job is not None:
        made.job.stop()
        assert made.wait(60)


def text(widget) -> str:
    """What an HTML widget shows, without tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", widget.value))


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.005)


def upload(widget, name, content):
    """As the browser does it, in the version of ipywidgets that is installed."""
    if int(ipywidgets.__version__.split(".")[0]) >= 8:
        now = datetime.datetime.now(datetime.timezone.utc)
        file = {"name": name, "type": "image/png", "size": len(content), "last_modified": now}
        widget.value = ({**file, "content": memoryview(content)},)
    else:
        widget.metadata, widget.data = [{"name": name}], [content]
        widget._counter += 1


def as_png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def shown(widget) -> np.ndarray:
    """The picture in an image widget."""
    return np.asarray(Image.open(io.BytesIO(bytes(widget.value))).convert("RGB"), np.float32) / 255


# --- the knobs -------------------------------------------------------------------------------


def test_the_plan_follows_size_and_steps(small):
    small.controls.size.value = 256
    small.controls.steps.value = 40
    plan = text(small.plan)
    assert "256×171: 40 evaluations in one piece" in plan
    assert "about 2 s" in plan  # 40 × 0.0438 megapixels × 1 s
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

    assert hidden(c.degree, c.offset, c.bandwidth, c.seed, *c.mix) == [True] * 7
    c.kernel.value = "polynomial"
    assert hidden(c.degree, c.offset, c.bandwidth) == [False, False, True]
    c.kernel.value = "gaussian"
    assert hidden(c.degree, c.offset, c.bandwidth) == [True, True, False]
    c.start.value = "noise"
    assert hidden(c.seed) == [False]
    c.others[1].value = "coffee" if "coffee" in c.others[1].options else c.others[1].options[1]
    assert hidden(*c.mix) == [False, True, False]


def test_only_what_differs_is_in_the_recipe(small):
    c = small.controls
    assert c.recipe().options == {"steps": 3, "style_weight": 15.0}
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
    expected = stylize(
        load_image("temple", 64), load_image("starry_night", 64), steps=3, style_weight=15.0
    )
    assert torch.equal(small.result.image, expected.image)
    assert small.job.history == [
        {k: v for k, v in row.items() if k != "seconds"} for row in expected.history
    ]
    assert "Done after 3 evaluations" in text(small.screen.status)
    assert small.screen.progress.value == 1
    assert (small.run.disabled, small.pause.disabled, small.save.disabled) == (False, True, False)
    displays = [w.layout.display for w in (small.screen.picture, small.screen.compare)]
    assert displays == ["none", None]
    assert shown(small.screen.curves).shape[2] == 3


def test_the_picture_and_the_curves_are_alive(small):
    small.controls.steps.value = 2000
    small.run.click()
    first = small.screen.picture.value
    until(lambda: small.screen.frames >= 3)
    assert bytes(small.screen.picture.value) != bytes(first)
    assert small.screen.curves.layout.display is None
    assert re.search(r"evaluation \d+ of 2000 at 64 px, loss [\d.]+, ", text(small.screen.status))
    assert 0 < small.screen.progress.value < 1
    small.stop.click()
    assert small.wait(60)


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
    return Progress(number, 9, 1.0, one, one, 0.1, (8, 8), torch.zeros(1, 3, 8, 8))


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
    upload(made.upload_content, "other.png", as_png(scene))
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
    small = shown(type("W", (), {"value": frame(image)}))
    assert small.shape == (400, 533, 3)
    assert abs(small.mean() - float(image.mean())) < 0.01


# --- before and after ------------------------------------------------------------------------


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


def test_compare_follows_its_slider():
    compare = Compare()
    compare.slider.value = 40  # nothing to show yet
    compare.show(torch.zeros(1, 3, 30, 50), torch.ones(1, 3, 30, 50))
    assert abs(shown(compare.picture).mean() - 0.6) < 0.03
    compare.slider.value = 90
    assert abs(shown(compare.picture).mean() - 0.1) < 0.03


# --- as code ---------------------------------------------------------------------------------


def from_python(made, folder, monkeypatch):
    monkeypatch.chdir(folder)
    names = {}
    exec(made.recipe.python(), names)
    saved = load_image(folder / f"{made.recipe.name}.png")
    assert torch.equal(saved, (names["result"].image * 255).round() / 255)
    return names["result"].image


def from_shell(made, folder):
    words = shlex.split(made.recipe.shell())
    assert words[:2] == ["nst", "stylize"]
    path = folder / "shell.png"
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(torch.get_num_threads()))
    found = subprocess.run(
        [*COMMAND, *words[1:], "--out", str(path)], cwd=folder, capture_output=True, text=True,
        env={**os.environ, **threads},  # Dask sets them for processes that are started later
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return load_image(path)


def assert_the_code_makes_it_again(made, folder, monkeypatch):
    folder.mkdir(exist_ok=True)
    again = from_python(made, folder, monkeypatch)
    assert torch.equal(again, made.result.image)
    shell = from_shell(made, folder)
    assert torch.equal(shell, (made.result.image * 255).round() / 255)
    for code in (made.recipe.python(), made.recipe.shell()):
        assert code in html.unescape(made.code.value)


def test_the_code_of_a_plain_run(small, tmp_path, monkeypatch):
    small.run.click()
    assert small.wait(120)
    small.controls.size.value = 256  # the code stays that of the picture
    assert_the_code_makes_it_again(small, tmp_path / "again", monkeypatch)


def test_the_code_with_every_knob_turned(small, tmp_path, monkeypatch):
    c = small.controls
    c.content.value, c.style.value = "cat", "woodcut_waves"
    c.style_weight.value, c.style_scale.value = 7.0, 1.4
    c.kernel.value, c.degree.value, c.offset.value = "polynomial", 2, 0.5
    c.style_layers["relu1_1"].value = 0.0
    c.style_layers["relu2_1"].value = 0.3
    c.content_layer.value = "relu3_2"
    c.start.value, c.seed.value = "noise", 5
    c.others[0].value, c.mix[1].value = "tissue_stain", 2.5
    c.color.value, c.denoise.value = "luminance", "bilateral"
    c.grain_weight.value = 60.0
    small.run.click()
    assert small.wait(120)
    assert small.job.error is None
    assert_the_code_makes_it_again(small, tmp_path / "again", monkeypatch)


def test_the_code_of_a_run_that_was_stopped(small, tmp_path, monkeypatch):
    """Of a picture coarse to fine: fewer steps would be other scales, so it says where to stop."""
    c = small.controls
    c.size.value, c.steps.value = 384, 40
    c.style_layers["relu4_1"].value = c.style_layers["relu5_1"].value = 0  # quicker
    c.content_layer.value, c.kernel.value = "relu2_2", "bn"
    small.run.click()
    until(lambda: len(small.job.history) >= 2)
    small.stop.click()
    assert small.wait(60)
    assert 2 <= len(small.job.history) < 20
    assert "--stop-after" in small.recipe.shell()
    assert_the_code_makes_it_again(small, tmp_path / "again", monkeypatch)


def test_a_plan_that_depends_on_memory_is_pinned(small, monkeypatch):
    assert "memory" not in small.controls.recipe().pinned().options
    small.controls.size.value = 2048
    monkeypatch.setattr("nst_tutorial.planning.usable", lambda device: 2.46e9)
    pinned = small.controls.recipe().pinned()
    assert pinned.options["memory"] == 2.4
    assert pinned.plan().stages[-1].tile is not None
    assert "memory=2.4" in pinned.python()
    assert "--memory 2.4" in pinned.shell()


def test_names_are_quoted_in_the_shell_and_in_python(small):
    small.controls.add(
        "it's mine.png", small.controls.recipe().content.path, small.controls.content
    )
    made = small.controls.recipe()
    assert shlex.split(made.shell())[2] == "it's mine.png"
    assert 'nst.load_image("it\'s mine.png", 64)' in made.python()
    compile(made.python(), "code", "exec")


def test_a_style_with_the_name_of_a_content_is_told_apart(small, tmp_path, monkeypatch, scene):
    folder = tmp_path / "images" / "style"
    folder.mkdir(parents=True)
    scene.save(folder / "temple.png")
    monkeypatch.chdir(tmp_path)
    made = Studio("temple", "temple", size=64, steps=1, speed=1.0).controls.recipe()
    assert 'nst.load_image("temple", 64)' in made.python()
    assert 'nst.load_image("temple", 64, kind="style", enlarge=False)' in made.python()


# --- uploads ---------------------------------------------------------------------------------


def test_uploads_of_both_versions_of_ipywidgets():
    seven = {"a.png": {"metadata": {"name": "a.png", "size": 2}, "content": b"ab"}}
    eight = ({"name": "a.png", "type": "image/png", "size": 2, "content": memoryview(b"ab")},)
    assert list(uploads.files_of(seven)) == list(uploads.files_of(eight)) == [("a.png", b"ab")]
    assert list(uploads.files_of({})) == list(uploads.files_of(())) == []


def test_an_uploaded_picture_is_used_and_its_code_makes_it_again(
    small, scene, tmp_path, monkeypatch
):
    content = as_png(scene.resize((80, 48)))
    upload(small.upload_content, "mine.png", content)
    assert text(small.message) == ""
    assert small.controls.content.value == "mine.png"
    assert "mine.png" in small.controls.style.options
    assert "mine.png" in small.thumbnails.value
    assert "64×38" in text(small.plan)
    small.run.click()
    assert small.wait(60)
    assert small.result.image.shape == (1, 3, 38, 64)
    again = tmp_path / "again"
    again.mkdir()
    (again / "mine.png").write_bytes(content)
    assert_the_code_makes_it_again(small, again, monkeypatch)


@pytest.mark.parametrize("kind", [kind for kind in BAD if kind not in NO_FILES])
def test_a_broken_upload_is_told_in_words(small, kind, tmp_path):
    path = write_bad(tmp_path, kind)
    before = small.controls.content.value, small.controls.content.options
    upload(small.upload_content, path.name, path.read_bytes())
    told = text(small.message)
    assert told.startswith(f"{path.name}: ")
    assert str(small.uploads.folder) not in told
    assert (small.controls.content.value, small.controls.content.options) == before
    assert names_in(small.uploads.folder) == []


def test_uploads_are_limited(small, scene, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES", 1000)
    upload(small.upload_style, "huge.png", as_png(scene) + bytes(1000))
    assert "over the limit of 0 MB for uploads" in text(small.message)
    monkeypatch.undo()
    monkeypatch.setattr(uploads, "MOST_FILES", 1)
    upload(small.upload_style, "a.png", as_png(scene))
    assert text(small.message) == ""
    upload(small.upload_style, "b.png", as_png(scene))
    assert "b.png: there are 1 uploaded pictures already" in text(small.message)
    assert names_in(small.uploads.folder) == ["a.png"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\photo.jpg", "photo.jpg"),
        ("-rf.png", "rf.png"),
        (".hidden.png", "hidden.png"),
        ("<img src=x onerror=alert(1)>.png", "_img src_x onerror_alert_1__.png"),
        ("Schloß am Ufer.JPG", "Schloß am Ufer.JPG"),
        ("a\nb\0.png", "a_b_.png"),
        ("..", "picture"),
        ("x" * 300 + ".png", "x" * 56 + ".png"),
    ],
)
def test_names_from_outside_do_no_harm(given, kept):
    assert uploads.safe_name(given) == kept


def test_what_comes_from_outside_is_escaped(small, monkeypatch):
    monkeypatch.setattr(uploads, "safe_name", lambda name: "<b>x</b>.png".replace("/", "_"))
    upload(small.upload_content, "x", b"no picture")
    assert "<b>" not in small.message.value
    assert "<b>" in text(small.message)


def test_two_studios_share_nothing(small, tmp_path, scene):
    other = Studio(size=64, steps=3, folder=tmp_path / "other", speed=1.0)
    upload(small.upload_content, "secret.png", as_png(scene))
    small.controls.steps.value = 2
    small.run.click()
    assert small.wait(60)
    assert "secret.png" not in other.controls.content.options
    assert other.uploads.folder != small.uploads.folder
    assert other.uploads.folder.stat().st_mode & 0o077 == 0
    assert (other.job, other.result, other.recipe) == (None, None, None)
    assert other.controls.steps.value == 3
    assert "secret" not in other.code.value


def test_uploads_are_gone_with_the_studio(scene):
    one = uploads.Uploads()
    one.add("a.png", as_png(scene))
    folder = one.folder
    assert names_in(folder) == ["a.png"]
    del one
    assert not folder.exists()


# --- saving ----------------------------------------------------------------------------------


def downloaded(made):
    name, data = re.search(r'base64,([^"]*)" download="([^"]*)"', made.saved.value).group(2, 1)
    return name, base64.b64decode(data)


def test_save_writes_the_picture_with_its_settings(small, tmp_path):
    small.save.click()  # nothing there yet
    assert not (tmp_path / "results").exists()
    small.run.click()
    assert small.wait(60)
    small.save.click()
    path = tmp_path / "results" / "temple_starry_night.png"
    assert torch.equal(load_image(path), (small.result.image * 255).round() / 255)
    settings = load_settings(path)
    assert (settings["content"], settings["style"]) == ("temple", ["starry_night"])
    assert (settings["steps"], settings["seed"]) == (3, 0)
    assert "Saved as" in text(small.saved)
    assert downloaded(small) == ("temple_starry_night.png", path.read_bytes())
    small.save.click()  # nothing is overwritten
    assert names_in(tmp_path / "results") == [
        "temple_starry_night-2.png",
        "temple_starry_night.png",
    ]


def test_a_folder_that_cannot_be_written_is_told_in_words(small, tmp_path):
    (tmp_path / "results").write_text("a file where the folder should be")
    small.run.click()
    assert small.wait(60)
    small.save.click()
    assert "cannot write in the folder" in text(small.message)
    assert small.saved.value == ""


def test_under_voila_nothing_is_left_on_the_server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    made = Studio(size=64, steps=1, folder="results", speed=1.0)
    made.run.click()
    assert made.wait(60)
    made.save.click()
    assert names_in(tmp_path) == []
    name, content = downloaded(made)
    assert name == "temple_starry_night.png"
    picture = load_image(made.uploads.folder / name)
    assert content == (made.uploads.folder / name).read_bytes()
    assert torch.equal(picture, (made.result.image * 255).round() / 255)
    assert "Saved as" not in text(made.saved)


def test_the_time_is_measured_where_it_is_not_told(monkeypatch):
    monkeypatch.setattr(studio, "seconds_per_megapixel", lambda: 25.0)
    made = Studio(size=64, steps=100)
    until(lambda: "being measured" not in text(made.plan))
    assert "about 7 s" in text(made.plan)  # 100 × 64 × 43 pixels × 25 s


def test_a_page_without_a_kernel_says_what_is_missing(small):
    assert repr(small).startswith("(the studio: pictures, knobs")
    assert os.environ.get("SERVER_SOFTWARE") is None


# --- as a web page ---------------------------------------------------------------------------


def test_the_web_page_is_for_this_computer_and_its_one_notebook():
    path = notebooks_folder() / "studio.ipynb"
    assert path.is_file()
    given = web.arguments(path, 8866, False)
    assert given[0] == str(path)
    for option in (
        "--Voila.ip=127.0.0.1",
        "--Voila.port_retries=0",
        "--Voila.open_browser=False",
        "--VoilaConfiguration.file_denylist=.*",
        "--VoilaConfiguration.show_tracebacks=False",
    ):
        assert option in given


def test_a_port_that_is_taken_is_told(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            app(["studio", "--port", str(port), "--no-browser"])
    assert ended.value.code == 2
    assert f"port {port} cannot be used" in capsys.readouterr().err
    assert web.free_port(0) > 0


def test_the_notebook_is_in_the_wheel():
    text = (notebooks_folder().parent / "pyproject.toml").read_text()
    assert '"notebooks" = "nst_tutorial/notebooks"' in text


@pytest.mark.parametrize(
    ("given", "layers"),
    [
        (None, None),
        ("relu1_1", {"relu1_1": 1.0}),
        ("relu1_1=0.5, relu2_1=2", {"relu1_1": 0.5, "relu2_1": 2.0}),
    ],
)
def test_layers_of_the_command_line(given, layers):
    assert layers_from("--style-layers", given) == layers


def test_layers_that_are_none(capsys):
    for given, message in (
        ("relu1_1=much", "--style-layers: 'much' is no weight for relu1_1"),
        ("relu9_9", "relu9_9"),
    ):
        with pytest.raises(SystemExit) as ended:
            app(["stylize", "cat", "tissue_stain", *QUICK, "--style-layers", given])
        assert ended.value.code == 2
        assert message in capsys.readouterr().err
