import pytest
import torch

from nst_tutorial import plots


def test_textures_share_their_greys_and_have_a_histogram_each():
    one, two = torch.tensor([[0.0, 2.0]]), torch.tensor([[0.5, 0.5, 0.5, 0.5, 3.0]])
    figure = plots.one_channel_textures({"one": one, "two": two}, bins=6)
    top, bottom = figure.axes[:2], figure.axes[2:]
    assert [axis.get_title() for axis in top] == ["one", "two"]
    assert [axis.images[0].get_clim() for axis in top] == [(0.0, 3.0)] * 2
    heights = [[bar.get_height() for bar in axis.patches] for axis in bottom]
    assert heights[0] == pytest.approx([0.5, 0, 0, 0, 0.5, 0])  # 2.0 begins the fifth bin
    assert heights[1] == pytest.approx([0, 0.8, 0, 0, 0, 0.2])
    assert "one (mean 1, variance 1), two (mean 1, variance 1)" in figure.alt


def test_sorted_samples_are_quantile_functions_of_any_sizes():
    figure = plots.sorted_samples({"a": (torch.tensor([3.0, 1.0]), torch.tensor([0.0, 2.0, 6.0]))})
    x, y, gap = (patch.get_data() for patch in figure.axes[0].patches)
    assert list(x.edges) == pytest.approx([0, 1 / 3, 1 / 2, 2 / 3, 1])
    assert list(x.values) == [1, 1, 3, 3]
    assert list(y.values) == [0, 2, 2, 6]
    assert list(gap.values) == list(x.values)
    assert list(gap.baseline) == list(y.values)


def test_shift_maps_are_shares_of_the_variance():
    covariance = torch.tensor([[1.0, 4.0, 1.0], [0.0, -2.0, 2.0]])
    figure = plots.shift_maps({"wall": covariance})
    (image,) = figure.axes[0].images
    assert image.get_array().tolist() == (covariance / 4).tolist()
    assert image.get_extent() == [-1.5, 1.5, 1.5, -0.5]
    assert image.get_clim() == (-1, 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("one_channel_textures", "no textures"),
        ("sorted_samples", "no samples"),
        ("shift_maps", "no covariances"),
    ],
)
def test_nothing_to_show(name, message):
    with pytest.raises(ValueError, match=message):
        getattr(plots, name)({})
