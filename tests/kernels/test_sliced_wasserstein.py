"""Sliced Wasserstein: against sorting, repeating and assigning by brute force; what it sees."""

import gc
from itertools import product

import pytest
import torch
from scipy.optimize import linear_sum_assignment
from tensors import disc, distance, features, relative

from nst_tutorial.kernels import sliced_wasserstein as room
from nst_tutorial.kernels.central_moments import CentralMoments
from nst_tutorial.kernels.moments import Gram, Wasserstein, positions
from nst_tutorial.kernels.registry import WeightedSum, describe, get_kernel
from nst_tutorial.kernels.sliced_wasserstein import SlicedWasserstein
from nst_tutorial.tiling.contributions import contribution
from nst_tutorial.tiling.windows import FeatureWindow


def projected(f, kernel):
    """(P, M), one picture."""
    return kernel.statistic(f)[0, :-1]


def by_repeating(a, b):
    """W₂² of numbers a and b: each as often as there are of the others, sorted."""
    a, b = a.repeat_interleave(len(b)).sort().values, b.repeat_interleave(len(a)).sort().values
    return (a - b).square().mean()


@pytest.mark.parametrize("directions", [None, 1, 3, 9])
def test_directions_are_orthogonal_unit_vectors(directions):
    theta = room._directions(4, directions or 4, 0, torch.float64, torch.device("cpu"))
    for block in theta.split(4):
        torch.testing.assert_close(block @ block.T, torch.eye(len(block)).double())
    f = features(2, 4, 3, 5)
    S = SlicedWasserstein(directions).statistic(f)
    assert S.shape == (2, (directions or 4) + 1, 15)
    torch.testing.assert_close(S[:, :-1], theta @ positions(f).mT)
    torch.testing.assert_close(S[:, -1], torch.full((2, 15), 1 / 15).double())


def test_directions_depend_on_the_seed_alone():
    f = features(1, 4, 3, 3)
    first = SlicedWasserstein(seed=4).statistic(f)
    torch.rand(100)  # somebody else's random numbers
    room._directions.cache_clear()
    room.orthogonal_frequencies.cache_clear()
    assert torch.equal(first, SlicedWasserstein(seed=4).statistic(f))
    assert not torch.equal(first, SlicedWasserstein(seed=5).statistic(f))


def test_equal_sizes_against_the_best_assignment():
    x, y, kernel = features(1, 3, 4, 5), 1 + features(1, 3, 5, 4, seed=1).exp(), SlicedWasserstein()
    each = []
    for a, b in zip(projected(x, kernel), projected(y, kernel), strict=True):
        costs = (a[:, None] - b).square()
        each.append(costs[linear_sum_assignment(costs)].mean())
    torch.testing.assert_close(distance(kernel, x, y), sum(each) / 3)


@pytest.mark.parametrize("size", [(4, 4), (2, 5), (1, 1), (7, 11)])
def test_any_two_sizes_exactly(size):
    x, y, kernel = features(1, 3, 3, 5), features(1, 3, *size, seed=1).exp(), SlicedWasserstein(5)
    rows = zip(projected(x, kernel), projected(y, kernel), strict=True)
    expected = sum(by_repeating(a, b) for a, b in rows) / 5
    torch.testing.assert_close(distance(kernel, x, y), expected)
    torch.testing.assert_close(distance(kernel, y, x), expected)


def test_a_mask_of_whole_numbers_repeats_positions():
    x, y, kernel = features(1, 3, 3, 4), features(1, 3, 2, 5, seed=1), SlicedWasserstein()
    times = torch.tensor([0, 1, 2, 0, 3, 1, 0, 0, 1, 2, 4, 0])
    mask = times.reshape(1, 1, 3, 4).double()
    repeated = x.flatten(2).repeat_interleave(times, dim=2)[..., None]
    target = kernel.statistic(y)
    expected = distance(kernel, repeated, y)
    torch.testing.assert_close(kernel.distance(kernel.statistic(x, 0.7 * mask), target), expected)
    torch.testing.assert_close(kernel.distance(target, kernel.statistic(x, mask)), expected)
    torch.testing.assert_close(
        kernel.magnitude(kernel.statistic(x, mask)), kernel.magnitude(kernel.statistic(repeated))
    )


def test_positions_that_do_not_count_may_be_anything():
    x, y, kernel = features(1, 3, 3, 4), features(1, 3, 2, 5, seed=1), SlicedWasserstein()
    mask = torch.tensor([0.0, 1.0, 0.5, 0.0]).double().expand(1, 1, 3, 4)
    other = torch.where(mask > 0, x, 100.0)
    first, second = (kernel.distance(kernel.statistic(z, mask), kernel.statistic(y))
                     for z in (x, other))  # fmt: skip
    torch.testing.assert_close(first, second)


def test_a_shift_costs_its_square():
    x, shift = features(1, 4, 3, 5), torch.tensor([1.0, -2.0, 0.0, 3.0]).double()
    found = distance(SlicedWasserstein(), x + shift[:, None, None], x)
    torch.testing.assert_close(found, shift.square().sum() / 4)


def test_positions_are_forgotten(x, y):
    order = torch.randperm(15, generator=torch.Generator().manual_seed(3))
    shuffled = x.flatten(2)[..., order].view_as(x)
    assert float(distance(SlicedWasserstein(), shuffled, x)) == 0
    torch.testing.assert_close(
        distance(SlicedWasserstein(), shuffled, y), distance(SlicedWasserstein(), x, y)
    )


def test_it_sees_what_gram_matrices_and_single_channels_do_not():
    """Signs a, b and ab, or a, b and -ab: pairwise as if they were independent."""
    signs = torch.tensor(list(product([1.0, -1.0], repeat=2))).double()
    product_of_both = signs.prod(dim=1, keepdim=True)
    x, y = (torch.cat([signs, s * product_of_both], 1).T.reshape(1, 3, 2, 2) for s in (1, -1))
    for blind in (Gram(), Wasserstein(), CentralMoments(8)):
        assert abs(float(distance(blind, x, y))) < 1e-12
    assert float(distance(SlicedWasserstein(), x, y)) > 0.02


def test_magnitude_is_the_distance_from_the_mean(x):
    kernel = SlicedWasserstein()
    found = kernel.magnitude(kernel.statistic(x + 3))
    torch.testing.assert_close(found, kernel.magnitude(kernel.statistic(x)))
    torch.testing.assert_close(found, distance(kernel, x.mean((2, 3), keepdim=True), x))
    torch.testing.assert_close(found, x.var((2, 3), correction=0).mean())  # θ is a basis


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_magnitude_of_a_flat_style_is_the_distance_from_zero(dtype):
    flat, kernel = torch.full((1, 4, 9, 9), 300.1, dtype=dtype), SlicedWasserstein()
    found = kernel.magnitude(kernel.statistic(flat))
    torch.testing.assert_close(found, flat[0, 0, 0, 0].square())
    assert float(kernel.magnitude(kernel.statistic(0 * flat))) == 0


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("size", [(3, 3), (2, 5)], ids=["equal", "other"])
def test_gradients_on_both_sides(masked, size):
    kernel, mask = SlicedWasserstein(3), disc(3, 3, radius=0.9) if masked else None
    x, y = features(2, 2, 3, 3).requires_grad_(), features(1, 2, *size, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda f, g: kernel.distance(kernel.statistic(f, mask), kernel.statistic(g)), (x, y)
    )


def test_gradients_of_a_part():
    kernel, place = SlicedWasserstein(2), FeatureWindow((5, 4), slice(1, 3), slice(0, 3))
    assert torch.autograd.gradcheck(
        lambda f: kernel.contribution(f, place), features(1, 2, 2, 3).requires_grad_()
    )


PARTS = [(slice(0, 4), slice(0, 9)), (slice(0, 4), slice(9, 13)), (slice(4, 11), slice(0, 13))]


@pytest.mark.parametrize("mask", [None, disc(11, 13, radius=0.8)], ids=["all", "masked"])
def test_contributions_of_parts_add_up(mask):
    f, kernel = features(2, 3, 11, 13), SlicedWasserstein(4)
    places = [FeatureWindow((11, 13), *part, mask) for part in PARTS]
    total = sum(contribution(kernel, place.cut(f), place) for place in places)
    torch.testing.assert_close(total, kernel.statistic(f, mask))


@pytest.mark.parametrize("masked", [False, True])
def test_strips_of_directions_add_up(monkeypatch, masked):
    x, kernel = features(2, 7, 4, 5).requires_grad_(), SlicedWasserstein(10)
    mask, target = disc(4, 5) if masked else None, kernel.statistic(features(1, 7, 3, 3, seed=1))

    def value_and_gradient():
        value = kernel.distance(kernel.statistic(x, mask), target)
        return value, *torch.autograd.grad(value, x)

    whole = value_and_gradient()
    monkeypatch.setattr(room, "STRIP_NUMBERS", 3 * (2 * 20 + 9))
    torch.testing.assert_close(value_and_gradient(), whole)


def test_many_positions_in_single_precision():
    """Shares of a mask are summed in float64, so that ranks stay in step."""
    x, y, kernel = features(1, 2, 200, 300), features(1, 2, 250, 200, seed=1), SlicedWasserstein()
    mask = torch.rand(1, 1, 200, 300, generator=torch.Generator().manual_seed(2)).double()
    exact, single = (
        kernel.distance(kernel.statistic(x.to(kind), mask), kernel.statistic(y.to(kind)))
        for kind in (torch.float64, torch.float32)
    )
    assert single.dtype == torch.float32
    assert relative(single, exact) < 1e-3


def test_descriptions():
    kernel = get_kernel({"name": "sliced_wasserstein", "directions": 5.0})
    assert kernel == SlicedWasserstein(5)
    assert describe(kernel) == {"name": "sliced_wasserstein", "directions": 5, "seed": 0}
    assert get_kernel(describe(SlicedWasserstein(seed=3))) == SlicedWasserstein(seed=3)


def test_in_a_sum(x, y):
    both = WeightedSum(((0.5, Gram()), (2.0, SlicedWasserstein())))
    assert not both.additive
    expected = 0.5 * distance(Gram(), x, y) + 2 * distance(SlicedWasserstein(), x, y)
    torch.testing.assert_close(distance(both, x, y), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"directions": 0}, "directions must be a whole number ≥ 1, got 0"),
        ({"directions": 2.5}, "directions must be a whole number ≥ 1, got 2.5"),
        ({"directions": 20000}, "directions must be at most 16384, got 20000"),
        ({"seed": -1}, "seed must be a whole number ≥ 0, got -1"),
    ],
)
def test_bad_values_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        SlicedWasserstein(**options)


def test_statistics_of_different_layers(x):
    first, second = SlicedWasserstein().statistic(x), SlicedWasserstein().statistic(x[:, :3])
    with pytest.raises(ValueError, match="different layers"):
        SlicedWasserstein().distance(first, second)


def test_a_style_that_is_sorted_once_gives_the_same_as_one_that_is_not():
    x, y = (torch.randn(1, 4, 5, n, dtype=torch.float64) for n in (6, 7))
    kernel = SlicedWasserstein()
    mine, target = kernel.statistic(x), kernel.statistic(y)
    once = [kernel.distance(mine.requires_grad_(), target) for _ in range(2)]
    both = kernel.distance(mine, target.clone().requires_grad_())  # sorts on its way
    assert once[0] == once[1]
    assert float(once[0].detach()) == pytest.approx(float(both.detach()), rel=1e-12)
    slopes = [torch.autograd.grad(cost, mine)[0] for cost in (once[1], both)]
    assert slopes[0].allclose(slopes[1], rtol=1e-12)


def test_a_style_that_has_changed_is_sorted_again():
    kernel = SlicedWasserstein()
    x, y = (kernel.statistic(torch.randn(1, 4, 5, 6)) for _ in range(2))
    kernel.distance(x, y)
    y[:, :-1] = x[:, :-1]
    assert kernel.distance(x, y) == pytest.approx(0, abs=1e-10)


def test_what_was_sorted_goes_with_its_style():
    kernel = SlicedWasserstein()
    x, y = (kernel.statistic(torch.randn(1, 4, 5, 6)) for _ in range(2))
    before = len(room._ordered)
    kernel.distance(x, y)
    assert len(room._ordered) == before + 1
    del y
    gc.collect()
    assert len(room._ordered) == before
