"""Where the parts of the studio stand: the picture, its controls beside or below it, one bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import ipywidgets

from ..sheet import sheet

if TYPE_CHECKING:
    from .app import Studio


def button(
    name: str, tip: str, call: Callable[[ipywidgets.Button], None], style: str = ""
) -> ipywidgets.Button:
    """A button that calls `call`."""
    made = ipywidgets.Button(
        description=name, button_style=style, tooltip=tip, layout={"width": "auto"}
    )
    made.on_click(call)
    return made


def box(name: str, children: Sequence[ipywidgets.Widget]) -> ipywidgets.Box:
    """Children whose places `studio.css` knows by the name."""
    made = ipywidgets.Box(list(children))
    made.add_class(name)
    return made


def laid_out(studio: Studio) -> list[ipywidgets.Widget]:
    """What the studio shows, from top to bottom."""
    screen, controls = studio.screen, studio.controls
    look = sheet(__package__, "studio.css")
    shown = box("nst-shown", [screen.view, studio.strip])
    told = box("nst-told", [screen.folded_curves, studio.code])
    turned = box("nst-turned", [*controls.first(), *controls.more(), studio.reset])
    main = box("nst-main", [box("nst-left", [shown, told]), turned])
    buttons = [studio.run, studio.pause, studio.stop]
    if studio.folder is not None:
        buttons.append(studio.save)
    standing = box("nst-standing", [screen.progress, screen.status, studio.plan, studio.saved])
    bar = box("nst-bar", [box("nst-buttons", buttons), standing])
    return [look, studio.message, main, bar]
