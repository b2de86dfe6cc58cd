"""The command line: thin. Every option left out is left to the function it is passed to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .batch import batch
from .denoising import denoise
from .machine import doctor, presets
from .networks import apply, train_texture
from .notebooks import notebooks
from .pictures import stylize, texture
from .studio import studio
from .terminal import out

# torch is imported inside the commands, so that --help answers at once.

DEMO = {"content": "temple", "style": "starry_night", "size": 384, "steps": 160}
COMMANDS = (
    stylize,
    texture,
    denoise,
    train_texture,
    apply,
    batch,
    studio,
    notebooks,
    presets,
    doctor,
)

app = typer.Typer(
    name="nst",
    help="Neural style transfer: one picture in the style of another, offline, on any computer.",
    epilog="Without a command: a bundled pair of pictures, in about a minute or two.",
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
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        stylize(DEMO["content"], DEMO["style"], size=DEMO["size"], steps=DEMO["steps"])
        out.print(
            "\nNext: put a photo into images/content and a painting into images/style, then\n"
            "  [bold]python -m nst_tutorial stylize PHOTO PAINTING[/bold]     (their names)\n"
            "  [bold]python -m nst_tutorial stylize --help[/bold]             (size, balance, …)\n"
            "  [bold]jupyter lab notebooks[/bold]                             (the course)"
        )


for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Entry point of the script `nst`."""
    app(prog_name="nst" if Path(sys.argv[0]).stem == "nst" else "python -m nst_tutorial")
