"""Autocorrelation: pair by pair, in parts, under masks; what it sees and Gram does not."""

import pytest
import torch
from tensors import box, disc, distance, features, ones

from nst_tutorial.kernels.autocorrelation import Autocorrelation
from nst_tutorial.kernels.moments import Gram, mean
from nst_tutorial.kernels.registry import WeightedSum, describe, get_kernel
from nst_tutorial.tiling.contributions import contribution
from nst_tutorial.tiling.windows import FeatureWindow


def pair_by_pair(f, down, across, mask=None):
    """mean f_c(p) f_c(p + Δ) over the pairs inside, (N, C)."""
    mask = ones(*f.shape[2:]) if mask is None else mask
    total, weights = 0.0, 0.0
    for i in range(f.shape[2]):
        for j in range(f.shape[3]):
            if 0 <= i + down < f.shape[2] and 0 <= j + across < f.shape[3]:
                weight = mask[0, 0, i, j] * mask[0, 0, i + down, j + across]
                total = total + weight * f[:, :, i, j] * f[:, :, i + down, j + across]
                weights += weight
    return total / weights


@pytest.mark.parametrize("mask", [None, disc(9, 13, radius=0.8)], ids=["all", "masked"])
@pytest.mark.parametrize("reach", [1, 2, 5])
def test_products_pair_by_pair(mask, reach):
    """Up to the reach, or a quarter of the sides: 2 positions of 9, 3 of 13."""
    f = features(2, 3, 9, 13)
    G, products, means = Autocorrelation(reach).statistic(f, mask)
    down, across = min(reach, 2), min(reach, 3)
    assert products.shape == (2, 3, 1 + down, 1 + 2 * across)
    for i in range(down + 1):
        for j in range(-across, across + 1):
            expected = pair_by_pair(f, i, j, mask)
            torch.testing.assert_close(products[:, :, i, j + across], expected)
    torch.testing.assert_close(G, Gram().statistic(f, mask))
    torch.testing.assert_close(means, mean(f, mask))


def test_the_distance_written_out():
    x, y = features(1, 3, 9, 13) + 0.5, features(1, 3, 12, 8, seed=1)
    (G, A, m), (H, B, n) = (Autocorrelation(9).statistic(z) for z in (x, y))
    A, B = A[:, :, :3, 1:6], B[:, :, :3]  # shifts that both have: 2 down, 2 across
    A, B = A - m[..., None, None] ** 2, B - n[..., None, None] ** 2
    expected = (G - H).square().sum() / H.square().sum()
    expected = expected + 3 * (A - B).square().sum() / B.square().sum()
    torch.testing.assert_close(distance(Autocorrelation(9, 3.0), x, y), expected, rtol=1e-5, atol=0)


PARTS = [(slice(0, 4), slice(0, 9)), (slice(0, 4), slice(9, 13)), (slice(4, 11), slice(0, 13))]


@pytest.mark.parametrize("mask", [None, disc(11, 13, radius=0.8)], ids=["all", "masked"])
@pytest.mark.parametrize(
    "kernel",
    [
        Autocorrelation(2),
        WeightedSum(((1.0, Autocorrelation(1)), (1.0, Autocorrelation(3)), (1.0, Gram()))),
    ],
    ids=["alone", "sum"],
)
def test_contributions_of_parts_add_up(kernel, mask):
    f = features(2, 3, 11, 13)

    def flat(moments):
        if isinstance(moments, tuple):
            return torch.cat([flat(part) for part in moments])
        return moments.flatten()

    total = 0.0
    for rows, columns in PARTS:
        place = FeatureWindow((11, 13), rows, columns, mask)
        around = place.around(kernel.reach)
        total = total + flat(contribution(kernel, around.cut(f), place))
    torch.testing.assert_close(total, flat(kernel.statistic(f, mask)))


@pytest.mark.parametrize("masked", [False, True])
def test_gradients(masked, y):
    kernel = Autocorrelation(2)
    mask = disc(8, 9, radius=0.9) if masked else None
    target = kernel.statistic(features(1, 3, 9, 8, seed=1))
    x = features(2, 3, 8, 9, seed=6).requires_grad_()
    assert torch.autograd.gradcheck(lambda f: kernel.distance(kernel.statistic(f, mask), target), x)


def test_gradients_of_a_part():
    kernel, place = Autocorrelation(2), FeatureWindow((12, 9), slice(4, 8), slice(0, 5))
    x = features(1, 2, 8, 7).requires_grad_()  # 2 rows above and below, 2 columns on the right
    assert torch.autograd.gradcheck(lambda f: kernel.contribution(f, place), x)


def test_stripes_that_lie_and_stripes_that_stand():
    """Equal Gram matrices, and equal in all that forgets positions."""
    lying = torch.zeros(1, 2, 8, 8).double()
    lying[:, 0, ::2] = lying[:, 1, 1::2] = 1
    standing = lying.transpose(2, 3)
    assert float(distance(Gram(), lying, standing)) == 0
    # All covariances are ¼ or -¼. Of six shifts three differ, by ½: 3 (½)² over 6 (¼)² is 2.
    found = float(distance(Autocorrelation(1, 1.0), lying, standing))
    assert found == pytest.approx(2, rel=1e-4)


def test_shuffled_positions_change_it():
    x = features(1, 3, 12, 12).cumsum(dim=3)
    order = torch.randperm(144, generator=torch.Generator().manual_seed(3))
    shuffled = x.flatten(2)[..., order].view_as(x)
    assert float(distance(Gram(), shuffled, x)) < 1e-20
    assert float(distance(Autocorrelation(3), shuffled, x)) > 0.1


def test_the_mean_is_taken_off():
    """A constant added to both pictures leaves the second part of the distance as it is."""
    x, y = features(1, 3, 12, 12), features(1, 3, 12, 16, seed=1).cumsum(dim=3)

    def second(x, y):
        return distance(Autocorrelation(3, 1.0), x, y) - distance(Autocorrelation(3, 0.0), x, y)

    # Means over the pairs of a shift differ a little from those of the whole.
    torch.testing.assert_close(second(x + 0.1, y + 0.1), second(x, y), rtol=0.05, atol=0)


def test_relative_to_the_style():
    x, y, kernel = features(1, 3, 9, 13), features(1, 3, 12, 8, seed=1), Autocorrelation()
    torch.testing.assert_close(distance(kernel, 50 * x, 50 * y), distance(kernel, x, y))
    magnitude = kernel.magnitude(kernel.statistic(y))
    torch.testing.assert_close(magnitude, distance(kernel, 0 * y, y))
    assert float(magnitude) == pytest.approx(1 + kernel.weight, rel=1e-4)


def test_a_black_and_a_flat_style():
    x = features(1, 3, 12, 12)
    for value in (0.0, 0.1, 300.1):
        for dtype in (torch.float32, torch.float64):
            flat = torch.full((1, 3, 12, 12), value, dtype=dtype)
            leaf = x.to(dtype).requires_grad_()
            loss = distance(Autocorrelation(), leaf, flat)
            (gradient,) = torch.autograd.grad(loss, leaf)
            assert loss.isfinite()
            assert gradient.isfinite().all()
            assert float(distance(Autocorrelation(), flat, flat)) < 1e-6


def test_one_position_has_no_shift():
    f = features(1, 3, 1, 3)
    assert Autocorrelation().statistic(f)[1].shape == (1, 3, 1, 1)


def test_many_channels_go_through_in_several_pieces(monkeypatch):
    f, kernel = features(2, 7, 8, 8).requires_grad_(), Autocorrelation(2)
    whole = kernel.statistic(f)[1]
    slope = features(*whole.shape, seed=1)
    (expected,) = torch.autograd.grad((slope * whole).sum(), f)
    monkeypatch.setattr("nst_tutorial.kernels.autocorrelation.CHUNK", 2 * 64 * 3)
    pieces = kernel.statistic(f)[1]
    torch.testing.assert_close(pieces, whole)
    (gradient,) = torch.autograd.grad((slope * pieces).sum(), f)
    torch.testing.assert_close(gradient, expected)


def test_descriptions():
    kernel = get_kernel({"name": "autocorrelation", "reach": 5.0})
    assert kernel == Autocorrelation(5)
    assert describe(kernel) == {"name": "autocorrelation", "reach": 5, "weight": 10.0}
    assert get_kernel(describe(kernel)) == kernel


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Autocorrelation(0), "reach must be a whole number ≥ 1, got 0"),
        (lambda: Autocorrelation(1.5), "reach must be a whole number ≥ 1, got 1.5"),
        (lambda: Autocorrelation(5000), "reach must be at most 4096, got 5000"),
        (lambda: Autocorrelation(weight=-1.0), "weight must be finite and ≥ 0, got -1.0"),
        (
            lambda: Autocorrelation(2).statistic(features(1, 2, 9, 9), box(9, 9, (0, 9), (3, 4))),
            r"no two positions of the mask are \(0, -2\) apart, down and across: take a shorter "
            "reach, a larger mask, or shallower layers",
        ),
    ],
)
def test_bad_values_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
