"""The command line: thin. Every option left out is left to the function it is passed to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .batch import batch
from .console import err, take_any_character
from .denoising import denoise
from .enlarging import EXAMPLES as OF_ENLARGING
from .enlarging import enlarge
from .export import export
from .looks import apply_look
from .machine import doctor, presets
from .networks import apply, train_texture
from .notebooks import notebooks
from .one_pass import paint, train_decoder
from .options import Command
from .painters import EXAMPLES as PAINTERS
from .painters import train_painter
from .pictures import EXAMPLES, stylize, texture
from .studio import studio
from .terminal import out

# torch is imported inside the commands, so that --help answers at once.

DEMO: dict[str, Any] = {"content": "temple", "style": "starry_night", "size": 384, "steps": 160}
PANELS: dict[str, tuple] = {  # of the help: what one wants to do → the commands for it
    "Make a picture": (stylize, enlarge, paint, texture, denoise, studio),
    "Learn": (notebooks, presets),
    "Make many": (batch, apply, apply_look),
    "Train networks": (train_painter, train_texture, train_decoder, export),
    "Look at the machine": (doctor,),
}
EPILOGS: dict[Any, str] = {
    stylize: EXAMPLES, enlarge: OF_ENLARGING, train_painter: PAINTERS,
}  # fmt: skip

app = typer.Typer(
    name="nst",
    help="Neural style transfer: one picture in the style of another, offline, on any computer.",
    epilog="Without a command: a demonstration with two bundled pictures, in a minute or two.",
    invoke_without_command=True,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        out.print(f"nst_tutorial {__version__}")
        raise typer.Exit


@app.callback()
def main_command(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_show_version, is_eager=True, metavar="", help="Print it."
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        err.print(
            f"No command is given, so this paints a demonstration: {DEMO['content']} in the style "
            f"of {DEMO['style']}, in a minute or two. Ctrl-C ends it; nst --help tells the rest.",
            soft_wrap=True,
        )
        stylize(DEMO["content"], DEMO["style"], size=DEMO["size"], steps=DEMO["steps"])
        out.print(
            "\nNext: put a photo into images/content and a painting into images/style, then\n"
            "  [bold]python -m nst_tutorial stylize PHOTO PAINTING[/bold]     (their names)\n"
            "  [bold]python -m nst_tutorial stylize --help[/bold]             (size, balance, …)\n"
            "  [bold]jupyter lab notebooks[/bold]                             (the course)"
        )


for panel, commands in PANELS.items():
    for command in commands:
        app.command(cls=Command, rich_help_panel=panel, epilog=EPILOGS.get(command))(command)


def main() -> None:
    """Entry point of the script `nst`."""
    take_any_character()
    app(prog_name="nst" if Path(sys.argv[0]).stem == "nst" else "python -m nst_tutorial")
