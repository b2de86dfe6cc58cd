import pytest
import torch

from nst_tutorial import plots


def test_point_sets_have_a_panel_each():
    pairs = {name: (torch.rand(9, 2), torch.rand(7, 2)) for name in "abcd"}
    figure = plots.point_sets(pairs)
    assert [axis.get_title() for axis in figure.axes[:4]] == list("abcd")
    assert len(figure.axes[1].collections[1].get_offsets()) == 7
    with pytest.raises(ValueError, match="no points"):
        plots.point_sets({})


def test_permutation_tests_count_the_order_as_measured_as_one_more():
    null = torch.arange(9.0)
    figure = plots.permutation_tests({"some": (7.5, null), "none": (10.0, null), "all": (0, null)})
    assert [axis.get_title() for axis in figure.axes] == [
        "some\np = 0.2",
        "none\np = 0.1",
        "all\np = 1",
    ]
    assert "some (p = 0.2)" in figure.alt
    with pytest.raises(ValueError, match="no tests"):
        plots.permutation_tests({})


def test_kernel_blocks_write_the_means():
    matrix = torch.tensor([[1.0, 1.0, 2.0], [1.0, 1.0, 4.0], [2.0, 4.0, 9.0]])
    figure = plots.kernel_blocks(matrix, 2)
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert shown == ["k(x, x)\nmean 1", "k(x, y)\nmean 3", "k(y, x)\nmean 3", "k(y, y)\nmean 9"]
