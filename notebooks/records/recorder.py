"""How a record is written: rows in the order of the cases, and small pictures."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from bench import Case, Experiment
from PIL import Image

import nst_tutorial as nst
from nst_tutorial.machine.device import choose_device
from nst_tutorial.machine.processor import describe_processor
from nst_tutorial.records import FORMAT
from nst_tutorial.storage.atomic import replacing

PICTURE = 60_000  # bytes of one picture at most


def compressed(picture: torch.Tensor) -> bytes:
    """A picture as WebP, of the best quality that fits into `PICTURE` bytes."""
    array = (picture[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    for quality in range(85, 0, -10):
        file = io.BytesIO()
        Image.fromarray(array).save(file, "WEBP", quality=quality, method=6)
        if file.tell() <= PICTURE:
            break
    return file.getvalue()


class Recorder:
    """One record that grows: rows and pictures in the order of the cases, whatever comes first."""

    def __init__(self, experiment: Experiment, out: Path, small: bool, device: str):
        self.experiment, self.out, self.small, self.device = experiment, out, small, device
        self.settings = {**experiment.settings, **(experiment.small if small else {})}
        self.cases = of_the_first(experiment.cases) if small else [*experiment.cases]
        self.rows: dict[int, list] = {}
        out.mkdir(parents=True, exist_ok=True)
        for stale in (out / experiment.name).glob("*.webp"):
            stale.unlink()

    @property
    def missing(self) -> list[str]:
        return [words(c) for i, c in enumerate(self.cases) if i not in self.rows]

    def take(self, index: int, rows: list, pictures: Mapping[str, bytes]) -> None:
        self.rows[index] = rows
        for key, content in pictures.items():
            folder = self.out / self.experiment.name
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(folder / f"{slug(key)}.webp") as file:
                file.write(content)
        self.write()

    def write(self) -> None:
        """Write the record, one row a line."""
        head = {
            "format": FORMAT,
            "name": self.experiment.name,
            "question": self.experiment.question,
            "command": f"python notebooks/records/make.py {self.experiment.name}"
            + (" --small" if self.small else ""),
            "settings": self.settings,
            "machine": describe_processor(choose_device(self.device)),
            "torch": torch.__version__,
            "version": nst.__version__,
            "missing": self.missing,
        }
        rows = [row for i in sorted(self.rows) for row in self.rows[i]]
        lines = ",\n".join(json.dumps(r, ensure_ascii=False, allow_nan=False) for r in rows)
        parts = {key: json.dumps(v, ensure_ascii=False, allow_nan=False) for key, v in head.items()}
        text = ",\n".join(f' "{key}": {part}' for key, part in parts.items())
        with replacing(self.out / f"{self.experiment.name}.json") as file:
            file.write(f'{{\n{text},\n "rows": [\n{lines}\n ]\n}}\n'.encode())


def of_the_first(cases: Sequence[Case]) -> list[Case]:
    """Those that agree with the first in their first column: all that is done to one pair."""
    column, value = next(iter(cases[0].items()))
    return [case for case in cases if case[column] == value]


def words(case: Case) -> str:
    return ", ".join(str(value) for value in case.values())


def slug(text: str) -> str:
    """Return a name for a file: lower case letters, digits and _."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
