"""Nearest neighbours: against every pair by brute force; what costs nothing, and what counts."""

from math import sqrt

import pytest
import torch
from tensors import box, disc, distance, features, relative

from nst_tutorial.kernels import nearest_neighbours as room
from nst_tutorial.kernels.moments import Gram, positions
from nst_tutorial.kernels.nearest_neighbours import NearestNeighbours
from nst_tutorial.kernels.registry import WeightedSum, describe, get_kernel
from nst_tutorial.tiling.contributions import contribution
from nst_tutorial.tiling.windows import FeatureWindow

KERNEL = NearestNeighbours()


def by_pairs(x, y, x_shares=None, y_shares=None):
    """Σ share min (1 - cos) over all pairs of positions of (1, C, H, W), one after the other."""
    (x, y), total = (positions(z)[0] for z in (x, y)), 0.0
    x_shares, y_shares = (
        torch.full((len(z),), 1 / len(z), dtype=torch.float64) if shares is None else shares
        for z, shares in ((x, x_shares), (y, y_shares))
    )
    x_mean, y_mean = (
        sum(share * f for share, f in zip(shares, z, strict=True))
        for shares, z in ((x_shares, x), (y_shares, y))
    )
    for share, f in zip(x_shares, x, strict=True):
        a, cosines = f - x_mean, []
        for counts, g in zip(y_shares >= y_shares.max() / 2, y, strict=True):
            b = g - y_mean
            cosines += [float(a @ b) / sqrt(a @ a) / sqrt(b @ b)] if counts else []
        total += float(share) * (1 - max(cosines))
    return total


@pytest.mark.parametrize("size", [(3, 5), (2, 4), (5, 6)])
def test_against_every_pair(x, size):
    y = features(1, 4, *size, seed=1).exp()
    assert float(distance(KERNEL, x, y)) == pytest.approx(by_pairs(x, y), rel=1e-12)
    assert float(distance(KERNEL, y, x)) == pytest.approx(by_pairs(y, x), rel=1e-12)


def test_masks_against_every_pair():
    """The picture's positions weigh; the style's are candidates or not, and weigh in its mean."""
    x, y, inner = features(1, 3, 5, 6), features(1, 3, 7, 4, seed=1).exp(), disc(5, 6)
    outer = 0.6 * disc(7, 4, radius=0.6)
    S, T = KERNEL.statistic(x, inner), KERNEL.statistic(y, outer)
    shares = ((mask / mask.sum()).flatten() for mask in (inner, outer))
    assert float(KERNEL.distance(S, T)) == pytest.approx(by_pairs(x, y, *shares), rel=1e-12)


@pytest.mark.parametrize("value", [100.0, float("inf")])
def test_positions_that_do_not_count_may_be_anything(value):
    x, y = features(1, 3, 4, 5), features(1, 3, 4, 5, seed=1)
    mask = box(4, 5, (1, 3), (0, 4))
    T = KERNEL.statistic(y, mask)
    expected = KERNEL.distance(KERNEL.statistic(x[..., 1:3, :4]), KERNEL.statistic(y[..., 1:3, :4]))
    other = torch.where(mask > 0, x, value).requires_grad_()
    found = KERNEL.distance(KERNEL.statistic(other, mask), T)
    torch.testing.assert_close(found, expected)
    (gradient,) = torch.autograd.grad(found, other)
    assert (gradient == 0).equal((mask == 0).expand_as(gradient))
    masked = torch.where(mask > 0, y, 100.0)
    found = KERNEL.distance(KERNEL.statistic(x, mask), KERNEL.statistic(masked, mask))
    torch.testing.assert_close(found, expected)


# --- what costs nothing ----------------------------------------------------------------------


def test_copies_cost_nothing_and_nothing_else_does(y):
    """Any shift and contrast of the style's features, each as often as it likes."""
    copies = 3 + 0.2 * torch.cat([y, y.flip(3)], dim=2)
    assert float(distance(KERNEL, copies, y)) == pytest.approx(0, abs=1e-12)
    opposite = y.mean((2, 3), keepdim=True) - y
    assert float(distance(KERNEL, opposite, y)) > 0.1
    for p in range(8):
        other = copies.clone()
        other[..., p // 4, p % 4] += 0.1 * features(4, seed=p)
        assert float(distance(KERNEL, other, y)) > 1e-6


def test_not_all_of_the_style_need_occur():
    """Two of four features, opposite each other about the same mean."""
    y = torch.tensor([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]]).double().view(1, 2, 2, 2)
    assert float(distance(KERNEL, y[..., :1, :], y)) == pytest.approx(0, abs=1e-12)
    assert float(distance(KERNEL, y, y[..., :1, :])) == pytest.approx(0.5)


def test_positions_are_forgotten(x, y):
    generator = torch.Generator().manual_seed(3)
    shuffled_x, shuffled_y = (
        z.flatten(2)[..., torch.randperm(z[0, 0].numel(), generator=generator)].view_as(z)
        for z in (x, y)
    )
    torch.testing.assert_close(distance(KERNEL, shuffled_x, y), distance(KERNEL, x, y))
    torch.testing.assert_close(distance(KERNEL, x, shuffled_y), distance(KERNEL, x, y))


def test_magnitude_is_the_distance_from_the_mean(y):
    flat = y.mean((2, 3), keepdim=True).expand(1, 4, 3, 3)
    torch.testing.assert_close(distance(KERNEL, flat, y), KERNEL.magnitude(KERNEL.statistic(y)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_from_a_flat_style_nothing_is_subtracted(dtype):
    flat = torch.tensor([300.1, 20.7, 5.0], dtype=dtype)[:, None, None].expand(1, 3, 9, 9)
    assert float(distance(KERNEL, 2 * flat, flat)) == pytest.approx(0, abs=1e-6)
    x = 100 + 50 * features(1, 3, 4, 5, dtype=dtype)
    expected = 1 - torch.cosine_similarity(x, flat[..., :1, :1], dim=1).mean()
    torch.testing.assert_close(distance(KERNEL, x, flat), expected)
    assert float(distance(KERNEL, flat, 0 * flat)) == pytest.approx(1)  # no feature has a direction


# --- gradients -------------------------------------------------------------------------------


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("pictures", [1, 2], ids=["one style", "two"])
def test_gradients_on_both_sides(masked, pictures):
    mask = disc(3, 3, radius=0.9) if masked else None
    x = features(2, 3, 3, 3).requires_grad_()
    y = features(pictures, 3, 2, 5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda f, g: KERNEL.distance(KERNEL.statistic(f, mask), KERNEL.statistic(g)), (x, y)
    )


def test_gradients_of_a_part():
    place = FeatureWindow((5, 4), slice(1, 3), slice(0, 3))
    assert torch.autograd.gradcheck(
        lambda f: KERNEL.contribution(f, place), features(1, 2, 2, 3).requires_grad_()
    )


def test_features_near_the_mean_are_pulled_with_bounded_force(y):
    """The slope of a cosine is 1 / length; below SHORTEST it does not grow any more."""
    apart = y - y.mean((2, 3), keepdim=True)
    most = 1 / (room.SHORTEST * apart.square().sum(dim=1).mean().sqrt())
    for length in (1e-12, 1e-9, 1e-6):
        x = (7 + length * features(1, 4, 3, 3)).requires_grad_()
        (gradient,) = torch.autograd.grad(distance(KERNEL, x, y), x)
        assert 0.1 * most < gradient.norm() < most


# --- parts, strips, candidates ---------------------------------------------------------------

PARTS = [(slice(0, 4), slice(0, 9)), (slice(0, 4), slice(9, 13)), (slice(4, 11), slice(0, 13))]


@pytest.mark.parametrize("mask", [None, disc(11, 13, radius=0.8)], ids=["all", "masked"])
def test_contributions_of_parts_add_up(mask):
    f = features(2, 3, 11, 13)
    places = [FeatureWindow((11, 13), *part, mask) for part in PARTS]
    total = sum(contribution(KERNEL, place.cut(f), place) for place in places)
    torch.testing.assert_close(total, KERNEL.statistic(f, mask))


@pytest.mark.parametrize("masked", [False, True])
def test_strips_of_positions_add_up(monkeypatch, masked):
    x, y = features(2, 5, 4, 5).requires_grad_(), features(1, 5, 3, 3, seed=1).requires_grad_()
    mask = disc(4, 5) if masked else None

    def value_and_gradients():
        value = KERNEL.distance(KERNEL.statistic(x, mask), KERNEL.statistic(y))
        return value, *torch.autograd.grad(value, (x, y))

    whole = value_and_gradients()
    monkeypatch.setattr(room, "STRIP_NUMBERS", 3 * 9)
    torch.testing.assert_close(value_and_gradients(), whole)


def test_candidates_are_drawn_without_replacement_by_seed_and_number_alone():
    drawn = room._drawn(50, 20, 4)
    assert len(set(drawn.tolist())) == 20
    assert set(drawn.tolist()) <= set(range(50))
    torch.rand(100)  # somebody else's random numbers
    room._drawn.cache_clear()
    assert torch.equal(room._drawn(50, 20, 4), drawn)
    assert not torch.equal(room._drawn(50, 20, 5), drawn)


def test_candidates_are_those_drawn(x):
    """The mean stays that of the whole style."""
    y, kernel = features(1, 4, 6, 7, seed=1), NearestNeighbours(5, seed=2)
    drawn = positions(y)[0, room._drawn(42, 5, 2)]
    (f, m_x), (_, m_y) = ((positions(z)[0], z.mean((0, 2, 3))) for z in (x, y))
    cosines = torch.cosine_similarity((f - m_x)[:, None], drawn - m_y, dim=2)
    expected = (1 - cosines.amax(dim=1)).mean()
    torch.testing.assert_close(distance(kernel, x, y), expected)
    assert float(expected) > float(distance(KERNEL, x, y))
    torch.testing.assert_close(distance(NearestNeighbours(42), x, y), distance(KERNEL, x, y))


def test_candidates_come_from_inside_the_mask(x):
    y, mask = features(1, 4, 6, 7, seed=1), box(6, 7, (2, 5), (1, 5))
    kernel = NearestNeighbours(7)
    found = kernel.distance(kernel.statistic(x), kernel.statistic(y, mask))
    torch.testing.assert_close(found, distance(kernel, x, y[..., 2:5, 1:5]))


def test_many_positions_in_single_precision():
    x, y = 100 + features(1, 8, 100, 90), 100 + 3 * features(1, 8, 80, 120, seed=1)
    exact, single = (distance(KERNEL, x.to(k), y.to(k)) for k in (torch.float64, torch.float32))
    assert single.dtype == torch.float32
    assert relative(single, exact) < 1e-4


# --- by name ---------------------------------------------------------------------------------


def test_descriptions():
    kernel = get_kernel({"name": "nearest_neighbours", "candidates": 5.0})
    assert kernel == NearestNeighbours(5)
    assert describe(kernel) == {"name": "nearest_neighbours", "candidates": 5, "seed": 0}
    assert get_kernel(describe(NearestNeighbours(seed=3))) == NearestNeighbours(seed=3)


def test_in_a_sum(x, y):
    both = WeightedSum(((0.5, Gram()), (2.0, KERNEL)))
    assert not both.additive
    expected = 0.5 * distance(Gram(), x, y) + 2 * distance(KERNEL, x, y)
    torch.testing.assert_close(distance(both, x, y), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"candidates": 0}, "candidates must be a whole number ≥ 1, got 0"),
        ({"candidates": 2.5}, "candidates must be a whole number ≥ 1, got 2.5"),
        ({"candidates": 2**21}, "candidates must be at most 1048576, got 2097152"),
        ({"seed": -1}, "seed must be a whole number ≥ 0, got -1"),
    ],
)
def test_bad_values_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        NearestNeighbours(**options)


def test_statistics_of_different_layers(x):
    first, second = KERNEL.statistic(x), KERNEL.statistic(x[:, :3])
    with pytest.raises(ValueError, match="different layers"):
        KERNEL.distance(first, second)
