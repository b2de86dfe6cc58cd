"""`nst notebooks`: the course, from wherever the package is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import flag, path_from
from .terminal import complain, out, plain_errors


def notebooks(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Where to put them; it need not exist.", parser=path_from
        ),
    ],
    overwrite: Annotated[
        bool, flag("Replace notebooks that were changed there.", "--overwrite")
    ] = False,
    solutions: Annotated[
        bool,
        flag(
            "With those of the exercises, or for an exam.", "--with-solutions/--without-solutions"
        ),
    ] = True,
    pages: Annotated[
        bool, flag("Beside each an HTML page, to be read or projected without Jupyter.", "--html")
    ] = False,
) -> None:
    """Lay out the notebooks of the course, and their pictures, in FOLDER."""
    with plain_errors("interrupted; the same command lays out the rest"):
        from ..images.catalog import READABLE
        from .course import lay_out

        layout = lay_out(folder, overwrite=overwrite, solutions=solutions, pages=pages)
        count = sum(path.suffix == ".ipynb" for path in layout.written)
        pictures = sum(path.suffix in READABLE for path in layout.written)
        out.print(f"{count} notebooks and {pictures} pictures written to", end=" ")
        out.print(str(folder), style="bold", markup=False, soft_wrap=True)
        for path in layout.kept:
            complain(f"{path} was changed and is kept (--overwrite replaces it)")
        out.print(f'Next: jupyter lab "{folder}"', markup=False, soft_wrap=True)
