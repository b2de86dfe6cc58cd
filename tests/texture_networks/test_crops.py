import numpy as np
import pytest
import torch
from PIL import Image

from nst_tutorial.texture_networks import crops
from nst_tutorial.texture_networks.crops import PictureFolder, identity_of, random_crop


def numbers(seed=0):
    return np.random.default_rng(seed)


def test_every_place_of_every_picture_is_found():
    ramp = torch.arange(20 * 18).view(1, 1, 20, 18).expand(1, 3, 20, 18) / 360
    contents = [ramp, 1 + ramp]
    rng, seen = numbers(), set()
    for _ in range(400):
        crop = random_crop(contents, 16, rng)
        assert crop.shape == (1, 3, 16, 16)
        seen.add(round(float(crop[0, 0, 0, 0]) * 360))
    corners = {row * 18 + column for row in range(5) for column in range(3)}
    assert seen == corners | {360 + corner for corner in corners}


def test_what_is_too_small_or_no_picture_is_named():
    with pytest.raises(ValueError, match="content 0 has 30×20 pixels, too few for cut-outs of 24"):
        random_crop([torch.rand(1, 3, 20, 30)], 24, numbers())
    with pytest.raises(ValueError, match="content 0 must be a picture"):
        random_crop([torch.rand(3, 20, 30)], 16, numbers())


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "more").mkdir()
    Image.new("RGB", (60, 40), "red").save(tmp_path / "a.png")
    Image.new("RGB", (20, 50), "blue").save(tmp_path / "more" / "b.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_a_folder_of_pictures(folder):
    pictures = PictureFolder(folder, 24)
    assert len(pictures) == 2
    assert [tuple(p.shape[2:]) for p in (pictures[0], pictures[1])] == [(24, 36), (60, 24)]
    assert pictures[0] is pictures[0]
    assert pictures[0].max() <= 1
    assert random_crop(pictures, 24, numbers()).shape == (1, 3, 24, 24)


def test_a_folder_is_sliced_as_a_list_is(folder):
    pictures = PictureFolder(folder, 24)
    first, second = pictures
    assert [id(p) for p in pictures[::-1]] == [id(second), id(first)]
    assert [id(p) for p in pictures[1:5]] == [id(second)]
    assert pictures[2:] == []


def test_identity(folder):
    before = identity_of(PictureFolder(folder, 24))
    assert before == identity_of(PictureFolder(folder, 24))
    assert before != identity_of(PictureFolder(folder, 32))
    Image.new("RGB", (99, 99), "green").save(folder / "c.png")
    assert before != identity_of(PictureFolder(folder, 24))
    one, other = torch.rand(1, 3, 20, 20), torch.rand(1, 3, 20, 20)
    assert identity_of([one, other]) == identity_of([one.clone(), other])
    assert identity_of([one, other]) != identity_of([other, one])


def test_folders_that_are_none(folder):
    with pytest.raises(NotADirectoryError, match="nowhere: no such folder"):
        PictureFolder(folder / "nowhere", 24)
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: no pictures in it"):
        PictureFolder(folder / "empty", 24)
    (folder / "empty" / "bad.png").write_text("x")
    with pytest.raises(ValueError, match="bad.png"):
        PictureFolder(folder / "empty", 24)[0]


@pytest.mark.parametrize("damage", ["cut", "small"])
def test_pictures_that_cannot_be_used_are_found_at_once(folder, damage):
    """And not at a random step of a training."""
    path = folder / "more" / "b.jpg"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-200])
    else:
        Image.new("RGB", (20, 9)).save(path)
    with pytest.raises(ValueError, match="b.jpg"):
        PictureFolder(folder, 24)


def test_hidden_files_are_no_pictures(folder):
    (folder / "._a.png").write_bytes(b"what macOS puts beside a.png")
    (folder / "x.png").mkdir()
    assert [path.name for path in PictureFolder(folder, 24).paths] == ["a.png", "b.jpg"]


def test_large_pictures_are_not_all_kept_in_memory(folder, monkeypatch):
    monkeypatch.setattr(crops, "KEPT_BYTES", 12 * 1.5 * 24**2 * 1.9)  # one, and nearly two
    pictures = PictureFolder(folder, 24)
    first = pictures[0]
    assert pictures[0] is first
    assert pictures[1] is pictures[1]
    assert pictures[0] is not first
    assert torch.equal(pictures[0], first)
    with pytest.raises(ValueError, match="shorter must be at most 30000, got 150000000"):
        PictureFolder(folder, 150_000_000)
