"""`nst apply-look`: a fitted look on other photographs, at their full size, or as a 3D LUT."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ..checks import printable
from ..storage.atomic import save_under_free_name
from .options import (
    Bits,
    Dither,
    KeepAlpha,
    Overwrite,
    flag,
    name_from,
    option,
    out_option,
    path_from,
)
from .series import choose_folder, for_each, naming, pictures_of, tell
from .sources import check_files, opacity_of
from .terminal import choose_out, keep, plain_errors
from .terminal import out as console

if TYPE_CHECKING:
    from ..looks import Look
    from ..optimize.result import Result
    from ..settings import Settings

REMEDY = "make the picture smaller first"
NEEDS = {  # option → of what one must be there, or it would change nothing
    "out": ("a picture",), "bits": ("a picture",), "dither": ("a picture",),
    "keep_alpha": ("a picture",), "cube_size": ("--cube",), "strength": ("a picture", "--cube"),
    "average": ("a picture", "--cube"), "overwrite": ("a picture", "--cube"),
}  # fmt: skip


def apply_look(
    context: typer.Context,
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
    bits: Bits = 8,
    dither: Dither = False,
    keep_alpha: KeepAlpha = False,
) -> None:  # fmt: skip
    """Give photographs the colours of LOOK, which photo mode fitted to another; at full size."""
    with plain_errors() as ending:
        from ..images.catalog import find_image
        from ..looks import load_look, write_cube

        _check_order(look)
        _check_options(context, look, {"a picture": bool(pictures), "--cube": cube is not None})
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
        form: dict[str, Any] = {"bits": bits, "dither": dither}
        task = Task(fitted, Path(look).stem, options, overwrite, form, keep_alpha)
        target = folder = None
        if alone:
            name = f"{sources[0].stem}_{task.name}"
            target = choose_out(out, name, overwrite, opacity=keep_alpha, **form)
        elif sources:
            folder = choose_folder(out, opacity=keep_alpha, **form)
        check_files({"--out": target, "--cube": cube}, {"LOOK": [look], "PICTURE": sources})
        if cube is not None:
            _check_cube(cube, overwrite)
            saved = write_cube(fitted, cube, cube_size, title=task.name, overwrite=overwrite)
            tell("the 3D LUT", saved)
            ending.interrupted = f"interrupted before there was a picture; {cube} is there"
        if target is not None:
            make_picture(task, target, sources[0])
        elif folder is not None:
            make = partial(make_picture, task)
            for_each(make, sources, folder, task.name, overwrite, ending)


@dataclass(frozen=True)
class Task:
    """What is done with each picture."""

    look: Look
    name: str
    options: dict[str, Any]
    overwrite: bool
    form: dict[str, Any]
    """How `save_image` writes the file."""

    keep_alpha: bool


def make_picture(task: Task, path: Path, picture: Path) -> None:
    """One picture in the colours of the look, with what made it, in a file."""
    from ..images.reading import load_image, save_image

    begin = time.perf_counter()
    with naming(picture, REMEDY):
        opacity = opacity_of(picture) if task.keep_alpha else None
        image = task.look.apply(load_image(picture))
    spent = time.perf_counter() - begin
    record = {
        "look": task.name, "content": picture.name, **task.options, "size": list(image.shape[2:]),
        "fitted": dict(task.look.record),
    }  # fmt: skip

    def save(path: Path, overwrite: bool) -> Path:
        with naming(path, REMEDY):
            return save_image(
                image, path, record, overwrite=overwrite, opacity=opacity, **task.form
            )

    tell(f"{spent:.2f} s; the picture", save_under_free_name(save, path, task.overwrite))


def _check_order(look: str) -> None:
    """Refuse a picture in the place of the look."""
    from ..images.catalog import READABLE

    if Path(look).suffix.lower() in READABLE:
        raise ValueError(
            f"{look} is a picture; the look comes before it, as in nst apply-look "
            f"dusk.safetensors {Path(look).name}"
        )


def _check_options(context: typer.Context, look: str, there: Mapping[str, bool]) -> None:
    """Refuse an option that would change nothing; `there` says which of what they need is there."""
    for name, needs in NEEDS.items():
        source = context.get_parameter_source(name)
        told = source is not None and source.name == "COMMANDLINE"
        if told and not any(there[each] for each in needs):
            option = f"--{name.replace('_', '-')}"
            raise ValueError(f"{option} needs {' or '.join(needs)} beside {look}")


def _check_cube(path: Path, overwrite: bool) -> None:
    from ..storage.atomic import check_can_write

    if path.is_file() and not overwrite:
        raise FileExistsError(f"{path}: exists already; give another --cube, or --overwrite")
    check_can_write(path)


def check_look_file(path: Path, settings: Settings, overwrite: bool, *, chosen: bool) -> None:
    """Refuse a file for a look that a run will not make, or that cannot be written.

    `chosen`: the parametrization is not the preset's, but one that was asked for.
    """
    from ..looks import check_look_path
    from ..storage.atomic import check_can_write

    if settings.parametrization != "grid" and chosen:
        raise ValueError(
            f"{path}: a look needs --parametrization grid, and here it is "
            f"{settings.parametrization}; leave --look out, or take grid"
        )
    if settings.parametrization != "grid":
        raise ValueError(f"{path}: only --photo makes a look; leave --look out, or add --photo")
    check_look_path(path)
    if path.is_file() and not overwrite:
        raise FileExistsError(f"{path}: exists already; give another --look, or --overwrite")
    check_can_write(path)


def deliver_look(result: Result, path: Path, overwrite: bool) -> None:
    """Write the look of a run, and say where it is; where it should not be, that ends with 1.

    A run that was interrupted before there was a picture has none.
    """
    from ..looks import save_look

    look = result.look
    if look is None or (result.stopped == "interrupted" and not result.history):
        return

    def save(path: Path, overwrite: bool) -> Path:
        return save_look(look, path, overwrite=overwrite)

    saved, in_place = keep(save, path, overwrite, "nst_look.safetensors")
    tell("the look", saved)
    if not in_place:
        raise typer.Exit(1)


def _describe(name: str, look: Look) -> None:
    from ..looks import describe

    table = Table()
    table.add_column("look", no_wrap=True)
    table.add_column(escape(printable(name)), overflow="fold")
    for key, value in describe(look).items():
        text = ("no", "yes")[value] if isinstance(value, bool) else str(value)
        table.add_row(escape(printable(key)), escape(printable(text)))
    console.print(table)
