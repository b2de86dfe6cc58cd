"""The same for many pictures, each in a file of its own: what `apply` and `apply-look` share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from ..storage.atomic import free_name, shortened
from .terminal import Ending, complain
from .terminal import out as console


def pictures_of(folder: Path) -> list[Path]:
    """The pictures of a folder; a ValueError if there are none."""
    from ..images.catalog import READABLE, pictures_in

    paths = pictures_in(folder)
    if not paths:
        raise ValueError(f"{folder}: no pictures in it ({', '.join(READABLE)})")
    return paths


def choose_folder(out: Path | None, **form: Any) -> Path:
    """Where several pictures go: `out` if they may be written there, else the folder `results`.

    `form`: what `check_can_save` must know of their files.
    """
    from ..images.catalog import READABLE
    from ..images.reading import check_can_save

    folder = out or Path("results")
    if folder.suffix.lower() in READABLE and not folder.is_dir():
        raise ValueError(
            f"{folder}: the name of one picture, and several will be made; name a folder"
        )
    return check_can_save(folder / "picture.png", **form).parent


def for_each(
    make: Callable[[Path, Path], None],
    pictures: Sequence[Path],
    folder: Path,
    name: str,
    overwrite: bool,
    ending: Ending,
) -> None:
    """Call `make(path, picture)` for every picture, the path being PICTURE_NAME.png in `folder`.

    One that cannot be made is reported, and the others go on. No two results get one name:
    `overwrite` replaces what was there before, not what is made now, nor one of the pictures.
    """
    used: set[str] = set()  # without case: some disks take A.png and a.png for one name
    sources = {path.resolve() for path in pictures}

    def taken(path: Path) -> bool:
        if path.name.casefold() in used or path.resolve() in sources:
            return True
        return not overwrite and path.exists()

    failed = 0
    for done, picture in enumerate(pictures):
        if done > failed:
            ending.interrupted = f"interrupted; {done - failed} of {len(pictures)} are in {folder}"
        try:
            path = free_name(folder / shortened(f"{picture.stem}_{name}.png"), taken)
            used.add(path.name.casefold())
            make(path, picture)
        except (ValueError, OSError) as error:
            complain(_reason(error))
            failed += 1
    if failed:
        complain(f"{failed} of {len(pictures)} pictures could not be repainted")
        raise typer.Exit(1)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


@contextmanager
def naming(picture: Path | None, remedy: str) -> Iterator[None]:
    """An error in the block says of which picture it is, also where the memory was too little."""
    from ..tiling.engine import is_out_of_memory

    name = "" if picture is None else f"{picture}: "
    try:
        yield
    except (MemoryError, RuntimeError, SystemError, ImportError) as error:
        if not is_out_of_memory(error):
            raise
        raise ValueError(f"{name}not enough memory; {remedy}") from error
    except ValueError as error:
        told = str(error)
        raise ValueError(told if told.startswith(name) else f"{name}{told}") from error


def tell(what: str, path: Path) -> None:
    """Say where something is."""
    console.print(f"{what} is", end=" ", markup=False)
    console.print(str(path), style="bold", markup=False, soft_wrap=True)
