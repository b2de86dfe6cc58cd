"""The pictures on the notebooks' first pages: their commands, their sizes, where they are shown."""

import importlib.util
import itertools
import json
import re
from pathlib import Path

import pytest
import typer
from PIL import Image

from nst_tutorial.cli import app

ROOT = Path(__file__).resolve().parents[1]
SPEC = importlib.util.spec_from_file_location("make_framed", ROOT / "images" / "make_framed.py")
FRAMED = sorted((ROOT / "images" / "framed").glob("*.jpg"))


@pytest.fixture(scope="module")
def script():
    module = importlib.util.module_from_spec(SPEC)
    SPEC.loader.exec_module(module)
    return module


def test_every_picture_has_a_command_whose_options_exist_or_is_in_the_gallery(script):
    assert [path.stem for path in FRAMED] == sorted(script.NOTEBOOKS)
    commands = typer.main.get_command(app).commands
    for program, name, *words in itertools.chain(*map(script.commands, script.COMMANDS)):
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert program == "nst"
        assert {word for word in words if word.startswith("--")} <= known


def test_no_two_are_made_by_one_command_or_of_one_picture(script):
    made = [script.COMMANDS[n] for n in script.COMMANDS] + list(script.REDUCED.values())
    assert len(made) == len(set(made)) == len(script.NOTEBOOKS)


def test_the_six_styles_rotate(script):
    """A reader of the course sees all of them, and not one painting again and again."""
    styles = [path.stem for path in (ROOT / "images" / "style").iterdir()]
    named = [s for words in script.COMMANDS.values() for s in styles if s in words]
    gallery = (ROOT / "images" / "make_large.py").read_text()
    for picture in script.REDUCED.values():
        large = picture.removeprefix("large_").removesuffix("_piece")
        named += re.findall(rf'"{large}": Large\("\w+", "(\w+)"', gallery)
    assert max(named.count(style) for style in styles) <= 3
    assert len(set(named)) >= 5


def test_a_picture_of_the_gallery_is_made_smaller(script):
    for notebook in script.REDUCED:
        assert max(script.framed(notebook).size) == script.SIZE


@pytest.mark.parametrize("path", FRAMED, ids=lambda p: p.stem)
def test_each_is_large_and_shown_in_its_notebook_with_a_text(script, path):
    assert max(Image.open(path).size) >= 512
    assert path.stat().st_size <= script.LARGEST_FILE
    first = json.loads((ROOT / "notebooks" / f"{path.stem}.ipynb").read_text())["cells"][0]
    shown = re.findall(r"!\[([^\]]+)\]\(\.\./images/framed/([\w.]+)\)", "".join(first["source"]))
    assert [name for _, name in shown] == [path.name]
    assert len(shown[0][0]) > 30
