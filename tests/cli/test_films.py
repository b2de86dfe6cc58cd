"""`nst stylize --film`."""

import numpy as np
import pytest
from folders import names_in
from invoking import invoke
from PIL import Image
from runs import QUICK

from nst_tutorial.cli.films import filmed
from nst_tutorial.images.reading import load_image

PAIR = ("stylize", "cat", "tissue_stain", *QUICK)


def test_the_film_shows_every_kept_evaluation_and_then_the_result(tmp_path, capsys):
    out, film = tmp_path / "a.png", tmp_path / "a.webp"
    code, shown, errors = invoke(
        capsys, *PAIR, "--color", "luminance", "--out", out, "--film", film
    )
    assert code == 0, errors
    assert "the film is" in shown
    assert str(film) in shown.replace("\n", "")
    with Image.open(film) as image:
        assert image.n_frames == 4  # evaluations 1, 2, 3, and the result
        pictures = []
        for number in range(4):
            image.seek(number)
            pictures.append(np.asarray(image.convert("RGB"), float) / 255)
    result = load_image(out)[0].permute(1, 2, 0).numpy()
    errors = [np.abs(picture - result).mean() for picture in pictures]
    assert errors[3] < 0.03 < min(errors[:3])  # on the way there is luminance alone
    assert names_in(tmp_path) == ["a.png", "a.webp"]


def test_a_run_without_a_film_calls_back_as_before():
    def callback(progress):
        return progress

    assert filmed(None, callback) is callback


def test_a_film_passes_on_that_the_run_shall_end():
    frames = []
    assert filmed(frames.append, lambda progress: progress == 2)(2) is True
    assert filmed(frames.append, lambda progress: progress == 2)(1) is False
    assert frames == [2, 1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.avi", "the name of a film must end in one of .webp, .gif, .mp4"),
        ("there.gif", "exists already; give another --film, or --overwrite"),
        ("out.webp", "--out and --film are one file"),
    ],
)
def test_refused_before_any_work(tmp_path, monkeypatch, capsys, name, message):
    monkeypatch.setattr("nst_tutorial.cli.pictures.with_progress", None)  # whoever calls it fails
    (tmp_path / "there.gif").touch()
    code, _, errors = invoke(
        capsys, *PAIR, "--out", tmp_path / "out.webp", "--film", tmp_path / name
    )
    assert code == 2
    assert message in errors
    assert names_in(tmp_path) == ["there.gif"]


def test_a_film_that_cannot_be_written_is_kept_elsewhere(tmp_path, capsys, full_disk):
    from nst_tutorial.images import film as room

    spare = full_disk(room)
    out = tmp_path / "a.png"
    code, _, errors = invoke(capsys, *PAIR, "--out", out, "--film", tmp_path / "a.gif")
    assert code == 1
    assert "a.gif could not be written (No space left on device)" in errors.replace("\n", " ")
    assert names_in(spare) == ["nst_film.gif"]
    assert out.exists()
