"""The drawn styles: the bundled files, the same picture at any size, in bands of rows."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from folders import names_in
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
NAMES = ["confetti_dots", "stained_glass", "woodcut_waves"]
SEEDS = {"stained_glass": 1, "woodcut_waves": 2, "confetti_dots": 3}


@pytest.fixture(scope="module")
def drawing():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "images")
        yield importlib.import_module("draw_styles")


@pytest.fixture(scope="module")
def drawn(drawing):
    """Name and width → the picture, drawn once."""
    pictures = {}

    def draw(name, width):
        if (name, width) not in pictures:
            rng = np.random.default_rng(SEEDS[name])
            pictures[name, width] = getattr(drawing, name)(rng, (width, width * 3 // 4))
        return pictures[name, width]

    return draw


def array(image):
    return np.asarray(image, np.float32)


@pytest.mark.slow
def test_the_script_makes_the_bundled_files(drawing, tmp_path, capsys):
    drawing.main(["--to", str(tmp_path / "new")])
    assert names_in(tmp_path / "new") == [f"{name}.jpg" for name in NAMES]
    assert sorted(capsys.readouterr().out.split()) == names_in(tmp_path / "new")
    for name in NAMES:
        drawn, bundled = (
            array(Image.open(folder / f"{name}.jpg"))
            for folder in (tmp_path / "new", ROOT / "images" / "style")
        )
        assert np.abs(drawn - bundled).mean() < 1  # 0 with the same JPEG library


@pytest.mark.parametrize("name", NAMES)
def test_a_small_one_is_the_bundled_one(drawn, name):
    """In 12×9 pixels: of a line thinner than a pixel less is left to compare."""
    with Image.open(ROOT / "images" / "style" / f"{name}.jpg") as image:
        bundled = array(image.resize((12, 9), Image.Resampling.BOX))
    small = array(drawn(name, 180).resize((12, 9), Image.Resampling.BOX))
    assert np.corrcoef(small.ravel(), bundled.ravel())[0, 1] > 0.97
    assert np.corrcoef(small[::-1].ravel(), bundled.ravel())[0, 1] < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_large_one_is_the_small_one_with_more_pixels(drawn, name):
    large = drawn(name, 1440).resize((720, 540), Image.Resampling.BOX)
    small = array(drawn(name, 720))
    assert np.corrcoef(array(large).ravel(), small.ravel())[0, 1] > 0.97
    shifted = np.roll(small, 2, axis=1)
    assert np.corrcoef(array(large).ravel(), shifted.ravel())[0, 1] < 0.97


def test_bands_are_the_whole(drawing, monkeypatch):
    """Against Pillow's own: everything drawn on one canvas and reduced at once."""
    rng = np.random.default_rng(5)
    canvas = drawing.Canvas((9, 8, 7), (128, 96))
    whole = Image.new("RGB", (384, 288), (9, 8, 7))
    draw = ImageDraw.Draw(whole)
    for _ in range(60):
        x, y, r = *rng.uniform(-50, 2200, 2).tolist(), rng.uniform(5, 300)
        fill = tuple(rng.integers(0, 256, 3).tolist())
        canvas.ellipse(x, y, r, fill)
        k = canvas.scale
        draw.ellipse([k * (x - r), k * (y - r), k * (x + r), k * (y + r)], fill=fill)
        corners = rng.uniform(-50, 1700, (5, 2))
        canvas.polygon([*map(tuple, corners)], fill)
        draw.polygon([tuple(k * corner) for corner in corners], fill=fill)
    wanted = whole.resize((128, 96), Image.Resampling.LANCZOS)
    for rows in (96, 17, 1):
        monkeypatch.setattr(drawing, "BAND", rows)
        assert np.abs(array(canvas.picture()) - array(wanted)).max() <= 1


def test_glass_is_the_same_in_bands(drawing, drawn, monkeypatch):
    monkeypatch.setattr(drawing, "BAND", 13)
    again = drawing.stained_glass(np.random.default_rng(1), (180, 135))
    assert np.array_equal(array(again), array(drawn("stained_glass", 180)))


def test_lead_is_as_sharp_at_any_size(drawn):
    """The steepest steps from pane to lead, of a pixel each, do not get softer."""
    steps = {}
    for width in (360, 1080):
        grey = array(drawn("stained_glass", width).convert("L"))
        steps[width] = np.quantile(np.abs(np.diff(grey, axis=1)), 0.999)
    assert steps[1080] > 0.65 * steps[360] > 20


@pytest.mark.parametrize("size", ["63", "20000"])
def test_sizes_that_are_none(drawing, tmp_path, capsys, size):
    with pytest.raises(SystemExit):
        drawing.main(["--size", size, "--to", str(tmp_path)])
    assert f"--size must be 64 to 16384 pixels, got {size}" in capsys.readouterr().err
    assert names_in(tmp_path) == []
