import pytest
import torch

from nst_tutorial.one_pass.decoder import LAYERS, Decoder


@pytest.mark.parametrize("layer", LAYERS)
def test_pictures_are_as_large_as_what_was_encoded(layer):
    decoder = Decoder(layer=layer, width=8)
    step = decoder.stride
    features = torch.rand(2, decoder.design["channels"], 3, 5)
    assert decoder(features).shape == (2, 3, 3 * step, 5 * step)
    assert decoder(features[:, :, :1, :1]).shape == (2, 3, step, step)


def test_the_size_of_the_file():
    numbers = sum(t.numel() for t in Decoder().state_dict().values())
    assert 4 * numbers < 4e6


def test_it_enters_in_the_units_of_photographs():
    decoder = Decoder(layer="relu2_1", channels=5, width=8)
    features = 7 * torch.rand(3, 5, 9, 9) * torch.arange(5.0).view(1, 5, 1, 1) + 2
    decoder.normalize(features)
    entering = (features - decoder.mean) / decoder.scale
    assert entering.mean(dim=(0, 2, 3)) == pytest.approx([0] * 5, abs=1e-5)
    assert entering[:, 1:].std(dim=(0, 2, 3)) == pytest.approx([1] * 4, abs=1e-4)
    assert entering[:, 0].abs().max() < 1e-3  # a channel that is silent stays so


def test_seeds_and_layers_differ():
    a, b, again = (Decoder(layer="relu3_1", width=16, seed=seed) for seed in (0, 1, 0))
    assert torch.equal(a.enter.weight, again.enter.weight)
    assert not torch.equal(a.enter.weight, b.enter.weight)
    assert not torch.equal(a.stages[0].weight[:8, :8], a.stages[1].weight[:8, :8])


def test_other_layers():
    with pytest.raises(ValueError, match="layer must be one of relu2_1, relu3_1, relu4_1"):
        Decoder(layer="relu5_1")
