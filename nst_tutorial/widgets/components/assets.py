"""The scripts and styles beside this file."""

from __future__ import annotations

from importlib.resources import files


def script(name: str) -> str:
    """The module `name`.js."""
    return _text(f"{name}.js")


def style(name: str) -> str:
    """The rules of `name`.css, after those that all components share."""
    return _text("shared.css") + _text(f"{name}.css")


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")
