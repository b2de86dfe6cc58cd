"""AdaIN and WCT in closed form: the statistics that features have afterwards."""

import pytest
import torch
from tensors import features, relative

from nst_tutorial.kernels.moments import BatchNormStatistics
from nst_tutorial.one_pass.statistics import adain, mean_and_deviation, spectrum, wct


def colored(*shape, seed=0):
    """Features whose channels depend on each other and are not centred."""
    x = features(*shape, seed=seed)
    mixing = features(shape[1], shape[1], seed=seed + 50)
    shift = 3 * features(1, shape[1], 1, 1, seed=seed + 99)
    return torch.einsum("ij,njhw->nihw", mixing, x) + shift


def covariance(x):
    return torch.cov(x[0].flatten(1), correction=0)


@pytest.fixture
def content():
    return colored(1, 6, 9, 8)


@pytest.fixture
def style():
    return colored(1, 6, 7, 11, seed=1)


def test_adain_gives_the_styles_statistics(content, style):
    moved = adain(content, *mean_and_deviation(style))
    kernel = BatchNormStatistics()
    target = kernel.statistic(style)
    before = kernel.distance(kernel.statistic(content), target)
    assert kernel.distance(kernel.statistic(moved), target) < 1e-9 * before


def test_a_style_moved_onto_itself_is_itself(style):
    assert relative(adain(style, *mean_and_deviation(style)), style) < 1e-12
    assert relative(wct(style, spectrum(style)), style) < 1e-9


def test_adain_is_one_affine_map_for_each_channel(content, style):
    moved = adain(content, *mean_and_deviation(style))
    for before, after in zip(content[0], moved[0], strict=True):
        slope = (after - after.mean()).flatten() / (before - before.mean()).flatten()
        assert torch.allclose(slope, slope.mean().expand_as(slope), rtol=1e-8)
        assert slope.mean() > 0


def test_a_batch_is_each_by_itself(content, style):
    contents, styles = torch.cat([content, 2 * content + 1]), torch.cat([style, style.flip(1)])
    together = adain(contents, *mean_and_deviation(styles))
    for i in range(2):
        alone = adain(contents[i : i + 1], *mean_and_deviation(styles[i : i + 1]))
        assert relative(together[i : i + 1], alone) < 1e-12


def test_a_flat_channel_gets_the_mean(style):
    content = torch.zeros(1, 6, 4, 4, dtype=torch.float64)
    mean, deviation = mean_and_deviation(style)
    assert relative(adain(content, mean, deviation), mean.expand(1, 6, 4, 4)) < 1e-12


def test_wct_gives_the_styles_mean_and_covariance(content, style):
    moved = wct(content, spectrum(style))
    assert relative(covariance(moved), covariance(style)) < 1e-9
    assert relative(moved.mean(dim=(2, 3)), style.mean(dim=(2, 3))) < 1e-12


def test_wct_of_float32_features_is_as_near_as_they_are(content, style):
    moved = wct(content.float(), spectrum(style.float()))
    assert moved.dtype == torch.float32
    assert relative(covariance(moved.double()), covariance(style)) < 1e-3


def test_wct_whitens_by_the_symmetric_root(content, style):
    """With a white style what is left is Σ^-½ (x - μ): against the root by brute force."""
    white = torch.eye(6, dtype=torch.float64)
    root = torch.linalg.cholesky(covariance(style)).inverse()
    whitened = torch.einsum("ij,njhw->nihw", root, style - style.mean(dim=(2, 3), keepdim=True))
    assert relative(covariance(whitened), white) < 1e-9
    centred = (content - content.mean(dim=(2, 3), keepdim=True))[0].flatten(1)
    values, vectors = torch.linalg.eigh(covariance(content))
    expected = vectors @ torch.diag(values**-0.5) @ vectors.T @ centred
    assert relative(wct(content, spectrum(whitened))[0].flatten(1), expected) < 1e-8


def test_fewer_positions_than_channels(style):
    """The covariance has no more directions than there are positions; nothing blows up."""
    content = colored(1, 6, 1, 3, seed=4)
    moved = wct(content, spectrum(style))
    assert moved.isfinite().all()
    assert torch.linalg.matrix_rank(covariance(moved), rtol=1e-6) == 2
    flat = wct(torch.ones_like(content), spectrum(style))
    assert relative(flat, style.mean(dim=(2, 3), keepdim=True).expand_as(flat)) < 1e-12


@pytest.mark.parametrize("method", ["adain", "wct"])
def test_a_mask_is_the_part_inside_it(content, style, method):
    """Of masks of zeros and ones: as if the rest of the picture were not there."""
    inside, part = content[..., :5], torch.zeros(1, 1, 9, 8, dtype=torch.float64)
    part[..., :5] = 1
    there, piece = style[:, :, 2:], torch.zeros(1, 1, 7, 11, dtype=torch.float64)
    piece[:, :, 2:] = 0.5  # how much it counts does not matter, if all is alike
    if method == "adain":
        masked = adain(content, *mean_and_deviation(style, piece), part)
        alone = adain(inside, *mean_and_deviation(there))
    else:
        masked, alone = wct(content, spectrum(style, piece), part), wct(inside, spectrum(there))
    assert relative(masked[..., :5], alone) < 1e-9
