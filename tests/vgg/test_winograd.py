from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tensors import relative

from nst_tutorial.kernels.moments import gram_matrix
from nst_tutorial.vgg import winograd, winograd_layers
from nst_tutorial.vgg.first_layer import ConvReLU
from nst_tutorial.vgg.network import VGG19
from nst_tutorial.vgg.products import BlasProducts
from nst_tutorial.vgg.winograd_layers import Conv3x3ReLU, Conv3x3ReLUPool


def layer(C, K, height, width, count=1):
    generator = torch.Generator().manual_seed(C + K + height + width)

    def draw(*shape):
        return torch.randn(shape, generator=generator)

    x = draw(count, C, height, width).to(memory_format=torch.channels_last)
    return x, draw(K, C, 3, 3) / (9 * C) ** 0.5, 0.1 * draw(K), draw(count, K, height, width)


@pytest.mark.parametrize("points", [winograd.POINTS, (0.0, 1.0, -1.0, 2.0, -0.5)])
def test_one_dimensional_filtering(points):
    B_T, G, A_T = winograd.cook_toom(points)
    d, w = np.random.default_rng(0).normal(size=(2, 6))
    w = w[:3]
    direct = [d[i : i + 3] @ w for i in range(4)]
    np.testing.assert_allclose(A_T @ ((G @ w) * (B_T @ d)), direct, rtol=1e-12)


POOLINGS = {
    None: lambda y: y,
    "max": lambda y: F.max_pool2d(y, 2),
    "average": lambda y: F.avg_pool2d(y, 2),
}


def ours(x, weight, bias, pooling, kind=BlasProducts):
    products = kind(winograd.transform_weights(weight))
    if pooling is None:
        return Conv3x3ReLU.apply(x, products, bias)
    return Conv3x3ReLUPool.apply(x, products, bias, pooling)


def directly(x, weight, bias, pooling):
    y = F.conv2d(x.double(), weight.double(), bias.double(), padding=1)
    return POOLINGS[pooling](y.relu())


def check_layer(x, weight, bias, pooling):
    """Forward and the input's gradient against direct convolutions in float64."""
    fast, exact = x.clone().requires_grad_(), x.double().requires_grad_()
    y = ours(fast, weight, bias, pooling)
    if not y.numel():  # a pooling of a picture one pixel wide
        assert min(x.shape[2:]) == 1
        return
    expected = directly(exact, weight, bias, pooling)
    assert y.shape == expected.shape
    upstream = torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(y, fast, upstream)
    (expected_gradient,) = torch.autograd.grad(expected, exact, upstream.double())
    assert (y - expected).norm() <= 1e-5 * expected.norm()
    assert (gradient - expected_gradient).norm() <= 1e-5 * expected_gradient.norm()


# sizes: one tile, ragged tiles, several strips, strips that end in a ragged one, two pictures
SHAPES = [(3, 5, 4, 4, 1), (8, 4, 7, 9, 1), (4, 16, 50, 130, 1), (6, 6, 1, 1, 1), (5, 7, 18, 23, 3)]
LAYERS = [(64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("shape", [*SHAPES, *((C, K, 21, 34, 2) for C, K in LAYERS)])
def test_forward_and_gradient_equal_the_direct_convolution(shape, pooling):
    x, weight, bias, _ = layer(*shape)
    check_layer(x, weight, bias, pooling)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_size(pooling):
    """1×1 to 64×64, all odd and even sides, flat and tall."""
    for n in range(1, 65):
        for size in ((n, n), (n, 65 - n)):
            x, weight, bias, _ = layer(3, 4, *size)
            check_layer(x, weight, bias, pooling)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_pooling_of_ties_and_silence(pooling):
    """Where all four are equal the first gets the gradient; where none lives, none does."""
    weight = torch.zeros(2, 3, 3, 3)
    for bias in (torch.tensor([1.0, 2.0]), torch.tensor([-1.0, 0.0])):
        x = torch.rand(1, 3, 10, 13).to(memory_format=torch.channels_last)
        check_layer(x, weight, bias, pooling)
    weight[:, :, 1, 1] = 1.0  # the identity, so that the gradient shows who got it
    x = torch.ones(1, 3, 8, 8).to(memory_format=torch.channels_last).requires_grad_()
    y = ours(x, weight, torch.zeros(2), pooling)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    share = torch.tensor([[2.0, 0.0], [0.0, 0.0]]) if pooling == "max" else torch.full((2, 2), 0.5)
    torch.testing.assert_close(gradient[0, 0], share.repeat(4, 4), atol=1e-6, rtol=0)


def test_nothing_is_kept_for_a_gradient_that_nobody_wants():
    x, weight, bias, _ = layer(4, 6, 9, 9)
    y = ours(x, weight, bias, None)
    assert y.grad_fn is None


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (33, 7), (70, 31)])
def test_the_first_layer_is_convolved_directly_in_strips(size):
    x, weight, bias, _ = layer(3, 8, *size, 2)
    one, other = (x.double().requires_grad_() for _ in range(2))
    y = ConvReLU.apply(one, weight.double(), bias.double(), torch.float64)
    expected = directly(other, weight, bias, None)
    upstream = torch.randn(y.shape, generator=torch.Generator().manual_seed(1)).double()
    torch.testing.assert_close(y, expected, rtol=0, atol=0)
    (gradient,) = torch.autograd.grad(y, one, upstream)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, other, upstream)[0])


def test_buffers_kept_from_a_larger_layer_do_not_leak_into_a_smaller_one():
    big, small = layer(8, 8, 60, 60), layer(4, 8, 5, 6)
    for x, weight, bias, _ in (big, small):
        y = ours(x, weight, bias, None)
        assert relative(y, F.conv2d(x, weight, bias, padding=1).relu()) < 1e-5


def test_threads_do_not_share_buffers():
    jobs = [layer(8, 8, 40 + i, 60) for i in range(4)]

    def work(job):
        x, weight, bias, _ = job
        products = BlasProducts(winograd.transform_weights(weight))
        return [Conv3x3ReLU.apply(x, products, bias) for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        for (x, weight, bias, _), found in zip(jobs, pool.map(work, jobs), strict=True):
            expected = F.conv2d(x, weight, bias, padding=1).relu()
            assert all(relative(y, expected) < 1e-5 for y in found)


def test_real_layers_of_vgg19(vgg, temple):
    """The whole network: features and gradient against direct convolutions in float64."""
    layers = ["relu1_1", "relu3_1", "relu5_1"]
    exact = type(vgg)(device="cpu").double()

    def gradient(model, x):
        x = x.clone().requires_grad_()
        features = model(x, layers)
        loss = sum(f.square().mean() for f in features.values())
        return features, torch.autograd.grad(loss, x)[0]

    features, slope = gradient(vgg, temple)
    features64, slope64 = gradient(exact, temple.double())
    for name in layers:
        assert relative(features[name], features64[name]) < 1e-5
    assert relative(slope, slope64) < 2e-3  # ReLU and max pooling flip where two values nearly tie


def test_small_or_double_or_narrow_layers_take_the_direct_way():
    x, weight, _, _ = layer(64, 64, 32, 32)
    assert winograd.pays_off(x, weight)
    assert not winograd.pays_off(x.double(), weight.double())
    assert not winograd.pays_off(x[..., :8, :8], weight)
    assert not winograd.pays_off(x.to("meta"), weight.to("meta"))  # as on any device but the CPU
    assert not winograd.pays_off(x[:, :3], weight[:, :3])


@pytest.mark.parametrize("choice", ["winograd", "direct"])
def test_direct_convolutions_on_demand(monkeypatch, choice):
    used = []
    monkeypatch.setattr(winograd_layers, "correlate", lambda *a: used.append(a))
    model = VGG19("random", channels=(32,) * 5, device="cpu", convolutions=choice)
    model(torch.rand(1, 3, 32, 32), ["relu2_1"])
    assert bool(used) == (choice == "winograd")


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_reduced_precision_is_within_its_bound(vgg, temple, precision):
    """What CUDA devices do by themselves, here on the CPU: 8 bits of mantissa in convolutions."""
    layers = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1"]
    model = VGG19(device="cpu", precision=precision, convolutions="direct")
    assert model.precision == precision
    gradients, features = [], []
    for network in (model, vgg):
        x = (0.9 * temple).requires_grad_()
        found = network(x, layers)
        assert all(f.dtype == torch.float32 for f in found.values())
        loss = sum(gram_matrix(f).square().mean().sqrt() for f in found.values())
        gradients.append(torch.autograd.grad(loss, x)[0])
        features.append(found)
    for name in layers:
        assert relative(features[0][name], features[1][name]) < 0.03
    assert relative(*gradients) < (0.25 if precision == "bfloat16" else 2e-3)
    assert torch.cosine_similarity(*(g.flatten() for g in gradients), dim=0) > 0.97
