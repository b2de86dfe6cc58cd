"""Numbers may come from numpy, as from `np.linspace` or a table, wherever a number is taken."""

import json

import numpy as np
import pytest
import torch
from objectives import Quadratic
from runs import quick
from tensors import features

import nst_tutorial as nst
from nst_tutorial import kernels, noise, optimize, tiling, transfer
from nst_tutorial.checks import check_integer, check_number, output_shape
from nst_tutorial.images.resizing import resize

WHOLE = (np.int64, np.int32, np.uint16, np.float32, np.float64)
REAL = (np.float32, np.float64, np.float16)


def plan_of(**options):
    return tiling.plan(**{"height": 300, "width": 200, "memory": 3, "device": "cpu", **options})


def statistics_of_kernel(kernel):
    f, g = features(1, 4, 6, 5), features(1, 4, 6, 5, seed=1)
    json.dumps(kernels.describe(kernel))
    kernel, target = kernels.fit(kernel, g)
    return kernel.distance(kernel.statistic(f), target)


def minimum(**options):
    start = torch.full((1, 3, 16, 13), 0.5).double()
    return optimize.minimize(Quadratic(), start, **{"steps": 3, **options}).image


PICTURE = torch.rand(1, 3, 40, 32, generator=torch.Generator().manual_seed(0))

OF_WHOLE_NUMBERS = {
    "load_image size": (lambda n: nst.load_image("temple", n), 48),
    "resize size": (lambda n: resize(PICTURE, n), 20),
    "resize sides": (lambda n: resize(PICTURE, (int(n), int(n))), 20),
    "output_shape": (output_shape, 48),
    "output_shape sides": (lambda n: output_shape((n, 32)), 48),
    "VGG19 seed": (
        lambda n: nst.VGG19("random", channels=(4,) * 5, seed=n, device="cpu").conv1_1_weight, 3,
    ),
    "VGG19 channels": (
        lambda n: nst.VGG19("random", channels=(n,) * 5, device="cpu").conv2_1_weight, 4,
    ),
    "polynomial degree": (lambda n: statistics_of_kernel(kernels.Polynomial(n, 1.0)), 2),
    "gaussian pairs": (lambda n: statistics_of_kernel(kernels.Gaussian(pairs=n)), 5),
    "gaussian features": (lambda n: statistics_of_kernel(kernels.Gaussian(features=n)), 6),
    "central_moments order": (lambda n: statistics_of_kernel(kernels.CentralMoments(n)), 3),
    "autocorrelation reach": (lambda n: statistics_of_kernel(kernels.Autocorrelation(n)), 1),
    "sliced_wasserstein directions": (
        lambda n: statistics_of_kernel(kernels.SlicedWasserstein(n)), 3,
    ),
    "nearest_neighbours candidates": (
        lambda n: statistics_of_kernel(kernels.NearestNeighbours(n)), 3,
    ),
    "gaussian seed": (lambda n: statistics_of_kernel(kernels.Gaussian(seed=n)), 5),
    "noise_level octave": (lambda n: noise.noise_level(PICTURE, octave=n), 1),
    "plan height": (lambda n: plan_of(height=n), 700),
    "plan width": (lambda n: plan_of(width=n), 700),
    "plan tile": (lambda n: plan_of(tile=n), 128),
    "plan steps": (lambda n: plan_of(settings=nst.presets.Settings(steps=n)), 9),
    "plan lbfgs_pairs": (lambda n: plan_of(settings=nst.presets.Settings(lbfgs_pairs=n)), 9),
    "minimize steps": (lambda n: minimum(steps=n), 4),
    "minimize lbfgs_pairs": (lambda n: minimum(lbfgs_pairs=n), 2),
}  # fmt: skip

OF_NUMBERS = {
    "polynomial offset": (lambda x: statistics_of_kernel(kernels.Polynomial(2, x)), 0.5),
    "gaussian bandwidth": (lambda x: statistics_of_kernel(kernels.Gaussian(x)), 0.5),
    "bn epsilon": (lambda x: statistics_of_kernel(kernels.BatchNormStatistics(x)), 0.25),
    "wasserstein epsilon": (lambda x: statistics_of_kernel(kernels.Wasserstein(x)), 0.25),
    "central_moments epsilon": (
        lambda x: statistics_of_kernel(kernels.CentralMoments(epsilon=x)), 0.25,
    ),
    "autocorrelation weight": (
        lambda x: statistics_of_kernel(kernels.Autocorrelation(weight=x)), 2.5,
    ),
    "weight of a kernel": (
        lambda x: statistics_of_kernel(kernels.get_kernel({"sum": [[x, "gram"], [1, "bn"]]})), 0.5,
    ),
    "denoise strength": (lambda x: noise.denoise(PICTURE, strength=x), 2.5),
    "flat_regions share": (lambda x: noise.flat_regions(PICTURE, x), 0.25),
    "screened_poisson": (lambda x: noise.screened_poisson(PICTURE, PICTURE.flip(2), x), 1.5),
    "plan memory": (lambda x: plan_of(memory=x), 1.5),
    "plan speed": (lambda x: plan_of(seconds_per_megapixel=x), 1.5),
    "learning_rate of L-BFGS": (lambda x: minimum(learning_rate=x), 0.5),
    "learning_rate of Adam": (lambda x: minimum(learning_rate=x, method="adam"), 0.5),
}  # fmt: skip


def same(a, b):
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("name", OF_WHOLE_NUMBERS)
def test_whole_numbers_of_numpy(name, kind):
    work, number = OF_WHOLE_NUMBERS[name]
    assert same(work(kind(number)), work(number))


@pytest.mark.parametrize("kind", REAL)
@pytest.mark.parametrize("name", OF_NUMBERS)
def test_numbers_of_numpy(name, kind):
    work, number = OF_NUMBERS[name]
    assert same(work(kind(number)), work(number))


STYLIZE = {
    **dict.fromkeys(("style_weight", "content_weight", "tv_weight", "grain_weight"), 2.5),
    **{"range_weight": 2.5, "style_scale": 0.75, "learning_rate": 0.5, "memory": 2.0},
    **{"steps": 2, "lbfgs_pairs": 1, "seed": 3, "tile": 64},
}


@pytest.mark.parametrize("kind", [np.int64, np.float32, np.float64])
def test_numbers_of_numpy_in_stylize(pair, tiny, kind):
    options = {
        name: value for name, value in STYLIZE.items() if kind is not np.int64 or value % 1 == 0
    }
    expected = quick(pair, tiny, start="noise", **{"steps": 3, **options})
    found = quick(
        pair, tiny, start="noise",
        **{"steps": 3, **{name: kind(value) for name, value in options.items()}},
    )  # fmt: skip
    assert torch.equal(found.image, expected.image)


@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_numbers_of_numpy_for_textures(pair, tiny, kind):
    def texture(kind):
        return transfer.synthesize_texture(
            pair[1], kind(32), seed=kind(1), steps=kind(2), model=tiny
        ).image

    def content(kind):
        return transfer.reconstruct(
            pair[0], "relu2_1", seed=kind(1), steps=kind(2), model=tiny
        ).image

    assert torch.equal(texture(kind), texture(int))
    assert torch.equal(content(kind), content(int))


@pytest.mark.parametrize("value", [True, np.True_, "3", None, 3 + 0j, np.nan, np.float32("inf")])
def test_what_is_no_number(value):
    with pytest.raises(ValueError, match="^n must be a whole number ≥ 1, got "):
        check_integer("n", value, 1)
    with pytest.raises(ValueError, match="^x must be finite and ≥ 0, got "):
        check_number("x", value)


def test_bounds_of_numbers():
    assert check_number("x", np.float32(7), most=7) == 7.0
    with pytest.raises(ValueError, match="^x must be at most 7, got 7.5$"):
        check_number("x", 7.5, most=7)
    with pytest.raises(ValueError, match="^n must be at most 7, got 8$"):
        check_integer("n", 8, 1, 7)


@pytest.mark.parametrize("scale", [1e308, 2e6, [1.0, 1e20]])
def test_a_style_scale_beyond_all_pictures(pair, tiny, scale):
    styles = [pair[1]] * 2 if isinstance(scale, list) else pair[1]
    with pytest.raises(ValueError, match="^style_scale must be at most 1875, got "):
        nst.stylize(pair[0], styles, model=tiny, steps=1, style_scale=scale)
