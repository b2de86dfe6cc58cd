"""Names from outside on figures: of any length, in any script, taken letter by letter."""

import warnings

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from rich.cells import cell_len

from nst_tutorial.plots import new_figure, to_bytes
from nst_tutorial.plots.labels import drawable, drawn_as_is, extent, shortened, wrapped

PICTURE = "\u7d75"  # 絵, which matplotlib's own fonts lack


def font_with(path, characters):
    """Write a font that has a black square for each of these characters."""
    pen = TTGlyphPen(None)
    for i, corner in enumerate([(0, 0), (0, 900), (900, 900), (900, 0)]):
        (pen.lineTo if i else pen.moveTo)(corner)
    pen.closePath()
    square = pen.glyph()
    names = {ord(character): f"u{ord(character):x}" for character in characters}
    order = [".notdef", *names.values()]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(order)
    font.setupCharacterMap(names)
    font.setupGlyf(dict.fromkeys(order, square))
    font.setupHorizontalMetrics(dict.fromkeys(order, (1000, 0)))
    font.setupHorizontalHeader(ascent=900, descent=-100)
    font.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    font.setupOS2(sTypoAscender=900)
    font.setupPost()
    font.save(path)


@pytest.fixture
def only_default(monkeypatch):
    """A machine that has matplotlib's default font and no other."""
    fonts = [f for f in font_manager.fontManager.ttflist if f.name == "DejaVu Sans"]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", fonts)
    return fonts


def draw(text):
    """Draw a text; a warning, as of a glyph that is missing, is an error."""
    figure = new_figure("", 3, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.text(0.1, 0.5, text, **drawn_as_is([text]))
        return to_bytes(figure)


def test_a_font_that_has_the_glyph_is_used(tmp_path, only_default):
    for name, characters in (("One", "ab"), ("Two", PICTURE), ("Three", PICTURE + "\u753b")):
        font_with(tmp_path / f"{name}.ttf", characters)
        font_manager.fontManager.addfont(tmp_path / f"{name}.ttf")
    text = f"{PICTURE} and \u753b"
    assert drawable(text) == text
    assert drawn_as_is([text])["fontfamily"][1:] == ["Three"]  # one for both
    assert drawn_as_is(["in Latin"])["fontfamily"][1:] == []
    assert draw(text) != draw(text.replace(PICTURE, " "))


def test_what_no_font_has_is_replaced_without_a_warning(only_default):
    assert drawable(f"{PICTURE}{PICTURE}.jpg") == "��.jpg"
    emoji = drawable("👩\u200d🚀\U000e0001 ☺")  # a tag, of no width, is left out
    assert emoji.replace("\u200d", "") == "�� ☺"
    draw(emoji)
    with pytest.raises(UserWarning, match="missing from font"):
        draw(PICTURE)


def test_a_font_of_boxes_is_not_taken_for_one_that_has_everything(tmp_path, only_default):
    font_with(tmp_path / "Last Resort.ttf", PICTURE)
    font_manager.fontManager.addfont(tmp_path / "Last Resort.ttf")
    assert drawable(PICTURE) == "�"


def test_nothing_is_mathematics_and_control_characters_are_spelt_out():
    for text in ("$x_1$", "5 $ and 6 $", r"$\frac{$"):
        assert drawable(text) == text
        draw(text)
    assert extent(["$x_1$"], 8, drawn_as_is(["$x_1$"]))[0] > extent(["x1"], 8, {})[0] * 1.5
    assert drawable("a\x1b[2J\nb") == "a\\x1b[2J\nb"


def test_a_long_text_keeps_its_beginning_and_end():
    assert shortened("abcdefgh", 8) == "abcdefgh"
    assert shortened("abcdefghi", 7) == "abc…ghi"
    assert shortened(5 * PICTURE + 5 * "\u753b", 9) == f"{PICTURE}{PICTURE}…\u753b\u753b"
    assert wrapped("a" * 20, 5, 2) == "aaaa…\naaaa"
    assert wrapped("one two three\nfour", 7, 3) == "one two\nthree\nfour"
    assert wrapped("", 5, 2) == ""
    for text in ("W" * 250, "IMG 2024 " * 30, PICTURE * 80):
        lines = wrapped(text, 24, 3).split("\n")
        assert len(lines) <= 3
        assert max(map(cell_len, lines)) <= 24
