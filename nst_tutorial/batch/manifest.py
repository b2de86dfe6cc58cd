"""The table of a batch: a row for each picture, with settings, losses, seconds, file and error."""

from __future__ import annotations

import csv
import io
import json
import time
import warnings
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..storage.atomic import claimed, replacing

FILE = "manifest.csv"
FIRST = ("file", "status", "content", "style")
MEASURED = ("total_loss", "content_loss", "style_loss", "evaluations", "seconds")
LAST = (*MEASURED, "worker", "error")
_TEXT = {*FIRST, "worker", "error"}  # columns that are never numbers

DONE, FAILED = "done", "failed"
PATIENCE = 30.0  # seconds, with another process that rewrites the table


def read_manifest(folder: str | Path) -> list[dict]:
    """Return the rows of a batch's `manifest.csv`; numbers, lists and mappings as such.

    It may have been saved by a spreadsheet meanwhile, with a byte-order mark and empty rows.

    Raises
    ------
    FileNotFoundError
        There is none.
    ValueError
        The file is not one of ours, or a row lacks its file or status.
    """
    path = Path(folder, FILE)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file, strict=True)
            if tuple(table.fieldnames or ())[: len(FIRST)] != FIRST:
                raise ValueError("its columns are others")
            rows = [
                {name: _value(name, text) for name, text in _filled(row, table.line_num)}
                for row in table
            ]
            return [row for row in rows if row]
    except (ValueError, csv.Error) as error:
        raise ValueError(
            f"{path}: not the manifest of a batch ({error}); move it away, or take another folder"
        ) from error


def _filled(row: Mapping, line: int) -> list[tuple[str, str]]:
    """The cells of a row that hold something; none of an empty row, as spreadsheets leave them."""
    cells = [(name, text) for name, text in row.items() if name and text]
    for name in FIRST[:2]:
        if cells and not row[name]:
            raise ValueError(f"line {line} has no {name}")
    return cells


def write_manifest(folder: str | Path, rows: Iterable[Mapping]) -> Path:
    """Write the rows into `manifest.csv`.

    Rows of other files that are in the table already stay there, so that several batches may share
    a folder, one after the other or at the same time. The file is complete at any moment.

    Raises
    ------
    OSError
        The folder is not writable, the disk is full.
    ValueError
        The `manifest.csv` that is there is not one of ours.
    """
    path = Path(folder, FILE)
    with _alone(path):
        rows = list(rows)
        again = {_asked(row) for row in rows}  # what failed under another file name is past
        old = read_manifest(folder) if path.exists() else []
        known = {r["file"]: r for r in old if r["status"] == DONE or _asked(r) not in again}
        for row in rows:
            if row["status"] == DONE or known.get(row["file"], {}).get("status") != DONE:
                known[row["file"]] = dict(row)
        table = [known[name] for name in sorted(known)]
        names = [*FIRST, *sorted({name for row in table for name in row} - {*FIRST, *LAST}), *LAST]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in table)
        with replacing(path) as file:
            file.write(text.getvalue().encode(errors="backslashreplace"))
    return path


@contextmanager
def _alone(path: Path):
    """Wait until no other process rewrites the table, but not for ever."""
    until = time.monotonic() + PATIENCE
    while True:
        with claimed(path) as mine:
            if mine or time.monotonic() > until:
                if not mine:
                    warnings.warn(
                        f"{path}: another process has kept it for {PATIENCE:g} s; it is written "
                        "all the same, and rows of the other may be missing until its next write",
                        stacklevel=4,
                    )
                yield
                return
        time.sleep(0.02)


def _asked(row: Mapping) -> str:
    """Pictures and settings of a row."""
    asked = {name: row[name] for name in row if name not in ("file", "status", *LAST)}
    return json.dumps(asked, sort_keys=True)


def _cell(value: object) -> object:
    """A value as the table holds it: lists, mappings, true and false as JSON."""
    return json.dumps(value) if isinstance(value, Mapping | list | bool) else value


def _value(name: str, text: str) -> object:
    if name in _TEXT:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
