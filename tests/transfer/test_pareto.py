import math

import pytest
import torch
from runs import TINY

from nst_tutorial import plots
from nst_tutorial.images.reading import load_image
from nst_tutorial.images.resizing import resize
from nst_tutorial.losses.balance import balanced_weights, gradient_norms
from nst_tutorial.losses.objective import Objective
from nst_tutorial.losses.terms import OutOfRange, TotalVariation
from nst_tutorial.optimize.result import Result
from nst_tutorial.presets import PRESETS, STYLE_LAYERS
from nst_tutorial.transfer import pareto as front
from nst_tutorial.transfer.pareto import trade_off
from nst_tutorial.vgg.network import VGG19

OPTIONS = {"steps": 40, "seed": 0}
WEIGHTS = (30.0, 0.3, 3.0)


def test_more_style_costs_content(pair, tiny):
    points = trade_off(*pair, WEIGHTS, model=tiny, **OPTIONS)
    assert [p.style_weight for p in points] == sorted(WEIGHTS)
    content, style = [p.content_loss for p in points], [p.style_loss for p in points]
    assert content == sorted(content)
    assert style == sorted(style, reverse=True)


def test_losses_are_those_of_the_picture(pair, tiny):
    from nst_tutorial.transfer.builder import make_objective

    pair = [0.35 + 0.3 * image for image in pair]  # far from 0 and 1: clamping changes nothing
    (point,) = trade_off(*pair, [3.0], model=tiny, **OPTIONS)
    content, style = pair[0], resize(pair[1], 40)  # as stylize does: as large as the content
    terms = (
        make_objective(tiny, content, style, PRESETS["default"])
        .value_and_gradient(point.image)
        .terms
    )
    layers = PRESETS["default"].style_layers
    assert point.content_loss == pytest.approx(terms["content relu4_2"], rel=1e-3)
    style = sum(w * terms[f"style {layer}"] for layer, w in layers.items())
    assert point.style_loss == pytest.approx(style, rel=1e-3)


def test_one_of_two_styles_of_which_nothing_is_wanted(pair, tiny):
    """Terms and record call the other by the same name, so its losses are found."""
    content, style = pair
    styles = [style.flip(2), style]
    (one,) = trade_off(content, styles, [3.0], model=tiny, style_mix=[0, 1], steps=5)
    (other,) = trade_off(content, style, [3.0], model=tiny, steps=5)
    assert one.style_loss == pytest.approx(other.style_loss)
    assert torch.equal(one.image, other.image)


def test_it_can_be_resumed(pair, tiny, tmp_path, monkeypatch):
    runs = []
    run = front.stylize

    def counted(*pictures, **options):
        runs.append(options["style_weight"])
        return run(*pictures, **options)

    monkeypatch.setattr(front, "stylize", counted)
    first = trade_off(*pair, WEIGHTS[:2], folder=tmp_path, model=tiny, **OPTIONS)
    again = trade_off(*pair, WEIGHTS, folder=tmp_path, model=tiny, **OPTIONS)
    assert runs == [0.3, 30.0, 3.0]  # only what was missing
    assert [p.style_loss for p in first] == [again[0].style_loss, again[2].style_loss]
    assert (first[0].image - again[0].image).abs().max() <= 0.51 / 255
    trade_off(*pair, [3.0], folder=tmp_path, model=tiny, steps=5)  # other settings: anew
    assert runs[3:] == [3.0]
    trade_off(pair[0].flip(3), pair[1], [3.0], folder=tmp_path, model=tiny, steps=5)
    assert runs[4:] == [3.0]


def test_what_decides_the_outcome_decides_what_is_taken(pair, tiny, tmp_path, monkeypatch):
    runs = []
    run = front.stylize

    def counted(*pictures, **options):
        runs.append(1)
        return run(*pictures, **options)

    monkeypatch.setattr(front, "stylize", counted)
    content, style = pair
    other = VGG19("random", channels=TINY, device="cpu", seed=5).double()
    calls = [
        (content, style, {}),
        (content, style.flip(2), {}),
        (content, style, {"seed": 1}),
        (content, style, {"model": other}),
        (content, style, {"start": content.flip(2)}),
        (content, style, {"start": content.flip(3)}),
        (content, style, {"kernel": "bn"}),
    ]
    for _ in range(2):
        for c, s, options in calls:
            trade_off(c, s, [3.0], folder=tmp_path, **{"model": tiny, "steps": 2, **options})
    assert len(runs) == len(calls)
    assert len(list(tmp_path.iterdir())) == len(calls)


@pytest.mark.parametrize("content", [b"", b"no picture", None])
def test_a_damaged_point_is_made_again(pair, tiny, tmp_path, content):
    options = {"folder": tmp_path, "model": tiny, "steps": 5}
    (first,) = trade_off(*pair, [3.0], **options)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:300] if content is None else content)
    (again,) = trade_off(*pair, [3.0], **options)
    assert torch.equal(first.image, again.image)
    assert load_image(path).shape == first.image.shape


def test_the_losses_are_those_of_the_best_picture_at_the_finest_scale():
    rows = [
        {"size": 20, "total": 0.1, "content relu4_2": 9.0},
        {"size": 40, "total": 0.5, "content relu4_2": 2.0},
        {"size": 40, "total": 0.7, "content relu4_2": 3.0},
    ]
    rows = [{**row, **{f"style {layer}": 1.0 for layer in STYLE_LAYERS}} for row in rows]
    point = front._point(Result(torch.rand(1, 3, 40, 40), rows), 1.0, PRESETS["default"])
    assert point.content_loss == 2.0
    assert point.style_loss == pytest.approx(1.0)


def test_ctrl_c_keeps_what_is_there(pair, tiny, tmp_path):
    def callback(progress):
        seen.append(progress)
        if len(seen) == 50:
            raise KeyboardInterrupt

    seen = []
    points = trade_off(*pair, WEIGHTS, folder=tmp_path, model=tiny, callback=callback, **OPTIONS)
    assert [p.style_weight for p in points] == [0.3]
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("style_weight_0.3_")


@pytest.mark.parametrize("weights", [[], [1, 1.0]])
def test_bad_weights(pair, tiny, weights):
    with pytest.raises(ValueError, match="weights must be distinct and at least one"):
        trade_off(*pair, weights, model=tiny)
    for bad, message in [
        ({"weights": [1.0, float("inf")]}, "a style weight must be finite and ≥ 0, got inf"),
        ({"weights": [float("nan")]}, "a style weight must be finite"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"style_weight": 3.0}, "what trade_off varies"),
        ({"kernel": "none"}, "unknown kernel"),
    ]:
        with pytest.raises(ValueError, match=message):
            trade_off(*pair, model=tiny, **bad)
    with pytest.raises(ValueError, match="content must be a picture"):
        trade_off("temple", pair[1])
    with pytest.raises(OSError, match="cannot write in the folder"):
        trade_off(*pair, [1.0], model=tiny, folder=__file__)


def test_gradient_norms_and_weights(tiny, picture):
    terms = {"content a": TotalVariation(), "style b": OutOfRange(), "other": TotalVariation()}
    objective = Objective(tiny, terms, {"content a": 2.0, "style b": 3.0, "other": 5.0})
    image = 3 * picture - 1
    norms = gradient_norms(objective, image)
    excess = image - image.clamp(0, 1)
    assert norms["style b"] == pytest.approx(float((2 * excess / image.numel()).norm()))
    weights = balanced_weights(objective.term_weights, norms)
    assert weights["content a"] == 2.0
    assert weights["other"] == 5.0
    ratio = weights["style b"] * norms["style b"] / (weights["content a"] * norms["content a"])
    assert ratio == pytest.approx(3 / 2)
    weights, silent = {"content a": 1.0, "style b": 3.0}, {"content a": 0.0, "style b": 0.0}
    assert balanced_weights(weights, silent) == weights


def test_figure_of_the_front(pair, tiny):
    points = trade_off(*pair, WEIGHTS, model=tiny, steps=5)
    axis = plots.front(points).axes[0]
    (line,) = axis.get_lines()
    assert list(line.get_xdata()) == [p.style_loss for p in points]
    assert list(line.get_ydata()) == [p.content_loss for p in points]
    assert [t.get_text() for t in axis.texts] == ["0.3", "3", "30"]
    assert all(math.isfinite(value) for value in line.get_xdata())
