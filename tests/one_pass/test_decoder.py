import pytest
import torch
from tensors import relative

from nst_tutorial.one_pass.decoder import LAYERS, Decoder


def features_for(decoder, rows, columns, count=1, seed=0):
    """Random features of all its layers, of a picture of that many rows and columns at the last."""
    generator = torch.Generator().manual_seed(seed)
    coarsest = len(decoder.layers) - 1
    return {
        layer: torch.rand(
            count, channels, rows << coarsest - level, columns << coarsest - level,
            generator=generator,
        )
        for level, (layer, channels) in enumerate(
            zip(decoder.layers, decoder.design["channels"], strict=True)
        )
    }  # fmt: skip


@pytest.mark.parametrize("layer", LAYERS)
def test_pictures_are_as_large_as_what_was_encoded(layer):
    decoder = Decoder(layer=layer, width=8)
    step = decoder.stride
    assert decoder.layers[-1] == layer
    assert decoder(features_for(decoder, 3, 5, 2)).shape == (2, 3, 3 * step, 5 * step)
    assert decoder(features_for(decoder, 1, 1)).shape == (1, 3, step, step)


def test_every_layer_is_looked_at():
    decoder = Decoder(width=16)
    features = features_for(decoder, 4, 4)
    pictures = decoder(features)
    for layer in decoder.layers:
        others = {**features, layer: features[layer] + 1}
        assert relative(decoder(others), pictures) > 1e-3, layer


def test_the_size_of_the_file():
    numbers = sum(t.numel() for t in Decoder().state_dict().values())
    assert 4 * numbers < 4e6


def test_it_enters_in_the_units_of_photographs():
    decoder = Decoder(layer="relu2_1", channels=[4, 5], width=8)
    seen = {
        layer: 7 * torch.rand(3, count, 9, 9) * torch.arange(float(count)).view(1, count, 1, 1) + 2
        for layer, count in zip(decoder.layers, (4, 5), strict=True)
    }
    decoder.normalize(seen)
    for layer, count in zip(decoder.layers, (4, 5), strict=True):
        entering = decoder.standardized(layer, seen[layer])
        assert entering.mean(dim=(0, 2, 3)) == pytest.approx([0] * count, abs=1e-5)
        assert entering[:, 1:].std(dim=(0, 2, 3)) == pytest.approx([1] * (count - 1), abs=1e-4)
        assert entering[:, 0].abs().max() < 1e-3  # a channel that is silent stays so


def test_variances_stay_alike_before_training():
    """So that no scale drowns another: what is added up has half of the variance each."""
    decoder = Decoder(width=128)
    torch.manual_seed(0)
    features = {layer: torch.randn_like(f) for layer, f in features_for(decoder, 16, 16).items()}
    seen = []
    for convolution in (*decoder.enter, *decoder.narrow):
        convolution.register_forward_hook(lambda _, __, y: seen.append(float(y.detach().var())))
    decoder(features)
    fine = seen[1:]  # the coarsest scale is alone
    assert max(fine) < 3 * min(fine)


def test_seeds_and_layers_differ():
    a, b, again = (Decoder(layer="relu3_1", width=16, seed=seed) for seed in (0, 1, 0))
    assert torch.equal(a.enter[0].weight, again.enter[0].weight)
    assert not torch.equal(a.enter[0].weight, b.enter[0].weight)
    assert not torch.equal(a.refine[0].weight[:8, :8], a.refine[1].weight[:8, :8])


def test_other_layers():
    with pytest.raises(ValueError, match="layer must be one of relu2_1, relu3_1, relu4_1"):
        Decoder(layer="relu5_1")
    with pytest.raises(ValueError, match="channels: one number for each of relu1_1, relu2_1"):
        Decoder(layer="relu2_1", channels=[3])
