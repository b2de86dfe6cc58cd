"""In tiles or in one piece: the same loss and gradient as the plain objective."""

import math

import pytest
import torch
from runs import TINY
from tensors import relative

from nst_tutorial.kernels.autocorrelation import Autocorrelation
from nst_tutorial.kernels.central_moments import CentralMoments
from nst_tutorial.kernels.gaussian import Gaussian
from nst_tutorial.kernels.moments import BatchNormStatistics, Gram, Linear, Polynomial, Wasserstein
from nst_tutorial.kernels.nearest_neighbours import NearestNeighbours
from nst_tutorial.kernels.pairs import GaussianPairs
from nst_tutorial.kernels.registry import WeightedSum, fit
from nst_tutorial.kernels.sliced_wasserstein import SlicedWasserstein
from nst_tutorial.losses.objective import Objective
from nst_tutorial.losses.terms import Content, Grain, OutOfRange, Style, TotalVariation
from nst_tutorial.presets import EDGES, PRESETS
from nst_tutorial.tiling.engine import SMALLEST_TILE, Engine
from nst_tutorial.tiling.targets import features_of, fit_kernels, statistics_of
from nst_tutorial.transfer.builder import make_objective
from nst_tutorial.transfer.style_transfer import stylize
from nst_tutorial.vgg.network import VGG19

KERNELS = {
    "gram": Gram(),
    "linear": Linear(),
    "polynomial": Polynomial(2, 1.5),
    "bn": BatchNormStatistics(),
    "wasserstein": Wasserstein(),
    "gaussian": Gaussian(features=64),
    "pairs": GaussianPairs(0.3, pairs=400),
    "sum": WeightedSum(((1.0, Gram()), (2.0, GaussianPairs(0.3, pairs=50)))),
    "sum of features": WeightedSum(((1.0, Gram()), (2.0, Gaussian(features=32)))),
    "central moments": CentralMoments(4),
    "autocorrelation": Autocorrelation(12),  # wider than the margin of the network alone
    "sliced wasserstein": SlicedWasserstein(),
    "nearest neighbours": NearestNeighbours(300),
    "sum of two reaches": WeightedSum(
        ((1.0, Autocorrelation(7)), (2.0, Autocorrelation(2)), (1.0, Gram()))
    ),
}
LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
SIZE = (130, 197)  # halved by the poolings to 65×98, 32×49, 16×24, 8×12


def picture(*size, seed=0):
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed)).double()


def masks_for(size, layers):
    """A soft mask of a disc, one for each layer."""
    found = {}
    for layer in layers:
        step = 2 ** (int(layer[4]) - 1)
        h, w = size[0] // step, size[1] // step
        y, x = torch.meshgrid(torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing="ij")
        found[layer] = (1.2 - (x - 0.3).hypot(y)).clamp(0, 1).double()[None, None]
    return found


def objective(model, kernel, size=SIZE, masked=False):
    """Content, two styles (masked: each in its own region), total variation, grain, range."""
    content, layers = picture(*size, seed=1), LAYERS if kernel.additive else LAYERS[:3]
    P = model(content, ["relu4_2"])["relu4_2"]
    masks = masks_for(size, [*layers, "relu4_2"]) if masked else {}
    terms = {"content": Content("relu4_2", P, 1 / P.numel(), masks.get("relu4_2"))}
    for i, style in enumerate((picture(90, 110, seed=2), picture(140, 70, seed=3) ** 3)):
        for layer, F in model(style, layers).items():
            fitted, target = fit(kernel, F)
            mask = masks.get(layer)
            if mask is not None and i:
                mask = 1 - mask
            factor = 1 / float(fitted.magnitude(target))
            terms[f"style {i} {layer}"] = Style(layer, fitted, target, factor, mask)
    where = picture(*size, seed=4)[:, :1]
    terms |= {"total variation": TotalVariation(), "grain": Grain(where)}
    terms["out of range"] = OutOfRange()
    return Objective(model, terms, {name: 1.0 + 0.1 * i for i, name in enumerate(terms)})


def agree(found, expected, tolerance):
    assert found.total == pytest.approx(expected.total, rel=tolerance)
    assert list(found.terms) == list(expected.terms)
    for name, value in expected.terms.items():
        assert found.terms[name] == pytest.approx(value, rel=tolerance, abs=tolerance), name
    assert relative(found.gradient, expected.gradient) < tolerance


@pytest.mark.parametrize("masked", [False, True], ids=["everywhere", "masked"])
@pytest.mark.parametrize("tile", [None, 64, 96, 128])
@pytest.mark.parametrize("name", KERNELS)
def test_tiles_give_the_same(tiny, name, tile, masked):
    x = 1.3 * picture(*SIZE) - 0.15
    plain = objective(tiny, KERNELS[name], masked=masked)
    agree(Engine(plain, tile).value_and_gradient(x), plain.value_and_gradient(x), 1e-10)


@pytest.mark.parametrize("size", [(64, 300), (97, 81), (128, 128), (33, 250)])
@pytest.mark.parametrize("tile", [16, 80])
def test_tiles_of_any_size_give_the_same(tiny, size, tile):
    x = picture(*size)
    plain = objective(tiny, Gram(), size)
    agree(Engine(plain, tile).value_and_gradient(x), plain.value_and_gradient(x), 1e-10)


@pytest.mark.parametrize("kernel", [Gram(), Autocorrelation(5)], ids=str)
@pytest.mark.parametrize("tile", [64, 96])
@pytest.mark.parametrize("edges", EDGES)
def test_borders_of_tiles_are_none_of_the_pictures(edges, tile, kernel):
    model = VGG19("random", channels=TINY, device="cpu", edges=edges).double()
    x = picture(*SIZE)
    plain = objective(model, kernel)
    agree(Engine(plain, tile).value_and_gradient(x), plain.value_and_gradient(x), 1e-10)
    in_tiles, whole = (features_of(model, x, LAYERS, side) for side in (tile, None))
    for layer in LAYERS:
        assert relative(in_tiles[layer], whole[layer]) < 1e-12


@pytest.mark.parametrize(
    "kernel", [Gram(), Autocorrelation(5), SlicedWasserstein(6), NearestNeighbours(300)], ids=str
)
@pytest.mark.parametrize("tile", [64, 96])
def test_pictures_that_continue_on_the_other_side(tile, kernel):
    model = VGG19("random", channels=(4, 6, 8, 8, 8), device="cpu", padding="circular").double()
    x = picture(160, 192)
    plain = objective(model, kernel, (160, 192))
    agree(Engine(plain, tile).value_and_gradient(x), plain.value_and_gradient(x), 1e-10)


@pytest.mark.parametrize("tile", [96, 128])
def test_the_real_network_in_single_precision(temple, starry, tile):
    """1e-5 with direct convolutions; by Winograd a little more, since tiles round differently."""
    for convolutions, bound in (("direct", 1e-5), ("winograd", 2e-4)):
        model = VGG19(device="cpu", pooling="average", convolutions=convolutions)
        x = (0.9 * temple + 0.05)[..., :99]
        plain = make_objective(model, temple[..., :99], starry, PRESETS["default"])
        whole, parts = (Engine(plain, side).value_and_gradient(x) for side in (None, tile))
        agree(parts, whole, bound)
        agree(whole, plain.value_and_gradient(x), bound)


def test_features_and_statistics_from_tiles(tiny):
    x = picture(*SIZE)
    whole = tiny(x, LAYERS)
    for layer, F in features_of(tiny, x, list(LAYERS), 64).items():
        torch.testing.assert_close(F, whole[layer], rtol=0, atol=1e-12)
    kernels = dict.fromkeys(LAYERS, Wasserstein())
    for layer, (found, shape) in statistics_of(tiny, x, kernels, tile=64).items():
        assert shape == tuple(whole[layer].shape)
        for a, b in zip(found, Wasserstein().statistic(whole[layer]), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("masked", [False, True], ids=["everywhere", "masked"])
def test_kernels_are_fitted_in_tiles(tiny, masked):
    """A bandwidth first, then the statistic under it, whatever the tiles."""
    x, kernel = picture(*SIZE), KERNELS["sum of features"]
    masks = masks_for(SIZE, LAYERS) if masked else {}
    whole = tiny(x, LAYERS)
    found = fit_kernels(tiny, x, {"relu1_1": Gram(), "relu3_1": kernel}, masks, tile=64)
    for layer, like in (("relu1_1", Gram()), ("relu3_1", kernel)):
        fitted, target, shape = found[layer]
        expected, statistic = fit(like, whole[layer], masks.get(layer))
        assert shape == tuple(whole[layer].shape)
        torch.testing.assert_close(target, statistic, rtol=1e-10, atol=1e-12)
        assert float(fitted.distance(target, statistic)) == pytest.approx(0, abs=1e-20)
        assert float(fitted.magnitude(target)) == pytest.approx(float(expected.magnitude(target)))


def test_statistics_of_a_region(tiny):
    """A mask of ones and zeros: the statistic of the positions inside, and of nothing else."""
    x = picture(*SIZE)
    F = tiny(x, ["relu1_1"])["relu1_1"]
    mask = torch.zeros(1, 1, *SIZE).double()
    mask[..., 20:90, 30:60] = 1
    inside = F[:, :, 20:90, 30:60]
    for kernel in (Gram(), Linear(), BatchNormStatistics(), Wasserstein()):
        expected = kernel.statistic(inside)
        for tile in (None, 64):
            found, _ = statistics_of(
                tiny, x, {"relu1_1": kernel}, {"relu1_1": mask}, tile
            )["relu1_1"]  # fmt: skip
            torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_a_batch_of_strips_is_not_noticed(tiny, monkeypatch):
    """Strips of a few rows: nothing depends on how many there are."""
    x = picture(*SIZE)
    plain = objective(tiny, BatchNormStatistics())
    one = Engine(plain).value_and_gradient(x)
    monkeypatch.setattr("nst_tutorial.tiling.contributions.STRIP_NUMBERS", 3000)
    agree(Engine(plain).value_and_gradient(x), one, 1e-10)


def test_the_picture_handed_in_is_left_alone(tiny):
    x = picture(*SIZE)
    before = x.clone()
    Engine(objective(tiny, Gram()), 64).value_and_gradient(x)
    assert torch.equal(x, before)
    assert not x.requires_grad


def test_one_term_alone(tiny):
    x = picture(*SIZE)
    engine = Engine(objective(tiny, Gram()), 64)
    both = engine.value_and_gradient(x)
    parts = {n: engine.alone(n).value_and_gradient(x) for n in engine.term_weights}
    for name, part in parts.items():
        assert part.total == pytest.approx(both.terms[name], rel=1e-9)
    total = sum(engine.term_weights[n] * part.gradient for n, part in parts.items())
    assert relative(total, both.gradient) < 1e-10


# --- out of memory ---------------------------------------------------------------------------


class Small(Engine):
    """A machine on which only tiles of at most `most` pixels fit."""

    error = RuntimeError(
        "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"
    )

    def __init__(self, *arguments, most):
        super().__init__(*arguments)
        self.most, self.tried = most, []

    def _evaluate(self, image):
        self.tried.append(self.tile)
        if (self.tile or max(image.shape)) > self.most:
            raise self.error
        return super()._evaluate(image)


@pytest.mark.parametrize(
    "error", [Small.error, MemoryError(), torch.OutOfMemoryError("CUDA out of memory")]
)
def test_too_little_memory_goes_on_with_smaller_tiles(tiny, error):
    x = picture(*SIZE)
    plain = objective(tiny, Gram())
    engine = Small(plain, most=100)
    engine.error = error
    with pytest.warns(UserWarning, match="not enough memory for tiles of 197 pixels; going on"):
        found = engine.value_and_gradient(x)
    agree(found, plain.value_and_gradient(x), 1e-10)
    engine.value_and_gradient(x)
    assert engine.tried == [None, 98, 98]  # and it is remembered


def test_too_little_memory_for_the_smallest_tile_is_an_error(tiny):
    engine = Small(objective(tiny, Gram()), most=SMALLEST_TILE // 2)
    with (
        pytest.raises(RuntimeError, match="can't allocate memory"),
        pytest.warns(UserWarning, match="going on with"),
    ):
        engine.value_and_gradient(picture(*SIZE))


def test_other_errors_are_not_taken_for_too_little_memory(tiny):
    engine = Small(objective(tiny, Gram()), most=10)
    engine.error = RuntimeError("something else")
    with pytest.raises(RuntimeError, match="something else"):
        engine.value_and_gradient(picture(*SIZE))
    assert engine.tried == [None]


def test_stylize_in_tiles_gives_the_same_picture(tiny):
    content, style = picture(120, 150), picture(100, 90, seed=5)
    options = {"model": tiny, "steps": 12, "coarse_to_fine": False}
    whole = stylize(content, style, tile="whole", **options)
    parts = stylize(content, style, tile=64, **options)
    torch.testing.assert_close(parts.image, whole.image, rtol=0, atol=1e-6)
    assert whole.settings["tile"] is None
    assert parts.settings["tile"] == 64
    assert math.isclose(parts.history[-1]["total"], whole.history[-1]["total"], rel_tol=1e-6)
