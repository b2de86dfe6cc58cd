import pytest
import torch

from nst_tutorial import plots


def test_point_sets_and_histograms_have_a_panel_each():
    pairs = {name: (torch.rand(9, 2), torch.rand(7, 2)) for name in "abcd"}
    figure = plots.point_sets(pairs)
    assert [axis.get_title() for axis in figure.axes[:4]] == list("abcd")
    assert len(figure.axes[1].collections[1].get_offsets()) == 7
    figure = plots.histograms({"a": (torch.rand(9), torch.rand(9))}, bins=5)
    assert sum(bar.get_height() for bar in figure.axes[0].patches[:5]) == 9
    for plot, word in ((plots.point_sets, "points"), (plots.histograms, "samples")):
        with pytest.raises(ValueError, match=f"no {word}"):
            plot({})


def test_permutation_tests_say_how_many_are_as_large():
    null = torch.arange(10.0)
    figure = plots.permutation_tests({"linear": (7.5, null)})
    assert "p = 0.200" in figure.axes[0].get_title()
    assert "20.0% are as large" in figure.alt
    with pytest.raises(ValueError, match="no tests"):
        plots.permutation_tests({})


def test_kernel_blocks_write_the_means():
    matrix = torch.tensor([[1.0, 1.0, 2.0], [1.0, 1.0, 4.0], [2.0, 4.0, 9.0]])
    figure = plots.kernel_blocks(matrix, 2)
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert shown == ["k(x, x)\nmean 1", "k(x, y)\nmean 3", "k(y, x)\nmean 3", "k(y, y)\nmean 9"]


def test_curves():
    figure = plots.curves({"a": ([1, 2], [3.0, 4.0])}, "t", "x", "y", yscale="log")
    axis = figure.axes[0]
    assert list(axis.get_lines()[0].get_ydata()) == [3.0, 4.0]
    assert axis.get_yscale() == "log"
    assert "a ends at 4" in figure.alt
    with pytest.raises(ValueError, match="no curves"):
        plots.curves({}, "t", "x", "y")


def test_confusions_ring_the_nearest():
    table = torch.tensor([[0.1, 1.0], [-0.3, 0.2]])
    figure = plots.confusions({"gram": table}, ["a", "b"])
    rings = figure.axes[0].collections[0].get_offsets()
    assert rings[:, 0].tolist() == [0, 0]
    assert figure.axes[0].get_title() == "gram: 1 of 2 found"
    with pytest.raises(ValueError, match="no tables"):
        plots.confusions({}, [])
