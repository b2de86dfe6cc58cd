"""Convolutions in float16: nothing overflows, nothing vanishes, and NaN stays NaN."""

import math

import pytest
import torch
import torch.nn.functional as F
from runs import TINY

from nst_tutorial.images.reading import bundled_images, load_image
from nst_tutorial.vgg import half
from nst_tutorial.vgg.layers import CONVOLUTIONS, LAYERS
from nst_tutorial.vgg.network import VGG19
from nst_tutorial.vgg.passes import _groups

STYLE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]


@pytest.fixture(scope="module")
def small_vgg() -> VGG19:
    return VGG19("random", channels=TINY, device="cpu", seed=2)


def step(model, group, scale):
    """A group of layers from float16 to float16."""
    first, *rest = group if group[0].startswith("conv") else ("", *group)
    if first:
        weight, bias = half.parameters(first, *model.parameters_of(first), scale)

    def layers(x):
        y = F.conv2d(x, weight, bias, padding=1) if first else x
        for name in rest:
            y = y.relu() if name.startswith("relu") else F.max_pool2d(y, 2)
        return y

    return layers


def features_in_half(model, image, layers, scale):
    """What `model(image, layers)` is in float16, float32 only at the layers asked for."""
    x, features, steps = (image - model.mean) / model.std, {}, []
    path = LAYERS[: max(map(LAYERS.index, layers)) + 1]
    for group in _groups(path, set(layers)):
        steps.append(step(model, group, scale))
        if group[-1] in layers:
            x = features[group[-1]] = half.run(x, steps, scale)
            steps = []
    return features


def gradient_of(features, image, weights):
    """∂ Σ <weights, features> / ∂ image."""
    total = sum((weights[name] * value).sum() for name, value in features.items())
    return torch.autograd.grad(total, image)[0]


def both_gradients(model, image, layers, scale, magnitude=1.0):
    """In float32 and in float16, of a random linear function of the features."""
    image = image.clone().requires_grad_()
    exact = model(image, layers)
    generator = torch.Generator().manual_seed(0)
    weights = {
        name: magnitude * torch.randn(f.shape, generator=generator) for name, f in exact.items()
    }
    low = features_in_half(model, image, layers, scale)
    return gradient_of(exact, image, weights), gradient_of(low, image, weights)


def assert_agree(low, exact):
    """Within 2 % in norm and with a cosine above 0.995: maxima and signs flip at random."""
    low, exact = low.double(), exact.double()
    assert float(low.norm()) == pytest.approx(float(exact.norm()), rel=0.02)
    assert float((low * exact).sum() / (low.norm() * exact.norm())) > 0.995


# --- the scale of the features ---------------------------------------------------------------


def test_the_original_weights_scale_leaves_a_factor_of_8(vgg):
    scale = half.scale_for(vgg, original=True)
    assert math.log2(scale).is_integer()
    assert 8 * scale * half.ORIGINAL <= 65504 < 16 * scale * half.ORIGINAL


@pytest.mark.slow
def test_the_largest_feature_on_record_is_the_largest_there_is():
    """The command beside `half.ORIGINAL`."""
    vgg = VGG19(device="cpu", precision="float32")
    assert half.largest_feature(vgg, half.SIZES) == pytest.approx(half.ORIGINAL, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("rescale", [False, True])
def test_small_pictures_say_how_large_features_become(rescale):
    vgg = VGG19(device="cpu", precision="float32", rescale=rescale)
    scale = half.scale_for(vgg, original=False)
    assert 8 * scale * half.largest_feature(vgg, (128, 256)) <= 65504


def test_the_scale_follows_the_weights(small_vgg):
    """Of a network whose features are 2¹⁰ times as large, it is 2⁻¹⁰ as large."""

    def larger(image, layers):
        return {name: 2**20 * f for name, f in small_vgg(image, layers).items()}

    def even_larger(image, layers):
        return {name: 2**30 * f for name, f in small_vgg(image, layers).items()}

    scale = half.scale_for(larger, original=False)
    assert half.scale_for(even_larger, original=False) == scale / 1024
    largest = half.largest_feature(larger, (half.SMALL,))
    assert 8 * half.SMALL_MARGIN * scale * largest <= 65504


def test_small_features_do_not_scale_the_picture_out_of_range(small_vgg):
    def silent(image, layers):
        return {name: 0 * f for name, f in small_vgg(image, layers).items()}

    assert 8 * 255 * half.scale_for(silent, original=False) <= 65504


def test_features_that_are_not_finite_have_no_scale(small_vgg):
    def broken(image, layers):
        return {name: f * math.nan for name, f in small_vgg(image, layers).items()}

    with pytest.raises(ValueError, match="features are not finite; check its weights"):
        half.scale_for(broken, original=False)


def test_the_largest_feature_is_the_largest_over_pictures_and_convolutions(small_vgg):
    features = [small_vgg(image, CONVOLUTIONS) for image in bundled_images(64)]
    expected = max(float(f.abs().max()) for each in features for f in each.values())
    assert half.largest_feature(small_vgg, (64,)) == expected


def test_pictures_are_measured_where_the_network_is():
    def elsewhere(image, layers):
        assert image.is_meta
        return {"conv1_1": torch.full((1, 1, 2, 2), -3.0)}

    assert half.largest_feature(elsewhere, (64,), "meta") == 3
    assert 8 * 255 * half.scale_for(elsewhere, False, "meta") <= 65504


@pytest.mark.parametrize("scale", [2.0**-6, 1.0, 2.0**6])
def test_features_do_not_depend_on_the_scale(small_vgg, picture, scale):
    """VGG19 is positively homogeneous, biases included."""
    image = picture.float()
    expected = small_vgg(image, LAYERS)
    for name, low in features_in_half(small_vgg, image, LAYERS, scale).items():
        assert low.dtype == torch.float32
        torch.testing.assert_close(low, expected[name], rtol=0, atol=5e-3 * expected[name].max())


def test_nothing_overflows_with_the_original_weights(vgg):
    """All layers of a bundled picture at a factor of 8 below 65504; close to float32's features."""
    image, scale = load_image("coffee", 64), half.scale_for(vgg, original=True)
    exact = vgg(image, CONVOLUTIONS)
    assert max(f.abs().max() for f in exact.values()) > 20000  # of those at 64 px the largest
    for name, low in features_in_half(vgg, image, list(CONVOLUTIONS), scale).items():
        assert 8 * scale * low.abs().max() < 65504, name
        error = (low - exact[name]).norm() / exact[name].norm()
        assert error < 0.005, name


@pytest.mark.parametrize(
    ("weight", "bias"),
    [
        (1e5, 1.0),  # beyond the largest number
        (1e-7, 1.0),  # below the smallest
        (1.0, 1e7),
        (1000.0, 1.0),  # a sum of 72 of them, in the backward pass
        (math.nan, 1.0),
        (1.0, math.nan),
    ],
)
def test_weights_that_float16_cannot_hold_are_refused(weight, bias):
    weights, biases = torch.full((8, 4, 3, 3), weight), torch.full((8,), bias)
    with pytest.raises(ValueError, match='hold the weights of conv3_1; use precision="float32"'):
        half.parameters("conv3_1", weights, biases, 0.125)


def test_parameters_are_rounded_and_biases_scaled():
    weight, bias = torch.randn(8, 4, 3, 3), torch.randn(8)
    low, scaled = half.parameters("conv1_1", weight, bias, 0.125)
    assert torch.equal(low, weight.half())
    assert torch.equal(scaled, (bias / 8).half())


# --- gradients -------------------------------------------------------------------------------


def test_gradients_agree_with_float32s(small_vgg, picture):
    exact, low = both_gradients(small_vgg, picture.float(), STYLE, 0.125)
    assert_agree(low, exact)


@pytest.mark.parametrize("magnitude", [2.0**-100, 2.0**-40, 2.0**20, 2.0**80])
def test_a_gradient_times_a_power_of_two_is_the_same_bit_for_bit(small_vgg, picture, magnitude):
    _, expected = both_gradients(small_vgg, picture.float(), STYLE, 0.125)
    _, low = both_gradients(small_vgg, picture.float(), STYLE, 0.125, magnitude)
    assert torch.equal(low / magnitude, expected)


def test_gradients_of_the_original_weights_agree_with_float32s(vgg):
    image, scale = load_image("temple", 48), half.scale_for(vgg, original=True)
    exact, low = both_gradients(vgg, image, ["relu2_1", "relu4_2"], scale)
    assert_agree(low, exact)


@pytest.mark.parametrize("magnitude", [1e-30, 1e-12, 1e6, 1e20])
@pytest.mark.parametrize("layers", [["relu5_1"], STYLE, ["conv3_1", "pool4"]])
def test_extreme_gradients_survive(small_vgg, picture, layers, magnitude):
    exact, low = both_gradients(small_vgg, picture.float(), layers, 0.125, magnitude)
    assert exact.abs().max() > 0
    assert_agree(low, exact)


@pytest.mark.parametrize("factor", [2.0**-10, 2.0**11])
def test_gradients_that_a_layer_shrinks_or_magnifies_survive(picture, factor):
    """Eight layers, each by the factor: 2⁻⁸⁰ and 2⁸⁸ together, far out of float16's range."""
    weight = torch.zeros(3, 3, 3, 3)
    weight[:, :, 1, 1] = torch.eye(3)
    low, bias = half.parameters("conv1_1", factor * weight, torch.zeros(3), 1.0)

    def layer(x):  # forward as if the weight were 1
        return F.conv2d(x - x.detach(), low, bias, padding=1) + x.detach()

    x = picture.float().requires_grad_()
    y = half.run(x, [layer] * 8, 1.0)
    upper = torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    (gradient,) = torch.autograd.grad(y, x, upper)
    torch.testing.assert_close(gradient / factor**8, upper, rtol=0.002, atol=0.002)


def test_a_gradient_of_zero_stays_zero(small_vgg, picture):
    _, low = both_gradients(small_vgg, picture.float(), ["relu3_1"], 0.125, magnitude=0.0)
    assert torch.equal(low, torch.zeros_like(low))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("layers", [["relu1_1"], ["relu4_1"]])
def test_a_gradient_that_is_not_finite_stays_visible(small_vgg, picture, layers, bad):
    image = picture.float().requires_grad_()
    (features,) = features_in_half(small_vgg, image, layers, 0.125).values()
    upper = torch.ones_like(features)
    upper[0, 0, 0, 0] = bad
    (gradient,) = torch.autograd.grad(features, image, upper)
    assert gradient.isnan().all()


@pytest.mark.parametrize("bad", [math.nan, 1e30])
def test_a_picture_that_is_not_finite_stays_visible(small_vgg, picture, bad):
    image = picture.float()
    image[0, 0, 20, 20] = bad
    for features in features_in_half(small_vgg, image, ["relu1_1", "relu2_1"], 0.125).values():
        assert not features.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("largest", [3e-8, 1e-5, 0.5, 1.0, 3.999, 4.0, 65504.0])
def test_the_power_of_two_brings_the_largest_magnitude_to_1_or_above(largest, dtype):
    x = torch.tensor([0.0, -largest, largest / 3], dtype=dtype)
    power = half._power_of_two(x)
    assert power.dtype == torch.float32
    assert math.log2(power).is_integer()
    scaled = x.abs().max() / power
    assert scaled < 2
    assert scaled >= 1 or largest < torch.finfo(dtype).tiny  # subnormal: as far as float16 goes


# --- memory and graphs -----------------------------------------------------------------------


def test_without_gradients_no_graph_is_kept(small_vgg, picture):
    image = picture.float()
    with torch.no_grad():
        expected = features_in_half(small_vgg, image, STYLE, 0.125)
    with torch.inference_mode():
        inferred = features_in_half(small_vgg, image, STYLE, 0.125)
    for name, features in features_in_half(small_vgg, image, STYLE, 0.125).items():
        assert features.grad_fn is None
        assert torch.equal(features, expected[name])
        assert torch.equal(features, inferred[name])


def test_what_is_kept_is_float16_and_let_go_after_the_backward_pass(small_vgg, picture):
    image = picture.float().requires_grad_()
    (features,) = features_in_half(small_vgg, image, ["relu3_1"], 0.125).values()
    kept = features.grad_fn.saved_tensors
    assert {tensor.dtype for tensor in kept} == {torch.float16}
    again = [torch.autograd.grad(features.sum(), image, retain_graph=True)[0] for _ in range(2)]
    assert torch.equal(*again)
    torch.autograd.grad(features.sum(), image)
    with pytest.raises(RuntimeError, match="already been freed"):
        torch.autograd.grad(features.sum(), image)


def test_changed_weights_get_their_own_scale(vgg, monkeypatch):
    """The constant is of the original weights alone."""
    model = VGG19("random", channels=TINY, device="cpu", convolutions="direct-float16")
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    model(image, ["relu2_1"])
    before = model.kept.scale[1]
    model.load_state_dict(
        {k: 16 * t if "conv1_1" in k else t for k, t in model.state_dict().items()}
    )
    features = model(image, ["relu2_1"])["relu2_1"]
    assert model.kept.scale[1] < before
    expected = model.with_paths("direct")(image, ["relu2_1"])["relu2_1"]
    assert float((features - expected).norm() / expected.norm()) < 5e-3
    asked = []
    monkeypatch.setattr(
        half, "scale_for", lambda network, original, device: asked.append(original) or 1.0
    )
    for change in (lambda network: None, lambda network: network.conv1_1_bias.mul_(1)):
        original = VGG19(device="cpu", convolutions="direct-float16")
        change(original)
        original(image, ["relu1_2"])
    assert asked == [True, False]
