import math

import pytest
import torch
from scipy.stats import energy_distance as scipys

from nst_tutorial.league import (
    Way,
    correlation,
    edge_coherence,
    energy_distance,
    measure,
)
from nst_tutorial.league.measures import STYLE_LAYERS, patches
from nst_tutorial.presets import PRESETS


@pytest.fixture
def rand():
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.rand(shape, generator=generator)


def test_the_energy_distance_is_that_of_scipy_in_one_dimension(rand):
    x, y = rand(40, 1), 2 * rand(30, 1)
    assert energy_distance(x, y) == pytest.approx(scipys(x[:, 0], y[:, 0]) ** 2, rel=1e-9)


def test_equal_distributions_have_no_energy_distance(rand):
    x = rand(50, 3)
    assert energy_distance(x, x[torch.randperm(50)]) == pytest.approx(0, abs=1e-12)
    assert energy_distance(x, x + 1) > 0.1


def test_a_relative_distance_is_1_at_the_beginning_and_0_at_the_end(rand):
    begin, aim = rand(50, 3), 1 + rand(60, 3)
    way = Way(begin, aim)
    assert way.share(begin) == 1
    assert way.share(aim) == pytest.approx(0, abs=1e-12)
    x = rand(40, 3)
    expected = energy_distance(x, aim) / energy_distance(begin, aim)
    assert way.share(x) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="do not differ by this measure"):
        Way(aim, aim)


def test_patches_are_cut_out_of_the_picture_and_have_no_mean(rand):
    image = rand(1, 3, 20, 20)
    every = torch.stack([image[0, :, i : i + 7, j : j + 7] for i in range(14) for j in range(14)])
    every = (every - every.mean(dim=(2, 3), keepdim=True)).flatten(1)
    cut = patches(image, 0)
    assert cut.shape == (196, 147)
    gap, which = torch.cdist(cut, every).min(dim=1)
    assert gap.max() < 1e-2
    assert len(set(which.tolist())) == 196
    assert patches(image + 0.3, 1).allclose(patches(image, 1), atol=1e-6)


def test_edges_that_coincide_are_coherent_whatever_their_sign(rand):
    image = rand(1, 3, 64, 64)
    assert edge_coherence(image, image) == pytest.approx(1)
    assert edge_coherence(image, 1 - 0.3 * image) == pytest.approx(1, abs=1e-6)
    assert edge_coherence(image, torch.full_like(image, 0.5)) == 0


def test_edges_across_each_other_are_not_coherent():
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)
    assert edge_coherence(ramp, ramp.mT) == pytest.approx(0, abs=1e-6)
    turned = (ramp + ramp.mT) / 2
    inside = edge_coherence(ramp, turned)  # but for the borders, where smoothing bends both
    assert inside == pytest.approx(math.sqrt(0.5), abs=0.01)


def test_a_correlation_does_not_see_what_a_channel_does_everywhere(rand):
    x = rand(1, 4, 8, 8)
    assert correlation(x, x + rand(1, 4, 1, 1)) == pytest.approx(1)
    assert correlation(x, -2 * x) == pytest.approx(-1)
    assert correlation(x, torch.ones_like(x)) == 0


def test_the_content_and_the_style_are_the_ends_of_the_way(tiny, rand):
    content, style = rand(1, 3, 64, 96), rand(1, 3, 64, 96).square()
    begin = measure(content, style, content, tiny)
    assert (begin.style, begin.patches) == (1, 1)
    assert begin.edges == pytest.approx(1)
    assert begin.features == pytest.approx(1)
    end = measure(content, style, style, tiny)
    assert end.style == pytest.approx(0, abs=1e-9)
    assert end.patches == pytest.approx(0, abs=1e-9)
    assert end.edges < 0.9
    assert end.features < 0.9


def test_no_preset_but_one_has_a_style_layer_of_the_referee():
    others = {
        name
        for name, settings in PRESETS.items()
        if not set(STYLE_LAYERS).isdisjoint(settings.style_layers)
    }
    assert others == {"nnst"}


def test_a_picture_of_another_size_is_refused(tiny, rand):
    content = rand(1, 3, 64, 96)
    with pytest.raises(ValueError, match="must be of one size"):
        measure(content, rand(1, 3, 64, 96), rand(1, 3, 64, 64), tiny)
    with pytest.raises(ValueError, match="style must have 56 pixels on each side, got 96×40"):
        measure(content, rand(1, 3, 40, 96), content, tiny)
