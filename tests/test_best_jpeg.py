"""A JPEG as good as its size allows."""

import pytest
from PIL import Image

from nst_tutorial.images.catalog import find_image


@pytest.fixture
def best_jpeg(monkeypatch):
    monkeypatch.syspath_prepend(find_image("temple").parent.parent)
    from best_jpeg import best_jpeg

    return best_jpeg


def test_the_best_jpeg_below_the_limit_is_taken(best_jpeg):
    picture = Image.effect_noise((200, 200), 80).convert("RGB")
    best = len(best_jpeg(picture, 10**6))
    assert len(best_jpeg(picture, best)) == best
    assert len(best_jpeg(picture, best - 1)) < best


def test_a_limit_that_no_quality_keeps_is_named(best_jpeg):
    with pytest.raises(ValueError, match="no JPEG of 64×48 is below 100 bytes"):
        best_jpeg(Image.effect_noise((64, 48), 80), 100)
