"""Stored results of converged runs, which are too long for a notebook.

`notebooks/records/make.py` makes them, each by one command that the record names; notebooks show
and quote them. A record is a JSON file with a row for each thing measured, and a few small pictures
beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from .checks import did_you_mean
from .images.reading import load_image

FOLDER = Path(__file__).resolve().parent / "data" / "records"
"""The records that come with the course."""

FORMAT = "nst_tutorial record 1"


@dataclass(frozen=True)
class Record:
    """What one command has measured, and how."""

    name: str
    question: str
    command: str
    settings: Mapping[str, Any]
    """Sizes, evaluations, layers: all that the rows do not say."""
    machine: str
    """The processor or graphics card, as `machine.processor.describe_processor` calls it."""
    torch: str
    """The version of PyTorch."""
    missing: tuple[str, ...]
    """Cases that failed or were not reached; none in a complete record."""
    rows: tuple[Mapping[str, Any], ...]
    """Of one or several kinds; a number that was not finite is None."""
    folder: Path
    """Where the pictures lie."""

    def where(self, **values: Any) -> list[Mapping[str, Any]]:
        """Return the rows that have these values: `record.where(layer="relu1_1")`.

        Raises
        ------
        ValueError
            There is none; the message names what the first of these columns holds.
        """
        rows = [row for row in self.rows if all(row.get(k) == v for k, v in values.items())]
        if not rows:
            column = next(iter(values), "")
            there = list(dict.fromkeys(str(row[column]) for row in self.rows if column in row))
            raise ValueError(
                f"record {self.name}: no row with {values}; its {column!r} holds "
                f"{', '.join(there) or 'nothing'}"
            )
        return rows

    def column(self, name: str, **values: Any) -> list[Any]:
        """Return one column of the rows that have these values, in their order."""
        return [row[name] for row in self.where(**values)]

    @property
    def pictures(self) -> list[str]:
        """The names of its pictures."""
        return sorted(path.stem for path in self.folder.glob("*.webp"))

    def picture(self, name: str) -> Tensor:
        """Return a picture of the record, (1, 3, H, W), sRGB, 0..1, slightly compressed.

        Raises
        ------
        ValueError
            There is none of this name; the message lists those that there are.
        """
        if name not in self.pictures:
            raise ValueError(
                f"record {self.name} has no picture {name!r}; there are "
                f"{', '.join(self.pictures) or 'none'}{did_you_mean(name, self.pictures)}"
            )
        return load_image(self.folder / f"{name}.webp")


def names(folder: str | Path = FOLDER) -> list[str]:
    """Return the names of the records in a folder, those of the course by default."""
    return sorted(path.stem for path in Path(folder).glob("*.json"))


def load(name: str, folder: str | Path = FOLDER) -> Record:
    """Return a record by name, of those of the course by default.

    Raises
    ------
    FileNotFoundError
        There is none of this name; the message lists those that there are.
    ValueError
        The file is no record.
    """
    path = Path(folder) / f"{name}.json"
    if not path.is_file():
        known = names(folder)
        raise FileNotFoundError(
            f"no record {name!r}; there are {', '.join(known) or 'none'}{did_you_mean(name, known)}"
        )
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.get("format") != FORMAT:
        raise ValueError(f"{path}: is not a record of the format {FORMAT!r}")
    return Record(
        name=content["name"],
        question=content["question"],
        command=content["command"],
        settings=content["settings"],
        machine=content["machine"],
        torch=content["torch"],
        missing=tuple(content["missing"]),
        rows=tuple(content["rows"]),
        folder=path.with_suffix(""),
    )
