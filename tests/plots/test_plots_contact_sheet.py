import warnings

import numpy as np
import pytest
import torch

from nst_tutorial import plots
from nst_tutorial.images.reading import save_image

RED, BLUE = torch.tensor([1.0, 0, 0]), torch.tensor([0, 0, 1.0])


def row(folder, content, weight, color, **more):
    name = f"{content}{weight}.png"
    save_image(color.view(1, 3, 1, 1).expand(1, 3, 20, 30), folder / name)
    return {"file": name, "status": "done", "content": f"{content}.jpg", "style": "s.png",
            "style_weight": weight, "seconds": 1.0, **more}  # fmt: skip


def sheet_of(figure):
    return figure.axes[0].images[0].get_array()


def test_pictures_down_settings_across(tmp_path):
    rows = [
        row(tmp_path, "b", 100, BLUE), row(tmp_path, "a", 20, RED),
        row(tmp_path, "b", 20, RED), row(tmp_path, "a", 100, RED),
    ]  # fmt: skip
    figure = plots.contact_sheet(rows, tmp_path, thumb=90)
    axis = figure.axes[0]
    assert [t.get_text() for t in axis.get_yticklabels()] == ["a\ns", "b\ns"]
    across = [" ".join(t.get_text().split()) for t in axis.get_xticklabels()]
    assert across == ["style_weight 20", "style_weight 100"]  # by size, not by letters
    sheet = sheet_of(figure)
    height, width = sheet.shape[0] // 2, sheet.shape[1] // 2
    colors = [
        sheet[height // 2 + i * height, width // 2 + j * width] for i in (0, 1) for j in (0, 1)
    ]
    assert np.argmax(colors, axis=1).tolist() == [0, 0, 0, 2]
    assert "4 results of a batch. Down: a in s, b in s" in figure.alt


def test_a_missing_picture_says_why(tmp_path):
    rows = [row(tmp_path, "a", w, RED) for w in (1, 2, 3)]
    rows[1] = {**rows[1], "status": "failed", "error": "/some/where/a.png: the reason\nof it"}
    (tmp_path / rows[2]["file"]).write_bytes(b"x")
    figure = plots.contact_sheet(rows, tmp_path)
    texts = " ".join(t.get_text().replace("\n", " ") for t in figure.axes[0].texts)
    assert "a.png: the reason of it" in texts
    assert "some" not in texts
    assert "a3.png" in texts.replace(" ", "")
    assert "1 results of a batch, 2 missing" in figure.alt


def test_no_rows():
    with pytest.raises(ValueError, match="no results to show"):
        plots.contact_sheet([], ".")


def test_all_failed(tmp_path):
    rows = [{**row(tmp_path, "a", 1, RED), "status": "failed", "error": "x"}]
    assert len(plots.to_bytes(plots.contact_sheet(rows, tmp_path))) > 1000


def labels_of(figure):
    axis = figure.axes[0]
    return [*axis.get_xticklabels(), *axis.get_yticklabels(), *axis.texts]


@pytest.mark.parametrize("contents", ["a", "abcdefgh"])
@pytest.mark.parametrize("name", ["a" * 245, "W" * 245, "IMG 2024 " * 25, "絵" * 80, "$x" * 100])
def test_a_long_name_leaves_room_for_the_pictures(tmp_path, name, contents):
    rows = [row(tmp_path, content, weight, RED) for content in contents for weight in (1, 2)]
    for each in rows[:2]:
        each |= {"content": f"{name}.jpg", "weights": f"/{name}{each['style_weight']}.pth"}
    rows[1] |= {"status": "failed", "error": f"{name}: cannot be read"}
    figure = plots.contact_sheet(rows, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.to_bytes(figure)
    picture = figure.axes[0].get_window_extent()
    assert (picture.height, picture.width) == pytest.approx(sheet_of(figure).shape[:2])
    sides = [label.get_window_extent() for label in labels_of(figure)]
    assert all(figure.bbox.x0 <= s.x0 and s.x1 <= figure.bbox.x1 for s in sides)
    assert all(figure.bbox.y0 <= s.y0 and s.y1 <= figure.bbox.y1 for s in sides)
    (reason,) = figure.axes[0].texts
    assert reason.get_text().replace("\n", "").endswith("read")


def test_names_that_are_the_same_when_shortened_are_numbered(tmp_path):
    middles = ("b", "c")
    rows = [
        {**row(tmp_path, str(i), 1, RED), "content": f"{'a' * 99}{middle}{'a' * 99}.jpg"}
        for i, middle in enumerate(middles)
    ]
    down = plots.contact_sheet(rows, tmp_path).axes[0].get_yticklabels()
    first, second = (label.get_text() for label in down)
    assert second == f"{first} (2)"


def test_no_control_character_of_a_manifest_is_drawn(tmp_path):
    rows = [{**row(tmp_path, "a", w, RED), "content": "a\x1b[2J.jpg"} for w in (1, 2)]
    rows[1] |= {"status": "failed", "error": "b\x1b[2J is\tdamaged", "weights": "c\x9b"}
    figure = plots.contact_sheet(rows, tmp_path)
    texts = [label.get_text() for label in labels_of(figure)] + [figure.alt]
    assert "a\\x1b[2J\ns" in texts
    assert not any(c in text for text in texts for c in "\x1b\x9b\t")


def test_a_row_without_pictures_is_shown_too(tmp_path):
    rows = [{"file": "a.png", "status": "failed", "error": "no reason"}]
    (text,) = plots.contact_sheet(rows, tmp_path).axes[0].texts
    assert text.get_text() == "no reason"
