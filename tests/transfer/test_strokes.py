"""Strokes in pictures larger than their style's file; several styles, from coarse to fine."""

from dataclasses import replace

import pytest
import torch
from runs import quick

from nst_tutorial.images.resizing import resize, shape_of
from nst_tutorial.presets import PRESETS
from nst_tutorial.transfer.builder import make_objective, resolved
from nst_tutorial.transfer.request import request_transfer
from nst_tutorial.transfer.scene import Objectives, prepare
from nst_tutorial.transfer.styles import style_sources

GRAM = PRESETS["gram"]
SIDES = (50, 100, 200, 400)  # of the content at the scales of a run


def longer_sides(strokes: str, **more) -> list[int]:
    """Of a style of 100 pixels, beside each of the sides."""
    content, style = torch.rand(1, 3, 300, 400), torch.rand(1, 3, 80, 100)
    (source,) = style_sources(content, style, replace(GRAM, strokes=strokes, **more))
    return [max(shape_of(source.beside((side // 2, side)).picture)) for side in SIDES]


def test_strokes_grow_with_the_picture_or_stay_or_both():
    assert longer_sides("grow") == [50, 100, 200, 400]
    assert longer_sides("both") == [50, 100, 100, 100]
    assert longer_sides("keep") == [12, 25, 50, 100]
    assert longer_sides("grow", style_scale=0.5) == [25, 50, 100, 200]
    assert longer_sides("keep", style_scale=0.1) == longer_sides("grow", style_scale=0.1)


@pytest.mark.parametrize("strokes", ["keep", "both"])
def test_where_the_file_has_enough_pixels_strokes_are_the_same(pair, tiny, strokes):
    content, style = pair
    large = resize(style, 2 * max(shape_of(content))).clamp(0, 1)
    one = quick((content, large), tiny, strokes=strokes)
    assert torch.equal(one.image, quick((content, large), tiny).image)


def test_a_layer_counts_less_where_its_positions_are_less_than_a_pixel_of_the_file_apart():
    content, style = torch.rand(1, 3, 96, 128), torch.rand(1, 3, 24, 32)
    assert [resolved(f"relu{n}_1", 4) for n in range(1, 6)] == [1 / 4, 1 / 2, 1, 1, 1]
    assert [resolved("relu1_1", times) for times in (0.5, 1, 1.25)] == [1, 1, 0.8]
    (source,) = style_sources(content, style, GRAM)
    assert [source.beside((n * 24, n * 32)).enlarged for n in (0.5, 1, 2, 4)] == [1, 1, 2, 4]


def test_the_weights_of_an_objective_say_so(tiny):
    content, style = torch.rand(1, 3, 96, 128), torch.rand(1, 3, 24, 32)

    def weights(strokes: str):
        (source,) = style_sources(content, style, replace(GRAM, strokes=strokes))
        return make_objective(tiny, None, [source.beside((96, 128))], GRAM).term_weights

    grown, kept = weights("grow"), weights("both")
    factors = [grown[name] / kept[name] for name in kept if name != "out of range"]
    assert factors == [1 / 4, 1 / 2, 1, 1, 1]


def objective_at(shares: dict, sides: tuple[int, ...], tiny) -> list[dict]:
    """Weight of each style at relu3_1, at scales of these longer sides."""
    content, styles = torch.rand(1, 3, 256, 256), list(torch.rand(2, 1, 3, 64, 64))
    request = request_transfer(content, styles, replace(GRAM, coarse_to_fine=True, **shares))
    coarsest = request.coarsest
    objectives = Objectives(prepare(request, tiny), request.settings, tiny, coarsest=coarsest)
    (stage,) = request.plan("cpu").stages[-1:]
    found = []
    for side in sides:
        weights = objectives.at(replace(stage, height=side, width=side)).term_weights
        each = [weights[f"style {i} relu3_1"] for i in (1, 2)]
        found.append([round(weight / sum(each), 6) for weight in each])
    return found


def test_coarse_forms_of_one_style_fine_strokes_of_another(tiny, monkeypatch):
    monkeypatch.setattr("nst_tutorial.tiling.scales.COARSEST", 64)
    shares = {"style_mix": [1, 0], "style_mix_fine": [0, 4.0]}
    assert objective_at(shares, (64, 128, 256), tiny) == [[1, 0], [0.5, 0.5], [0, 1]]
    same = {"style_mix": [1, 3], "style_mix_fine": [2, 6]}
    assert objective_at(same, (64, 256), tiny) == [[0.25, 0.75]] * 2


def test_with_one_scale_the_fine_mix_holds(pair, tiny):
    content, style = pair
    styles = [style, style.flip(1)]
    fine = quick((content, styles), tiny, style_mix=[1, 0], style_mix_fine=[0, 1])
    assert torch.equal(fine.image, quick((content, styles[1]), tiny).image)
    assert fine.settings["style_mix_fine"] == [0, 1]


def test_bad_choices_are_named(pair, tiny):
    with pytest.raises(ValueError, match="strokes must be one of grow, keep, both; got 'large'"):
        quick(pair, tiny, strokes="large")
    with pytest.raises(ValueError, match=r"style_mix must hold as many numbers as there are"):
        quick((pair[0], [pair[1]] * 2), tiny, style_mix_fine=[1, 2, 3])
