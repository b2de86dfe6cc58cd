"""Random Fourier features against the Gaussian kernel itself, and what they are used for."""

import math
from itertools import pairwise

import pytest
import torch
from tensors import distance, features, relative

from nst_tutorial.kernels import random_features as room
from nst_tutorial.kernels.gaussian import Gaussian
from nst_tutorial.kernels.mmd import mmd2
from nst_tutorial.kernels.moments import Gram, positions
from nst_tutorial.kernels.pairs import GaussianPairs
from nst_tutorial.kernels.random_features import GaussianFeatures
from nst_tutorial.kernels.registry import WeightedSum, describe, fit, get_kernel

SIGMA = 1.3


def root_mean_square(values):
    return float(torch.stack(values).square().mean().sqrt())


def mmd2_errors(count, draws=40):
    x, y = features(1, 4, 5, 6), 0.7 * features(1, 4, 4, 7, seed=1) + 0.4
    exact = mmd2(x, y, Gaussian(SIGMA))
    kernels = (Gaussian(SIGMA, features=count, seed=seed) for seed in range(draws))
    return [distance(kernel, x, y) - exact for kernel in kernels]


# --- the kernel ------------------------------------------------------------------------------


def test_the_feature_map_written_out(x):
    """√(2/D) (cos Wf, sin Wf), position by position; D from the channels."""
    kernel = Gaussian(SIGMA, features=6, seed=2)
    W = room.orthogonal_frequencies(4, 3, 2) / SIGMA
    maps = [torch.cat([(W @ f).cos(), (W @ f).sin()]) for f in positions(x)[0]]
    expected = (2 / 6) ** 0.5 * torch.stack(maps).mean(dim=0)
    torch.testing.assert_close(kernel.statistic(x)[0], expected)
    sizes = {C: Gaussian(1.0).statistic(features(1, C, 2, 2)).shape[1] for C in (1, 64, 128, 512)}
    assert sizes == {1: 128, 64: 128, 128: 256, 512: 1024}


def test_products_of_feature_maps_are_the_kernel():
    a = features(1, 4, 1, 30)
    points = positions(a)[0]
    kernel = Gaussian(SIGMA, features=2**16)
    phi = torch.cat([kernel.statistic(a[..., [i]]) for i in range(30)])
    torch.testing.assert_close(phi.square().sum(dim=1), torch.ones(30).double())
    torch.testing.assert_close(phi @ phi.T, kernel(points, points), atol=0.02, rtol=0)


def test_the_error_of_mmd_falls_as_one_over_the_root_of_the_number_of_features():
    """Against brute force over all pairs: 16 times the features, a quarter of the error."""
    counts = (16, 256, 4096)
    errors = [root_mean_square(mmd2_errors(count)) for count in counts]
    for fewer, more in pairwise(errors):
        assert more / fewer == pytest.approx(1 / 4, rel=0.4)


def test_orthogonal_frequencies_are_normal_and_err_less():
    W = torch.cat([room.orthogonal_frequencies(4, 256, seed) for seed in range(40)])
    torch.testing.assert_close(W.T @ W / len(W), torch.eye(4).double(), atol=0.05, rtol=0)
    torch.testing.assert_close(W.square().square().mean(), torch.tensor(3.0).double(), atol=0.1,
                               rtol=0)  # fmt: skip
    rows = W[:4] / W[:4].norm(dim=1, keepdim=True)
    torch.testing.assert_close(rows @ rows.T, torch.eye(4).double())
    C, points = 16, positions(features(1, 16, 5, 5))[0]
    exact = GaussianFeatures(4.0)(points, points)
    errors = {"orthogonal": [], "independent": []}
    for seed in range(30):
        normal = torch.randn(64, C, generator=torch.Generator().manual_seed(seed)).double()
        orthogonal = room.orthogonal_frequencies(C, 64, seed)
        for name, W in {"orthogonal": orthogonal, "independent": normal}.items():
            angles = points @ W.T / 4.0
            phi = torch.cat([angles.cos(), angles.sin()], dim=1) / 8
            errors[name].append(phi @ phi.T - exact)
    orthogonal, independent = map(root_mean_square, errors.values())
    assert orthogonal < 0.85 * independent


def test_frequencies_depend_on_the_seed_alone():
    x = features(1, 3, 4, 4)
    first = Gaussian(1.0, seed=4).statistic(x)
    torch.rand(100)  # somebody else's random numbers
    room._scaled.cache_clear()
    room.orthogonal_frequencies.cache_clear()
    assert torch.equal(first, Gaussian(1.0, seed=4).statistic(x))
    assert not torch.equal(first, Gaussian(1.0, seed=5).statistic(x))
    torch.testing.assert_close(Gaussian(1.0, seed=4).statistic(x.float()), first.float())


# --- the bandwidth ---------------------------------------------------------------------------


def test_the_bandwidth_is_that_of_all_pairs():
    """2σ² = mean ‖a - b‖² over all pairs, by moments that are a mean over positions."""
    x = 3 + features(1, 4, 5, 6)
    points = positions(x)[0]
    kernel = Gaussian()
    assert kernel.preliminary
    fitted = kernel.fitted(kernel.statistic(x))
    expected = float(torch.cdist(points, points).square().mean())
    assert 2 * fitted.bandwidth**2 == pytest.approx(expected)
    assert not fitted.preliminary
    assert fitted.fitted(fitted.statistic(5 * x)) is fitted  # once for all
    left, right = kernel.statistic(x[..., :2]), kernel.statistic(x[..., 2:])
    torch.testing.assert_close((2 * left + 4 * right) / 6, kernel.statistic(x))
    single = kernel.fitted(kernel.statistic(1000 + x.float()))
    assert single.bandwidth == pytest.approx(fitted.bandwidth, rel=1e-3)
    assert fit("gaussian", x)[0] == fitted


@pytest.mark.parametrize("value", [0.0, 0.5, 300.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_flat_style_has_a_bandwidth_and_a_unit(value, dtype):
    """Its own size, since nothing else is known; and no factor explodes."""
    flat = torch.full((1, 4, 9, 9), value, dtype=dtype)
    kernel, target = fit("gaussian", flat)
    assert kernel.bandwidth == pytest.approx(2 * value or 1.0)
    assert kernel.magnitude(target) == 1
    moved = (flat + 0.1).requires_grad_()
    (gradient,) = torch.autograd.grad(kernel.distance(kernel.statistic(moved), target), moved)
    assert gradient.isfinite().all()


def test_a_sum_is_fitted_in_two_looks(y):
    """First the bandwidth, then, from the statistics, each part's unit."""
    kernel = WeightedSum(((1.0, Gram()), (2.0, Gaussian())))
    assert kernel.preliminary
    fitted, target = fit(kernel, y)
    assert not fitted.preliminary
    alone, S = fit("gaussian", y)
    (_, gram), (weight, gaussian) = fitted.parts
    assert (gram, gaussian) == (Gram(), alone)
    torch.testing.assert_close(target[1], S)
    assert weight * float(alone.magnitude(S)) == pytest.approx(2)


def test_the_unit_is_the_distance_from_features_that_moved_by_half_of_their_spread():
    """By brute force, for directions at random; many channels, so that spreads are alike."""
    y = features(1, 200, 12, 12).abs()
    kernel, target = fit(Gaussian(features=2**11), y)
    steps = features(8, 200, seed=3)
    length = 0.5 * kernel.bandwidth  # the spread, under the rule
    moved = [y + length * (step / step.norm())[None, :, None, None] for step in steps]
    found = sum(float(kernel.distance(kernel.statistic(z), target)) for z in moved) / 8
    assert found == pytest.approx(float(kernel.magnitude(target)), rel=0.1)
    wide = Gaussian(10 * kernel.bandwidth, features=2**11)
    S = wide.statistic(y)
    found = sum(float(wide.distance(wide.statistic(z), S)) for z in moved) / 8
    assert found == pytest.approx(float(wide.magnitude(S)), rel=0.1)


# --- gradients -------------------------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["everywhere", "masked"])
def mask(request):
    if not request.param:
        return None
    mask = features(1, 1, 3, 5, seed=9).abs()
    mask[..., 0, :2] = 0
    return mask


@pytest.fixture(params=[2**17, 30], ids=["one strip", "many strips"])
def strips(request, monkeypatch):
    monkeypatch.setattr(room, "STRIP_NUMBERS", request.param)


@pytest.mark.parametrize("format", [torch.contiguous_format, torch.channels_last])
def test_pull_is_the_gradient(mask, strips, format):
    """By differences and by autograd through a plain feature map."""
    kernel = Gaussian(SIGMA, features=12)
    f = features(2, 4, 3, 5).contiguous(memory_format=format).requires_grad_()
    slope = features(2, 12, seed=4)
    assert torch.autograd.gradcheck(lambda f: kernel.statistic(f, mask), f)
    (by_autograd,) = torch.autograd.grad((slope * kernel.statistic(f, mask)).sum(), f)
    share = torch.full((15,), 1 / 15) if mask is None else mask.flatten() / mask.sum()
    angles = positions(f) @ room.orthogonal_frequencies(4, 6, 0).T / SIGMA
    plain = (share[:, None] * torch.cat([angles.cos(), angles.sin()], dim=-1)).sum(1) / 6**0.5
    (by_plain,) = torch.autograd.grad((slope * plain).sum(), f)
    found = kernel.pull(f, [slope], mask)
    assert found.shape == f.shape
    assert not found.requires_grad
    torch.testing.assert_close(found, by_plain)
    torch.testing.assert_close(by_autograd, by_plain)
    assert not kernel.pull(f, [0 * slope], mask).any()


def test_pull_in_other_types():
    kernel, slope = Gaussian(SIGMA), features(1, 128, dtype=torch.float32)
    f = features(1, 4, 8, 8, dtype=torch.float32)
    found = kernel.pull(f, [slope])
    assert found.dtype == torch.float32
    assert relative(found, kernel.pull(f.double(), [slope.double()])) < 1e-5
    assert kernel.pull(f.half(), [slope]).dtype == torch.float32  # float16 would lose small ones
    both = kernel.pull(torch.cat([f, 2 * f]), [slope])  # one slope for a batch
    torch.testing.assert_close(both[:1], found)


def test_memory_does_not_grow_with_features_times_positions():
    """What autograd keeps of a layer is its features."""
    kept = []
    f = features(1, 4, 64, 64).requires_grad_()

    def keep(tensor):
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        Gaussian(SIGMA, features=512).statistic(f)
    assert max(kept) == f.numel() < 64 * 64 * 512


# --- descriptions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("gaussian", GaussianFeatures()),
        ({"name": "gaussian", "features": 64, "seed": 3}, GaussianFeatures(features=64, seed=3)),
        ({"name": "gaussian", "estimator": "pairs"}, GaussianPairs()),
        # as records of earlier versions have them
        ({"name": "gaussian", "bandwidth": "median", "pairs": 50}, GaussianPairs("median", 50)),
    ],
)
def test_either_estimator_by_description(description, expected):
    kernel = get_kernel(description)
    assert kernel == expected
    assert get_kernel(describe(kernel)) == kernel


def test_a_picture_of_one_position_is_a_point():
    """Unlike pairs, features need one position only."""
    f = features(1, 3, 1, 1)
    found = distance(Gaussian(SIGMA, features=2**14), f, 0 * f)
    expected = 2 - 2 * math.exp(-float(f.square().sum()) / (2 * SIGMA**2))
    assert float(found) == pytest.approx(expected, rel=0.02)
