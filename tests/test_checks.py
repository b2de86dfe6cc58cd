"""Text from outside that is printed, written into tables and drawn."""

import unicodedata

import pytest

from nst_tutorial.checks import printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("temple.jpg", "temple.jpg"),
        ("絵画 é 👩\u200d🚀 C:\\new", "絵画 é 👩\u200d🚀 C:\\new"),
        ("a\x1b]0;title\x07b", r"a\x1b]0;title\x07b"),
        ("\x9b2J", r"\x9b2J"),  # the same as ESC [ in one character
        ("two\nlines\tand\r", r"two\nlines\tand\r"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("caf\udce9", r"caf\udce9"),
    ],
)
def test_printable(text, expected):
    assert printable(text) == expected
    assert printable(expected) == expected


def test_no_control_character_is_left():
    everything = "".join(map(chr, range(0x11000)))
    text = printable(everything)
    assert not {unicodedata.category(c) for c in text} & {"Cc", "Cs", "Zl", "Zp"}
    assert text.encode().decode() == text
