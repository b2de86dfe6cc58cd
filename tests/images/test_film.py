"""Frames that are kept of a run, and the films they become."""

import math
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from folders import names_in
from PIL import Image

from nst_tutorial.images import film as room
from nst_tutorial.images.film import Film, check_can_film, save_film


def grey(level: float, height: int = 20, width: int = 30) -> torch.Tensor:
    return torch.full((1, 3, height, width), level)


def seen(evaluation: int, image: torch.Tensor) -> SimpleNamespace:
    return SimpleNamespace(evaluation=evaluation, image=image)


def watched(count: int, **options) -> Film:
    film = Film(**options)
    for evaluation in range(1, count + 1):
        film(seen(evaluation, grey(evaluation / count)))
    return film


def frames_of(path) -> tuple[list[np.ndarray], list[int]]:
    """Pictures and milliseconds, as Pillow reads them."""
    pictures, durations = [], []
    with Image.open(path) as image:
        assert image.info["loop"] == 0  # without end
        for number in range(image.n_frames):
            image.seek(number)
            pictures.append(np.asarray(image.convert("RGB")))
            durations.append(image.info["duration"])
    return pictures, durations


# --- which frames are kept ---------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [1.05, 1.1, 1.5, 2, 10])
def test_kept_evaluations_grow_geometrically(ratio):
    kept = watched(500, ratio=ratio).evaluations
    assert kept[0] == 1
    for before, after in pairwise(kept):
        assert after == max(before + 1, math.floor(ratio * before))
    assert kept[-1] > 500 / ratio - 1


def test_memory_is_kept_and_the_spread_with_it():
    size = 3 * 20 * 30
    film = watched(3000, ratio=1.01, memory=40 * size)
    assert 20 <= len(film.frames) <= 40
    assert film.evaluations[0] == 1
    late = [n for n in film.evaluations if n > 100]
    for before, after in pairwise(late):
        assert 1.01 < after / before <= film.ratio + 1e-9
    assert late[-1] > 3000 / film.ratio - 1


def test_two_frames_are_kept_however_little_memory():
    assert len(watched(100, memory=1).frames) == 2


def test_a_frame_is_its_evaluations_picture():
    film = watched(9, ratio=2)
    assert film.evaluations == [1, 2, 4, 8]
    for evaluation, frame in zip(film.evaluations, film.frames, strict=True):
        assert frame.shape == (1, 3, 20, 30)
        assert (frame - evaluation / 9).abs().max() <= 0.5001 / 255


def test_frames_are_made_smaller_never_larger():
    film = Film(size=40)
    film(seen(1, grey(0.5, 20, 30)))
    film(seen(2, grey(0.5, 100, 50)))
    assert [tuple(frame.shape[2:]) for frame in film.frames] == [(20, 30), (40, 20)]


def test_a_film_ends_no_run():
    assert Film()(seen(1, grey(0.5))) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size must be a whole number ≥ 1, got 0"),
        ({"ratio": 1}, "ratio must be a number above 1, got 1"),
        ({"memory": 0}, "memory must be a number above 0, got 0"),
    ],
)
def test_refused_options(options, message):
    with pytest.raises(ValueError, match=message):
        Film(**options)


# --- the file ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "error"), [("webp", 3), ("gif", 3)])
def test_frames_come_back_in_order_and_time(tmp_path, suffix, error):
    levels = [0.1, 0.4, 0.7, 0.9]
    path = save_film([grey(x) for x in levels], tmp_path / f"a.{suffix}", seconds=2, hold=1)
    pictures, durations = frames_of(path)
    assert durations == [500, 500, 500, 1500]
    for picture, level in zip(pictures, levels, strict=True):
        assert picture.shape == (20, 30, 3)
        assert np.abs(picture.astype(float) - 255 * level).max() <= error
    assert names_in(tmp_path) == [path.name]


def test_times_of_a_gif_are_hundredths_of_a_second(tmp_path):
    """Pillow cuts what is left over; we round, and never to nothing."""
    frames = [grey(x / 7) for x in range(7)]
    for seconds, each in ((1, 140), (0.01, 10)):
        path = save_film(frames, tmp_path / "a.gif", seconds=seconds, hold=0)
        assert frames_of(path)[1] == [each] * 7


def test_coarse_scales_are_shown_as_large_as_the_last(tmp_path):
    ramp = torch.linspace(0, 1, 48).expand(1, 3, 32, 48)
    small = torch.linspace(0, 1, 24).expand(1, 3, 16, 24)
    pictures, _ = frames_of(save_film([small, ramp], tmp_path / "a.webp", quality=100))
    assert [picture.shape for picture in pictures] == [(32, 48, 3)] * 2
    assert np.abs(pictures[0].astype(float) - pictures[1]).max() < 25


def test_colours_are_said_to_be_srgb(tmp_path):
    path = save_film([grey(0.2), grey(0.4)], tmp_path / "a.webp")
    with Image.open(path) as image:
        assert image.info["icc_profile"]


def test_less_quality_is_a_smaller_file(tmp_path, picture):
    frames = [picture.float(), 1 - picture.float()]
    sizes = [save_film(frames, tmp_path / "a.webp", quality=q).stat().st_size for q in (20, 95)]
    assert sizes[0] < 0.7 * sizes[1]


def test_a_film_that_is_not_written_leaves_the_old_one(tmp_path, full_disk):
    path = save_film([grey(0.2)], tmp_path / "a.gif")
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        save_film([grey(0.8)], path, overwrite=False)
    full_disk(room)
    with pytest.raises(OSError, match="No space left"):
        save_film([grey(0.8)], path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "frames", "options", "message"),
    [
        ("a.avi", [grey(0.5)], {}, "a.avi: the name of a film must end in one of"),
        ("a.webp", [], {}, "a film needs at least one frame, got none"),
        ("a.webp", [grey(0.5)], {"seconds": 0}, "seconds must be a number above 0, got 0"),
        ("a.webp", [grey(0.5)], {"hold": -1}, "hold must be finite and ≥ 0, got -1"),
        ("a.webp", [grey(0.5)], {"quality": 101}, "quality must be at most 100"),
        ("a.webp", [grey(math.nan)], {}, "finite"),
        ("a.webp", [grey(0.5, 2, 16384)], {}, "a.webp: the format cannot hold it"),
    ],
)  # fmt: skip
def test_refused(tmp_path, name, frames, options, message):
    with pytest.raises(ValueError, match=message):
        save_film(frames, tmp_path / name, **options)
    assert names_in(tmp_path) == []


def test_mp4_needs_a_package(tmp_path, monkeypatch):
    monkeypatch.setitem(room.importlib.sys.modules, "imageio_ffmpeg", None)
    message = r"a.mp4: MP4 needs imageio-ffmpeg \(pip install imageio-ffmpeg\); .webp and .gif need"
    with pytest.raises(ValueError, match=message):
        check_can_film(tmp_path / "a.mp4")


def test_mp4_has_the_frames_and_lasts_as_long(tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    levels = [0.1, 0.4, 0.7, 0.9]
    frames = [grey(level, 65, 97) for level in levels]
    path = save_film(frames, tmp_path / "a.mp4", seconds=2, hold=1)
    reader = ffmpeg.read_frames(str(path))
    about = next(reader)
    assert about["source_size"] == (96, 64)
    assert about["duration"] == pytest.approx(3, abs=0.3)
    shown = [np.frombuffer(data, np.uint8).mean() / 255 for data in reader]
    assert shown == pytest.approx([*levels, 0.9, 0.9], abs=0.02)
    assert names_in(tmp_path) == [path.name]
