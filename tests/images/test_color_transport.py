"""Colours by optimal transport."""

import numpy as np
import pytest
import torch
from tensors import box, disc, ones

from nst_tutorial.images import color_transport
from nst_tutorial.images.color_transport import (
    FAINTEST,
    _lab,
    _picture,
    monotone_map,
    sliced_transport,
    transport_colors,
)
from nst_tutorial.images.reading import load_image


def cloud(count, seed, size=3):
    """Points of no normal distribution, and their weights."""
    generator = np.random.default_rng(seed)
    points = generator.gamma(2.0, 1.0, (count, size)) @ generator.normal(size=(size, size))
    return points, generator.uniform(0.2, 1.0, count)


@pytest.fixture(scope="module")
def photographs():
    return load_image("temple", 96).double(), load_image("coffee", 80).double()


# --- along one axis --------------------------------------------------------------------------


def test_as_many_values_go_by_rank():
    x, y = cloud(50, 0, 1)[0][:, 0], cloud(50, 1, 1)[0][:, 0]
    values, images = monotone_map(x, np.ones(50), y, np.ones(50))
    np.testing.assert_array_equal(values, np.sort(x))
    np.testing.assert_allclose(images, np.sort(y), rtol=0, atol=1e-12)


def test_weights_are_repetitions():
    x, y = np.array([3.0, 1.0, 2.0]), np.array([10.0, 40.0, 20.0])
    weighted = monotone_map(x, np.array([1.0, 2, 1]), y, np.array([2.0, 1, 1]))
    repeated = monotone_map(
        np.repeat(x, [1, 2, 1]), np.ones(4), np.repeat(y, [2, 1, 1]), np.ones(4)
    )
    for one, other in zip(weighted, repeated, strict=True):
        np.testing.assert_allclose(one, other)
    np.testing.assert_allclose(weighted[1], [10, 20, 40])


def test_the_map_is_the_mean_of_the_quantile_function_by_brute_force():
    (x, w), (y, v) = ((p[:, 0], q) for p, q in (cloud(7, 2, 1), cloud(11, 3, 1)))
    values, images = monotone_map(x, w, y, v)
    order = np.argsort(y)
    levels = np.cumsum(v[order]) / v.sum()
    edges = np.concatenate([[0], np.cumsum(w[np.argsort(x)]) / w.sum()])
    for a, b, image in zip(edges, edges[1:], images, strict=False):
        t = a + (np.arange(200_000) + 0.5) / 200_000 * (b - a)
        quantiles = y[order][np.searchsorted(levels, t).clip(max=10)]
        assert image == pytest.approx(quantiles.mean(), abs=1e-4)
    assert (np.diff(images) >= 0).all()
    assert (np.diff(values) > 0).all()


def test_equal_values_stay_equal_and_the_mean_is_exact():
    x, y = np.repeat([1.0, 2.0], 50), cloud(70, 4, 1)[0][:, 0]
    values, images = monotone_map(x, np.ones(100), y, np.ones(70))
    assert values.tolist() == [1, 2]
    assert images.mean() == pytest.approx(y.mean())


# --- in three dimensions ----------------------------------------------------------------------


def test_one_turn_gives_the_marginals_along_the_first_axes():
    (x, w), (y, v) = cloud(400, 0), cloud(400, 1)
    moved = sliced_transport(x, np.ones(400), y, np.ones(400), iterations=1)
    np.testing.assert_allclose(np.sort(moved, axis=0), np.sort(y, axis=0), rtol=0, atol=1e-9)
    assert not np.allclose(np.cov(moved.T), np.cov(y.T), rtol=0.1)
    assert w.shape == v.shape


def test_distributions_agree_in_the_end():
    """Mean, covariance, and marginals along directions that were never looked at."""
    (x, w), (y, v) = cloud(3000, 0), cloud(2500, 1)
    moved = sliced_transport(x, w, y, v, iterations=40)
    mean, wanted = (np.average(p, axis=0, weights=q) for p, q in ((moved, w), (y, v)))
    np.testing.assert_allclose(mean, wanted, atol=1e-6)
    scale = np.abs(np.cov(y.T, aweights=v)).max()
    np.testing.assert_allclose(
        np.cov(moved.T, aweights=w), np.cov(y.T, aweights=v), atol=0.03 * scale
    )
    directions = np.random.default_rng(5).normal(size=(3, 20))
    before, after = (
        np.mean(
            [gap(p @ d, w, y @ d, v) for d in (directions / np.linalg.norm(directions, axis=0)).T]
        )
        for p in (x, moved)
    )
    assert after < 0.03 * before


def gap(x, w, y, v):
    """Wasserstein distance of two weighted samples on a line, by quantiles."""
    levels = np.linspace(0.01, 0.99, 99)
    quantiles = [
        np.interp(levels, (np.cumsum(q[o]) - q[o] / 2) / q.sum(), p[o])
        for p, q, o in ((x, w, np.argsort(x)), (y, v, np.argsort(y)))
    ]
    return np.abs(np.subtract(*quantiles)).mean()


def test_it_is_nearly_the_transport_that_moves_least():
    """Between two normal distributions that is known: 1 for shifted, s - 1 for stretched ones."""
    z = np.random.default_rng(0).normal(size=(2000, 3))
    stretch = np.diag([2.0, 1.0, 0.5])
    moved = sliced_transport(z, np.ones(2000), z[::-1] @ stretch, np.ones(2000), iterations=30)
    assert np.sqrt(np.square(moved - z @ stretch).mean()) < 0.15


def test_clouds_alike_stay():
    x, w = cloud(500, 0)
    np.testing.assert_allclose(sliced_transport(x, w, x, w), x, rtol=0, atol=1e-8)


def test_points_that_were_not_looked_at_follow_the_others(monkeypatch):
    (x, w), (y, v) = cloud(6000, 0), cloud(5000, 1)
    whole = sliced_transport(x, w, y, v)
    monkeypatch.setattr(color_transport, "SAMPLES", 2000)
    sampled = sliced_transport(x, w, y, v)
    spread = y.std()
    assert np.sqrt(np.square(sampled - whole).mean()) < 0.15 * spread
    np.testing.assert_allclose(sliced_transport(x, w, x, w), x, rtol=0, atol=1e-8)


# --- pictures -------------------------------------------------------------------------------------


def test_a_picture_in_its_own_colors_is_itself(photographs):
    for picture in photographs:
        torch.testing.assert_close(transport_colors(picture, picture), picture, rtol=0, atol=1e-5)
    shuffled = photographs[0].flip(2, 3)  # colours alone count, not places
    torch.testing.assert_close(
        transport_colors(photographs[0], shuffled), photographs[0], rtol=0, atol=1e-5
    )


def test_a_picture_gets_the_colors_of_the_other(photographs):
    for picture, reference in (photographs, photographs[::-1]):
        graded = transport_colors(picture, reference)
        assert graded.shape == picture.shape
        assert graded.dtype == picture.dtype
        assert 0 <= graded.min() <= graded.max() <= 1
        found, wanted = _lab(graded), _lab(reference)
        np.testing.assert_allclose(found.mean(axis=0), wanted.mean(axis=0), atol=0.5)  # of 100
        np.testing.assert_allclose(found.std(axis=0), wanted.std(axis=0), rtol=0.05)
        levels = np.linspace(0.02, 0.98, 25)
        np.testing.assert_allclose(
            np.quantile(found[:, 0], levels), np.quantile(wanted[:, 0], levels), atol=3
        )


def test_regions_get_the_colors_of_their_counterparts(photographs):
    picture, reference = photographs
    (h, w), (H, W) = picture.shape[2:], reference.shape[2:]
    masks = [box(h, w, (0, h), (0, 40)), box(h, w, (0, h), (40, 70))]
    sources = [box(H, W, (0, 20), (0, W)), box(H, W, (20, H), (0, W))]
    graded = transport_colors(picture, reference, masks, sources)
    assert torch.equal(graded[..., 70:], picture[..., 70:])  # outside of both
    for where, source in (((..., slice(0, 40)), (..., slice(0, 20), slice(None))),
                          ((..., slice(40, 70)), (..., slice(20, None), slice(None)))):  # fmt: skip
        alone = transport_colors(picture[where], reference[source])
        torch.testing.assert_close(graded[where], alone, rtol=0, atol=1e-9)


def test_a_soft_mask_blends(photographs):
    picture, reference = photographs
    mask = disc(*picture.shape[2:])
    graded = transport_colors(picture, reference, mask)
    outside = (mask == 0).expand_as(picture)
    assert torch.equal(graded[outside], picture[outside])
    assert outside.any()
    whole = ones(*picture.shape[2:])
    torch.testing.assert_close(
        transport_colors(picture, reference, whole), transport_colors(picture, reference)
    )
    halves = transport_colors(picture, reference, [whole, whole], [ones(*reference.shape[2:])] * 2)
    torch.testing.assert_close(halves, transport_colors(picture, reference), rtol=0, atol=1e-9)


def test_the_faintest_of_a_mask_is_none(photographs):
    """Masks that fade to 1e-30 would be divided by."""
    picture, reference = photographs
    mask = disc(*picture.shape[2:]).clamp(min=1e-30)
    graded = transport_colors(picture, reference, mask)
    none = mask < FAINTEST
    assert torch.equal(graded, transport_colors(picture, reference, mask * ~none))
    assert torch.equal(graded[none.expand_as(picture)], picture[none.expand_as(picture)])
    with pytest.raises(ValueError, match="mask is empty: no pixel counts"):
        transport_colors(picture, reference, 0.003 * ones(*picture.shape[2:]))


def test_the_seed_decides(photographs):
    one, again = (transport_colors(*photographs, seed=1) for _ in range(2))
    assert torch.equal(one, again)
    assert not torch.equal(one, transport_colors(*photographs, seed=2))


@pytest.mark.parametrize("color", [(0.2, 0.5, 0.7), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)])
def test_pictures_of_one_color(photographs, color):
    flat = torch.tensor(color).double().view(1, 3, 1, 1).expand(1, 3, 20, 24).contiguous()
    torch.testing.assert_close(
        transport_colors(photographs[0], flat), flat[..., :1, :1].expand_as(photographs[0]),
        rtol=0, atol=1e-4,
    )  # fmt: skip
    graded = transport_colors(flat, photographs[0])
    assert graded.isfinite().all()
    assert (graded == graded[..., :1, :1]).all()
    np.testing.assert_allclose(_lab(graded)[0], _lab(photographs[0]).mean(axis=0), atol=0.5)


def test_lab_and_back(photographs):
    torch.testing.assert_close(
        _picture(_lab(photographs[0]), photographs[0]), photographs[0], rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mask": ones(9, 9)}, r"mask must be \(1, 1, \d+, 96\), of the size of its picture; got"),
        ({"mask": "sky.png"}, "mask must be .* got str"),
        ({"mask": []}, "mask must be a mask or several; there is none"),
        ({"iterations": 0}, "iterations must be a whole number ≥ 1"),
        ({"seed": -1}, "seed must be a whole number ≥ 0"),
    ],
)
def test_bad_values(photographs, options, message):
    with pytest.raises(ValueError, match=message):
        transport_colors(*photographs, **options)


def test_bad_masks(photographs):
    picture, reference = photographs
    whole = ones(*picture.shape[2:])
    for mask, message in (
        (0 * whole, "mask is empty: no pixel counts"),
        (2 * whole, "mask must have values in 0..1"),
        (torch.nan * whole, "mask must have values in 0..1"),
        ([whole, whole], "mask and reference_mask must be as many; got 2 and 1"),
    ):
        with pytest.raises(ValueError, match=message):
            transport_colors(picture, reference, mask)
    with pytest.raises(ValueError, match="reference must be a picture"):
        transport_colors(picture, reference[0])
