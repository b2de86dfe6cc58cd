import pytest

from nst_tutorial import plots

LANES = {"A": [(0.0, 2.0, "one"), (2.0, 3.0, "")], "B": [(0.5, 4.0, "two")]}


def test_each_task_is_a_bar_from_begin_to_end():
    figure = plots.timeline(LANES, "a batch", [(2.5, "killed")])
    axis = figure.axes[0]
    bars = [(p.get_x(), p.get_x() + p.get_width(), p.get_y() + p.get_height() / 2)
            for p in axis.patches]  # fmt: skip
    assert bars == [(0.0, 2.0, 0), (2.0, 3.0, 0), (0.5, 4.0, 1)]
    assert [t.get_text() for t in axis.texts] == ["one", "two"]
    assert [t.get_text() for t in axis.get_yticklabels()] == ["A", "B"]
    assert [line.get_xdata()[0] for line in axis.get_lines()] == [2.5]
    assert "A 2, B 1; all done at 4 s; killed at 2.5 s" in figure.alt


def test_a_label_that_does_not_fit_is_left_out():
    lanes = {"A": [(0.0, 100.0, "long"), (100.0, 100.5, "short")]}
    assert [t.get_text() for t in plots.timeline(lanes, "x").axes[0].texts] == ["long"]


@pytest.mark.parametrize(
    ("lanes", "message"), [({}, "no tasks"), ({"A": []}, "no tasks"), ({"A": [(2, 1, "")]}, "ends")]
)
def test_bad_timelines(lanes, message):
    with pytest.raises(ValueError, match=message):
        plots.timeline(lanes, "x")
