"""`paint`: sizes, strength, mixtures, masks, errors; with a network of few channels."""

import pytest
import torch
from runs import TINY
from tensors import relative

from nst_tutorial.one_pass import painting
from nst_tutorial.one_pass.decoder import Decoder
from nst_tutorial.one_pass.files import load_decoder, save_decoder
from nst_tutorial.one_pass.painting import encode, paint
from nst_tutorial.one_pass.statistics import mean_and_deviation
from nst_tutorial.vgg.layers import stride
from nst_tutorial.vgg.network import VGG19

LAYER = "relu3_1"


@pytest.fixture(scope="module")
def model():
    return VGG19("random", channels=TINY, device="cpu")


@pytest.fixture(scope="module")
def decoder():
    return Decoder(layer=LAYER, channels=TINY[:3], width=16, seed=1)


def picture(height, width, seed=0):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def content():
    return picture(48, 64)


@pytest.fixture(scope="module")
def styles():
    return [picture(40, 36, 1) ** 2, 0.3 * picture(32, 56, 2)]


@pytest.fixture(params=["relu1_1", LAYER])
def layer(request):
    """All is said of each layer's features."""
    return request.param


@pytest.fixture
def features(monkeypatch, layer):
    """What the decoder is given at the layer."""
    seen = []
    forward = Decoder.forward
    monkeypatch.setattr(
        Decoder, "forward", lambda self, f: seen.append(f[layer]) or forward(self, f)
    )
    return seen


@pytest.mark.parametrize("size", [(48, 64), (16, 16), (37, 51), (63, 18)])
def test_any_size(model, decoder, styles, size):
    painted = paint(picture(*size), styles[0], decoder=decoder, model=model)
    assert painted.shape == (1, 3, *size)
    assert painted.min() >= 0
    assert painted.max() <= 1
    painted.requires_grad_()  # an ordinary tensor


def test_features_have_the_styles_statistics(model, decoder, content, styles, features, layer):
    paint(content, styles[0], decoder=decoder, model=model)
    wanted = mean_and_deviation(encode(model, styles[0], decoder)[layer])
    for a, b in zip(mean_and_deviation(features[0]), wanted, strict=True):
        assert relative(a, b) < 1e-3  # a channel that is flat gets its ε twice


@pytest.mark.parametrize("method", painting.METHODS)
def test_strength_goes_from_the_content_to_the_style(
    model, decoder, content, styles, features, layer, method
):
    for strength in (0.0, 0.25, 1.0):
        paint(content, styles[0], decoder=decoder, model=model, strength=strength, method=method)
    none, some, full = features
    assert relative(none, encode(model, content, decoder)[layer]) < 1e-6
    assert relative(some, 0.75 * none + 0.25 * full) < 1e-5
    assert relative(full, none) > 0.1


def test_several_styles_mix_in_the_features(model, decoder, content, styles, features):
    def run(style, **options):
        paint(content, style, decoder=decoder, model=model, **options)
        return features[-1]

    first, second = run(styles[0]), run(styles[1])
    assert relative(run(styles, style_mix=[3, 1]), 0.75 * first + 0.25 * second) < 1e-5
    assert relative(run(styles), 0.5 * first + 0.5 * second) < 1e-5
    assert relative(run(styles, style_mix=[0, 2]), second) < 1e-6


def test_masks_say_where(model, decoder, content, styles, features, layer):
    left = torch.zeros(1, 1, 48, 64)
    left[..., :32] = 1
    middle = 32 // stride(layer)

    def run(style, **options):
        paint(content, style, decoder=decoder, model=model, **options)
        return features[-1]

    untouched = encode(model, content, decoder)[layer]
    one = run(styles[0], content_masks=[left])
    assert relative(one[..., middle:], untouched[..., middle:]) < 1e-6
    assert relative(one[..., :middle], untouched[..., :middle]) > 0.1
    inside = mean_and_deviation(one[..., :middle])
    wanted = mean_and_deviation(encode(model, styles[0], decoder)[layer])
    assert relative(inside[0], wanted[0]) < 1e-4
    both = run(styles, content_masks=[left, 1 - left], style_mix=[1, 5])
    assert (
        relative(both[..., :middle], one[..., :middle]) < 1e-6
    )  # a mixture has no say where one style is
    other = run(styles[1], content_masks=[1 - left])
    assert relative(both[..., middle:], other[..., middle:]) < 1e-6
    half = run(styles[0], content_masks=[0.5 * torch.ones_like(left)])
    assert relative(half, 0.5 * untouched + 0.5 * run(styles[0])) < 1e-5


def test_a_style_mask_says_where_from(model, decoder, content, styles, features, layer):
    mask = torch.zeros(1, 1, 40, 36)
    mask[:, :, :20] = 1
    paint(content, styles[0], decoder=decoder, model=model, style_masks=[mask])
    y = encode(model, styles[0], decoder)[layer][:, :, : 20 // stride(layer)]
    assert relative(features[0].mean(dim=(2, 3)), y.mean(dim=(2, 3))) < 1e-4


def test_large_pictures_are_looked_at_in_tiles(model, decoder, monkeypatch):
    large = picture(200, 120)
    whole = encode(model, large, decoder)
    monkeypatch.setattr(painting, "TILE", 64)
    for layer, tiled in encode(model, large, decoder).items():
        assert relative(tiled, whole[layer]) < 1e-5


def test_a_decoder_is_saved_and_loaded(tmp_path, model, decoder, content, styles):
    path = tmp_path / "d.safetensors"
    decoder.normalize(encode(model, content, decoder))
    decoder.settings = {"steps": 3}
    save_decoder(decoder, path)
    again = load_decoder(path, "cpu")
    assert (again.design, again.settings) == (decoder.design, decoder.settings)
    a, b = (paint(content, styles[0], decoder=d, model=model) for d in (decoder, path))
    assert torch.equal(a, b)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ValueError, match="d.safetensors: not a decoder, or damaged"):
        load_decoder(path)


def test_without_a_decoder(tmp_path, monkeypatch, content, styles):
    missing = tmp_path / "none.safetensors"
    message = "there is no decoder; nst train-decoder --photos FOLDER --styles FOLDER trains one"
    with pytest.raises(FileNotFoundError, match=f"none.safetensors: {message}"):
        load_decoder(missing)
    monkeypatch.setattr("nst_tutorial.one_pass.files.BUNDLED", missing)
    with pytest.raises(FileNotFoundError, match=message):
        paint(content, styles[0], device="cpu")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "wtc"}, "method must be one of adain, wct; got 'wtc'; did you mean wct?"),
        ({"strength": 1.5}, "strength must be at most 1, got 1.5"),
        ({"style_mix": [1, 2]}, "style_mix must hold as many numbers as there are styles, 1"),
        ({"content_masks": []}, "content_masks: one for each style, 1; got 0"),
        ({"content_masks": [torch.ones(1, 1, 9, 9)]}, "as large as their pictures"),
        ({"content_masks": [torch.zeros(1, 1, 48, 64)]}, "one of them is empty"),
        ({"memory": 1e-3}, "64×48 pixels would take 1.0 GB, more than the 0.0 GB"),
    ],
)
def test_what_cannot_be(model, decoder, content, styles, options, message):
    with pytest.raises(ValueError, match=message):
        paint(content, styles[0], decoder=decoder, model=model, **options)


def test_a_network_of_other_channels(decoder, content, styles):
    other = VGG19("random", channels=(2, 3, 4, 5, 5), device="cpu")
    with pytest.raises(ValueError, match=r"takes \d channels of relu1_1, and the netw"):
        paint(content, styles[0], decoder=decoder, model=other)
