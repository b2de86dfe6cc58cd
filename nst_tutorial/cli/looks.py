"""`nst apply-look`: a fitted look on other photographs, at their full size, or as a 3D LUT."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ..checks import printable
from ..storage.atomic import save_under_free_name
from .options import Overwrite, flag, name_from, option, out_option, path_from
from .series import for_each, naming, pictures_of, tell
from .sources import check_files
from .terminal import choose_out, plain_errors
from .terminal import out as console

if TYPE_CHECKING:
    from ..looks import Look
    from ..settings import Settings

REMEDY = "make the picture smaller first"


def apply_look(
    look: Annotated[
        str,
        typer.Argument(
            metavar="LOOK", parser=name_from,
            help="The file of a look, .safetensors. Without a picture: what it is.",
        ),
    ],
    pictures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PICTURE", help="Names, paths, folders of pictures.", parser=name_from,
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        out_option(
            "results/PICTURE_LOOK.png", "Where to write; for several pictures: a folder."
        ),
    ] = None,
    strength: Annotated[
        float, option("NUMBER", "0: no change; 1: the look; up to 1.5: more than it.")
    ] = 1.0,
    average: Annotated[
        bool, flag("The same everywhere in the picture.", "--average")
    ] = False,
    cube: Annotated[
        Path | None,
        option(
            "FILE", "Write it as 3D LUT (.cube), for photo and video programs.", parser=path_from
        ),
    ] = None,
    cube_size: Annotated[
        int, option("COUNT", "Of --cube: values of each channel; most programs read 33, 65.")
    ] = 33,
    overwrite: Overwrite = False,
) -> None:  # fmt: skip
    """Give photographs the colours of LOOK, which photo mode fitted to another; at full size."""
    with plain_errors() as ending:
        from ..images.catalog import find_image
        from ..looks import load_look, write_cube

        _check_order(look)
        fitted = load_look(look)
        if not pictures and cube is None:
            _describe(look, fitted)
            return
        fitted = (fitted.averaged() if average else fitted).with_strength(strength)
        sources = [
            path
            for name in pictures or ()
            for path in (pictures_of(Path(name)) if Path(name).is_dir() else [find_image(name)])
        ]
        alone = pictures and len(pictures) == 1 and not Path(pictures[0]).is_dir()
        options = {"strength": strength, "average": average}
        task = Task(fitted, Path(look).stem, options, overwrite)
        target = choose_out(out, f"{sources[0].stem}_{task.name}", overwrite) if alone else None
        check_files({"--out": target, "--cube": cube}, {"LOOK": [look], "PICTURE": sources})
        if cube is not None:
            _check_cube(cube, overwrite)
            saved = write_cube(fitted, cube, cube_size, title=task.name, overwrite=overwrite)
            tell("the 3D LUT", saved)
            ending.interrupted = f"interrupted before there was a picture; {cube} is there"
        if target is not None:
            make_picture(task, target, sources[0])
        elif sources:
            make = partial(make_picture, task)
            for_each(make, sources, out or Path("results"), task.name, overwrite, ending)


@dataclass(frozen=True)
class Task:
    """What is done with each picture."""

    look: Look
    name: str
    options: dict[str, Any]
    overwrite: bool


def make_picture(task: Task, path: Path, picture: Path) -> None:
    """One picture in the colours of the look, with what made it, in a file."""
    from ..images.reading import load_image, save_image

    begin = time.perf_counter()
    with naming(picture, REMEDY):
        image = task.look.apply(load_image(picture))
    spent = time.perf_counter() - begin
    record = {
        "look": task.name, "content": picture.name, **task.options, "size": list(image.shape[2:]),
        "fitted": dict(task.look.record),
    }  # fmt: skip

    def save(path: Path, overwrite: bool) -> Path:
        with naming(path, REMEDY):
            return save_image(image, path, record, overwrite=overwrite)

    tell(f"{spent:.2f} s; the picture", save_under_free_name(save, path, task.overwrite))


def _check_order(look: str) -> None:
    """Refuse a picture in the place of the look."""
    from ..images.catalog import READABLE

    if Path(look).suffix.lower() in READABLE:
        raise ValueError(
            f"{look} is a picture; the look comes before it, as in nst apply-look "
            f"dusk.safetensors {Path(look).name}"
        )


def _check_cube(path: Path, overwrite: bool) -> None:
    from ..storage.atomic import check_can_write

    if path.is_file() and not overwrite:
        raise FileExistsError(f"{path}: exists already; give another --cube, or --overwrite")
    check_can_write(path)


def check_look_file(path: Path, settings: Settings, overwrite: bool) -> None:
    """Refuse a file for a look that a run will not make, or that cannot be written."""
    from ..storage.atomic import check_can_write

    if settings.parametrization != "grid":
        raise ValueError(f"{path}: only --photo makes a look; leave --look out, or add --photo")
    if path.suffix.lower() != ".safetensors":
        raise ValueError(f"{path}: a look is a file of the type .safetensors")
    if path.is_file() and not overwrite:
        raise FileExistsError(f"{path}: exists already; give another --look, or --overwrite")
    check_can_write(path)


def write_look(look: Look, path: Path, overwrite: bool) -> None:
    """Write the look of a run, and say where it is."""
    from ..looks import save_look

    tell("the look", save_look(look, path, overwrite=overwrite))


def _describe(name: str, look: Look) -> None:
    from ..looks import describe

    table = Table()
    table.add_column("look", no_wrap=True)
    table.add_column(escape(printable(name)), overflow="fold")
    for key, value in describe(look).items():
        text = ("no", "yes")[value] if isinstance(value, bool) else str(value)
        table.add_row(escape(printable(key)), escape(printable(text)))
    console.print(table)
