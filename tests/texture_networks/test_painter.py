"""The painter: sizes, files, and what it costs."""

import pytest
import torch

from nst_tutorial.texture_networks.files import (
    bundled,
    bundled_painters,
    load_generator,
    load_network,
    load_painter,
    save_generator,
    save_painter,
)
from nst_tutorial.texture_networks.generator import Generator
from nst_tutorial.texture_networks.painter import Painter


@pytest.fixture(scope="module")
def painter():
    return Painter(width=4, blocks=2, seed=1)


@pytest.mark.parametrize("size", [(16, 16), (17, 40), (33, 31), (64, 50)])
def test_any_size(painter, size):
    content = torch.rand(1, 3, *size)
    painted = painter.repaint(content)
    assert painted.shape == content.shape
    assert 0 <= painted.min() <= painted.max() <= 1
    painted.requires_grad_()  # an ordinary tensor


def test_each_picture_of_a_batch_is_by_itself(painter):
    contents = torch.rand(3, 3, 24, 40)
    together = painter(contents)
    alone = torch.cat([painter(one) for one in contents.split(1)])
    assert torch.allclose(together, alone, atol=1e-5)


def without_statistics(painter):
    """The same network, in which no position knows of those far away."""
    for norm in painter.modules():
        if hasattr(norm, "eps"):
            norm.forward = lambda x: x
    return painter


def test_a_shifted_picture_makes_the_shifted_painting():
    """By whole strides; the border is far enough away."""
    painter = without_statistics(Painter(width=4, blocks=1, seed=2))
    content = torch.rand(1, 3, 16, 200)
    there, here = painter(content), painter(content[..., 8:])
    assert torch.allclose(there[..., 88:120], here[..., 80:112], atol=1e-6)
    assert not torch.allclose(there[..., 88:120], here[..., 88:120], atol=1e-3)


def test_every_weight_has_a_say(painter):
    content = torch.rand(1, 3, 48, 48)
    painter.zero_grad()
    painter(content).square().sum().backward()
    for name, weight in painter.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name
    painter.zero_grad()


def test_it_is_small_and_sees_far():
    painter = without_statistics(Painter())
    assert sum(4 * t.numel() for t in painter.state_dict().values()) < 2e6 - 50_000
    content = torch.rand(1, 3, 256, 256, requires_grad=True)
    painter(content)[0, :, 128, 128].sum().backward()
    rows = content.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    assert rows.max() - rows.min() > 200


def test_files(tmp_path, painter):
    painter.settings = {"style": "x.png", "size": 64, "measured": {"style_distance": 0.1}}
    path = save_painter(painter, tmp_path / "p.safetensors")
    content = torch.rand(1, 3, 20, 20)
    for load in (load_painter, load_network):
        again = load(path, "cpu")
        assert isinstance(again, Painter)
        assert (again.design, again.settings) == (painter.design, painter.settings)
        assert torch.equal(again.repaint(content), painter.repaint(content))
    with pytest.raises(ValueError, match="not a generator of this version .*it is a nst_tut"):
        load_generator(path)
    with pytest.raises(FileExistsError):
        save_painter(painter, path, overwrite=False)


def test_generators_are_loaded_by_the_same_function(tmp_path):
    path = save_generator(Generator(width=2), tmp_path / "g.safetensors")
    assert isinstance(load_network(path, "cpu"), Generator)
    assert isinstance(load_network("tissue_stain", "cpu"), Generator)
    with pytest.raises(ValueError, match="not a painter of this version"):
        load_painter(path)
    with pytest.raises(FileNotFoundError, match="nothing: no such file; by name there are the net"):
        load_network("nothing")


def test_names_tell_networks_apart():
    assert not set(bundled()) & set(bundled_painters())


@pytest.mark.parametrize("name", bundled_painters())
def test_bundled_painters_reproduce_their_distances(name):
    from nst_tutorial.images.reading import load_image
    from nst_tutorial.texture_networks.painting import measure

    painter = load_painter(name, "cpu")
    assert bundled_painters()[name].stat().st_size < 2e6
    record = painter.settings
    style = load_image(record["style"], max(record["style_size"]), kind="style")
    found = measure(painter, style, "cpu")
    assert found["style_distance"] == pytest.approx(record["measured"]["style_distance"], rel=0.02)
    assert found["style_distance"] < found["before"] / 2


def test_pictures_too_large_for_the_memory(painter):
    with pytest.raises(ValueError, match="40×30 pixels would take 0.6 GB, more than the 0.1 GB"):
        painter.repaint(torch.rand(1, 3, 30, 40), memory=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 1}, "width must be a whole number ≥ 2"),
        ({"blocks": -1}, "blocks must be a whole"),
    ],
)
def test_designs_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        Painter(**options)
