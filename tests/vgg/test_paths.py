import pytest
import torch
from runs import TINY
from tensors import relative

from nst_tutorial.vgg import paths
from nst_tutorial.vgg.network import VGG19
from nst_tutorial.vgg.paths import PATHS, candidates, parse_paths, paths_asked_for

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
EVERY_LAYER = ["relu1_1", "relu1_2", "pool1", "relu2_2", "relu3_4", "relu4_2", "relu5_1", "pool5"]
BOUNDS = {"float32": 1e-5, "bfloat16": 0.03, "float16": 0.004}


def gradient_and_features(network, image):
    leaf = image.clone().requires_grad_()
    features = network(leaf, EVERY_LAYER)
    loss = torch.stack([f.square().mean().sqrt() for f in features.values()]).sum()
    return torch.autograd.grad(loss, leaf)[0], features


@pytest.fixture(scope="module")
def wide():
    return VGG19("random", channels=(32, 40, 48, 56, 64), device="cpu")


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("size", [(64, 64), (77, 93), (33, 130)])
@pytest.mark.parametrize("name", [n for n in PATHS if n != "direct"])
def test_every_path_computes_the_direct_convolutions(wide, name, size, pooling):
    """Random weights, whose features are dense: nothing is hidden by silent units."""
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(2))
    network = wide.with_paths(name)
    network.pooling = pooling
    exact = wide.with_paths("direct")
    exact.pooling = pooling
    slope, features = gradient_and_features(network, image)
    expected_slope, expected = gradient_and_features(exact, image)
    bound = BOUNDS[PATHS[name].precision]
    for layer in EVERY_LAYER:
        assert features[layer].dtype == torch.float32
        assert relative(features[layer], expected[layer]) < bound
    assert slope.dtype == torch.float32
    cosine = torch.cosine_similarity(slope.flatten(), expected_slope.flatten(), dim=0)
    # A maximum goes over to another pixel where two nearly tie, in these dense features often
    assert cosine > (1 - 10 * bound**2 - 1e-3 if pooling == "average" else 1 - 4 * bound)


def test_blocks_may_take_different_paths(wide):
    image = torch.rand(1, 3, 64, 80, generator=torch.Generator().manual_seed(2))
    mixed = wide.with_paths("direct,direct-bfloat16,winograd-bfloat16,winograd,winograd-onednn")
    _, features = gradient_and_features(mixed, image)
    _, expected = gradient_and_features(wide.with_paths("direct"), image)
    assert torch.equal(features["relu1_2"], expected["relu1_2"])
    rounding = [relative(features[layer], expected[layer]) for layer in EVERY_LAYER]
    assert rounding[0] == 0 < rounding[3] < BOUNDS["bfloat16"]
    seen = mixed.look(image, ["relu1_1", "relu2_1", "relu3_1", "relu4_1"])
    assert [f.dtype for f in seen.values()] == [
        torch.float32, torch.bfloat16, torch.bfloat16, torch.float32,
    ]  # fmt: skip
    assert mixed.precision == "bfloat16"


@pytest.mark.parametrize("padding", ["zeros", "circular"])
@pytest.mark.parametrize("reduced", ["direct-bfloat16", "direct-float16"])
def test_the_picture_and_its_gradient_are_never_rounded(wide, padding, reduced):
    """The first layer is computed in float32, whatever the block's path."""
    wide = wide.with_paths("direct")
    wide.padding = padding
    image = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(2))
    leaves = [image.clone().requires_grad_() for _ in range(2)]
    slopes, seen = [], []
    for leaf, name in zip(leaves, ("direct", reduced), strict=True):
        features = wide.with_paths(name).look(leaf, ["relu1_1"])["relu1_1"]
        seen.append(features.detach().float())
        slopes.append(torch.autograd.grad(features.float().sum(), leaf)[0])
    # Only what comes out is rounded: a rounded picture would be off by more where terms cancel
    torch.testing.assert_close(seen[1], seen[0], rtol=2.0**-8, atol=1e-6)
    torch.testing.assert_close(*slopes)  # the upstream gradient is 1: nothing else to round


def test_paths_share_weights_and_leave_the_network_as_it_was(wide):
    other = wide.with_paths("direct-bfloat16")
    assert other.conv1_1_weight is wide.conv1_1_weight
    assert (other.convolutions, wide.convolutions) == ("direct-bfloat16", "winograd")
    assert VGG19("random", channels=TINY, device="cpu", convolutions="direct").paths_are_chosen


def test_double_precision_takes_no_reduced_path(picture):
    network = VGG19("random", channels=TINY, device="cpu", convolutions="direct-bfloat16").double()
    assert network.look(picture, ["relu2_1"])["relu2_1"].dtype == torch.float64


# --- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("convolutions", "precision", "expected"),
    [
        ("auto", "auto", None),
        ("direct", "auto", ("direct",) * 5),
        ("direct", "bfloat16", ("direct-bfloat16",) * 5),
        ("winograd", "bfloat16", ("winograd-bfloat16",) * 5),
        ("winograd, direct,direct,direct,direct", "float32", ("winograd", *("direct",) * 4)),
        (["direct-bfloat16"] * 5, "auto", ("direct-bfloat16",) * 5),
    ],
)
def test_parsed(convolutions, precision, expected):
    assert parse_paths(convolutions, precision) == expected
    if expected:
        assert parse_paths(paths.written(expected), "auto") == expected


@pytest.mark.parametrize(
    ("convolutions", "precision", "message"),
    [
        ("winogard", "auto", r"auto, or one or five of direct, .*'winogard'.*winograd"),
        ("direct,direct", "auto", "one path or 5, one for each block of the network; got 2"),
        ("direct", "half", "precision must be auto, float32, bfloat16 or float16|precision"),
        ("winograd", "float16", "no convolutions 'winograd' in float16: direct-float16 are"),
        ("direct-bfloat16", "float32", "no convolutions 'direct-bfloat16' in float32"),
    ],
)
def test_names_that_there_are_not(convolutions, precision, message):
    with pytest.raises(ValueError, match=message):
        parse_paths(convolutions, precision)
    with pytest.raises(ValueError, match=message):
        VGG19("random", channels=TINY, device="cpu", convolutions=convolutions, precision=precision)


def test_a_path_that_the_device_lacks():
    there_are = "direct, direct-bfloat16, direct-float16"
    message = f"convolutions: winograd cannot be computed on cuda; there are {there_are}$"
    with pytest.raises(ValueError, match=message):
        paths_asked_for("winograd", "auto", CUDA)


def test_a_precision_that_the_device_lacks():
    message = "precision: direct-bfloat16 cannot be computed on mps; there are direct$"
    with pytest.raises(ValueError, match=message):
        paths.default_paths("bfloat16", torch.device("mps"))


def test_the_variable_fixes_what_is_not_given(monkeypatch):
    monkeypatch.setenv("NST_CONVOLUTIONS", "direct")
    assert paths_asked_for("auto", "auto", CPU) == ("direct",) * 5
    assert paths_asked_for("winograd", "auto", CPU) == ("winograd",) * 5
    assert paths_asked_for("auto", "bfloat16", CPU) is None  # which "direct" is not
    assert VGG19("random", channels=TINY, device="cpu").convolutions == "direct"
    monkeypatch.setenv("NST_CONVOLUTIONS", "nonsense")
    message = "the variable NST_CONVOLUTIONS: convolutions must be auto, or one or five of direct, "
    with pytest.raises(ValueError, match=message):
        VGG19("random", channels=TINY, device="cpu")
    monkeypatch.setenv("NST_CONVOLUTIONS", "")
    assert paths_asked_for("auto", "auto", CPU) is None


def test_candidates_know_the_processor(monkeypatch):
    monkeypatch.setattr(paths, "_onednn_has_bfloat16", lambda: False)
    assert candidates(CPU) == ("direct", "winograd", "winograd-onednn")
    monkeypatch.setattr(paths, "_onednn_has_bfloat16", lambda: True)
    reduced = ("direct-bfloat16", "winograd-bfloat16")
    assert candidates(CPU) == ("direct", "winograd", "winograd-onednn", *reduced)
    assert candidates(CPU, "bfloat16") == reduced
    for capability, expected in (
        ((7, 5), ("direct", "direct-float16")),
        ((8, 0), ("direct", "direct-bfloat16")),
    ):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device, c=capability: c)
        assert candidates(CUDA) == expected
    assert candidates(torch.device("mps")) == ("direct",)
