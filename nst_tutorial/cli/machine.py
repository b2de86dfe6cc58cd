"""`nst presets` and `nst doctor`: what there is, and what this machine can do."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from ..checks import LARGEST_SIZE, SMALLEST_SIDE, check_integer
from ..presets import PRESETS, compare, get_preset
from .options import flag, size_option
from .terminal import out, plain_errors


def presets(
    first: Annotated[
        str, typer.Argument(metavar="PRESET", help="Without one: all names.", show_default=False)
    ] = "",
    second: Annotated[
        str,
        typer.Argument(metavar="OTHER", help="Show where the two differ.", show_default=False),
    ] = "",
) -> None:
    """Print the settings of one preset, or where two of them differ."""
    with plain_errors("interrupted"):
        table = Table(show_lines=bool(second))
        table.add_column("setting")
        if not first:
            table.add_column("source", overflow="fold")
            rows: list[tuple] = [(name, each.source) for name, each in PRESETS.items()]
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
        int | None, size_option("Also print the plan for a picture of this side in pixels.")
    ] = None,
    calibrate: Annotated[
        bool, flag("Measure anew which convolutions are the fastest.", "--calibrate")
    ] = False,
) -> None:
    """Print versions, device, weights, memory and speed, and what pictures will need."""
    with plain_errors("interrupted"):
        from .doctor import examine

        if size is not None:
            check_integer("size", size, SMALLEST_SIDE, LARGEST_SIZE)
        healthy = examine(out, size, calibrate)
    if not healthy:
        raise typer.Exit(1)
