from itertools import product

import pytest
import torch
from tensors import distance, features, fitted_to

from nst_tutorial.kernels import moments
from nst_tutorial.kernels.autocorrelation import Autocorrelation
from nst_tutorial.kernels.central_moments import CentralMoments
from nst_tutorial.kernels.gaussian import Gaussian
from nst_tutorial.kernels.mmd import mmd2
from nst_tutorial.kernels.moments import (
    BatchNormStatistics,
    Gram,
    Linear,
    Polynomial,
    Wasserstein,
    gram_matrix,
    positions,
)
from nst_tutorial.kernels.nearest_neighbours import NearestNeighbours
from nst_tutorial.kernels.pairs import GaussianPairs
from nst_tutorial.kernels.random_features import GaussianFeatures
from nst_tutorial.kernels.registry import KERNELS, WeightedSum, describe, get_kernel
from nst_tutorial.kernels.sliced_wasserstein import SlicedWasserstein
from nst_tutorial.kernels.statistic import pulls

NOTHING = torch.zeros(1, 3, 2, 2)
FROM_ZERO = [  # in units of the distance from features that are all zero
    Gram(),
    Linear(),
    Polynomial(2, 1.5),
    Polynomial(1, 2.0),
    BatchNormStatistics(),
    Wasserstein(),
    CentralMoments(),
    WeightedSum(((0.3, Gram()), (2.0, BatchNormStatistics())), relative=False),
]
ADDITIVE = [*FROM_ZERO, Gaussian(1.3), WeightedSum(((1.0, Gram()), (2.0, Gaussian(0.9))))]
EVERY = [
    *ADDITIVE,
    GaussianPairs(1.3),
    GaussianPairs(0.7, pairs=3),
    Autocorrelation(),
    SlicedWasserstein(),
    NearestNeighbours(),
]


def double_sum(k, x, y):
    """mean k(x, x) + mean k(y, y) - 2 mean k(x, y), pair by pair."""

    def mean(a, b):
        pairs = [k(p, q) for p, q in product(positions(a)[0], positions(b)[0])]
        return sum(pairs) / len(pairs)

    return mean(x, x) + mean(y, y) - 2 * mean(x, y)


# --- the Gram matrix -------------------------------------------------------------------------


def test_gram_matrix_written_out():
    f = features(2, 3, 4, 5)
    G = gram_matrix(f)
    for n, i, j in product(range(2), range(3), range(3)):
        expected = sum(f[n, i, r, c] * f[n, j, r, c] for r in range(4) for c in range(5))
        torch.testing.assert_close(G[n, i, j], expected / 20)


def test_gram_is_the_polynomial_kernel_of_degree_2():
    assert Gram() == Polynomial(2, 0)
    assert Linear() == Polynomial(1, 0)


# --- every kernel is what its definition says ------------------------------------------------


def test_gram_distance_is_mmd_with_the_squared_inner_product(x, y):
    """Li et al. 2017, section 3.1: by a double sum over all pairs of positions."""
    torch.testing.assert_close(distance(Gram(), x, y), double_sum(lambda a, b: (a @ b) ** 2, x, y))


@pytest.mark.parametrize("offset", [0.0, 0.5, 3.0])
def test_offset_identity(x, y, offset):
    """(aᵀb + c)²: the Gram distance plus 2c times the distance of the means."""
    found = distance(Polynomial(2, offset), x, y)
    means = distance(Linear(), x, y)
    torch.testing.assert_close(found, distance(Gram(), x, y) + 2 * offset * means)
    torch.testing.assert_close(found, double_sum(lambda a, b: (a @ b + offset) ** 2, x, y))


def test_linear_compares_means(x, y):
    found = distance(Linear(), x, y)
    torch.testing.assert_close(found, ((x.mean((0, 2, 3)) - y.mean((0, 2, 3))) ** 2).sum())
    torch.testing.assert_close(found, double_sum(lambda a, b: a @ b, x, y))


def test_batch_norm_statistics(x, y):
    moments = [(z.mean((0, 2, 3)), z.var((0, 2, 3), correction=0)) for z in (x, y)]
    (mean_x, var_x), (mean_y, var_y) = moments
    expected = (mean_x - mean_y).square() + (var_x.sqrt() - var_y.sqrt()).square()
    torch.testing.assert_close(distance(BatchNormStatistics(0.0), x, y), expected.sum())
    torch.testing.assert_close(
        distance(BatchNormStatistics(), x, y), expected.sum(), rtol=1e-4, atol=0
    )


def wasserstein_by_definition(x, y):
    def root(A):
        values, vectors = torch.linalg.eigh(A)
        return vectors @ values.clamp(min=0).sqrt().diag() @ vectors.T

    (mx, Sx), (my, Sy) = [
        (positions(z)[0].mean(0), torch.cov(positions(z)[0].T, correction=0)) for z in (x, y)
    ]
    return (mx - my).square().sum() + (Sx + Sy - 2 * root(root(Sy) @ Sx @ root(Sy))).trace()


def test_wasserstein_against_its_definition(x, y):
    expected = wasserstein_by_definition(x, y)
    torch.testing.assert_close(distance(Wasserstein(0.0), x, y), expected, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(distance(Wasserstein(), x, y), expected, rtol=2e-3, atol=0)


def test_wasserstein_in_one_dimension():
    """(μ_x - μ_y)² + (σ_x - σ_y)², so with one channel it is the BN distance."""
    x, y = features(1, 1, 5, 5), 3 * features(1, 1, 4, 4, seed=2) + 1
    found = distance(Wasserstein(0.0), x, y)
    torch.testing.assert_close(found, distance(BatchNormStatistics(0.0), x, y), rtol=1e-6, atol=0)


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
def test_mmd2_evaluates_any_degree(x, y, degree):
    expected = double_sum(lambda a, b: (a @ b + 0.5) ** degree, x, y)
    torch.testing.assert_close(mmd2(x, y, Polynomial(degree, 0.5)), expected)


def test_mmd2_with_a_gaussian_and_with_your_own(x, y):
    expected = double_sum(lambda a, b: torch.exp(-(a - b).square().sum() / (2 * 1.3**2)), x, y)
    torch.testing.assert_close(mmd2(x, y, Gaussian(1.3)), expected)
    assert mmd2(x, y, GaussianPairs("median")) > 0
    own = mmd2(x, y, lambda a, b: (a @ b.T).exp())
    torch.testing.assert_close(own, double_sum(lambda a, b: (a @ b).exp(), x, y))
    with pytest.raises(ValueError, match="is a distance of moments, not a kernel"):
        mmd2(x, y, Wasserstein())
    with pytest.raises(ValueError, match="different channels: 4 and 3"):
        mmd2(x, y[:, :3], Gram())


# --- what all of them share ------------------------------------------------------------------


@pytest.mark.parametrize("kernel", EVERY, ids=str)
def test_equal_features_have_no_distance(kernel, x):
    assert abs(float(distance(kernel, x, x))) < 1e-7


@pytest.mark.parametrize("kernel", EVERY, ids=str)
def test_a_batch_is_the_sum_of_its_pictures(kernel):
    x, y = features(3, 4, 4, 5), features(3, 4, 4, 5, seed=8)
    S, T = kernel.statistic(x), kernel.statistic(y)
    each = sum(distance(kernel, a[None], b[None]) for a, b in zip(x, y, strict=True))
    torch.testing.assert_close(kernel.distance(S, T), each)
    one = sum(distance(kernel, a[None], y[:1]) for a in x)  # many pictures, one style
    torch.testing.assert_close(kernel.distance(S, kernel.statistic(y[:1])), one)
    with pytest.raises(ValueError, match="numbers of pictures"):
        kernel.distance(S, kernel.statistic(y[:2]))
    with pytest.raises(ValueError, match="batches of 3 and 1"):
        mmd2(x, y[:1], Gram())


@pytest.mark.parametrize("kernel", [BatchNormStatistics(), Wasserstein()], ids=str)
def test_small_deviations_about_large_means_in_float32(kernel):
    """A variance is the difference of two large moments: its digits must survive."""
    x, y = 100 + features(1, 4, 32, 32), 100 + 2 * features(1, 4, 32, 32, seed=1)
    exact = distance(kernel, x, y)
    torch.testing.assert_close(
        distance(kernel, x.float(), y.float()).double(), exact, rtol=2e-2, atol=0
    )


@pytest.mark.parametrize("kernel", ADDITIVE, ids=str)
def test_positions_are_forgotten(kernel, x, y):
    """A shuffle of the positions changes every feature map and no statistic."""
    order = torch.randperm(15, generator=torch.Generator().manual_seed(3))
    shuffled = x.flatten(2)[..., order].view_as(x)
    assert all(not torch.equal(a, b) for a, b in zip(shuffled[0], x[0], strict=True))
    torch.testing.assert_close(distance(kernel, shuffled, y), distance(kernel, x, y))


@pytest.mark.parametrize("kernel", ADDITIVE, ids=str)
def test_additive_statistics_are_means_of_tiles(kernel, x):
    assert kernel.additive

    def flat(moments):
        if isinstance(moments, tuple):
            return torch.cat([flat(part) for part in moments])
        return moments.flatten()

    left, right = x[..., :2], x[..., 2:]
    whole = (2 * flat(kernel.statistic(left)) + 3 * flat(kernel.statistic(right))) / 5
    torch.testing.assert_close(whole, flat(kernel.statistic(x)))
    assert not GaussianPairs(1.0).additive
    assert not WeightedSum(((1.0, Gram()), (1.0, GaussianPairs(1.0)))).additive


@pytest.mark.parametrize("kernel", EVERY, ids=str)
@pytest.mark.parametrize("format", [torch.contiguous_format, torch.channels_last])
def test_gradients(kernel, y, format):
    x = features(2, 4, 3, 3, seed=6).contiguous(memory_format=format).requires_grad_()
    target = kernel.statistic(torch.cat([y, y.flip(1)]))
    assert torch.autograd.gradcheck(lambda f: kernel.distance(kernel.statistic(f), target), x)


def test_gradient_of_the_gram_matrix_whatever_comes_after():
    """Each entry by itself: what comes back need not be symmetric."""
    assert torch.autograd.gradcheck(gram_matrix, features(2, 3, 4, 2).requires_grad_())


def test_second_gradient_of_the_gram_matrix():
    assert torch.autograd.gradgradcheck(gram_matrix, features(2, 3, 4, 2).requires_grad_())


class Shifted(Polynomial):
    """The Gram matrix of features moved by 1; what it inherits pulls at those that were not."""

    def statistic(self, features, mask=None):
        return super().statistic(features + 1, mask)


class ShiftedThroughout(Shifted):
    def pull(self, features, slopes, mask=None):
        return super().pull(features + 1, slopes, mask)


def test_a_pull_is_used_for_the_statistic_that_it_belongs_to():
    assert pulls(Gram())
    assert not pulls(Shifted())
    assert pulls(ShiftedThroughout())
    assert not pulls(GaussianPairs(1.0))


def leaves(moments):
    return moments if isinstance(moments, tuple) else (moments,)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kernel", [k for k in ADDITIVE if pulls(k)], ids=str)
def test_pull_is_the_gradient_that_autograd_finds(kernel, masked, monkeypatch):
    monkeypatch.setattr(moments, "PULLED_AT_ONCE", 7)  # many pieces, the last one smaller
    f = features(2, 3, 4, 5).requires_grad_()
    mask = torch.rand(1, 1, 4, 5, generator=torch.Generator().manual_seed(3)).double()
    mask = mask if masked else None
    statistic = leaves(kernel.statistic(f, mask))
    slopes = [features(*part.shape, seed=i + 5) for i, part in enumerate(statistic)]
    (expected,) = torch.autograd.grad(statistic, f, slopes)
    torch.testing.assert_close(kernel.pull(f.detach(), slopes, mask), expected)


@pytest.mark.parametrize("kernel", FROM_ZERO, ids=str)
def test_magnitude_is_the_distance_from_no_features(kernel, x):
    S = kernel.statistic(x)
    nothing = kernel.distance(kernel.statistic(0 * x), S)
    torch.testing.assert_close(kernel.magnitude(S), nothing, rtol=3e-2, atol=1e-2)


@pytest.mark.parametrize("kernel", EVERY, ids=str)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_does_not_overflow(kernel, dtype):
    f = (300 + features(1, 4, 16, 16)).to(dtype)
    found = distance(kernel, f, 2 * f.float())
    assert found.dtype in (torch.float32, torch.float64)
    assert found.isfinite()
    assert gram_matrix(f).dtype == torch.float32
    assert gram_matrix(f).max() > 65504  # more than float16 can hold


@pytest.mark.parametrize("kernel", EVERY, ids=str)
@pytest.mark.parametrize("value", [0.0, 0.5])
def test_flat_features_have_finite_losses_and_gradients(kernel, value, x):
    flat = torch.full((1, 4, 4, 4), value, dtype=torch.float64)
    for one, other in [(flat, flat), (flat, x), (x, flat)]:
        one = one.clone().requires_grad_()
        loss = distance(kernel, one, other)
        (gradient,) = torch.autograd.grad(loss, one)
        assert loss.isfinite()
        assert gradient.isfinite().all()
    for rule in ("mean", "median"):
        assert fitted_to(flat, GaussianPairs(rule)).bandwidth == 1.0


def test_wasserstein_of_a_flat_picture_in_float32(x):
    for value in (0.0, 0.5, 300.0):
        flat = torch.full((1, 4, 16, 16), value)
        loss = distance(Wasserstein(), x.float() + value, flat)
        assert loss.isfinite()


@pytest.mark.parametrize("colours", [1, 2])
def test_wasserstein_of_a_style_of_one_colour_or_of_a_checkerboard(colours):
    """In float32 its covariance is rounded to one with negative eigenvalues beyond the ridge."""
    generator = torch.Generator().manual_seed(0)
    style = 100 * torch.rand(1, 64, colours, 1, generator=generator).repeat(1, 1, 30, 53)
    image = 100 * torch.rand(1, 64, 30, 31, generator=generator)
    first, second = Wasserstein().statistic(style)
    cov = second[0].double() - torch.outer(first[0], first[0]).double()
    ridge = 1e-6 * second[0].diag().mean() * torch.eye(64)
    with pytest.raises(torch.linalg.LinAlgError):  # the ridge alone is not enough
        torch.linalg.cholesky(cov + ridge)
    leaf = image.clone().requires_grad_()
    found = distance(Wasserstein(), leaf, style)
    (gradient,) = torch.autograd.grad(found, leaf)
    expected = wasserstein_by_definition(image.double(), style.double())
    torch.testing.assert_close(found.double(), expected, rtol=0.02, atol=0)
    assert gradient.isfinite().all()
    assert abs(distance(Wasserstein(), style, style)) < 1e-6 * expected


@pytest.mark.parametrize("kernel", EVERY, ids=str)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_have_diverged_have_no_finite_distance(kernel, value, x, y):
    """So that an optimiser can see it and step back; an error out of LAPACK would end the run."""
    diverged = torch.full_like(x, value).requires_grad_()
    loss = distance(kernel, diverged, y)
    (gradient,) = torch.autograd.grad(loss, diverged)
    assert not (loss.isfinite() and gradient.isfinite().all())


def test_positions_of_channels_last_features_are_a_view():
    f = torch.rand(1, 8, 6, 5).contiguous(memory_format=torch.channels_last)
    assert positions(f).data_ptr() == f.data_ptr()


# --- combinations and descriptions -----------------------------------------------------------


def test_weighted_sum(x, y):
    parts = ((0.3, Gram()), (2.0, Gaussian(1.3)), (0.0, Linear()))
    found = distance(WeightedSum(parts), x, y)
    torch.testing.assert_close(found, sum(w * distance(k, x, y) for w, k in parts))


def test_relative_weighted_sum_gives_each_part_its_say(x, y):
    kernel = WeightedSum(((1.0, Gram()), (1.0, BatchNormStatistics())))
    S = kernel.statistic(100 * y)
    combined = kernel.fitted(S)
    for weight, kernel in combined.parts:
        assert weight * float(kernel.magnitude(kernel.statistic(100 * y))) == pytest.approx(1)
    assert float(combined.magnitude(S)) == pytest.approx(2)


@pytest.mark.parametrize("name", KERNELS)
def test_names_and_descriptions(name):
    kernel = get_kernel(name)
    assert get_kernel(describe(kernel)) == kernel
    assert get_kernel(kernel) is kernel


def test_described_combinations():
    spec = {"sum": [[0.5, {"name": "polynomial", "offset": 1.0}], [2.0, "gaussian"]]}
    kernel = get_kernel(spec)
    assert kernel == WeightedSum(((0.5, Polynomial(2, 1.0)), (2.0, Gaussian())))
    assert get_kernel(describe(kernel)) == kernel


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gram_matrix(torch.zeros(1, 3, 0, 4)), r"got \(1, 3, 0, 4\)"),
        (lambda: gram_matrix(torch.zeros(3, 4, 4)), r"got \(3, 4, 4\)"),
        (lambda: Polynomial(0), "degree must be a whole number ≥ 1, got 0"),
        (lambda: Polynomial(1.5), "degree must be .* got 1.5"),
        (lambda: Polynomial(2, -1.0), "offset must be finite and ≥ 0, got -1.0"),
        (lambda: Polynomial(3).statistic(torch.ones(1, 2, 3, 3)), "degree 3 has no statistic"),
        (lambda: Gaussian(0.0), "bandwidth must be a number above 0, got 0.0"),
        (lambda: Gaussian(-1.0), "bandwidth must be a number above 0, got -1.0"),
        (lambda: Gaussian(float("nan")), "bandwidth must be a number above 0, got nan"),
        (lambda: Gaussian("mode"), "bandwidth must be mean or a number; got 'mode'"),
        (lambda: Gaussian(pairs=0), "pairs must be a whole number ≥ 1, got 0"),
        (lambda: Gaussian(pairs=2.5), "pairs must be .* got 2.5"),
        (lambda: GaussianPairs(1.0).statistic(torch.ones(1, 2, 1, 1)), "two positions at least"),
        (lambda: WeightedSum(()), "needs at least one"),
        (lambda: WeightedSum(((-1.0, Gram()),)), "must be finite and ≥ 0, got -1.0"),
        (lambda: get_kernel("grim"), "unknown kernel 'grim'; there are distribution, gram, linear"),
        (lambda: get_kernel({"name": "bn", "offset": 1}), "bn takes no such parameters"),
        (lambda: get_kernel(7), "a kernel is a name or a statistic, got 7"),
        (lambda: get_kernel(Wasserstein), "a kernel is a name or a statistic, got <class"),
        (lambda: get_kernel({"sum": 3}), "a sum of kernels is"),
        (lambda: get_kernel({"sum": [[1.0, "gram"]], "realtive": False}), "a sum of kernels is"),
        (lambda: get_kernel({"name": ["gram"]}), "unknown kernel"),
        (lambda: WeightedSum(((0.0, Gram()),)), "needs a weight above 0"),
        (lambda: Polynomial(float("inf")), "degree must be a whole number"),
        (lambda: Polynomial(2, "1"), "offset must be finite and ≥ 0, got '1'"),
        (lambda: Gaussian(None), "bandwidth must be a number above 0, got None"),
        (lambda: Gaussian(seed=1.5), "seed must be a whole number"),
        (lambda: Gaussian(features=0), "features must be a whole number ≥ 2, got 0"),
        (lambda: Gaussian(features=1), "features must be a whole number ≥ 2, got 1"),
        (lambda: Gaussian(features=7), "features must be even, a cosine and a sine each; got 7"),
        (lambda: Gaussian(features=10**9), "features must be at most 65536, got 1000000000"),
        (lambda: Gaussian("median"), "the median of distances needs pairs: estimator='pairs'"),
        (lambda: Gaussian("mode", estimator="pairs"), "must be mean, median or a number; got 'mo"),
        (lambda: Gaussian(estimator="pair"), "must be one of features, pairs; got 'pair'; did you"),
        (lambda: Gaussian(estimator="pairs", features=8), "features=8 belong to estimator='fea"),
        (lambda: Gaussian(estimator="features", pairs=8), "pairs=8 belong to estimator='pairs'"),
        (lambda: Gaussian(features=8, pairs=8), "features=8 belong to estimator='features', not"),
        (lambda: distance(Gaussian(), NOTHING, NOTHING), "'mean' is still a rule; use kernel.fit"),
        (lambda: BatchNormStatistics(-1.0), "epsilon must be finite and ≥ 0"),
        (lambda: Wasserstein(float("nan")), "epsilon must be finite and ≥ 0"),
    ],
)
def test_bad_values_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


COUNTED = (WeightedSum, GaussianFeatures)  # the latter's size does not tell the channels


@pytest.mark.parametrize("kernel", [k for k in EVERY if not isinstance(k, COUNTED)], ids=str)
def test_mismatched_channels_are_refused(kernel, x):
    with pytest.raises(ValueError, match="cannot be compared"):
        distance(kernel, x, x[:, :3])
