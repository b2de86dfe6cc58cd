import math

import pytest
import torch

from nst_tutorial import plots

A = torch.diag(torch.tensor([1.0, 3.0]))
PATH = torch.tensor([[1.0, 1.0], [0.5, -0.5], [0.25, 0.25]])


def test_paths_are_drawn_where_they_go():
    figure = plots.descent_paths({"one": (A, {"by hand": PATH}), "two": (A, {"again": 2 * PATH})})
    assert len(figure.axes) == 2
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert lines["by hand"].get_xydata().tolist() == PATH.tolist()
    for axis, factor in zip(figure.axes, (1, 2), strict=True):
        low, high = axis.get_xlim()
        assert low < -1 * factor < 1 * factor < high
    assert "by hand, 2 steps" in figure.alt
    boxed = plots.descent_paths({"box": (A, {"a": PATH})}, minimum=(1.5, 0.5), box=(0, 1)).axes[0]
    star, box = boxed.get_lines()[-2:]
    assert star.get_xydata().tolist() == [[1.5, 0.5]]
    assert (min(box.get_xdata()), max(box.get_ydata())) == (0, 1)
    with pytest.raises(ValueError, match="no paths"):
        plots.descent_paths({})


def test_race_counts_evaluations_from_one_and_leaves_gaps():
    curves = {"a": [4.0, 2.0, 1.0], "b": [4.0, math.nan, 1e30]}
    figure = plots.race(curves, "a race", {2: "lost"})
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert list(lines["a"].get_xdata()) == [1, 2, 3]
    assert math.isnan(lines["b"].get_ydata()[1])
    low, high = figure.axes[0].get_ylim()
    assert low < 1
    assert 4 < high < 1e7  # an explosion does not flatten the others
    assert [text.get_text() for text in figure.axes[0].texts] == ["lost"]
    assert "a falls from 4 to 1" in figure.alt
    with pytest.raises(ValueError, match="no curves"):
        plots.race({}, "none")


def test_scaling_names_what_it_shows():
    figure = plots.scaling([1, 10], {"steps": [2.0, 20.0]}, "κ", "steps", "a law")
    axis = figure.axes[0]
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1", "10"]
    assert "steps goes from 2 to 20" in figure.alt
    with pytest.raises(ValueError, match="no curves"):
        plots.scaling([1], {}, "x", "y", "none")
