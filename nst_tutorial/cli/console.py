"""What the command line prints: on any console, with anything in it, whoever still listens."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from contextlib import suppress
from typing import IO, Any, cast

from rich.console import Console
from rich.text import Text

from ..checks import printable

LONGEST = 2000  # characters of a message; a value from a damaged file may have millions

# --- a console that is not UTF-8 -------------------------------------------------------------

_SPELT = {
    "≥": ">=", "≤": "<=", "→": "->", "×": "x", "·": "*", "²": "^2", "ᵀ": "^T", "σ": "sigma",
    "…": "...", "–": "-", "’": "'", "“": '"', "”": '"',
}  # fmt: skip


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    spelt = [_SPELT.get(c) or c.encode("ascii", "backslashreplace").decode() for c in text]
    return "".join(spelt), error.end


codecs.register_error("nst_tutorial.spell", _spell)


def take_any_character() -> None:
    """Let standard output and errors spell what their encoding lacks, as cp1252 lacks "≥"."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="nst_tutorial.spell")


# --- a console that is gone ------------------------------------------------------------------


def _silence(descriptor: int) -> None:
    with suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)


_TERMINALS = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)]  # at the start


def silence_closed_terminals() -> None:
    """What is written to a terminal that is no longer there goes nowhere, instead of failing."""
    for descriptor in _TERMINALS:
        if not os.isatty(descriptor):
            _silence(descriptor)


class _Stream:
    """`sys.stdout` or `sys.stderr` as it is now; a picture is not lost because nobody listens.

    A closed terminal (EIO) or the end of a pipe (EPIPE) ends the printing, not the run, and so does
    any failure of standard error. A full disk under standard output is told as it always was.
    """

    def __init__(self, name: str):
        self.name = name

    @property
    def rich_proxied_file(self) -> _Stream:  # rich would else write past us, under a progress bar
        return self

    def _now(self) -> Any:
        stream = getattr(sys, self.name)
        return getattr(stream, "rich_proxied_file", stream)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._now(), attribute)

    def write(self, text: str) -> int:
        return self._or_silence(self._now().write, text) or len(text)

    def flush(self) -> None:
        self._or_silence(self._now().flush)

    def _or_silence(self, call, *arguments):
        try:
            return call(*arguments)
        except OSError as error:
            if self.name == "stdout" and error.errno not in (errno.EPIPE, errno.EIO):
                raise
            with suppress(OSError, ValueError):  # no file behind it
                _silence(self._now().fileno())


class _Console(Console):
    """rich's console, for text from outside: control characters are spelt out."""

    def render_str(self, text: str, **options: Any) -> Text:
        lines = "\n".join(map(printable, text.split("\n")))
        return super().render_str(lines, **options)


out = _Console(file=cast(IO[str], _Stream("stdout")), highlight=False, emoji=False)
err = _Console(file=cast(IO[str], _Stream("stderr")), highlight=False, emoji=False)


def complain(message: str) -> None:
    """One line on standard error, whatever is in the message."""
    if len(message) > LONGEST:
        message = f"{message[: LONGEST - 500]} … {message[-500:]}"
    err.print(f"nst: {printable(message)}", style="red", markup=False, soft_wrap=True)
