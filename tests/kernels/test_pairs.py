import math

import pytest
import torch
from tensors import distance, features, fitted_to

from nst_tutorial.kernels import pairs as room
from nst_tutorial.kernels.moments import Gram, Linear, positions
from nst_tutorial.kernels.pairs import GaussianPairs
from nst_tutorial.kernels.registry import WeightedSum


def test_gaussian_estimator_is_unbiased():
    """Its mean over many pairings against all pairs of *different* positions, by brute force."""
    x, y = features(1, 2, 6, 6), features(1, 2, 6, 6, seed=1) * 1.5 + 0.4
    k = GaussianPairs(1.1)
    a, b = positions(x)[0], positions(y)[0]
    n = len(a)

    def mean_of_different(A):
        return (k(A, A).sum() - n) / (n * (n - 1))  # k(a, a) = 1

    # A pairing draws the same positions of x and y, so x_p never meets y_p.
    across = (k(a, b).sum() - k(a, b).trace()) / (n * (n - 1))
    exact = mean_of_different(a) + mean_of_different(b) - 2 * across
    found = torch.stack([distance(GaussianPairs(1.1, seed=s), x, y) for s in range(600)])
    standard_error = found.std() / 600**0.5
    assert abs(found.mean() - exact) < 3 * standard_error
    assert standard_error < 0.1 * exact


def test_gaussian_written_out(x):
    y = features(1, 4, 3, 5, seed=5)
    kernel = GaussianPairs(1.3, pairs=4, seed=2)
    (x1, x2), (y1, y2) = kernel.statistic(x)[0], kernel.statistic(y)[0]
    rows = {tuple(row.tolist()) for row in positions(x)[0]}
    drawn = [tuple(row.tolist()) for row in torch.cat([x1, x2])]
    assert len(set(drawn)) == 8  # disjoint pairs: nothing is drawn twice
    assert set(drawn) <= rows

    def k(p, q):
        return math.exp(-float((p - q).square().sum()) / (2 * 1.3**2))

    expected = sum(
        k(x1[i], x2[i]) + k(y1[i], y2[i]) - k(x1[i], y2[i]) - k(x2[i], y1[i]) for i in range(4)
    )
    assert float(distance(kernel, x, y)) == pytest.approx(expected / 4)


def test_gaussian_pairing_stays_the_same():
    """For a whole optimisation: it depends on seed and size alone, not on when it is asked."""
    x = features(1, 3, 8, 8)
    first = GaussianPairs(1.0, seed=4).statistic(x)
    torch.rand(100)  # somebody else's random numbers
    assert torch.equal(first, GaussianPairs(1.0, seed=4).statistic(x))
    assert not torch.equal(first, GaussianPairs(1.0, seed=5).statistic(x))


@pytest.mark.parametrize("count", [2, 7, 1000, 4096])
def test_pairs_are_the_first_of_torchs_permutation(count):
    """As recorded results have them; what is kept for the next evaluation is no larger."""
    expected = torch.randperm(count, generator=torch.Generator().manual_seed(3))
    for pairs in (1, 40, None):
        drawn = GaussianPairs(1.0, pairs=pairs, seed=3)._drawn((4, 1, count), None)
        assert torch.equal(drawn, expected[: 2 * min(pairs or count, count // 2)])
        assert drawn.untyped_storage().nbytes() == 8 * len(drawn)
    inside = torch.rand(count) < 0.7
    inside[:2] = True
    expected = torch.randperm(int(inside.sum()), generator=torch.Generator().manual_seed(3))
    drawn = GaussianPairs(1.0, pairs=1, seed=3)._drawn(
        (4, 1, count), inside.float().view(1, 1, 1, -1)
    )
    assert torch.equal(drawn, inside.nonzero().flatten()[expected[:2]])


def test_few_pairs_are_kept_and_many_are_drawn_anew(monkeypatch):
    monkeypatch.setattr(room, "MOST_KEPT", 8)
    kernel = GaussianPairs(1.0, pairs=4)
    assert kernel._drawn((4, 5, 6), None) is kernel._drawn((4, 5, 6), None)
    kernel = GaussianPairs(1.0, pairs=5)
    first, second = kernel._drawn((4, 5, 6), None), kernel._drawn((4, 5, 6), None)
    assert torch.equal(first, second)
    assert first is not second


@pytest.mark.parametrize("rule", ["mean", "median"])
def test_bandwidth_rules(rule):
    x = features(1, 3, 8, 8)
    fitted = fitted_to(x, GaussianPairs(rule, seed=1))
    first, second = GaussianPairs(1.0, seed=1).statistic(x)[0]
    squared = (first - second).square().sum(1)
    expected = squared.mean() if rule == "mean" else squared.median()
    assert 2 * fitted.bandwidth**2 == pytest.approx(float(expected))
    assert fitted_to(5 * x, fitted) is fitted  # once for all
    scaled = fitted_to(10 * x, GaussianPairs(rule, seed=1))
    torch.testing.assert_close(distance(scaled, 10 * x, 10 * x + 1), distance(fitted, x, x + 0.1))
    with pytest.raises(ValueError, match="still a rule; use kernel.fitted"):
        distance(GaussianPairs(rule), x, x)


def test_median_of_a_mostly_flat_picture_is_not_its_bandwidth():
    f = torch.zeros(1, 3, 16, 16, dtype=torch.float64)
    f[..., :3] = features(1, 3, 16, 3)
    fitted = fitted_to(f, GaussianPairs("median"))
    assert fitted == fitted_to(f, GaussianPairs("mean"))
    silent = fitted_to(0 * f, WeightedSum(((1.0, Gram()), (1.0, Linear()))))
    assert float(distance(silent, f, 0 * f)) > 0
