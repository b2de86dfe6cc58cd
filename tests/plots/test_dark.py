"""Figures for dark pages: greys turn round, colours and what lies on a picture stay."""

import io

import matplotlib.colors
import numpy as np
import pytest
import torch
from PIL import Image

from nst_tutorial import plots
from nst_tutorial.plots.dark import DARKEST, LIGHTEST, darken, to_dark_bytes, turned


def lines():
    return plots.lines({"y": ([0, 1], [1, 2]), "z": ([0, 1], [2, 1])}, "title", "x", "y")


def opened(data):
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("grey", [0.0, 0.25, 0.6, 1.0])
def test_greys_turn_round(grey):
    wanted = LIGHTEST * (1 - grey) + DARKEST * grey
    assert turned((grey, grey, grey, 0.5)) == pytest.approx((wanted, wanted, wanted, 0.5))


@pytest.mark.parametrize("color", ["tab:blue", "#D55E00", "none", (1, 1, 0, 0.25)])
def test_colours_keep_theirs(color):
    if color == "none":
        assert turned(color)[3] == 0
    else:
        assert turned(color) == matplotlib.colors.to_rgba(color)


def test_lines_keep_their_colours_and_all_that_is_written_is_light():
    figure = lines()
    (axis,) = figure.axes
    before = [line.get_color() for line in axis.lines]
    darken(figure)
    figure.canvas.draw()
    after = [line.get_color() for line in axis.lines]
    assert [turned(color) for color in before] == [tuple(color) for color in after]
    written = [axis.title, axis.xaxis.label, axis.yaxis.label, *axis.get_xticklabels()]
    written += list(axis.get_legend().get_texts())
    assert {matplotlib.colors.to_rgba(text.get_color())[0] for text in written} == {LIGHTEST}


def test_there_is_no_paper_and_the_ink_is_light():
    pixels = np.asarray(opened(to_dark_bytes(lines())).convert("RGBA"), int)
    assert (pixels[0, 0] * [0, 0, 0, 1] == 0).all()
    opaque = pixels[pixels[..., 3] > 250][:, :3]
    neutral = opaque[np.ptp(opaque, axis=1) < 6]
    assert len(neutral) > 500
    assert (neutral > 120).mean() > 0.99  # black ink before, but for the legend's own paper


def test_what_lies_on_a_picture_stays():
    image = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    figure = plots.boxes(image, {"field": (2, 3, 8, 8)}, "a title")
    (axis,) = figure.axes
    before = [patch.get_edgecolor() for patch in axis.patches]
    pixels = [np.array(shown.get_array()) for shown in axis.images]
    darken(figure)
    assert [patch.get_edgecolor() for patch in axis.patches] == before
    assert all((a == b.get_array()).all() for a, b in zip(pixels, axis.images, strict=True))
    assert axis.title.get_color() == pytest.approx(turned("black"))


def test_photographs_are_webp_without_paper():
    image = torch.rand(1, 3, 20, 30)
    figure = plots.image_row([image], ["noise"])
    light, dark = plots.to_bytes(figure, "jpeg"), to_dark_bytes(figure, "jpeg")
    assert opened(dark).format == "WEBP"
    assert opened(dark).size == opened(light).size
    assert opened(dark).convert("RGBA").getpixel((0, 0))[3] == 0
