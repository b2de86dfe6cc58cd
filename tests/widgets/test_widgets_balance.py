import re
from itertools import pairwise

import pytest
import torch

from nst_tutorial import plots
from nst_tutorial.transfer.pareto import Point
from nst_tutorial.widgets import balance_explorer
from nst_tutorial.widgets.explorers.balance import LADDER, bundled_front, interpolated

# The toy of notebook 05: C = x², S = (x - 4)², least at x = 4 r / (1 + r)
RATIOS = (0.25, 1.0, 3.0, 8.0)


def toy(r):
    x = 4 * r / (1 + r)
    return Point(r, x**2, (x - 4) ** 2, torch.full((1, 3, 16, 24), r / 10))


POINTS = [toy(r) for r in RATIOS]


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE", str(tmp_path))


def shown(explorer):
    assert explorer.error is None, explorer.words.value
    return [picture.light for picture in explorer.pictures], explorer.words.value


def test_only_the_ratio_of_the_weights_matters():
    explorer = balance_explorer(POINTS)
    content, style = explorer.controls["content_weight"], explorer.controls["style_weight"]
    content.value, style.value = 1.0, 2.0
    before = shown(explorer)
    content.value = 4.0
    changed = shown(explorer)
    assert changed != before
    style.value = 8.0
    assert shown(explorer) == before


def test_losses_are_those_measured_and_between_them_between():
    for point in POINTS:
        content, style, nearest = interpolated(POINTS, point.style_weight)
        assert (content, style) == pytest.approx((point.content_loss, point.style_loss))
        assert nearest is point
    for a, b in pairwise(POINTS):
        middle = (a.style_weight * b.style_weight) ** 0.5
        content, style, _ = interpolated(POINTS, middle)
        assert a.content_loss < content < b.content_loss
        assert b.style_loss < style < a.style_loss
        assert interpolated(POINTS, 1.01 * a.style_weight)[2] is a
        assert interpolated(POINTS, 0.99 * b.style_weight)[2] is b
    # half way in the logarithm of the ratio is half way in the logarithm of each loss
    content, style, _ = interpolated(POINTS, 3**0.5)
    assert content == pytest.approx((toy(1).content_loss * toy(3).content_loss) ** 0.5)
    assert style == pytest.approx((toy(1).style_loss * toy(3).style_loss) ** 0.5)


def test_more_weight_on_style_is_never_more_style_loss():
    explorer = balance_explorer()
    slider, losses = explorer.controls["style_weight"], []
    for value in slider.options[::2]:
        slider.value = value
        _, words = shown(explorer)
        losses.append(
            [float(re.search(rf"{kind} loss (\S+?),", words)[1]) for kind in ("content", "style")]
        )
    for (c1, s1), (c2, s2) in pairwise(losses):
        assert c1 <= c2
        assert s2 <= 1.02 * s1  # the last runs of the bundled front are not quite finished
    assert losses[0] != losses[-1]


def test_the_bundled_front_is_one_of_minima():
    points = bundled_front()
    assert [point.style_weight for point in points] == list(LADDER)
    inside = 0
    for a, b in pairwise(points):
        assert b.content_loss > a.content_loss
        assert b.style_loss < 1.02 * a.style_loss
        price = (b.content_loss - a.content_loss) / (a.style_loss - b.style_loss)
        inside += a.style_weight <= price <= b.style_weight
    assert inside >= len(points) // 2  # notebook 05: prices lie between the weights


def test_beyond_the_ends_it_says_so():
    explorer = balance_explorer(POINTS)
    explorer.controls["style_weight"].value = 512.0
    _, words = shown(explorer)
    assert "measured from 0.25 to 8: this is its end" in words
    assert f"style loss {POINTS[-1].style_loss:.3g}" in words


def test_a_front_that_is_none_is_refused():
    for points in ([], POINTS[:1], POINTS[::-1], [POINTS[0], POINTS[0]]):
        with pytest.raises(ValueError, match="two or more growing style weights"):
            balance_explorer(points)


def test_the_place_is_marked_on_the_front():
    figure = plots.front(POINTS, here=(2.0, 5.0))
    curve, mark = figure.axes[0].get_lines()
    assert (mark.get_xdata().tolist(), mark.get_ydata().tolist()) == ([2.0], [5.0])
    assert len(curve.get_xdata()) == len(POINTS)
    assert "a mark at (2, 5)" in figure.alt
