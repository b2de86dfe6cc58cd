"""`nst batch`: many pictures, here or on a cluster."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..checks import printable
from .options import MACHINE, Device, option, path_from, with_default
from .terminal import complain, ended_by_signal, err, out, plain_errors

SHEET = "contact_sheet.jpg"
GOES_ON = "interrupted; the same command goes on from here"
MOST_ON_A_SHEET = 400  # pictures
LARGEST_GRID = 10_000_000  # bytes


def batch(
    contents: Annotated[Path, option("FOLDER", "Of the pictures to repaint.", parser=path_from)],
    styles: Annotated[
        Path, option("FOLDER", "Of the pictures whose styles to take.", parser=path_from)
    ],
    grid: Annotated[
        Path,
        option(
            "FILE", 'JSON, a list for each setting: {"style_weight": \\[5, 15]}.', parser=path_from
        ),
    ],
    out: Annotated[
        Path,
        option(
            "FOLDER", "For results, manifest.csv, contact sheet.", "--out", "-o", parser=path_from
        ),
    ],
    scheduler: Annotated[
        str | None,
        option("ADDRESS", "A Dask cluster that is there: tcp://HOST:8786.", panel=MACHINE),
    ] = None,
    workers: Annotated[
        int, option("COUNT", "Processes on this machine; 0: in this one.", panel=MACHINE)
    ] = 0,
    threads: Annotated[
        int | None,
        option(
            "COUNT", with_default("Of each worker.", "the machine's cores, shared"), panel=MACHINE
        ),
    ] = None,
    memory: Annotated[
        float | None,
        option("GB", with_default("Of each worker.", "a share of what is free"), panel=MACHINE),
    ] = None,
    device: Device = "auto",
) -> None:
    """Repaint every content in every style with every combination of settings.

    What is there already is not made again, so the same command goes on after Ctrl-C or a crash.
    """
    with plain_errors(GOES_ON):
        from ..batch.sweeps import sweep

        sweep_result = sweep(
            contents, styles, read_grid(grid), out, scheduler, workers=workers, threads=threads,
            memory=memory, device=device, progress=err.is_terminal, callback=_line,
        )  # fmt: skip
        _report(sweep_result)
    if sweep_result.stopped:
        complain(GOES_ON)
        raise typer.Exit(ended_by_signal())
    if sweep_result.failed:
        raise typer.Exit(1)


def read_grid(path: Path) -> dict:
    """The grid in a JSON file, in UTF-8, -16 or -32, with or without a byte-order mark.

    A ValueError names the file.
    """
    if path.stat().st_size > LARGEST_GRID:
        raise ValueError(f"{path}: not a grid ({path.stat().st_size / 1e6:.0f} MB)")
    try:
        return json.loads(path.read_bytes(), object_pairs_hook=_without_twins)
    except RecursionError as error:
        raise ValueError(f"{path}: not a grid (lists within lists within lists …)") from error
    except ValueError as error:
        raise ValueError(f"{path}: not a grid ({error})") from error


def _without_twins(pairs: list[tuple[str, object]]) -> dict:
    settings = dict(pairs)
    if len(settings) < len(pairs):
        raise ValueError("a setting is there twice")
    return settings


def _line(row: dict) -> None:
    """Failures are always said; the rest where there is no terminal for a bar."""
    if row["status"] == "failed":
        complain(f"{row['content']} in {row['style']}: {row['error']}")
    elif not err.is_terminal:
        err.print(row["file"], markup=False, soft_wrap=True)


def _report(sweep_result) -> None:
    new = len(sweep_result.done) - sweep_result.skipped
    counts = f"{new} made, {sweep_result.skipped} there before, {len(sweep_result.failed)} failed"
    out.print(f"{sweep_result.seconds:.0f} s: {counts}; the table is", end=" ")
    out.print(
        printable(str(sweep_result.out / "manifest.csv")),
        style="bold",
        markup=False,
        soft_wrap=True,
    )
    if sweep_result.rows and not sweep_result.stopped:
        _write_sheets(sweep_result)


def _write_sheets(sweep_result) -> None:
    from ..storage.atomic import replacing

    for number, rows in enumerate(_on_sheets(sweep_result.rows), 1):
        path = sweep_result.out / (SHEET if number == 1 else SHEET.replace(".", f"-{number}."))
        try:
            with replacing(path) as file:
                file.write(_sheet_as_jpeg(rows, sweep_result.out))
        except Exception as error:  # too large, no memory, a full disk: the batch is done
            complain(f"{path} cannot be made ({str(error) or type(error).__name__})")


def _sheet_as_jpeg(rows: Sequence[dict], folder: Path) -> bytes:
    """A contact sheet that says what it is, so that no batch takes it for a picture to repaint."""
    from PIL import ExifTags, Image

    from ..batch import RECORD
    from ..images.reading import SETTINGS_KEY
    from ..plots import DPI, contact_sheet

    exif = Image.Exif()
    settings = json.dumps({RECORD: "contact sheet"})
    exif[ExifTags.Base.ImageDescription] = f"{SETTINGS_KEY} {settings}"
    jpeg = io.BytesIO()
    figure = contact_sheet(rows, folder)
    figure.savefig(jpeg, format="jpeg", dpi=DPI, pil_kwargs={"exif": exif})
    return jpeg.getvalue()


def _on_sheets(rows: Sequence[dict]) -> Iterator[list[dict]]:
    """The rows for each sheet: several pairs with all their settings, or a part of one pair's."""
    pairs = sorted({(row["content"], row["style"]) for row in rows})
    a_row = -(-len(rows) // len(pairs))
    pairs_on_one = max(1, MOST_ON_A_SHEET // a_row)
    for first in range(0, len(pairs), pairs_on_one):
        pairs_here = set(pairs[first : first + pairs_on_one])
        here = [row for row in rows if (row["content"], row["style"]) in pairs_here]
        for begin in range(0, len(here), MOST_ON_A_SHEET):
            yield here[begin : begin + MOST_ON_A_SHEET]
