import pytest

from nst_tutorial import plots


def test_differences_leave_zeros_out():
    figure = plots.differences({"float32": [0.0, 1e-7, 1e-3], "float64": [0.0, 0.0, 1e-15]}, 1e-3)
    first, second, limit = figure.axes[0].get_lines()
    assert list(first.get_xdata()) == [2, 3]
    assert list(second.get_ydata()) == [1e-15]
    assert list(limit.get_ydata()) == [1e-3, 1e-3]
    assert "float32 0.001" in figure.alt
    with pytest.raises(ValueError, match="no difference"):
        plots.differences({"same": [0.0, 0.0]})


def test_totals_are_drawn_per_run():
    figure = plots.totals({"pixels": [3.0, 2.0], "fourier": [3.0, 1.0, 0.5]})
    lines = {line.get_label(): list(line.get_ydata()) for line in figure.axes[0].get_lines()}
    assert lines == {"pixels": [3.0, 2.0], "fourier": [3.0, 1.0, 0.5]}
    assert len({line.get_linestyle() for line in figure.axes[0].get_lines()}) == 2
    with pytest.raises(ValueError, match="above 0"):
        plots.totals({"nothing": []})
