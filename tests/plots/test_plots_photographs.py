import numpy as np
import pytest
import torch
from matplotlib.patches import Ellipse

from nst_tutorial import plots
from nst_tutorial.images.color import color_statistics


def test_clouds_show_mean_and_two_deviations():
    mix = torch.tensor([[0.2, 0.0, 0.0], [0.0, 0.1, 0.0], [0.1, 0.0, 0.05]])
    raw = torch.randn(1, 3, 40, 50, generator=torch.Generator().manual_seed(0))
    image = 0.5 + torch.einsum("ij,njyx->niyx", mix, raw)
    figure = plots.color_clouds({"one": image, "other": 0.5 * image})
    panel = figure.axes[0]
    mean, covariance = color_statistics(image)
    x, y = panel.get_lines()[0].get_data()
    assert (float(x[0]), float(y[0])) == pytest.approx((float(mean[0]), float(mean[2])))
    ellipse = next(p for p in panel.patches if isinstance(p, Ellipse))
    # The ellipse {m + 2 Σ^½ u}: its matrix, from its axes and its angle, is 4 Σ.
    angle = np.deg2rad(ellipse.angle)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    half = np.diag([(ellipse.width / 2) ** 2, (ellipse.height / 2) ** 2])
    np.testing.assert_allclose(
        turn @ half @ turn.T, 4 * covariance.numpy()[np.ix_([0, 2], [0, 2])], rtol=1e-6
    )
    assert "one, other" in figure.alt
    with pytest.raises(ValueError, match="no pictures"):
        plots.color_clouds({})


def test_regions_are_seen_in_color_and_the_rest_in_dark_grey():
    image = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 1, 20, 30)
    mask[..., :10] = 1
    figure = plots.regions([image, image], [mask, torch.ones_like(mask)], ["left", "all"])
    left, whole = (np.asarray(axis.get_images()[0].get_array()) for axis in figure.axes)
    original = (image[0].permute(1, 2, 0) * 255).round().byte().numpy()
    assert (left[:, :10] == original[:, :10]).all()
    assert (whole == original).all()
    outside = left[:, 10:].astype(int)
    assert (np.ptp(outside, axis=2) <= 1).all()  # grey
    assert outside.max() <= 0.4 * 255 + 1
    assert figure.axes[0].get_title() == "left"
    with pytest.raises(ValueError, match="1 pictures, 1 masks and 2 titles"):
        plots.regions([image], [mask], ["a", "b"])


def test_matched_regions_have_matching_colors():
    """Content of two halves; the style's first region is taken by both, its rest by none."""
    content = torch.full((1, 3, 20, 30), 0.5)
    style = torch.full((1, 3, 24, 24), 0.2)
    left = torch.zeros(1, 1, 20, 30)
    left[..., :10] = 1
    top = torch.zeros(1, 1, 24, 24)
    top[..., :6, :] = 1
    figure = plots.matched_regions(content, style, [1 - left, left], [top, top])
    one, other = (np.asarray(axis.get_images()[0].get_array()).astype(int) for axis in figure.axes)
    inks = [np.array(tuple(bytes.fromhex(plots.COLORS[i][1:]))) for i in range(2)]
    for pixel, grey, ink in ((one[3, 20], 0.5, inks[0]), (one[3, 5], 0.5, inks[1]),
                             (other[2, 5], 0.2, inks[0])):  # fmt: skip
        np.testing.assert_allclose(pixel, 0.45 * 255 * grey + 0.55 * ink, atol=1.5)
    assert (other[10:] == 51).all()  # in no region: grey
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["67% → 25%", "33% → 25%"]
    assert "2 regions" in figure.alt
    with pytest.raises(ValueError, match="2 masks of the content and 1 of the style"):
        plots.matched_regions(content, style, [left, left], [top])
