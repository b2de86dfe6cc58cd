import matplotlib.pyplot as plt
import pytest
import torch

from nst_tutorial import plots


def test_small_tensors_write_each_number_into_its_cell():
    x = torch.tensor([[1.0, -2, 0], [3, 0.5, 4]])
    figure = plots.small_tensors({"x": x, "half": x / 2})
    assert [axis.get_title() for axis in figure.axes] == ["x", "half"]
    shown = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert shown[1, 0] == "-2"  # column 1, row 0
    assert shown[0, 1] == "3"
    assert "x 2 × 3" in figure.alt
    with pytest.raises(ValueError, match="two axes"):
        plots.small_tensors({"x": x[0]})
    with pytest.raises(ValueError, match="no tensors"):
        plots.small_tensors({})


@pytest.mark.parametrize(
    "shapes", [[(4, 5)] * 3, [(2, 3)], [(6, 6)] * 4, [(1, 1)], [(5, 5), (3, 3)], [(8, 2), (3, 9)]]
)
def test_titles_of_small_tensors_lie_inside_the_figure(shapes):
    figure = plots.small_tensors(
        {f"F − P {i}": torch.rand(shape) for i, shape in enumerate(shapes)}
    )
    plots.to_bytes(figure)  # lays it out
    for axis in figure.axes:
        assert axis.title.get_window_extent().y1 <= figure.bbox.y1


def test_filters_are_grey_where_they_are_zero():
    weight = torch.randn(5, 3, 3, 3)
    weight[0] = 0
    weight[0, 0, 1, 1] = 1
    figure = plots.filters(weight, columns=3)
    shown = [axis.get_images()[0].get_array() for axis in figure.axes if axis.get_images()]
    assert len(shown) == 5
    assert list(shown[0][0, 0]) == [0.5, 0.5, 0.5]
    assert list(shown[0][1, 1]) == [1.0, 0.5, 0.5]  # red at its strongest
    with pytest.raises(ValueError, match="filters must have the shape"):
        plots.filters(weight[:, :2])


def test_feature_maps_show_the_chosen_channels():
    f = {"relu1_1": torch.rand(1, 8, 10, 12), "relu2_1": torch.rand(1, 8, 5, 6)}
    figure = plots.feature_maps(f, {"relu1_1": [3, 0], "relu2_1": [7]})
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["channel 3", "channel 0", "channel 7", ""]
    shown = torch.as_tensor(figure.axes[2].get_images()[0].get_array().data)
    torch.testing.assert_close(shown, f["relu2_1"][0, 7])
    assert "relu1_1 3, 0" in figure.alt
    with pytest.raises(ValueError, match="no channels"):
        plots.feature_maps(f, {})


def test_boxes_lie_around_their_pixels():
    figure = plots.boxes(torch.rand(1, 3, 40, 60), {"a": (3, 5, 10, 20), "b": (0, 0, 1, 1)}, "two")
    first, second = figure.axes[0].patches
    assert first.get_xy() == (4.5, 2.5)  # pixels 5 to 24 and 3 to 12, whole
    assert (first.get_width(), first.get_height()) == (20, 10)
    assert second.get_xy() == (-0.5, -0.5)
    assert "a 10 × 20" in figure.alt


def test_gradient_fields_are_cut_out_around_the_field():
    figure = plots.gradient_fields({"a": torch.rand(50, 50)}, {"a": (10, 20, 12, 12)})
    (axis,) = figure.axes
    assert axis.get_xlim()[0] < 19.5
    assert axis.get_xlim()[1] > 31.5
    assert axis.get_ylim()[0] > axis.get_ylim()[1]  # rows run downwards
    with pytest.raises(ValueError, match="differ"):
        plots.gradient_fields({"a": torch.rand(5, 5)}, {})


def test_lines_hold_their_values():
    figure = plots.lines({"a": ([1, 2], [3, 4.5]), "b": (["x"], [1])}, "t", "x", "y", markers=True)
    drawn = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert list(drawn["a"].get_ydata()) == [3, 4.5]
    assert "a from 3 to 4.5" in figure.alt
    assert plots.lines({"a": ([1], [3])}, "t", "x", "y", log=True).axes[0].get_yscale() == "log"
    with pytest.raises(ValueError, match="no curves"):
        plots.lines({}, "t", "x", "y")
    with pytest.raises(ValueError, match="2 x and 1 y"):
        plots.lines({"a": ([1, 2], [3])}, "t", "x", "y")


def test_bars_of_two_series_lie_side_by_side():
    series = {"a": {"p": 1.0, "q": 2.0}, "b": {"q": 4.0}}
    axis = plots.bars(series, "t", "x", mark=(1.5, "here")).axes[0]
    assert [bar.get_width() for bar in axis.patches] == [1.0, 2.0, 4.0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["p", "q"]
    q, other = axis.patches[1], axis.patches[2]
    assert q.get_y() + q.get_height() <= other.get_y() + 1e-9
    with pytest.raises(ValueError, match="no bars"):
        plots.bars({}, "t", "x")
    assert plt.get_fignums() == []
