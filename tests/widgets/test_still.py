import base64
import io

import ipywidgets
import pytest
import torch
from PIL import Image

from nst_tutorial import plots
from nst_tutorial.widgets import BlindVotes, Studio, to_jpeg
from nst_tutorial.widgets.components import Picture
from nst_tutorial.widgets.explorers.controls import steps_of, tick
from nst_tutorial.widgets.explorers.explorer import Answer, Explorer
from nst_tutorial.widgets.still import plain, still

VIEW = "application/vnd.jupyter.widget-view+json"

pytestmark = pytest.mark.skipif(
    ipywidgets.__version__.startswith("7."), reason="ipywidgets 7 shows itself in another way"
)


def noise(height, width):
    return to_jpeg(torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0)))


def curve():
    return plots.to_bytes(plots.lines({"y": ([0, 1], [1, 2])}, "t", "x", "y"))


def shown(widget):
    """The view, and the stored image with its alternative text."""
    data, about = widget._repr_mimebundle_()
    (mime,) = about
    image = Image.open(io.BytesIO(base64.b64decode(data[mime])))
    assert mime == f"image/{image.format.lower()}"
    return data[VIEW], image, about[mime]["alt"]


def an_explorer(answer):
    controls = {
        "n": steps_of((1.0, 2.5044), 1.0, "number", "tip"),
        "all": tick(True, "all of it", "tip"),
    }
    return Explorer("the test explorer", controls, answer, ("50%", "50%"))


def test_an_explorer_has_a_still_of_what_it_shows_now():
    pictures = Picture(noise(40, 60)), Picture(curve(), noise(9, 9))
    explorer = an_explorer(lambda n, all: Answer(pictures, f"<b>{n}</b>: a &lt; b"))
    explorer.controls["n"].value = 2.5044
    view, image, alt = shown(explorer)
    assert view["model_id"] == explorer.model_id
    assert image.width > 2 * image.height  # both pictures, side by side
    assert alt == "Still of the test explorer. number: 2.5 · all of it: yes. 2.5044: a < b"


def test_without_a_picture_there_is_no_still():
    data, about = an_explorer(lambda n, all: Answer((), "nothing"))._repr_mimebundle_()
    assert set(data) == {VIEW, "text/plain"}
    assert about == {}


def test_pictures_are_equally_high_and_stored_as_the_smaller_file():
    photographs = still([noise(400, 400), noise(400, 800)], "two", "words", "alt")
    photographs.canvas.draw()
    left, right = (axis.get_window_extent() for axis in photographs.axes)
    assert left.height == pytest.approx(right.height, rel=0.02)
    assert right.width == pytest.approx(2 * left.width, rel=0.02)
    for figure, kind in ((photographs, "jpeg"), (still([BLANK], "", "", "alt"), "png")):
        other = {"png": "jpeg", "jpeg": "png"}[kind]
        assert figure.kind == kind
        assert len(plots.to_bytes(figure, kind)) <= len(plots.to_bytes(figure, other))


BLANK = to_jpeg(torch.ones(1, 3, 20, 40))


def test_words_without_tags():
    assert plain("<b>one</b>, two<br>three &amp; <i>four</i>") == "one, two three & four"
    assert plain("<table><tr><td>a</td><td>b</td></tr></table>") == "a b"


def test_votes_have_a_still_of_both_pictures():
    _, image, alt = shown(BlindVotes(seed=0))
    assert image.width > image.height
    assert alt.startswith("Two pictures side by side. Which do you prefer?")


def test_the_studio_has_a_stored_still(tmp_path):
    studio = Studio(folder=tmp_path, speed=1.0)
    _, image, alt = shown(studio)
    assert image.size == (1280, 900)
    assert "Run" in alt
