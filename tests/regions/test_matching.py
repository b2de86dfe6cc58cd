"""Regions that two pictures have in common."""

import itertools
import warnings

import numpy as np
import pytest
import torch

from nst_tutorial.images.reading import load_image
from nst_tutorial.regions.clusters import (
    LEAST_SHARE,
    Clusters,
    clustered,
    most_shared,
    squared_distances,
)
from nst_tutorial.regions.matching import _counterparts, match_regions
from nst_tutorial.regions.points import COLOR, HEIGHT, points_of


def texture(name, size=192):
    """A square piece, as large as it is."""
    image = load_image(name, 256)
    return image[..., :size, :size]


@pytest.fixture(scope="module")
def planted():
    """Two textures side by side, and one above the other in another picture."""
    dots, tissue = texture("confetti_dots"), texture("tissue_stain")
    beside = torch.cat([dots[..., :96], tissue[..., :96]], dim=3)
    above = torch.cat([tissue[..., :120, :], dots[..., :72, :]], dim=2)
    return beside, above


@pytest.fixture(scope="module")
def matched(planted, vgg):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return match_regions(*planted, 2, model=vgg)


def test_planted_regions_are_seen_again(planted, matched):
    """Which texture is which, at 95 of 100 pixels, in both pictures."""
    content, style = matched
    truth = torch.zeros(192, 192, dtype=torch.bool)
    truth[:, :96] = True  # dots
    dots = max((0, 1), key=lambda r: float(content[r][0, 0, :, :96].mean()))
    assert ((content[dots][0, 0] > 0.5) == truth).float().mean() > 0.95
    lower = torch.zeros(192, 192, dtype=torch.bool)
    lower[120:] = True
    assert ((style[dots][0, 0] > 0.5) == lower).float().mean() > 0.95


def test_masks_are_shares_of_each_pixel(planted, matched):
    for masks, picture in zip(matched, planted, strict=True):
        assert all(mask.shape == (1, 1, *picture.shape[2:]) for mask in masks)
        assert all(mask.dtype == picture.dtype for mask in masks)
        assert all(0 <= float(mask.min()) <= float(mask.max()) <= 1 for mask in masks)
        torch.testing.assert_close(sum(masks), torch.ones_like(masks[0]))


def test_regions_are_in_few_pieces(matched):
    """A border of a straight line is about as long as the side: no specks."""
    for masks in matched:
        inside = masks[0][0, 0] > 0.5
        border = (inside[1:] != inside[:-1]).sum() + (inside[:, 1:] != inside[:, :-1]).sum()
        assert border < 2 * 192


def test_pictures_in_the_other_order_have_the_same_regions(planted, tiny):
    matched = match_regions(*planted, 2, model=tiny)
    style, content = match_regions(*planted[::-1], 2, model=tiny)
    agree = [
        min(float(((a > 0.5) == (b > 0.5)).float().mean()) for a, b in
            zip((*content, *style), (*order(matched[0]), *order(matched[1])), strict=True))
        for order in (list, lambda masks: masks[::-1])
    ]  # fmt: skip
    assert max(agree) > 0.98


def test_the_same_seed_gives_the_same_masks(planted, tiny):
    first, again = (match_regions(*planted, 4, seed=3, model=tiny) for _ in range(2))
    for one, other in zip(itertools.chain(*first), itertools.chain(*again), strict=True):
        assert torch.equal(one, other)


def test_a_picture_beside_itself_has_the_same_regions_twice(planted, tiny):
    content, style = match_regions(planted[0], planted[0], 2, model=tiny)
    for one, other in zip(content, style, strict=True):
        assert torch.equal(one, other)


def test_auto_takes_regions_that_both_pictures_have(planted, tiny):
    content, style = match_regions(*planted, model=tiny)
    assert 2 <= len(content) == len(style) <= 6
    assert all(float(mask.mean()) > 0.8 * LEAST_SHARE for mask in (*content, *style))


def test_sky_meets_sky(vgg, temple, starry):
    (content, style), top = match_regions(temple, starry, 2, model=vgg), slice(0, 12)
    sky = max((0, 1), key=lambda r: float(content[r][..., top, -40:].mean()))
    assert content[sky][..., top, -40:].mean() > 0.9
    assert style[sky][..., top, -40:].mean() > 0.9
    assert content[sky][..., -12:, :].mean() < 0.1
    assert style[sky][..., -12:, :].mean() < 0.3


def test_one_region_is_everywhere(planted, tiny):
    for masks, picture in zip(match_regions(*planted, 1, model=tiny), planted, strict=True):
        (mask,) = masks
        assert torch.equal(mask, torch.ones_like(picture[:, :1]))


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        (0, "regions must be a whole number ≥ 1, got 0"),
        (-2, "regions must be a whole number ≥ 1, got -2"),
        (1.5, "regions must be a whole number ≥ 1, got 1.5"),
        ("three", "regions must be a whole number ≥ 1, got 'three'"),
        (10**6, "regions must be at most 2048, the positions at which these pictures are looked"),
    ],
)  # fmt: skip
def test_numbers_that_there_cannot_be(planted, tiny, regions, message):
    with pytest.raises(ValueError, match=message):
        match_regions(*planted, regions, model=tiny)


def test_pictures_of_one_color_have_no_regions(tiny):
    blue = torch.tensor([0.1, 0.2, 0.7]).view(1, 3, 1, 1).expand(1, 3, 64, 80)
    with pytest.raises(ValueError, match="of one colour each: there are no 3 regions"):
        match_regions(blue, 1 - blue, 3, model=tiny)
    with pytest.warns(UserWarning, match="no regions in common; the style goes everywhere"):
        content, style = match_regions(blue, 1 - blue, model=tiny)
    assert torch.equal(content[0], torch.ones(1, 1, 64, 80))
    assert torch.equal(style[0], torch.ones(1, 1, 64, 80))


@pytest.mark.parametrize("shapes", [((16, 16), (400, 18)), ((20, 300), (33, 47))])
def test_pictures_of_any_shape(tiny, shapes):
    generator = torch.Generator().manual_seed(0)
    pictures = [torch.rand(1, 3, *shape, generator=generator) for shape in shapes]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content, style = match_regions(*pictures, 3, model=tiny)
    assert {mask.shape[2:] for mask in content} == {shapes[0]}
    assert {mask.shape[2:] for mask in style} == {shapes[1]}
    torch.testing.assert_close(sum(content), torch.ones_like(content[0]))


# --- points ----------------------------------------------------------------------------------


def test_points_are_centred_in_each_picture_and_of_the_spreads_that_were_chosen(planted, tiny):
    points, shapes = points_of(planted, tiny)
    assert shapes == ((32, 32), (32, 32))
    assert points.shape[0] == 2048
    for part in np.split(points, 2):
        np.testing.assert_allclose(part.mean(axis=0), 0, atol=1e-2)  # smoothing keeps it nearly
    variances = points.var(axis=0)
    assert variances[:-1].sum() < 2 + COLOR**2  # smoothing and what was left out take some
    assert variances[-1] == pytest.approx(HEIGHT**2, rel=0.1)


def test_brightness_of_the_whole_makes_no_regions(planted, vgg):
    """A dark print of the same picture has the same regions."""
    content, style = match_regions(planted[0], 0.5 * planted[0] + 0.1, 2, model=vgg)
    for one, other in zip(content, style, strict=True):
        assert ((one > 0.5) == (other > 0.5)).float().mean() > 0.95


# --- clusters --------------------------------------------------------------------------------


def blobs(*counts, spread=0.1):
    """Points around (0, 0), (10, 0), (20, 0), …, as many of each as `counts` says."""
    generator = np.random.default_rng(0)
    return np.concatenate([
        generator.normal((10 * i, 0), spread, (count, 2)) for i, count in enumerate(counts)
    ])  # fmt: skip


def test_clusters_are_the_best_of_all_partitions():
    """Against brute force, on eight points."""
    points = np.random.default_rng(1).normal(size=(8, 2))

    def inside(labels):
        groups = [points[labels == c] for c in range(2)]
        return sum(((g - g.mean(axis=0)) ** 2).sum() for g in groups)

    partitions = [np.array(labels) for labels in itertools.product((0, 1), repeat=8)]
    best = min(inside(labels) for labels in partitions if 0 < labels.sum() < 8)
    clusters = clustered(points, 2, [(2, 2), (1, 4)], 0)
    assert [labels.shape for labels in clusters.labels] == [(2, 2), (1, 4)]
    labels = np.concatenate([each.ravel() for each in clusters.labels])
    assert inside(labels) == pytest.approx(best)


def test_clusters_do_not_depend_on_the_order_of_points():
    points = blobs(20, 30, 50, spread=1.0)
    turn = np.random.default_rng(3).permutation(100)
    one, other = (clustered(p, 3, [(1, 100)], 0) for p in (points, points[turn]))
    same = one.labels[0][0][:, None] == one.labels[0][0]
    turned = other.labels[0][0][:, None] == other.labels[0][0]
    assert (same[turn][:, turn] == turned).all()


def test_there_are_no_more_clusters_than_points_that_differ():
    points = np.repeat([[0.0, 0.0], [1.0, 0.0]], 10, axis=0)
    assert clustered(points, 2, [(1, 20)], 0) is not None
    assert clustered(points, 3, [(1, 20)], 0) is None


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((40, 30, 30), (20, 40, 40), 3),  # all three in both
        ((50, 50, 0), (40, 30, 30), 2),  # the third has no counterpart
        ((48, 48, 4), (40, 30, 30), 2),  # nor if it is tiny
    ],
)
def test_auto_is_the_most_regions_that_both_pictures_have(first, second, expected):
    points = np.concatenate([blobs(*first), blobs(*second)])
    clusters = most_shared(points, [(10, 10), (10, 10)], 0)
    assert len(clusters.centres) >= expected
    assert clusters.shares.min() >= LEAST_SHARE
    if expected == 2:
        assert len(clusters.centres) < 6


def test_pictures_without_anything_in_common_share_no_regions():
    assert most_shared(blobs(100, 100, spread=1e-3), [(10, 10), (10, 10)], 0) is None


# --- regions of one picture only ---------------------------------------------------------------


def clusters_of(centres, *shares):
    """Pictures of 100 positions each with these shares of percent."""
    labels = [np.repeat(np.arange(len(s)), s).reshape(10, 10) for s in shares]
    return Clusters(np.array(centres, float)[:, None], tuple(labels))


def test_a_region_of_the_content_alone_takes_the_style_of_the_nearest():
    clusters = clusters_of([0, 10, 11], (20, 30, 50), (60, 40, 0))
    with pytest.warns(UserWarning, match="region 1, 50% of the content, is not in the style; it "
                      "takes that of region 2, which is most like it"):  # fmt: skip
        assert _counterparts(clusters) == ([[2], [1], [0]], [1, 1, 0])


def test_a_region_of_the_style_alone_is_left_out():
    clusters = clusters_of([0, 10, 11], (40, 60, 0), (30, 40, 30))
    with pytest.warns(UserWarning, match="30% of the style is like nothing in the content"):
        assert _counterparts(clusters) == ([[1, 2], [0]], [1, 0])


def test_unless_a_region_of_the_content_has_no_better_one():
    clusters = clusters_of([0, 10, 11], (40, 60, 0), (40, 0, 60))
    text = "60% of the content, is not in the style; it takes that of another 60% of it, which is"
    with pytest.warns(UserWarning, match=text) as caught:
        assert _counterparts(clusters) == ([[1, 2], [0]], [2, 0])
    assert len(caught) == 1


def test_squared_distances():
    points, centres = np.random.default_rng(0).normal(size=(2, 5, 3))
    by_hand = ((points[:, None] - centres) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared_distances(points, centres), by_hand)
