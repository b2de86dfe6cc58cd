"""Style sheets for what ipywidgets draws; the components bring theirs along."""

from __future__ import annotations

from importlib.resources import files

import ipywidgets


def sheet(package: str, name: str) -> ipywidgets.HTML:
    """The rules of `name`, a file beside the modules of a package, after those of the theme."""
    rules = files(__package__).joinpath("theme.css").read_text("utf-8")
    rules += files(package).joinpath(name).read_text("utf-8")
    look = ipywidgets.HTML(f"<style>{rules}</style>")
    look.layout.display = "none"
    return look
