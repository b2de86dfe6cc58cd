"""Central moments: by definition, how they are scaled, what they see that Gram does not."""

from itertools import product

import pytest
import torch
from tensors import box, disc, distance, features, ones, relative

from nst_tutorial.kernels.central_moments import CentralMoments, about_the_mean
from nst_tutorial.kernels.moments import BatchNormStatistics, Gram
from nst_tutorial.kernels.registry import WeightedSum, describe, get_kernel


def by_definition(f, order, weights=None):
    """(N, K, C): the mean, and mean (f - μ)^k for k from 2 to K, position by position."""
    flat = f.flatten(2)
    shares = torch.ones_like(flat[:1, :1]) if weights is None else weights.reshape(1, 1, -1)
    shares = shares / shares.sum()
    mean = (shares * flat).sum(dim=2)
    return torch.stack(
        [mean] + [(shares * (flat - mean[..., None]) ** k).sum(2) for k in range(2, order + 1)], 1
    )


@pytest.mark.parametrize("order", [2, 3, 5, 8])
@pytest.mark.parametrize("masked", [False, True])
def test_moments_about_the_mean(order, masked):
    f = 2 + features(2, 3, 4, 5)
    mask = disc(4, 5) if masked else None
    raw = CentralMoments(order).statistic(f, mask)
    assert raw.shape == (2, order, 3)
    torch.testing.assert_close(about_the_mean(raw), by_definition(f, order, mask))


def test_the_distance_written_out(x, y):
    """Softened roots, number by number."""
    K, epsilon = 4, 0.01
    cx, cy = by_definition(x, K), by_definition(y, K)
    total = 0.0
    for k, c in product(range(1, K + 1), range(4)):
        delta = (cy[0, 1, c] + epsilon * y[0, c].square().mean() + 1e-8).sqrt()

        def root(moment, k=k, delta=delta):
            return moment / (moment**2 + delta ** (2 * k)) ** ((k - 1) / (2 * k))

        total += (root(cx[0, k - 1, c]) - root(cy[0, k - 1, c])) ** 2
    torch.testing.assert_close(distance(CentralMoments(K, epsilon), x, y), total)


@pytest.mark.parametrize("order", [3, 4, 5])
@pytest.mark.parametrize("sign", [1, -1])
def test_far_from_zero_a_root_about_zero_a_line(order, sign):
    """The moments themselves are put in: with mean 0 raw ones are central ones."""
    kernel, delta = CentralMoments(order, epsilon=0.0), 3.0
    style = torch.zeros(1, order, 1).double()
    style[0, 1] = delta**2

    def r(moment):
        x = style.clone()
        x[0, -1] = sign * moment
        return float(kernel.distance(x, style).sqrt())

    if order == 4:  # of which style and picture differ in the last alone
        assert r(0.0) == 0
    huge, tiny = 1e12 * delta**order, 1e-4 * delta**order
    assert r(huge) == pytest.approx(huge ** (1 / order), rel=1e-6)
    assert r(tiny) == pytest.approx(tiny / delta ** (order - 1), rel=1e-6)


def test_the_slope_about_zero_is_finite():
    """A plain cube root has none; here it is 1 / δ²."""
    kernel = CentralMoments(3, epsilon=0.0)
    style = torch.tensor([0.0, 4.0, 0.0]).double().reshape(1, 3, 1)
    other = torch.tensor([0.0, 4.0, 5.0]).double().reshape(1, 3, 1)
    x = style.clone().requires_grad_()
    kernel.distance(x, other).backward()
    r = 5 / (5**2 + 2.0**6) ** (1 / 3)
    assert float(x.grad[0, 2]) == pytest.approx(-2 * r / 4, rel=1e-6)


def test_all_orders_have_the_unit_of_the_features(x, y):
    kernel = CentralMoments(5)
    torch.testing.assert_close(
        distance(kernel, 1000 * x, 1000 * y), 1e6 * distance(kernel, x, y), rtol=1e-6, atol=0
    )


def test_the_third_moment_separates_two_textures_with_equal_gram_matrices():
    """Values 2 and four times -½ against 1 and -1: both have mean 0 and mean square 1."""
    lopsided = torch.tensor([2.0, -0.5, -0.5, -0.5, -0.5] * 2).double()
    even = torch.tensor([1.0, -1.0] * 5).double()
    x, y = (torch.stack([v, -v]).reshape(1, 2, 2, 5) for v in (lopsided, even))
    torch.testing.assert_close(Gram().statistic(x), Gram().statistic(y), rtol=0, atol=1e-15)
    for blind in (Gram(), BatchNormStatistics(), CentralMoments(2)):
        assert float(distance(blind, x, y)) < 1e-15
    # Of each channel the third moments are 1.5 and 0, and δ is 1.
    expected = 2 * (1.5 / (1.5**2 + 1) ** (1 / 3)) ** 2
    assert float(distance(CentralMoments(3, 0.0), x, y)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("mask", [None, disc(4, 5), box(4, 5, (1, 3), (0, 4))])
@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last])
def test_the_pull_is_the_gradient(mask, form):
    kernel = CentralMoments(4)
    f = features(2, 3, 4, 5).contiguous(memory_format=form).requires_grad_()
    slope = features(2, 4, 3, seed=2)
    expected = torch.stack([f**k for k in range(1, 5)], dim=1)  # by autograd
    shares = ones(4, 5) if mask is None else mask
    expected = ((shares / shares.sum())[:, None] * expected).sum(dim=(3, 4))
    (gradient,) = torch.autograd.grad((slope * expected).sum(), f)
    torch.testing.assert_close(kernel.pull(f.detach(), [slope], mask), gradient)
    (own,) = torch.autograd.grad((slope * kernel.statistic(f, mask)).sum(), f)
    torch.testing.assert_close(own, gradient)
    single = kernel.pull(f.detach().float(), [slope], mask)
    assert single.dtype == torch.float32
    assert relative(single, gradient) < 1e-6


def test_gradients_through_a_mask(y):
    kernel, target = CentralMoments(5), CentralMoments(5).statistic(y)
    x = features(1, 4, 3, 3, seed=6).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda f: kernel.distance(kernel.statistic(f, disc(3, 3)), target), x
    )


def test_digits_survive_in_single_precision():
    """Fifth moments of small deviations about a large mean."""
    x, y = 100 + features(1, 4, 32, 32), 100 + features(1, 4, 32, 32, seed=1).exp()
    kernel = CentralMoments(5)
    single = distance(kernel, x.float(), y.float())
    assert single.dtype == torch.float64
    torch.testing.assert_close(single, distance(kernel, x, y), rtol=1e-4, atol=0)


def test_a_flat_channel_counts_nothing_but_its_mean():
    """Its moments are rounding, whose roots would be large."""
    flat = torch.full((1, 2, 30, 30), 300.1)
    kernel = CentralMoments(8)
    found = distance(kernel, flat, flat + 1)
    assert float(found) == pytest.approx(2, rel=1e-2)


def test_descriptions():
    kernel = get_kernel({"name": "central_moments", "order": 3.0})
    assert kernel == CentralMoments(3)
    assert describe(kernel) == {"name": "central_moments", "order": 3, "epsilon": 1e-2}
    assert get_kernel(describe(kernel)) == kernel


def test_in_a_sum(x, y):
    both = WeightedSum(((0.5, Gram()), (2.0, CentralMoments(3))))
    assert both.additive
    expected = 0.5 * distance(Gram(), x, y) + 2 * distance(CentralMoments(3), x, y)
    torch.testing.assert_close(distance(both, x, y), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": 1}, "order must be a whole number ≥ 2, got 1"),
        ({"order": 2.5}, "order must be a whole number ≥ 2, got 2.5"),
        ({"order": 9}, "order must be at most 8, since higher powers of features are too large for "
                       "float32; got 9"),
        ({"epsilon": -1.0}, "epsilon must be finite and ≥ 0, got -1.0"),
    ],
)  # fmt: skip
def test_bad_values_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        CentralMoments(**options)
