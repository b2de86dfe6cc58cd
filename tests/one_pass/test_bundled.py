"""The decoder of the package, with the real weights, on pictures that it has not learnt from."""

import pytest

from nst_tutorial.cli.one_pass import measure
from nst_tutorial.images.reading import load_image
from nst_tutorial.one_pass.files import BUNDLED, load_decoder
from nst_tutorial.one_pass.painting import paint


@pytest.fixture(scope="module")
def decoder():
    return load_decoder(device="cpu")


def psnr(x, y):
    return float(-10 * (x - y).square().mean().log10())


def test_the_size_of_the_file():
    assert BUNDLED.stat().st_size < 4e6


@pytest.mark.parametrize("name", ["temple", "coffee"])
def test_it_inverts_the_features_of_a_photograph(vgg, decoder, name):
    content = load_image(name, 256)
    decoded = paint(content, content, strength=0.0, decoder=decoder, model=vgg)
    assert psnr(decoded, content) > 24


@pytest.mark.parametrize("method", ["adain", "wct"])
def test_a_painting_in_its_own_style_is_itself(vgg, decoder, method):
    style = load_image("starry_night", 256, kind="style")
    again = paint(style, style, decoder=decoder, model=vgg, method=method)
    decoded = paint(style, style, strength=0.0, decoder=decoder, model=vgg)
    assert psnr(again, decoded) > 35


def test_it_reproduces_its_distances(decoder):
    found, record = measure(decoder, "cpu"), decoder.settings["measured"]
    assert found == pytest.approx(record, rel=0.02)
    assert max(found["adain"], found["wct"]) < found["before"]
