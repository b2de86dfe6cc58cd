import json

import pytest
import torch

from nst_tutorial.images.color import luminance
from nst_tutorial.looks.guide import Guide, guide_from, guide_of


def test_luminance_is_that_of_images(picture):
    torch.testing.assert_close(guide_of(picture)(picture), luminance(picture))


def test_principal_runs_along_the_direction_of_the_largest_variance(picture):
    """Blue against yellow, equally bright: luminance cannot tell them, this can."""
    t = torch.rand(1, 1, 40, 36, generator=torch.Generator().manual_seed(3)).double()
    blue, yellow = torch.tensor([[0.1, 0.2, 0.9], [0.6, 0.7, 0.1]]).double()[:, None, :, None, None]
    colours = blue + t * (yellow - blue) + 0.01 * picture
    guide = guide_of(colours, "principal")
    value = guide(colours)
    assert value.min() == pytest.approx(0, abs=1e-6)
    assert value.max() == pytest.approx(1, abs=1e-6)
    assert torch.corrcoef(torch.stack([value.flatten(), t.flatten()]))[0, 1] > 0.999
    direction = torch.tensor(guide.weights).double()
    expected = (yellow - blue).flatten()
    assert torch.dot(direction, expected) / direction.norm() / expected.norm() > 0.999


def test_of_one_colour_there_is_no_direction():
    grey = torch.full((1, 3, 20, 20), 0.5)
    assert guide_of(grey, "principal") == Guide()


def test_of_a_grey_picture_it_is_brightness(picture):
    grey = picture[:, :1].expand(-1, 3, -1, -1)
    value = guide_of(grey, "principal")(grey)
    low, high = picture[:, :1].min(), picture[:, :1].max()
    torch.testing.assert_close(value, (picture[:, :1] - low) / (high - low))


def test_beyond_the_content_it_stays_in_range(picture):
    guide = guide_of(0.4 + 0.2 * picture, "principal")
    value = guide(torch.cat([torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)], 2))
    assert value.min() == 0
    assert value.max() == 1


def test_a_record_gives_the_same_guide(picture):
    for kind in ("luminance", "principal"):
        guide = guide_of(picture, kind)
        assert guide_from(json.loads(json.dumps(guide.as_dict()))) == guide


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({}, "no record of a guide"),
        ({"kind": "luminance", "weights": [1, 2], "offset": 0}, "not enough values"),
        ({"kind": "luminence", "weights": [1, 2, 3], "offset": 0}, "did you mean luminance"),
        ({"kind": "luminance", "weights": [1, 2, float("nan")], "offset": 0}, "finite"),
    ],
)
def test_a_record_that_is_none_is_refused(record, message):
    with pytest.raises(ValueError, match=message):
        guide_from(record)


def test_an_unknown_kind_is_refused(picture):
    with pytest.raises(ValueError, match="guide must be one of luminance, principal"):
        guide_of(picture, "hue")
