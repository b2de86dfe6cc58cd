"""Strokes made into masks."""

import warnings

import pytest
import torch

from nst_tutorial.regions.scribbles import from_scribbles


def strokes(height=240, width=320):
    drawn = torch.zeros(1, 1, height, width)
    drawn[..., 100:103, 20:60] = 1
    drawn[..., 180, 250:300] = 2
    return drawn


def halves(height=240, width=320, border=150):
    """Two colours side by side, the border far from the middle between the strokes."""
    picture = torch.tensor([0.2, 0.3, 0.6]).view(1, 3, 1, 1).repeat(1, 1, height, width)
    picture[..., border:] = torch.tensor([0.7, 0.6, 0.2]).view(3, 1, 1)
    noise = torch.randn(picture.shape, generator=torch.Generator().manual_seed(0))
    return (picture + 0.02 * noise).clamp(0, 1)


def test_a_stroke_fills_its_side_of_an_edge():
    left, right = from_scribbles(halves(border=210), strokes())
    truth = torch.arange(320) < 210
    assert ((left[0, 0] > 0.5) == truth).float().mean() > 0.99
    torch.testing.assert_close(left + right, torch.ones_like(left))
    assert 0 <= left.min() <= left.max() <= 1


def test_strokes_are_kept_even_where_the_picture_speaks_against_them():
    drawn = strokes()
    drawn[..., 30:34, 200:300] = 1  # on the other side of the edge
    masks = from_scribbles(halves(), drawn)
    for label, mask in enumerate(masks, start=1):
        assert (mask[drawn == label] == 1).all()
        assert (mask[(drawn > 0) & (drawn != label)] == 0).all()


def test_labels_need_not_be_consecutive_and_are_masks_in_their_order():
    picture, drawn = halves(), strokes()
    expected = from_scribbles(picture, drawn)
    renamed = from_scribbles(picture, torch.where(drawn == 2, 7, drawn.long()))
    swapped = from_scribbles(picture, (3 - drawn) * (drawn > 0))
    for one, other, turned in zip(expected, renamed, swapped[::-1], strict=True):
        assert torch.equal(one, other)
        torch.testing.assert_close(one, turned, rtol=0, atol=0.02)


def test_in_a_picture_of_one_color_the_nearer_stroke_wins():
    picture = torch.full((1, 3, 80, 120), 0.4)
    drawn = torch.zeros(1, 1, 80, 120)
    drawn[..., 10:70, 20], drawn[..., 10:70, 100] = 1, 2
    left, _ = from_scribbles(picture, drawn)
    assert left.isfinite().all()
    across = left[0, 0, 40]
    assert (across[:50] > 0.5).all()
    assert (across[72:] < 0.5).all()


def test_three_regions_and_strokes_thinner_than_the_walk_sees():
    picture = torch.cat([halves(600, 400, 200), halves(600, 400, 200).flip(1)], dim=3)
    drawn = torch.zeros(1, 1, 600, 800, dtype=torch.uint8)
    drawn[..., 300, 50], drawn[..., 300, 350], drawn[..., 100, 750] = 1, 2, 3
    masks = from_scribbles(picture, drawn)
    assert len(masks) == 3
    torch.testing.assert_close(sum(masks), torch.ones_like(masks[0]))
    assert all(float(mask.mean()) > 0.05 for mask in masks)


def test_a_picture_scribbled_all_over():
    drawn = 1 + (torch.arange(40) >= 15).long().expand(1, 1, 30, 40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, two = from_scribbles(torch.rand(1, 3, 30, 40), drawn)
    assert torch.equal(one, (drawn == 1).float())
    assert torch.equal(two, (drawn == 2).float())


@pytest.mark.parametrize(
    ("drawn", "message"),
    [
        (torch.zeros(1, 1, 240, 320), r"at least two regions, each with a label .*; got \[\]"),
        (torch.ones(1, 1, 240, 320), r"at least two regions, .* got \[1\]"),
        (torch.zeros(1, 1, 240, 300), r"must be \(1, 1, 240, 320\).*got \(1, 1, 240, 300\)"),
        (torch.full((1, 1, 240, 320), 0.5), "scribbles must hold whole numbers"),
        (torch.full((1, 1, 240, 320), -1), "scribbles must hold whole numbers"),
        (torch.ones(1, 1, 240, 320, dtype=torch.bool), "scribbles must hold whole numbers"),
        (None, "got NoneType"),
    ],
)  # fmt: skip
def test_bad_scribbles(drawn, message):
    with pytest.raises(ValueError, match=message):
        from_scribbles(halves(), drawn)
