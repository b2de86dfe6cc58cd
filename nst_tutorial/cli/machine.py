"""`nst presets` and `nst doctor`: what there is, and what this machine can do."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from ..presets import PRESETS, compare, get_preset
from .terminal import out, plain_errors


def presets(
    first: Annotated[str, typer.Argument(help="A preset; without one: all names.")] = "",
    second: Annotated[str, typer.Argument(help="Another: show where the two differ.")] = "",
) -> None:
    """Print the settings of one preset, or where two of them differ."""
    with plain_errors("interrupted"):
        table = Table(show_lines=bool(second))
        table.add_column("setting")
        if not first:
            table.add_column("source", overflow="fold")
            rows = [(name, settings.source) for name, settings in PRESETS.items()]
        elif not second:
            table.add_column(first, overflow="fold")
            rows = list(get_preset(first).as_dict().items())
        else:
            table.add_column(first, overflow="fold")
            table.add_column(second, overflow="fold")
            rows = compare(first, second)
        for row in rows:
            table.add_row(*(str(value).replace("[", "\\[") for value in row))
        out.print(table)


def doctor(
    size: Annotated[
        int | None, typer.Option(help="Print the plan for a picture of so many pixels a side too.")
    ] = None,
) -> None:
    """Print versions, device, weights, memory and speed, and what pictures will need."""
    with plain_errors("interrupted"):
        from .doctor import examine

        healthy = examine(out, size)
    if not healthy:
        raise typer.Exit(1)
