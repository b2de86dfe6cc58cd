"""The script that fetches photographs: what it takes, what it leaves out, whose they are."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from folders import names_in
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def fetching():
    spec = importlib.util.spec_from_file_location("fetching", ROOT / "images/fetch_photographs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def draw(path, seed, size=(90, 60), brightness=1.0):
    coarse = np.random.default_rng(seed).uniform(0, 255 * brightness, (8, 12, 3)).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coarse).resize((360, 240), Image.Resampling.BICUBIC).resize(size).save(path)
    return path


def test_one_picture_in_two_sizes_and_qualities_is_one(fetching, tmp_path):
    large = fetching.thumbnail(draw(tmp_path / "a.png", 1, (360, 240)))
    small = fetching.thumbnail(draw(tmp_path / "b.jpg", 1, (77, 52)))
    other = fetching.thumbnail(draw(tmp_path / "c.png", 2))
    assert fetching.are_one(large, small)
    assert not fetching.are_one(large, other)
    # Dark ones differ little, and are not one
    dark = [fetching.thumbnail(draw(tmp_path / f"{i}.png", i, brightness=0.1)) for i in (3, 4)]
    assert not fetching.are_one(*dark)


@pytest.fixture
def packages(tmp_path):
    """What two packages unpack to."""
    root = tmp_path / "packages"
    draw(root / "usr/share/backgrounds/sunset_by_Somebody.png", 1)
    draw(root / "usr/share/backgrounds/life_by_Somebody.png", 2)
    draw(root / "usr/share/backgrounds/umang_by_Somebody.png", 3)
    images = root / "usr/share/wallpapers/Path/contents/images"
    draw(images / "2560x1600.jpg", 4)
    draw(images / "1080x1920.jpg", 5)
    (images / "640x480.jpg").symlink_to("2560x1600.jpg")
    (root / "usr/share/backgrounds/free_by_Nobody.jpg").write_text("damaged")
    metadata = {"KPlugin": {"Authors": [{"Name": "Risto"}], "License": "LGPLv3"}}
    (root / "usr/share/wallpapers/Path/metadata.json").write_text(json.dumps(metadata))
    copyright = root / "usr/share/doc/wallpapers/copyright"
    copyright.parent.mkdir(parents=True)
    copyright.write_text(
        "Format: x\n\nFiles: 16.04/sunset_by_Somebody.png\n 16.04/life_by_Somebody.png\n"
        "Copyright: 2018, Somebody\nLicense: CC-BY-4.0\n\nLicense: CC-BY-4.0\n Text.\n"
    )
    return root


def test_photographs_and_drawings_are_sorted_and_tests_are_left_out(fetching, packages, tmp_path):
    reserved = [draw(tmp_path / "test.jpg", 2, (50, 34))]
    pictures = sorted(fetching.wallpapers(packages))
    photos, drawings = tmp_path / "photos", tmp_path / "drawings"
    report = fetching.sort_out(packages, pictures, reserved, photos, drawings)
    assert names_in(photos) == ["CREDITS.md", "Path.jpg", "sunset_by_Somebody.png"]
    assert names_in(drawings) == ["CREDITS.md", "umang_by_Somebody.png"]
    assert "2 pictures in" in report
    assert "life_by_Somebody.png: it is one of those for tests" in report
    assert "free_by_Nobody.jpg: cannot be read as a picture" in report
    credits = (photos / "CREDITS.md").read_text()
    assert "| Risto, LGPLv3 |" in credits
    assert "| 2018, Somebody, CC-BY-4.0 |" in credits
    assert "see its package" in (drawings / "CREDITS.md").read_text()


def test_without_drawings_only_photographs_are_copied(fetching, packages, tmp_path):
    photos = tmp_path / "photos"
    fetching.sort_out(packages, sorted(fetching.wallpapers(packages)), [], photos, None)
    assert len(names_in(photos)) == 4
