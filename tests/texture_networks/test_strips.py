"""A picture in strips is the picture in one piece."""

import pytest
import torch

from nst_tutorial.texture_networks import planning, strips
from nst_tutorial.texture_networks.generator import Generator
from nst_tutorial.texture_networks.planning import choose_way, memory_of_sample
from nst_tutorial.texture_networks.strips import Strips, generate_in_strips

CPU = torch.device("cpu")
PAPER = Generator().design


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Strips of 5 rows, or 3 in the widest layer, so that even these pictures are cut."""
    monkeypatch.setattr(strips, "FEWEST_ROWS", 3)
    monkeypatch.setattr(strips, "STRIP_BYTES", 5 * 4 * 4 * 50)


def generator_and_inputs(shape=(53, 50), **design):
    generator = Generator(**{"scales": 4, "width": 4, "seed": 2, **design}).double()
    with torch.no_grad():  # so that no normalisation does without its scale and shift
        for i, parameter in enumerate(generator.parameters()):
            if parameter.dim() == 1:
                parameter.add_(torch.linspace(-0.3, 0.4, len(parameter)) * (-1) ** i)
    content = None
    if generator.design["stylizes"]:
        numbers = torch.Generator().manual_seed(1)
        content = torch.rand(1, 3, *shape, generator=numbers).double()
    return generator, generator.draw(shape, 3), content


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("stylizes", [False, True])
@pytest.mark.parametrize("padding", ["circular", "replicate"])
@pytest.mark.parametrize("normalization", ["instance", "batch"])
def test_strips_give_the_picture_in_one_piece(stored, stylizes, padding, normalization):
    design = {"stylizes": stylizes, "padding": padding, "normalization": normalization}
    generator, noise, content = generator_and_inputs(**design)
    if normalization == "batch":
        generator.train()(noise, content)  # other statistics than 0 and 1
    generator.eval()
    with torch.no_grad():
        expected = generator(noise, content)
        image = generate_in_strips(generator, list(noise), content, stored=stored)
    assert image.shape == expected.shape
    torch.testing.assert_close(image, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("shape", [(16, 16), (17, 64), (47, 31), (96, 20)])
@pytest.mark.parametrize("scales", [1, 2, 6])
def test_any_shape_and_number_of_scales(shape, scales):
    strengths = [0.5, 2, 0, 1, 1, 3][:scales]
    for padding in ("circular", "replicate"):
        generator, noise, _ = generator_and_inputs(shape, scales=scales, padding=padding)
        with torch.no_grad():
            expected = generator(noise, None, strengths)
            image = generate_in_strips(generator, list(noise), None, strengths)
        torch.testing.assert_close(image, expected, rtol=0, atol=1e-11)


def test_in_single_precision():
    generator, _, content = generator_and_inputs((75, 64), stylizes=True)
    noise = generator.float().draw((75, 64))
    with torch.no_grad():
        expected = generator(noise, content.float())
        image = generate_in_strips(generator, list(noise), content.float())
    assert (image - expected).abs().max() < 1e-5


def test_statistics_do_not_drift_with_the_number_of_pixels():
    """Where a sum of a million numbers in single precision loses four of its seven digits."""
    numbers = torch.Generator().manual_seed(0)
    x = 3 + torch.rand(1, 4, 1000, 1000, generator=numbers)
    norm = Generator(scales=1, width=4).norms[0]
    mean, variance = strips._statistics(norm, x.split(10, dim=2))
    exact = torch.var_mean(x.double(), (0, 2, 3), correction=0)
    torch.testing.assert_close(mean.double(), exact[1], rtol=1e-6, atol=0)
    torch.testing.assert_close(variance.double(), exact[0], rtol=1e-6, atol=0)


def test_rows_beyond_the_border():
    x = torch.arange(5.0).view(1, 1, 5, 1)
    circular, bounded = Strips(5, 2, True), Strips(5, 2, False)
    assert list(circular) == [(0, 2), (2, 4), (4, 5)]
    assert circular.widened(0, 2, 2) == (-2, 4)
    assert bounded.widened(0, 2, 2) == (0, 4)
    assert bounded.widened(4, 5, 2) == (2, 5)
    assert circular.cut(x, -2, 2).flatten().tolist() == [3, 4, 0, 1]
    assert circular.cut(x, 4, 7).flatten().tolist() == [4, 0, 1]


@pytest.mark.parametrize("stylizes", [False, True])
def test_samples_in_strips_are_those_in_one_piece(monkeypatch, stylizes):
    """Each picture of a batch by itself."""
    generator, _, content = generator_and_inputs((40, 40), stylizes=stylizes)
    expected = generator.sample(40, 5, content=content, count=2)
    for way in planning.WAYS:
        monkeypatch.setattr("nst_tutorial.texture_networks.generator.IN_ONE_PIECE", 1000)
        monkeypatch.setattr(
            "nst_tutorial.texture_networks.generator.choose_way", lambda *_, way=way: way
        )
        images = generator.sample(40, 5, content=content, count=2)
        torch.testing.assert_close(images, expected, rtol=0, atol=1e-11)
        assert not images.is_inference()


def test_the_fastest_way_that_fits():
    def chosen(shape, memory, count=1):
        return choose_way(PAPER, shape, count, CPU, memory)

    assert chosen((256, 256), 1.0) == "whole"
    assert chosen((750, 1000), 2.0) == "whole"
    assert chosen((750, 1000), 1.2) == "stored"
    assert chosen((750, 1000), 0.9) == "recomputed"
    assert chosen((3000, 4000), 100.0) == "stored"  # faster than in one piece, and half the memory
    assert chosen((3000, 4000), 2.2) == "recomputed"
    message = "a picture of 4000×3000 pixels would take 1.7 GB, more than the 1.2 GB that may be "
    with pytest.raises(ValueError, match=message):
        chosen((3000, 4000), 1.2)
    with pytest.raises(ValueError, match="1000000000 pictures of 256×256 pixels would take"):
        chosen((256, 256), None, 10**9)
    with pytest.raises(ValueError, match="memory must be a number above 0, got 0"):
        chosen((256, 256), 0)


def test_memory_by_hand():
    """In work: noise, picture, the branch's 8 channels, the coarser join's 40 at a quarter."""
    shape = (3000, 4000)
    stored = 3 + 8 + 40 / 4
    strip = 8 * 48 * strips.rows_of_strip(4000, 48) * 4000
    expected = planning.BASE["cpu"] + 4 * (stored * 12e6 + strip)
    assert memory_of_sample(PAPER, shape, 1, "recomputed", CPU) == pytest.approx(expected)


def test_what_does_not_fit_is_told_before_any_work(monkeypatch):
    def never(*arguments):
        raise AssertionError("noise was drawn")

    monkeypatch.setattr(Generator, "draw", never)
    with pytest.raises(ValueError, match="take a smaller size"):
        Generator(width=2).sample(30_000, memory=4)
