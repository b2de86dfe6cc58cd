"""Faces in a picture."""

import pytest
import torch

from nst_tutorial.images.reading import load_image
from nst_tutorial.images.resizing import resize
from nst_tutorial.regions.faces import _overlap, face_boxes, face_mask

EYES = ((102, 199), (103, 241))  # (row, column) at 512 pixels, read off by eye


@pytest.fixture(scope="module")
def astronaut():
    return load_image("astronaut", 512)


def test_the_box_holds_the_eyes(astronaut):
    ((top, left, height, width),) = face_boxes(astronaut)
    for row, column in EYES:
        assert top < row < top + height
        assert left < column < left + width
    assert 60 < height < 150


def test_the_mask_is_one_on_the_face_and_zero_away_from_it(astronaut):
    mask = face_mask(astronaut)
    assert mask.shape == (1, 1, 512, 512)
    assert mask.dtype == astronaut.dtype
    for row, column in EYES:
        assert mask[0, 0, row, column] == 1
    assert (mask[..., 260:, :] == 0).all()
    assert (mask[..., 340:] == 0).all()
    assert 0.02 < mask.mean() < 0.08
    steps = (mask[..., 1:] - mask[..., :-1]).abs().max()
    assert steps < 0.1  # it fades


def test_the_mirror_image_has_the_mirrored_mask(astronaut):
    difference = (face_mask(astronaut.flip(3)) - face_mask(astronaut).flip(3)).abs()
    assert difference.mean() < 0.005  # detections lie on whole pixels of a smaller picture
    assert difference.max() < 0.2


def test_boxes_are_in_pixels_of_the_picture(astronaut):
    (large,) = face_boxes(resize(astronaut, (1024, 768)).clamp(0, 1))
    (small,) = face_boxes(astronaut)
    for one, other, scale in zip(large, small, (2, 1.5, 2, 1.5), strict=True):
        assert one / scale == pytest.approx(other, abs=16)


@pytest.mark.parametrize("name", ["cat", "temple", "stained_glass"])
def test_what_is_no_face(name):
    picture = load_image(name, 384)
    assert face_boxes(picture) == []
    assert not face_mask(picture).any()


@pytest.mark.parametrize("shape", [(16, 16), (16, 300), (24, 25)])
def test_pictures_too_small_for_a_face(shape):
    assert face_boxes(torch.rand(1, 3, *shape)) == []


def test_no_picture():
    with pytest.raises(ValueError, match="picture must be a picture"):
        face_mask(torch.zeros(3, 40, 40))


def test_overlap_by_hand():
    assert _overlap((0, 0, 4, 4), (0, 0, 4, 4)) == 1
    assert _overlap((0, 0, 4, 4), (2, 2, 4, 4)) == pytest.approx(4 / 28)
    assert _overlap((0, 0, 4, 4), (4, 0, 4, 4)) == 0
