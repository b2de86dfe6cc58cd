import pytest
import torch

from nst_tutorial import plots
from nst_tutorial.kernels.moments import gram_matrix


def test_written_out_writes_every_number():
    figure = plots.written_out({"F": torch.tensor([[1.0, 2.0, 0.0], [3.0, 0.0, 1.5]])})
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "2", "0", "3", "0", "1.5"]
    assert "F (2 × 3)" in figure.alt
    with pytest.raises(ValueError, match="no matrices"):
        plots.written_out({})


def test_channel_maps_show_the_channels_asked_for():
    f = torch.rand(1, 4, 3, 5)
    figure = plots.channel_maps(f, [2, 0])
    shown = [axis.get_images()[0].get_array() for axis in figure.axes]
    assert torch.equal(torch.tensor(shown[0]), f[0, 2])
    assert torch.equal(torch.tensor(shown[1]), f[0, 0])
    assert figure.axes[0].get_title() == "channel 2"
    with pytest.raises(ValueError, match="2 channels, but 1 titles"):
        plots.channel_maps(f, [0, 1], ["one"])
    with pytest.raises(ValueError, match="no channels"):
        plots.channel_maps(f, [])
    with pytest.raises(ValueError, match="1 maps, but 0 titles"):
        plots.maps([f[0, 0]], [])


def test_spectra_fall_and_mark_the_greatest_rank():
    f = torch.randn(1, 6, 2, 2, dtype=torch.float64)
    axis = plots.spectra({"small": gram_matrix(f)}, {"small": 4}).axes[0]
    curve, mark = axis.get_lines()
    y = list(curve.get_ydata())
    assert y[0] == 1
    assert y == sorted(y, reverse=True)
    assert y[4] < 1e-12 < y[3]
    assert mark.get_xdata()[0] == 4
    with pytest.raises(ValueError, match="no matrices"):
        plots.spectra({})


def test_distance_table_needs_names_for_all_rows_and_columns():
    values = torch.tensor([[0.0, 1.0, 2.0], [3.0, 0.5, 0.25]])
    figure = plots.distance_table(values, ["a", "b"], ["p", "q", "r"], "t", "distance")
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["p", "q", "r"]
    assert len(figure.axes[0].texts) == 6
    assert "Down: a, b" in figure.alt
    with pytest.raises(ValueError, match="1 rows and 3 columns"):
        plots.distance_table(values, ["a"], ["p", "q", "r"], "t", "distance")
