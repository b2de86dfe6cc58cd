import pytest

from nst_tutorial import plots

RUNS = {"optimisation": ([1.0, 2.0, 4.0], [0.5, 0.1, 0.02])}
POINTS = {"network": (0.05, 0.04)}


def test_curves_and_points():
    figure = plots.speed_and_quality(RUNS, POINTS)
    axis = figure.axes[0]
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    curve, point, dotted = axis.lines
    assert list(curve.get_ydata()) == [0.5, 0.1, 0.02]
    assert (list(point.get_xdata()), list(point.get_ydata())) == ([0.05], [0.04])
    assert list(dotted.get_xdata()) == [0.05, 4.0]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == [*RUNS, *POINTS]
    assert "network: 0.04 in 0.05 s" in figure.alt
    assert "0.5 down to 0.02 in 4 s" in figure.alt
    assert len(plots.to_bytes(figure)) > 5000


def test_points_alone():
    assert len(plots.speed_and_quality({}, POINTS).axes[0].lines) == 1


@pytest.mark.parametrize(
    ("runs", "points", "message"),
    [
        ({}, {}, "nothing to compare"),
        ({"a": ([1.0], [0.1, 0.2])}, {}, "'a' has 1 times and 2 distances"),
        ({"a": ([], [])}, {}, "'a' has 0 times"),
        (RUNS, {"b": (0.1, 0.0)}, "must be above 0"),
    ],
)
def test_what_cannot_be_drawn(runs, points, message):
    with pytest.raises(ValueError, match=message):
        plots.speed_and_quality(runs, points)
