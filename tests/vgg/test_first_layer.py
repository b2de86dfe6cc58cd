"""How a picture goes on beyond its border, for the network's first layer."""

import pytest
import torch
import torch.nn.functional as F
from runs import TINY
from tensors import features, relative

from nst_tutorial.setting_values import EDGES
from nst_tutorial.vgg import calibration
from nst_tutorial.vgg.first_layer import ROWS, ConvReLU, convolve
from nst_tutorial.vgg.network import VGG19, load_vgg19
from nst_tutorial.vgg.paths import PATHS

SIZES = [(1, 1), (1, 7), (9, 1), (2, 2), (2, 5), (ROWS - 1, 3), (ROWS, 4), (ROWS + 1, 4), (70, 6)]


def padded(x, edges):
    return F.pad(x, (1,) * 4, mode="constant" if edges == "zeros" else edges)


def parameters():
    return features(5, 3, 3, 3, seed=1), features(5, seed=2)


def network(**options):
    return VGG19("random", channels=TINY, device="cpu", **options)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("edges", EDGES)
def test_features_and_gradient_are_those_of_the_padded_picture(edges, size):
    if edges == "reflect" and min(size) < 2:
        pytest.skip("there is nothing to reflect")
    x, (weight, bias) = features(2, 3, *size).requires_grad_(), parameters()
    expected = F.conv2d(padded(x, edges), weight, bias).relu()
    pull = features(*expected.shape, seed=3)
    for ours in (
        ConvReLU.apply(x, weight, bias, x.dtype, edges),
        convolve(x, weight, bias, edges).relu(),
    ):
        torch.testing.assert_close(ours, expected)
        gradients = [
            torch.autograd.grad(y, x, pull, retain_graph=True)[0] for y in (ours, expected)
        ]
        torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("edges", EDGES)
def test_gradient_against_finite_differences(edges):
    x, (weight, bias) = features(1, 3, 4, 5).requires_grad_(), parameters()
    assert torch.autograd.gradcheck(
        lambda x: ConvReLU.apply(x, weight, bias, torch.float64, edges), x
    )


@pytest.mark.parametrize("size", SIZES[3:], ids=str)
@pytest.mark.parametrize("edges", EDGES)
def test_strips_in_another_type_are_the_whole_rounded(edges, size):
    x, (weight, bias) = features(1, 3, *size).float(), (p.float() for p in parameters())
    whole = F.conv2d(padded(x, edges), weight, bias).relu()
    strips = ConvReLU.apply(x, weight, bias, torch.bfloat16, edges)
    torch.testing.assert_close(strips.float(), whole, rtol=2**-8, atol=1e-5)


@pytest.mark.parametrize("edges", EDGES)
@pytest.mark.parametrize("layer", ["conv1_1", "relu1_1"])  # the ReLU makes it another path
def test_the_network_pads_the_normalised_picture(edges, layer):
    model, image = network(edges=edges).double(), features(1, 3, 6, 9)
    x = padded((image - model.mean) / model.std, edges)
    expected = F.conv2d(x, *model.parameters_of("conv1_1"))
    expected = expected.relu() if layer == "relu1_1" else expected
    torch.testing.assert_close(model(image, [layer])[layer], expected)


def test_deeper_layers_keep_zeros():
    """From the same features of the first layer, the second computes the same."""
    plain, replicate = network(), network(edges="replicate")
    image = features(1, 3, 12, 12).float()
    first = replicate(image, ["relu1_1"])["relu1_1"]
    expected = F.conv2d(first, *plain.parameters_of("conv1_2"), padding=1)
    torch.testing.assert_close(
        replicate(image, ["conv1_2"])["conv1_2"], expected, rtol=1e-4, atol=1e-5
    )


def test_a_flat_picture_has_a_border_only_with_zeros():
    image = torch.full((1, 3, 8, 8), 0.9)
    for edges in EDGES:
        inside = network(edges=edges)(image, ["relu1_1"])["relu1_1"]
        flat = torch.allclose(inside, inside[:, :, 4:5, 4:5].expand_as(inside), atol=1e-5)
        assert flat == (edges != "zeros")


def test_circular_padding_wins():
    image = features(1, 3, 16, 16)
    each = [network(padding="circular", edges=edges).double() for edges in EDGES]
    found = [model(image, ["relu2_1"])["relu2_1"] for model in each]
    assert all(torch.equal(found[0], other) for other in found[1:])
    assert {model.border for model in each} == {"circular"}


def test_what_cannot_be_reflected_is_refused():
    model = network(edges="reflect")
    with pytest.raises(ValueError, match=r"at least 2 pixels on each side, got 1×5; edges='repl"):
        model(torch.rand(1, 3, 5, 1), ["relu1_1"])
    assert model(torch.rand(1, 3, 2, 2), ["relu1_1"])["relu1_1"].shape == (1, TINY[0], 2, 2)
    one = network(edges="replicate")(torch.rand(1, 3, 1, 1), ["relu1_1"])
    assert one["relu1_1"].shape == (1, TINY[0], 1, 1)


def test_unknown_edges_are_refused():
    with pytest.raises(ValueError, match="edges must be one of zeros, replicate, reflect; got 'w"):
        network(edges="wrap")


@pytest.mark.parametrize("edges", EDGES)
@pytest.mark.parametrize("path", [name for name in PATHS if "cpu" in PATHS[name].devices])
def test_every_path_has_every_kind_of_edges(path, edges):
    options = {"channels": (32,) * 5, "device": "cpu", "edges": edges}
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    ours = VGG19("random", convolutions=path, **options)(image, ["relu2_1"])["relu2_1"]
    exact = VGG19("random", convolutions="direct", **options)(image, ["relu2_1"])["relu2_1"]
    other = {**options, "edges": "zeros" if edges != "zeros" else "replicate"}
    elsewhere = VGG19("random", convolutions="direct", **other)(image, ["relu2_1"])["relu2_1"]
    assert relative(ours, exact) < 0.03 < relative(elsewhere, exact)


def test_the_fastest_paths_are_taken_with_every_kind_of_edges(monkeypatch):
    """As with zeros, and unlike with circular padding."""
    monkeypatch.delenv("NST_CONVOLUTIONS", raising=False)
    names = calibration.candidates(torch.device("cpu"))
    seconds = tuple({name: 2.0 - (name == "winograd") for name in names} for _ in range(5))
    known = calibration.Calibration("here", seconds, None)
    monkeypatch.setattr(calibration, "recall", lambda device: known)
    for edges in EDGES:
        assert calibration.fastest(network(edges=edges), 1e9).convolutions == "winograd"


def test_networks_are_kept_apart():
    assert load_vgg19("random", device="cpu").edges == "zeros"
    assert load_vgg19("random", device="cpu", edges="replicate").edges == "replicate"
