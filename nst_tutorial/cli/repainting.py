"""One picture, or all of a folder, from a trained texture network: what `nst apply` does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..storage.atomic import free_name, save_under_free_name, shortened
from .terminal import Ending, complain
from .terminal import out as console

if TYPE_CHECKING:
    from ..texture_networks.generator import Generator

SIDE = 256  # pixels of a texture's side, where it is not given


@dataclass(frozen=True)
class Task:
    """What is done with each picture."""

    network: Generator
    name: str
    size: int | None
    seed: int
    memory: float | None
    overwrite: bool


def make_picture(task: Task, path: Path, picture: Path | None) -> None:
    """One picture, with what made it, in a file."""
    from ..images.reading import load_image, save_image

    network = task.network
    begin = time.perf_counter()
    with _naming(picture):
        content = None if picture is None else load_image(picture, task.size)
        side = SIDE if task.size is None else task.size
        image = network.sample(side, task.seed, content=content, memory=task.memory).cpu()
    spent = time.perf_counter() - begin
    if not image.isfinite().all():
        of = "" if picture is None else f" of {picture}"
        raise ValueError(f"the network {task.name} makes values{of} that are not finite")
    record = {
        "generator": task.name, "seed": task.seed, "size": list(image.shape[2:]),
        **({} if picture is None else {"content": picture.name}),
        "design": network.design, "training": network.settings,
    }  # fmt: skip

    def save(path: Path, overwrite: bool) -> Path:
        return save_image(image, path, record, overwrite=overwrite)

    saved = save_under_free_name(save, path, task.overwrite)
    console.print(f"{spent:.2f} s; the picture is", end=" ")
    console.print(str(saved), style="bold", markup=False, soft_wrap=True)


@contextmanager
def _naming(picture: Path | None) -> Iterator[None]:
    """An error in the block says of which picture it is, also where the memory was too little."""
    from ..tiling.engine import is_out_of_memory

    name = "" if picture is None else f"{picture}: "
    try:
        yield
    except (MemoryError, RuntimeError, SystemError, ImportError) as error:
        if not is_out_of_memory(error):
            raise
        raise ValueError(
            f"{name}not enough memory; take a smaller --size, or with --memory fewer GB"
        ) from error
    except ValueError as error:
        told = str(error)
        raise ValueError(told if told.startswith(name) else f"{name}{told}") from error


def repaint_all(task: Task, folder: Path, out: Path, ending: Ending) -> None:
    """Every picture of a folder; one that cannot be made is reported, and the others go on.

    No two results get one name: `overwrite` replaces what was there before, not what is made now,
    nor a picture of the folder.
    """
    from ..images.catalog import READABLE, pictures_in
    from ..images.reading import check_can_save

    paths = pictures_in(folder)
    if not paths:
        raise ValueError(f"{folder}: no pictures in it ({', '.join(READABLE)})")
    check_can_save(out / "picture.png")
    used: set[str] = set()  # without case: some disks take A.png and a.png for one name
    sources = {path.resolve() for path in paths}

    def taken(path: Path) -> bool:
        if path.name.casefold() in used or path.resolve() in sources:
            return True
        return not task.overwrite and path.exists()

    failed = 0
    for done, picture in enumerate(paths):
        if done > failed:
            ending.interrupted = f"interrupted; {done - failed} of {len(paths)} are in {out}"
        try:
            path = free_name(out / shortened(f"{picture.stem}_{task.name}.png"), taken)
            used.add(path.name.casefold())
            make_picture(task, path, picture)
        except (ValueError, OSError) as error:
            complain(_reason(error))
            failed += 1
    if failed:
        complain(f"{failed} of {len(paths)} pictures could not be repainted")
        raise typer.Exit(1)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)
