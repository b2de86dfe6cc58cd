import pytest
import torch

from nst_tutorial import plots
from nst_tutorial.transfer.pareto import Point

IMAGE = torch.rand(1, 3, 20, 30)


def test_two_parabolas_mark_the_minima_and_touch_the_front():
    left, right = plots.two_parabolas([1.0, 3.0]).axes
    marks = [line for line in left.get_lines() if line.get_marker() == "o"]
    assert [mark.get_xdata()[0] for mark in marks] == [2.0, 3.0]
    touching = [line for line in right.get_lines() if line.get_label().startswith("slope")]
    for line, (r, at) in zip(touching, {1.0: (4.0, 4.0), 3.0: (1.0, 9.0)}.items(), strict=True):
        (x0, x1), (y0, y1) = line.get_xdata(), line.get_ydata()
        assert (y1 - y0) / (x1 - x0) == pytest.approx(-r)
        assert y0 + (at[0] - x0) * -r == pytest.approx(at[1])
    with pytest.raises(ValueError, match="above 0"):
        plots.two_parabolas([0.0])


def test_exchange_rates_are_slopes_of_the_front():
    losses = {1.0: (4.0, 4.0), 3.0: (9.0, 1.0), 9.0: (12.96, 0.16)}
    points = [Point(r, c, s, IMAGE) for r, (c, s) in losses.items()]
    figure = plots.exchange_rates(points)
    (line,) = figure.axes[0].get_lines()
    assert list(line.get_ydata()) == pytest.approx([5 / 3, 3.96 / 0.84])
    assert "2 of 2 within the bounds" in figure.alt
    boxes = figure.axes[0].patches
    assert [(b.get_y(), b.get_y() + b.get_height()) for b in boxes] == [(1.0, 3.0), (3.0, 9.0)]
    with pytest.raises(ValueError, match="at least two"):
        plots.exchange_rates(points[:1])


def test_norms_by_layer_draws_a_line_for_each():
    norms = {"sum": {"relu1_1": 1e8, "relu2_1": 1e11}, "paper": {"relu1_1": 1e4, "relu2_1": 1e6}}
    figure = plots.norms_by_layer(norms)
    lines = {line.get_label(): list(line.get_ydata()) for line in figure.axes[0].get_lines()}
    assert lines == {"sum": [1e8, 1e11], "paper": [1e4, 1e6]}
    assert "1e+04 to 1e+11" in figure.alt
    with pytest.raises(ValueError, match="above 0"):
        plots.norms_by_layer({"sum": {"relu1_1": 0.0}})


def test_tangents_of_the_front_have_the_weights_as_slopes():
    losses = {1.0: (4.0, 4.0), 3.0: (9.0, 1.0)}
    points = [Point(r, c, s, IMAGE) for r, (c, s) in losses.items()]
    axis = plots.front(points, tangents=True).axes[0]
    assert axis.get_xscale() == axis.get_yscale() == "linear"
    tangents = [line for line in axis.get_lines() if line.get_marker() != "o"]
    for line, (r, (c, s)) in zip(tangents, losses.items(), strict=True):
        (x0, x1), (y0, y1) = line.get_xdata(), line.get_ydata()
        assert (y1 - y0) / (x1 - x0) == pytest.approx(-r)
        assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx((s, c))
    assert plots.front(points).axes[0].get_xscale() == "log"
