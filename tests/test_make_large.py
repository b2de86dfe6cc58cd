"""The script of the large pictures: its commands, its files, its pieces."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SPEC = importlib.util.spec_from_file_location("make_large", ROOT / "images" / "make_large.py")


@pytest.fixture(scope="module")
def script():
    import sys

    module = importlib.util.module_from_spec(SPEC)
    sys.modules["make_large"] = module  # its dataclass looks itself up
    SPEC.loader.exec_module(module)
    yield module
    del sys.modules["make_large"]


def test_every_command_names_pictures_that_there_are(script):
    for large in script.PICTURES.values():
        words = large.command()
        assert words[:2] == ["nst", "stylize"]
        assert str(script.SIZE) in words
        assert (ROOT / words[2]).is_file()
        drawn = large.style in script.DRAWN
        assert drawn == words[3].startswith("results/styles/")
        assert (ROOT / "images" / "style" / f"{large.style}.jpg").is_file()


@pytest.fixture
def elsewhere(script, tmp_path, monkeypatch):
    """The script, with an empty folder for its results."""
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script, "RESULTS", tmp_path / "results")
    (tmp_path / "results").mkdir()
    return script


def test_a_stopped_run_goes_on_with_the_same_command(elsewhere, monkeypatch, capsys):
    """`nst stylize` leaves its picture so far and the checkpoint, which goes when it is done."""
    large = elsewhere.PICTURES["fig"]
    commands = []

    def run(command, **options):
        commands.append(command)
        large.out(64).touch()
        large.checkpoint(64).touch()
        if len(commands) == 2:
            large.checkpoint(64).unlink()

    monkeypatch.setattr(elsewhere.subprocess, "run", run)
    for count in (1, 2, 2):
        assert elsewhere.make(large, 64) == large.out(64)
        assert len(commands) == count
    assert commands[0] == commands[1]
    assert commands[0][3:] == large.command(64)[1:]
    assert "--overwrite" in commands[0]
    assert commands[0][-2:] == ["--checkpoint", "results/fig_woodcut_waves_64.checkpoint"]
    assert capsys.readouterr().out.splitlines()[0] == " ".join(large.command(64))


def test_a_picture_is_cleaned_by_a_second_command(elsewhere, monkeypatch):
    large = elsewhere.PICTURES["mountain"]
    commands = []

    def run(command, **options):
        commands.append(command)
        (large.out() if command[3] == "stylize" else large.picture()).touch()

    monkeypatch.setattr(elsewhere.subprocess, "run", run)
    for _ in range(2):
        assert elsewhere.make(large).name == "mountain_path_starry_night_2048_denoised.png"
    assert [command[3:] for command in commands] == [large.command()[1:], large.cleaning()[1:]]
    assert large.picture(512) == large.out(512)  # cleaned at 2048 pixels only


def test_the_commands_are_understood(script, monkeypatch, capsys):
    """As far as the pictures, which are not read here."""
    from nst_tutorial import cli

    def read(path, size=None, **options):
        raise ValueError(f"{path} at {size} px")

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("nst_tutorial.images.reading.load_image", read)
    for large in script.PICTURES.values():
        if large.cleaned:
            with pytest.raises(SystemExit):
                cli.app(large.cleaning()[1:])
            assert re.search("_2048.png(:| at)", capsys.readouterr().err)
        with pytest.raises(SystemExit):
            cli.app(large.command(96)[1:])
        told = capsys.readouterr().err
        if large.style in script.DRAWN and not (ROOT / large.style_file).exists():
            assert f"{large.style}.jpg: no such picture" in told
        else:
            assert f"images/photos/{large.photograph}.jpg at 96 px" in told


def test_the_texts_show_the_commands_of_the_pictures_in_the_gallery(script):
    text = (ROOT / "docs" / "gallery.md").read_text()
    for name, large in script.PICTURES.items():
        if (script.GALLERY / f"large_{name}.jpg").exists():
            assert f"large_{name}.jpg" in text
            # The second command reads what the first writes.
            end = "--overwrite" if large.cleaned else "--out"
            shown = " ".join(large.command()[: large.command().index(end)])
            if large.cleaned:
                shown += "\n" + " ".join(large.cleaning())
            assert f"{shown}\n```" in text


def test_a_piece_is_what_stands_there_pixel_by_pixel(script):
    picture = Image.fromarray(
        np.random.default_rng(1).integers(0, 256, (1200, 2048, 3), dtype=np.uint8)
    )
    piece = np.asarray(script.piece_of(picture, (0.5, 0.5)))
    width, height = script.PIECE
    top, left = (1200 - height) // 2, (2048 - width) // 2
    assert (piece == np.asarray(picture)[top : top + height, left : left + width]).all()


def test_the_wall_shows_each_picture_once_and_whole(script):
    shapes = {"fig": (300, 200), "sunset": (200, 300), "mountain": (400, 300), "forest": (90, 90),
              "meadow": (300, 100)}  # fmt: skip
    assert {name for row in script.ROWS for name in row} == set(script.PICTURES) == set(shapes)
    colours = {name: (40 * i, 255 - 40 * i, 90) for i, name in enumerate(shapes)}
    rows = [[Image.new("RGB", shapes[n], colours[n]) for n in row] for row in script.ROWS]
    wall = np.asarray(script.wall(rows, 500))
    assert wall.shape[1] == 500
    for name, (width, height) in shapes.items():
        y, x = np.nonzero((wall == colours[name]).all(axis=2))
        shown = np.ptp(x) + 1, np.ptp(y) + 1
        assert len(x) == shown[0] * shown[1], name  # a rectangle
        assert abs(shown[0] - shown[1] * width / height) <= 2, name
    white = (wall == 255).all(axis=2)
    assert white.any(axis=1).all()  # a gap in every row of pixels
    assert not white[:, [0, -1]].any(axis=1).sum() > script.GAP  # and none at the sides
