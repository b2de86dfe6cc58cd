"""Docstrings as they are written here, made reStructuredText that Sphinx can read."""

from __future__ import annotations

import re
from collections.abc import Sequence

BAR = re.compile(r"(?<![\w`|])\|(?=[^\s|])")  # reStructuredText would begin a substitution


def as_restructured_text(lines: Sequence[str]) -> list[str]:
    """Set-off lines, such as equations, become literal blocks: they are aligned by hand.

    Set off means: indented, after an empty line, below a line that is indented less. In all other
    lines a bar is a bar, as in |x|.
    """
    text: list[str] = []
    previous, block = "", -1  # the last line with something in it; the depth of the literal block
    for line in lines:
        depth = len(line) - len(line.lstrip())
        empty = not line.strip()
        if not empty and block >= 0 and depth < block:
            block = -1
        if not empty and block < 0 and _is_set_off(line, text, previous):
            block = depth
            if not previous.endswith("::"):
                outer = " " * (len(previous) - len(previous.lstrip()))
                text += [f"{outer}::", ""]
        is_code = block >= 0 or line.lstrip().startswith((">>>", "..."))
        text.append(line if is_code else BAR.sub(r"\\|", line))
        previous = previous if empty else line
    return text


def _is_set_off(line: str, text: Sequence[str], previous: str) -> bool:
    after_a_gap = bool(text) and not text[-1].strip()
    deeper = len(line) - len(line.lstrip()) > len(previous) - len(previous.lstrip())
    return after_a_gap and deeper and not previous.lstrip().startswith(("..", "-", "*"))
