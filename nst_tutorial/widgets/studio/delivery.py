"""Files that leave the studio: pictures with their settings, the masks that code reads, films."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from ...images.film import Film, can_write_mp4, save_film
from ...images.reading import check_can_save, save_image
from ...images.resizing import resize, shape_of
from ...optimize.loop import Callback, Progress
from ...optimize.result import Result
from ...storage.atomic import free_name
from ..components import CompareView
from ..components.compare_view import FILMS
from .recipe import Recipe

FILM_SIZE = 480  # pixels of the longer side
FILM_MEMORY = 12e6  # bytes of its frames: 26 of 480×320


def new_film() -> Film:
    """The callback that keeps the frames of one run."""
    return Film(FILM_SIZE, memory=FILM_MEMORY)


def offer_films(view: CompareView) -> None:
    """Offer the formats of films that can be written here, and say what the other one needs."""
    has_mp4 = can_write_mp4()
    view.films = [name for name in FILMS if name != "MP4" or has_mp4]
    view.note = "" if has_mp4 else "A film as MP4 needs: pip install imageio-ffmpeg"


def filmed(recipe: Recipe, film: Film) -> Callable[[Callback], Result]:
    """The computation of a picture, of which a film keeps how it comes about."""

    def run(callback: Callback) -> Result:
        def both(progress: Progress) -> bool:
            film(progress)
            return bool(callback(progress))

        return recipe.run(both)

    return run


def write_picture(recipe: Recipe, result: Result, folder: Path, suffix: str) -> Path:
    """Write a result under a name that is free, with the settings that made it; return the path.

    Raises
    ------
    ValueError, OSError
        The folder cannot be made or written to.
    """
    names = {"content": recipe.content.name, "style": [style.name for style in recipe.styles]}
    settings = {**result.settings, **names, "seconds": round(result.seconds, 1)}
    path = check_can_save(free_name(folder / f"{recipe.name}{suffix}"))
    return save_image(result.image, path, settings, overwrite=False)


def write_masks(recipe: Recipe, folder: Path) -> list[Path]:
    """Copy the masks of a result beside it; return their paths."""
    return [Path(shutil.copy(mask.path, folder / mask.name)) for mask in recipe.masks]


def write_film(recipe: Recipe, result: Result, film: Film, folder: Path, suffix: str) -> Path:
    """Write the film of a run, which ends with its result; return the path.

    Raises
    ------
    ValueError, OSError
        As `save_film`.
    """
    last = result.image
    if max(shape_of(last)) > FILM_SIZE:
        last = resize(last, FILM_SIZE)
    return save_film([*film.frames, last], free_name(folder / f"{recipe.name}{suffix}"))
