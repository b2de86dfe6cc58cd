import base64
import io
import math
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import pytest
import torch
from PIL import Image

from nst_tutorial import plots
from nst_tutorial.kernels.moments import gram_matrix
from nst_tutorial.optimize.loop import Progress
from nst_tutorial.widgets import Live

HISTORY = [
    {
        "evaluation": i,
        "size": 64 if i < 4 else 128,
        "total": 8.0 / i,
        "content": 0.0,
        "style": 4 / i,
    }
    for i in range(1, 7)
]
WEIGHTS = {"content": 1.0, "style": 2.0}


def test_figures_show_themselves_with_an_alternative_text(monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    for figure, mime in [
        (plots.image_row([torch.rand(1, 3, 20, 30)], ["noise"]), "image/jpeg"),
        (plots.loss_curves(HISTORY, WEIGHTS), "image/png"),
    ]:
        data, metadata = figure._repr_mimebundle_()
        assert metadata[mime]["alt"] == figure.alt
        assert len(figure.alt) > 10
        picture = Image.open(io.BytesIO(base64.b64decode(data[mime])))
        assert picture.size == tuple(
            round(plots.DPI * inches) for inches in figure.get_size_inches()
        )
    assert plt.get_fignums() == []


class Images(HTMLParser):
    """The attributes of every <img>."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[dict] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        assert tag == "img"
        self.found.append(dict(attributes))


@pytest.mark.parametrize("photographs", [True, False])
def test_in_jupyterlab_the_alternative_text_is_that_of_the_img(monkeypatch, photographs):
    """Its renderer of images gives them none; that of HTML leaves it. The data are there once."""
    alt = 'a "quoted" & <strange> title'
    figure = plots.new_figure(alt, 2, 1, photographs=photographs)
    monkeypatch.setenv("JPY_SESSION_NAME", "/course/00_quickstart.ipynb")
    data, metadata = figure._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}
    assert metadata == {}
    (image,) = Images(data["text/html"]).found
    assert image["alt"] == data["text/plain"] == alt
    head, _, content = image["src"].partition(",")
    assert head == f"data:image/{figure.kind};base64"
    monkeypatch.delenv("JPY_SESSION_NAME")
    stored, about = figure._repr_mimebundle_()
    assert stored[f"image/{figure.kind}"] == content
    assert about == {f"image/{figure.kind}": {"alt": alt}}


def test_loss_curves_draw_weighted_terms_and_changes_of_scale():
    axis = plots.loss_curves(HISTORY, WEIGHTS).axes[0]
    lines = {line.get_label(): line for line in axis.get_lines()}
    assert list(lines["total"].get_ydata()) == [row["total"] for row in HISTORY]
    assert list(lines["style"].get_ydata()) == [2 * row["style"] for row in HISTORY]
    assert "content" not in lines  # always zero: nothing to see on a logarithmic axis
    marks = [line for line in axis.get_lines() if line.get_linestyle() == ":"]
    assert [mark.get_xdata()[0] for mark in marks] == [4]
    with pytest.raises(ValueError, match="the history is empty"):
        plots.loss_curves([], WEIGHTS)
    with pytest.raises(ValueError, match="no pictures"):
        plots.image_row([])


def test_live_view_follows_the_optimisation():
    live = Live(seconds=0.0)
    for i in (1, 2):
        image = torch.full((1, 3, 20, 30), i / 4)
        live(Progress(i, 2, 1 / i, {"style": 1 / i}, {"style": 1.0}, 0.1 * i, (20, 30), image))
        shown = Image.open(io.BytesIO(live.picture.light))
        assert shown.size == (30, 20)
        assert abs(shown.getpixel((9, 9))[0] - 255 * i / 4) < 3
        assert f"evaluation {i} of 2 at 30 px" in live.text.value
        assert len(live.history) == i
    assert Image.open(io.BytesIO(live.curves.light)).format == "PNG"
    live(Progress(1, 9, 1.0, {}, {}, 0.1, (20, 30), image))  # a new run begins a new record
    assert len(live.history) == 1


def test_live_view_survives_a_step_that_failed():
    live = Live(seconds=0.0)
    good, bad = torch.rand(1, 3, 20, 30), torch.full((1, 3, 20, 30), float("nan"))
    for i, (image, total) in enumerate([(good, 1.0), (bad, math.nan), (good, -0.2)], start=1):
        live(Progress(i, 3, total, {"style": total}, {"style": 1.0}, 0.1, (20, 30), image))
        assert Image.open(io.BytesIO(live.picture.light)).size == (30, 20)
        assert Image.open(io.BytesIO(live.curves.light)).format == "PNG"


def test_image_grid():
    images = [[torch.rand(1, 3, 20, 30) for _ in range(3)] for _ in range(2)]
    figure = plots.image_grid(images, ["256", "512"], ["gram", "linear", "bn"])
    assert len(figure.axes) == 6
    assert [axis.get_title() for axis in figure.axes[:3]] == ["gram", "linear", "bn"]
    assert [figure.axes[i].get_ylabel() for i in (0, 3)] == ["256", "512"]
    with pytest.raises(ValueError, match="need 2 rows of 1 pictures"):
        plots.image_grid(images, ["256", "512"], ["gram"])


def test_gram_matrices_are_sorted_by_strength():
    f = torch.rand(1, 5, 8, 8) * torch.tensor([1.0, 3.0, 0.0, 2.0, 5.0]).view(1, 5, 1, 1)
    figure = plots.gram_matrices({"relu1_1": gram_matrix(f)})
    shown = figure.axes[0].get_images()[0].get_array()
    diagonal = shown.diagonal()
    assert list(diagonal) == sorted(diagonal, reverse=True)
    assert diagonal[0] == 1
    assert diagonal[-1] == 0
    assert abs(shown - shown.T).max() < 1e-6
    with pytest.raises(ValueError, match="no matrices"):
        plots.gram_matrices({})


def test_gram_matrices_of_the_same_channels_share_one_order():
    """The same place in both is the same pair of channels, weak or strong."""
    f = torch.rand(1, 5, 8, 8) * torch.tensor([1.0, 3.0, 0.0, 2.0, 5.0]).view(1, 5, 1, 1)
    matrices = {"one": gram_matrix(f), "other": gram_matrix(f.flip(1))}
    figure = plots.gram_matrices(matrices, channels=[3, 0, 4])
    for axis, G in zip(figure.axes, matrices.values(), strict=False):
        shown = torch.as_tensor(axis.get_images()[0].get_array())
        expected = G[0][[3, 0, 4]][:, [3, 0, 4]]
        torch.testing.assert_close(shown.square() * expected.max(), expected)
    with pytest.raises(ValueError, match="no channels"):
        plots.gram_matrices(matrices, channels=[])


def test_gradient_norms():
    axis = plots.gradient_norms({"content": 2.0, "style": 0.5, "none": 0.0}, WEIGHTS).axes[0]
    assert [bar.get_width() for bar in axis.patches] == [2.0, 0.5, 2.0, 1.0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["content", "style"]
    with pytest.raises(ValueError, match="no term has a gradient"):
        plots.gradient_norms({"none": 0.0}, {"none": 1.0})
    assert plt.get_fignums() == []


def test_every_curve_is_within_the_axes():
    axis = plots.loss_curves(HISTORY, WEIGHTS).axes[0]
    low, high = axis.get_ylim()
    assert low < min(row["total"] for row in HISTORY) < max(row["total"] for row in HISTORY) < high


@pytest.mark.parametrize(
    ("title", "shown"),
    [("a$1$b.png", "a$1$b.png"), (r"$\frac{.jpg$", r"$\frac{.jpg$"), ("caf\udce9", r"caf\udce9")],
)
def test_titles_are_no_formulas(title, shown):
    """Names of files: with $ signs, which need not be a formula; of bytes that are no text."""
    image = torch.rand(1, 3, 20, 30)
    row = plots.show(image, titles=[title])
    grid = plots.image_grid([[image]], [title], [title])
    for figure in (row, grid):
        figure.savefig(io.BytesIO())
        assert figure.axes[0].get_title() == shown
        assert not figure.axes[0].title.get_parse_math()
        assert shown in figure.alt
    assert not grid.axes[0].yaxis.label.get_parse_math()
    assert grid.axes[0].get_ylabel() == shown
