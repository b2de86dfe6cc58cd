"""Files of the studio: what visitors upload, and what is saved."""

import io
import os
import sys

import numpy as np
import pytest
import torch
from folders import names_in
from pictures import BAD, as_tensor, write_bad
from PIL import Image
from studios import as_png, assert_the_code_makes_it_again, download, shown, text, until, upload

from nst_tutorial import load_image, load_settings
from nst_tutorial.widgets import Studio
from nst_tutorial.widgets.studio import app as studio
from nst_tutorial.widgets.studio import delivery, uploads

NO_FILES = ("missing", "folder", "pipe")  # nothing that a browser could upload


# --- uploads ---------------------------------------------------------------------------------


def test_an_uploaded_picture_is_used_and_its_code_makes_it_again(
    small, scene, tmp_path, monkeypatch
):
    content = as_png(scene.resize((80, 48)))
    upload(small.controls.content, "mine.png", content)
    assert text(small.message) == ""
    assert small.controls.content.value == "mine.png"
    assert "mine.png" in small.controls.style.options
    assert small.screen.view.alt_after == "mine.png, the photograph"
    assert shown(small.controls.content._look("mine.png")).shape[:2] == (48, 80)
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
    upload(small.controls.content, path.name, path.read_bytes())
    told = text(small.message)
    assert told.startswith(f"{path.name}: ")
    assert str(small.uploads.folder) not in told
    assert (small.controls.content.value, small.controls.content.options) == before
    assert names_in(small.uploads.folder) == []


def test_uploads_are_limited(small, scene, monkeypatch):
    huge = {"kind": "too large", "name": "../huge.png", "size": 200_000_000}  # not even sent
    small.controls.style._handle_custom_msg(huge, [])
    told = "huge.png: 200.0 MB, over the limit of 10 MB for uploads; make the picture smaller first"
    assert text(small.message) == told
    monkeypatch.setattr(uploads, "MOST_UPLOAD", 1000)
    upload(small.controls.style, "huge.png", as_png(scene) + bytes(1000))
    assert "over the limit of 0 MB for uploads" in text(small.message)
    monkeypatch.undo()
    monkeypatch.setattr(uploads, "MOST_FILES", 1)
    upload(small.controls.style, "a.png", as_png(scene))
    assert text(small.message) == ""
    upload(small.controls.style, "b.png", as_png(scene))
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
    upload(small.controls.content, "x", b"no picture")
    assert "<b>" not in small.message.value
    assert "<b>" in text(small.message)


def test_two_studios_share_nothing(small, tmp_path, scene):
    other = Studio(size=64, steps=3, folder=tmp_path / "other", speed=1.0)
    upload(small.controls.content, "secret.png", as_png(scene))
    small.controls.steps.value = 2
    small.run.click()
    assert small.wait(60)
    assert "secret.png" not in other.controls.content.options
    assert other.uploads.folder != small.uploads.folder
    assert other.uploads.folder.stat().st_mode & 0o077 == 0
    assert (other.job, other.result, other.recipe) == (None, None, None)
    assert other.controls.steps.value == 3
    assert "secret" not in other.code.value


def test_two_uploads_of_one_name_keep_their_pictures(small, scene):
    other = scene.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    upload(small.controls.content, "IMG_0001.png", as_png(scene))
    assert text(small.message) == ""
    upload(small.controls.style, "IMG_0001.png", as_png(other))
    assert text(small.message) == (
        "There is another picture of the name IMG_0001.png: the one uploaded now is called "
        "IMG_0001-2.png here."
    )
    recipe = small.controls.recipe()
    assert [p.name for p in recipe.pictures] == ["IMG_0001.png", "IMG_0001-2.png"]
    content, style = (load_image(picture.path) for picture in recipe.pictures)
    assert torch.equal(content, as_tensor(scene))
    assert torch.equal(style, as_tensor(other))
    assert {"IMG_0001.png", "IMG_0001-2.png"} <= set(small.controls.style.options)


def test_the_same_upload_is_kept_once(small, scene):
    for _ in range(2):
        upload(small.controls.content, "a.png", as_png(scene))
        upload(small.controls.style, "a.png", as_png(scene.rotate(90)))
        assert small.controls.recipe().styles[0].name == "a-2.png"
    assert names_in(small.uploads.folder) == ["a-2.png", "a.png"]
    small.controls.style.value = "starry_night"
    upload(small.controls.style, "a.png", as_png(scene.rotate(90)))
    assert small.controls.style.value == "a-2.png"


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("a.png", "A.png", "A-2.png"),  # one file on some disks
        ("caf\u00e9.png", "cafe\u0301.png", "caf\u00e9-2.png"),  # one or two characters for é
        ("x" * 70 + "a.png", "x" * 70 + "b.png", "x" * 56 + "-2.png"),
        ("new-a.png", "a.png", "a.png"),
        ("a-2.png", "a.png", "a.png"),
    ],
)
def test_names_that_a_disk_takes_for_one_are_told_apart(small, scene, first, second, kept):
    upload(small.controls.content, first, as_png(scene))
    upload(small.controls.style, second, as_png(scene.rotate(180)))
    content, style = small.controls.recipe().pictures
    assert style.name == kept
    assert torch.equal(load_image(content.path), as_tensor(scene))
    assert torch.equal(load_image(style.path), as_tensor(scene.rotate(180)))


@pytest.mark.parametrize("name", ["temple", "Starry_Night", "none"])
def test_an_upload_takes_no_name_that_can_be_chosen(small, scene, name):
    """Those of the pictures that are there, and the word for no picture."""
    upload(small.controls.style, name, as_png(scene))
    assert small.controls.style.value == f"{name}-2"
    assert torch.equal(load_image(small.controls.recipe().styles[0].path), as_tensor(scene))
    small.controls.style.value = "starry_night"
    assert small.controls.recipe().styles[0].path != small.uploads.paths[f"{name}-2"]


def test_uploads_are_gone_with_the_studio(scene):
    one = uploads.Uploads()
    one.add("a.png", as_png(scene))
    folder = one.folder
    assert names_in(folder) == ["a.png"]
    del one
    assert not folder.exists()


# --- saving ----------------------------------------------------------------------------------


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
    assert text(small.saved) == f"Saved as {path}."
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


def test_a_download_is_the_file_that_save_writes(small, tmp_path):
    assert download(small, "PNG") == ({"kind": "none", "view": "1"}, None)  # nothing there yet
    small.run.click()
    assert small.wait(60)
    small.save.click()
    answer, (content,) = download(small, "PNG")
    assert (answer["kind"], answer["name"]) == ("file", "temple_starry_night.png")
    assert content == (tmp_path / "results" / "temple_starry_night.png").read_bytes()
    answer, (content,) = download(small, "JPEG")
    assert (answer["name"], content[:3]) == ("temple_starry_night.jpg", b"\xff\xd8\xff")
    assert abs(shown(content) - small.result.image[0].permute(1, 2, 0).numpy()).mean() < 0.02
    assert download(small, "../x")[0]["kind"] == "none"
    assert names_in(small.uploads.folder) == []


def test_a_picture_can_be_had_as_soon_as_it_is_offered(small):
    had = []
    small.screen.view.observe(
        lambda change: had.append(download(small, "PNG")[0]["kind"]) if change["new"] else None,
        "finished",
    )
    small.run.click()
    assert small.wait(60)
    assert had == ["file"]


@pytest.mark.parametrize(("kind", "suffix"), [("GIF", "gif"), ("WebP", "webp")])
def test_the_film_of_a_run_begins_with_its_first_evaluation(small, kind, suffix):
    small.run.click()
    assert small.wait(60)
    assert small.screen.view.filmed
    assert small.film.evaluations == [1, 2, 3]
    answer, (content,) = download(small, kind)
    assert answer["name"] == f"temple_starry_night.{suffix}"
    with Image.open(io.BytesIO(content)) as film:
        assert film.size == (64, 43)
        assert film.n_frames >= 3
        film.seek(film.n_frames - 1)
        last = np.asarray(film.convert("RGB"), np.float32) / 255
    assert abs(last - small.result.image[0].permute(1, 2, 0).numpy()).mean() < 0.05


def test_the_film_can_be_had_as_mp4(small):
    pytest.importorskip("imageio_ffmpeg")
    assert small.screen.view.films == ["GIF", "WebP", "MP4"]
    assert small.screen.view.note == ""
    small.run.click()
    assert small.wait(60)
    answer, (content,) = download(small, "MP4")
    assert answer["name"] == "temple_starry_night.mp4"
    assert content[4:8] == b"ftyp"
    assert names_in(small.uploads.folder) == []


def test_without_an_encoder_mp4_is_not_offered_and_the_page_says_why(monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    made = Studio(size=64, steps=3, speed=1.0)
    assert made.screen.view.films == ["GIF", "WebP"]
    assert made.screen.view.note == "A film as MP4 needs: pip install imageio-ffmpeg"
    made.run.click()
    assert made.wait(60)
    assert download(made, "MP4")[0]["kind"] == "none"  # asked for all the same
    assert "MP4 needs imageio-ffmpeg (pip install imageio-ffmpeg)" in text(made.message)


def test_a_download_that_cannot_be_written_is_told_in_words(small, monkeypatch):
    def full(*arguments, **options):
        raise OSError("No space left on device")

    small.run.click()
    assert small.wait(60)
    monkeypatch.setattr(delivery, "save_image", full)
    assert download(small, "PNG")[0]["kind"] == "none"
    assert text(small.message) == "No space left on device"


def test_under_voila_nothing_is_left_on_the_server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    made = Studio(size=64, steps=1, folder="results", speed=1.0)
    made.run.click()
    assert made.wait(60)
    made.save.click()  # no button of the page
    answer, (content,) = download(made, "PNG")
    assert names_in(tmp_path) == names_in(made.uploads.folder) == []
    assert answer["name"] == "temple_starry_night.png"
    (tmp_path / "downloaded.png").write_bytes(content)
    picture = load_image(tmp_path / "downloaded.png")
    assert torch.equal(picture, (made.result.image * 255).round() / 255)
    assert text(made.saved) == ""


def test_the_time_is_measured_where_it_is_not_told(monkeypatch):
    monkeypatch.setattr(studio, "seconds_per_megapixel", lambda: 25.0)
    made = Studio(size=64, steps=100)
    until(lambda: "being measured" not in text(made.plan))
    assert "about 7 s" in text(made.plan)  # 100 × 64 × 43 pixels × 25 s


def test_a_page_without_a_kernel_says_what_is_missing(small):
    assert repr(small).startswith("(the studio: pictures, knobs")
    assert os.environ.get("SERVER_SOFTWARE") is None
