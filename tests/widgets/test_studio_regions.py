"""Regions in the studio: painted, matched and mended, and the code that makes them again."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from studios import assert_the_code_makes_it_again, text

from nst_tutorial import load_image, stylize
from nst_tutorial.regions import from_scribbles
from nst_tutorial.widgets.studio import painted
from nst_tutorial.widgets.studio.knobs import PAINTED


def paint(panel, strokes):
    """As the page does it."""
    buffer = bytes(strokes.flatten().to(torch.uint8).tolist())
    panel.painter._handle_custom_msg({"kind": "painted"}, [memoryview(buffer)])


def halves(panel, left=1, right=2):
    """A stroke of one region in the left half, and of another in the right one."""
    strokes = torch.zeros(1, 1, panel.painter.height, panel.painter.width)
    width = panel.painter.width
    strokes[..., 20:-20, width // 8 : width // 4] = left
    strokes[..., 20:-20, 3 * width // 4 : 7 * width // 8] = right
    return strokes


@pytest.fixture
def panel(small):
    small.controls.regions.value = PAINTED
    return small.controls.painted


def test_strokes_fill_the_picture_and_are_seen(small, panel):
    assert panel.painter.layout.display is None
    assert (panel.painter.height, panel.painter.width) == load_image("temple", 320).shape[2:]
    assert panel.painter.labels[:2] == ["1: starry_night", "2: stays a photograph"]
    strokes = halves(panel)
    paint(panel, strokes)
    assert torch.equal(panel.painter.regions, strokes.long())
    left, _ = from_scribbles(load_image("temple", 320), strokes.long())
    assert f"1: {float(left.mean()):.0%}" in text(panel.told)
    tint = np.asarray(Image.open(io.BytesIO(panel.painter.tint)))
    assert tint.shape == (panel.painter.height, 320, 4)
    assert (tint[100, 60, :3] != tint[100, 260, :3]).any()


def test_messages_that_are_no_strokes_change_nothing(panel):
    strokes = halves(panel)
    paint(panel, strokes)
    paint(panel, torch.zeros(5))
    paint(panel, torch.full_like(strokes, 9))
    assert torch.equal(panel.painter.regions, strokes.long())


def test_masks_of_a_smaller_and_of_a_larger_picture(panel):
    strokes = halves(panel).long()
    for size in (64, 480):
        picture = load_image("temple", size)
        masks = painted.complete(picture, strokes)
        assert list(masks) == [1, 2]
        assert torch.allclose(sum(masks.values()), torch.ones_like(picture[:, :1]), atol=1e-4)
        width = picture.shape[3]
        assert masks[1][..., width // 6].mean() > 0.8 > 0.2 > masks[1][..., 5 * width // 6].mean()


def test_one_region_takes_the_style_and_the_other_stays(small, panel, tmp_path, monkeypatch):
    paint(panel, halves(panel))
    small.run.click()
    assert small.wait(120)
    assert text(small.message) == ""
    recipe = small.recipe
    assert ([s.name for s in recipe.styles], len(recipe.content_masks)) == (["starry_night"], 1)
    mask = painted.complete(load_image("temple", 64), panel.painter.regions)[1]
    expected = stylize(
        load_image("temple", 64), load_image("starry_night", 64, enlarge=False), steps=3,
        content_masks=[(mask * 255).round() / 255],
    )  # fmt: skip
    assert torch.allclose(small.result.image, expected.image, atol=1e-4)
    assert recipe.masks[0].name in small.code.value
    small.save.click()
    assert "its 1 masks beside it" in text(small.saved)
    again = tmp_path / "again"
    again.mkdir()
    (again / recipe.masks[0].name).write_bytes(
        (tmp_path / "results" / recipe.masks[0].name).read_bytes()
    )
    assert_the_code_makes_it_again(small, again, monkeypatch)


def test_each_region_takes_its_style(small, panel):
    small.controls.others[0].value = "stained_glass"
    assert panel.painter.labels[1] == "2: stained_glass"
    small.controls.mix[1].value = 2.0
    paint(panel, halves(panel, left=2, right=1))
    recipe = panel.with_masks(small.controls.recipe(), small.uploads.folder)
    assert [style.name for style in recipe.styles] == ["starry_night", "stained_glass"]
    assert recipe.options["style_mix"] == [1, 2.0]
    first, second = (np.asarray(Image.open(mask.path)) for mask in recipe.content_masks)
    assert first[:, :10].mean() < 50 < 200 < second[:, :10].mean()
    paint(panel, halves(panel, left=2, right=3))  # region 3 has no style
    recipe = panel.with_masks(small.controls.recipe(), small.uploads.folder)
    assert [style.name for style in recipe.styles] == ["stained_glass"]
    assert "style_mix" not in recipe.options


def test_what_is_missing_is_told(small, panel):
    small.run.click()
    assert text(small.message) == painted.PAINT_TWO
    assert small.job is None
    paint(panel, halves(panel, left=2, right=3))
    small.run.click()
    assert text(small.message).startswith("Paint where the style goes")
    assert small.job is None


def test_matched_regions_are_shown_and_mended(small, tmp_path, monkeypatch):
    c, panel = small.controls, small.controls.painted
    c.regions.value = 2
    assert panel.painter.layout.display == "none"
    content_masks, style_masks = panel.match()
    assert panel.matched.layout.display is None
    assert bytes(panel.matched.value).startswith(b"\x89PNG")
    panel.mend_button.click()
    assert c.regions.value == PAINTED
    assert panel.painter.labels == ["Region 1", "Region 2"]
    expected = torch.cat(content_masks, dim=1).argmax(dim=1, keepdim=True) + 1
    assert torch.equal(panel.painter.regions, expected)
    assert panel.painter.strokes == bytes(expected.flatten().tolist())
    recipe = panel.with_masks(c.recipe(), small.uploads.folder)
    assert [s.name for s in recipe.styles] == ["starry_night"] * 2
    assert (len(recipe.content_masks), len(recipe.style_masks)) == (2, 2)
    mask = np.asarray(Image.open(recipe.style_masks[0].path), np.float32) / 255
    assert abs(mask.mean() - float(style_masks[0].mean())) < 0.02
    c.style.value = "stained_glass"  # of which nothing was matched
    assert panel.painter.regions.max() == 0
    assert panel.painter.labels[0] == "1: stained_glass"


def test_strokes_come_back_with_an_earlier_result(small, panel):
    strokes = halves(panel)
    paint(panel, strokes)
    small.run.click()
    assert small.wait(120)
    small.controls.content.value = "cat"
    assert panel.painter.regions.max() == 0
    small.reset.click()
    small.restore(0)
    assert small.controls.regions.value == PAINTED
    assert torch.equal(panel.painter.regions, strokes.long())
    assert panel.with_masks(small.controls.recipe(), small.uploads.folder).content_masks
