"""`nst stylize --film`: a film of the run beside its picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from .series import tell
from .terminal import keep

if TYPE_CHECKING:
    from ..images.film import Film
    from ..optimize.loop import Callback, Progress
    from ..optimize.result import Result


def check_film_file(path: Path, overwrite: bool) -> Film:
    """Refuse a file that cannot be written, before any work; else what keeps the run's frames."""
    from ..images.film import Film, check_can_film

    if path.is_file() and not overwrite:
        raise FileExistsError(f"{path}: exists already; give another --film, or --overwrite")
    check_can_film(path)
    return Film()


def filmed(film: Film | None, callback: Callback) -> Callback:
    """The same callback, and the film sees what it sees."""
    if film is None:
        return callback

    def call(progress: Progress) -> bool | None:
        film(progress)
        return callback(progress)

    return call


def deliver_film(result: Result, film: Film, path: Path, overwrite: bool) -> None:
    """Write the film, the result at its end; say where it is; where it should not be, exit with 1.

    A run that was interrupted before there was a picture has none.
    """
    from ..images.film import save_film
    from ..images.resizing import resize, shape_of

    if result.stopped == "interrupted" and not result.history:
        return
    last = resize(result.image, min(film.size, max(shape_of(result.image))))
    frames = [*film.frames, last]

    def save(path: Path, overwrite: bool) -> Path:
        return save_film(frames, path, overwrite=overwrite)

    saved, in_place = keep(save, path, overwrite, f"nst_film{path.suffix}")
    tell("the film", saved)
    if not in_place:
        raise typer.Exit(1)
