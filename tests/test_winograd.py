from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import relative

from nst_tutorial import winograd


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


# sizes: one tile, ragged tiles, several strips, strips that end in a ragged one, two pictures
SHAPES = [(3, 5, 4, 4, 1), (8, 4, 7, 9, 1), (4, 16, 50, 130, 1), (6, 6, 1, 1, 1), (5, 7, 18, 23, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_forward_and_gradient_equal_the_direct_convolution(shape):
    x, weight, bias, upstream = layer(*shape)
    fast = x.clone().requires_grad_()
    y = winograd.Conv3x3ReLU.apply(fast, winograd.transform_weights(weight), bias)
    (gradient,) = torch.autograd.grad(y, fast, upstream)
    exact = x.double().requires_grad_()
    z = F.conv2d(exact, weight.double(), bias.double(), padding=1)
    reference = z.relu()
    # ReLU's gradient jumps at 0, so both must decide by the same signs
    (gradient_reference,) = torch.autograd.grad(z, exact, upstream.double() * (y > 0))
    assert relative(y, reference) < 1e-5
    assert relative(gradient, gradient_reference) < 1e-5


def test_buffers_kept_from_a_larger_layer_do_not_leak_into_a_smaller_one():
    big, small = layer(8, 8, 60, 60), layer(4, 8, 5, 6)
    for x, weight, bias, _ in (big, small):
        y = winograd.Conv3x3ReLU.apply(x, winograd.transform_weights(weight), bias)
        assert relative(y, F.conv2d(x, weight, bias, padding=1).relu()) < 1e-5


def test_threads_do_not_share_buffers():
    jobs = [layer(8, 8, 40 + i, 60) for i in range(4)]

    def work(job):
        x, weight, bias, _ = job
        products = winograd.transform_weights(weight)
        return [winograd.Conv3x3ReLU.apply(x, products, bias) for _ in range(10)]

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
    assert not winograd.pays_off(x.to("meta"), weight)  # as on any device but the CPU
    assert not winograd.pays_off(x[:, :3], weight[:, :3])
