"""What a record says of pictures."""

from itertools import combinations

import pytest
import torch

from nst_tutorial.images.reading import bundled_images
from nst_tutorial.images.resizing import resize
from nst_tutorial.transfer.provenance import UNLIKE, shows, thumbnail
from nst_tutorial.transfer.style_transfer import stylize


def test_a_thumbnail_is_the_mean_brightness_of_64_blocks():
    """On blocks that resizing to 8 × 8 pixels leaves as they are."""
    blocks = torch.arange(64.0).reshape(1, 1, 8, 8) / 255
    assert thumbnail(blocks.expand(1, 3, 8, 8)) == bytes(range(64)).hex()
    assert thumbnail(torch.tensor([0.0, 0.3, 0.9]).reshape(1, 3, 1, 1).expand(1, 3, 8, 8)) == (
        bytes([round(0.4 * 255)] * 64).hex()
    )
    assert thumbnail(torch.full((1, 3, 16, 16), 1.5)) == "ff" * 64


def test_a_picture_is_known_at_every_size_and_no_other_is_taken_for_it():
    pictures = bundled_images(128)
    for picture in pictures:
        for size in (32, 100, 300):
            assert shows(resize(picture, size), thumbnail(picture))
    assert not any(shows(one, thumbnail(other)) for one, other in combinations(pictures, 2))


def test_a_little_more_light_is_the_same_picture_and_much_more_is_not():
    picture = torch.full((1, 3, 16, 16), 0.5)
    recorded = thumbnail(picture)
    assert shows(picture + (UNLIKE - 1) / 255, recorded)
    assert not shows(picture + (UNLIKE + 2) / 255, recorded)


@pytest.mark.parametrize("recorded", [None, 3, "", "no digits", "ff", ["ff"]])
def test_a_record_without_a_thumbnail_says_nothing_against_a_picture(recorded):
    assert shows(torch.rand(1, 3, 16, 16), recorded)


def test_a_result_records_the_pictures_that_count(pair, tiny):
    content, style = pair
    record = stylize(
        content, [style, style.flip(2), content], style_mix=[1, 0, 2], model=tiny, steps=0
    ).settings
    assert record["thumbnails"] == {
        "content": thumbnail(content), "style 1": thumbnail(style), "style 3": thumbnail(content)
    }  # fmt: skip
    started = stylize(content, style, start=style, model=tiny, steps=0).settings
    assert set(started["thumbnails"]) == {"content", "style"}
