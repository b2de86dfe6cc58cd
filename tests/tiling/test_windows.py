import pytest
import torch
from runs import TINY

from nst_tutorial.tiling import windows as tiles
from nst_tutorial.vgg import layers as geometry
from nst_tutorial.vgg.layers import LAYERS
from nst_tutorial.vgg.network import VGG19


def test_strides_and_reaches():
    assert [geometry.stride(f"relu{b}_1") for b in range(1, 6)] == [1, 2, 4, 8, 16]
    found = {name: geometry.reach(name) for name in ("conv1_1", "relu4_2", "relu5_1", "relu5_4")}
    assert found == {"conv1_1": 1, "relu4_2": 38, "relu5_1": 70, "relu5_4": 118}
    assert geometry.margin(["relu1_1", "relu5_1"]) == 80
    assert geometry.margin(["pool1"]) == 2
    assert geometry.margin([]) == 1


@pytest.fixture(scope="module")
def open_network():
    """Positive weights everywhere: no ReLU closes, so a gradient shows all that is seen."""
    model = VGG19("random", channels=TINY, device="cpu", pooling="average").double()
    for name, buffer in model.named_buffers():
        if name.endswith("weight"):
            buffer.fill_(0.1)
        if name.endswith("bias"):
            buffer.fill_(5.0)
    return model


@pytest.mark.parametrize("layer", [name for name in LAYERS if name[:4] in ("relu", "pool")])
def test_the_reach_is_what_the_gradient_of_one_position_shows(open_network, layer):
    """So one pixel less of margin would miss something, and one more adds nothing."""
    step, reach = geometry.stride(layer), geometry.reach(layer)
    before = -(-(reach + 1) // step)  # positions in front, so that the picture's border is far away
    side = (2 * before + 1) * step
    image = torch.rand(1, 3, side, side).double().requires_grad_()
    features = open_network(image, [layer])[layer]
    (gradient,) = torch.autograd.grad(features[0, :, before, before].sum(), image)
    seen = gradient[0].abs().sum(0).nonzero()
    first, last = seen.amin(0).tolist(), seen.amax(0).tolist()
    assert first == [before * step - reach] * 2
    assert last == [(before + 1) * step - 1 + reach] * 2


SIZES = [(130, 197), (16, 16), (64, 333), (81, 80)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("tile", [None, 16, 50, 64, 96, 128])
@pytest.mark.parametrize("layers", [["relu5_1"], ["relu1_1", "relu3_2"], []])
def test_windows_cut_the_picture_and_every_layer_into_pieces(size, tile, layers):
    parts = tiles.split_into_windows(size, tile, layers)
    count = torch.zeros(size)
    for part in parts:
        count[part.rows, part.columns] += 1
    assert (count == 1).all()
    for layer in layers:
        step = geometry.stride(layer)
        count = torch.zeros(size[0] // step, size[1] // step)
        share = 0.0
        for part in parts:
            place = part.at(layer)
            assert place.size == tuple(count.shape)
            place.cut(count).add_(1)
            share += place.share
        assert (count == 1).all()
        assert share == pytest.approx(1)
    if tile is None:
        assert len(parts) == 1


@pytest.mark.parametrize("size", SIZES)
def test_a_part_of_a_block_is_the_part_of_the_whole(tiny, size):
    """Features of a tile with its margin are those of the whole picture, where they are its own."""
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(3)).double()
    layers = ["relu1_2", "pool2", "relu4_2"]
    whole = tiny(image, layers)
    for part in tiles.split_into_windows(size, 48, layers):
        for layer, seen in tiny(part.cut(image), layers).items():
            own = part.own(seen, layer)
            torch.testing.assert_close(own, part.at(layer).cut(whole[layer]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("reaches", [{"relu1_2": 40, "pool2": 3}, {"pool2": 11, "relu4_2": 2}])
def test_positions_around_a_part_are_those_of_the_whole(tiny, size, reaches):
    """As many as are asked for, or as many as the layer has; 40 in relu1_2 widen the margin."""
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(3)).double()
    layers = ["relu1_2", "pool2", "relu4_2"]
    whole = tiny(image, layers)
    for part in tiles.split_into_windows(size, 48, layers, reaches=reaches):
        for layer, seen in tiny(part.cut(image), layers).items():
            reach, place = reaches.get(layer, 0), part.at(layer)
            rows, columns = (
                slice(max(0, own.start - reach), min(side, own.stop + reach))
                for own, side in zip((place.rows, place.columns), place.size, strict=True)
            )
            found = part.own(seen, layer, reach)
            torch.testing.assert_close(found, whole[layer][..., rows, columns], rtol=0, atol=1e-12)


def test_the_margin_grows_with_what_statistics_reach():
    layers = ["relu1_1", "relu4_2"]  # which see 1 and 38 pixels; whole strides of 8
    assert tiles.margin_of(layers) == 40
    assert tiles.margin_of(layers, {"relu1_1": 39, "relu4_2": 0}) == 40
    assert tiles.margin_of(layers, {"relu1_1": 40}) == 48
    assert tiles.margin_of(layers, {"relu4_2": 3}) == 64
    assert tiles.can_be_cut((64, 48), layers)
    assert not tiles.can_be_cut((64, 48), layers, {"relu4_2": 3})
    with pytest.raises(ValueError, match="multiples of 8 and at least 64; got 48×64"):
        tiles.split_into_windows((64, 48), 32, layers, circular=True, reaches={"relu4_2": 3})


def test_a_smaller_margin_would_be_wrong(open_network, monkeypatch):
    """One stride less, and the features at the edge of a tile are others."""
    image = torch.rand(1, 3, 96, 96).double()
    whole = open_network(image, ["relu3_1"])["relu3_1"]

    def worst():
        parts = tiles.split_into_windows((96, 96), 32, ["relu3_1"])
        return max(
            float((part.own(open_network(part.cut(image), ["relu3_1"])["relu3_1"], "relu3_1")
                   - part.at("relu3_1").cut(whole)).abs().max())
            for part in parts
        )  # fmt: skip

    assert worst() < 1e-10
    exact = geometry.margin
    monkeypatch.setattr(tiles, "margin", lambda layers: exact(layers) - 4)
    assert worst() > 1e-3


def test_folding_is_the_adjoint_of_wrapping():
    x = torch.rand(1, 3, 20, 28).double()
    y = torch.rand(1, 3, 20 + 32, 28 + 32).double()
    torch.testing.assert_close(
        (tiles.wrapped(x, 16) * y).sum(), (x * tiles.folded(y, 16)).sum(), rtol=1e-12, atol=0
    )


def test_pictures_that_cannot_be_cut_in_a_circle_are_named():
    with pytest.raises(ValueError, match="multiples of 16 and at least 80; got 100×160"):
        tiles.split_into_windows((160, 100), 64, ["relu5_1"], circular=True)
    assert len(tiles.split_into_windows((160, 100), None, ["relu5_1"], circular=True)) == 1
