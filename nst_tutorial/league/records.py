"""What a league leaves behind: one JSON file, with a row for each picture."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..storage.atomic import replacing
from .measures import Measures
from .standing import non_dominated

BUNDLED = Path(__file__).resolve().parents[1] / "data" / "league"
"""The league that comes with the course: `league.json`, and a folder of pictures to vote on."""

MEASURES = tuple(field.name for field in fields(Measures))
COLUMNS = (*MEASURES, "seconds")
MORE_IS_BETTER = {name: name in ("edges", "features") for name in COLUMNS}


@dataclass(frozen=True)
class Row:
    """One picture: whose it is, what it was made of, what was measured, what it took."""

    contestant: str
    content: str
    style_picture: str
    measures: Measures
    seconds: float

    def __getitem__(self, column: str) -> float:
        return self.seconds if column == "seconds" else getattr(self.measures, column)


@dataclass(frozen=True)
class League:
    """All rows, who the contestants are, and how it was run: size, evaluations, machine."""

    rows: tuple[Row, ...]
    contestants: Mapping[str, str]
    run: Mapping[str, Any]

    def medians(self) -> dict[str, dict[str, float]]:
        """Contestant → column → the median over its pictures."""
        return {
            name: {
                column: statistics.median(row[column] for row in self.rows_of(name))
                for column in COLUMNS
            }
            for name in self.contestants
        }

    def rows_of(self, contestant: str) -> list[Row]:
        """In the order of the pairs of pictures."""
        rows = [row for row in self.rows if row.contestant == contestant]
        return sorted(rows, key=lambda row: (row.content, row.style_picture))

    def front(self, style: str = "style", content: str = "edges") -> list[str]:
        """The contestants whose medians nobody else's are as good as in both and better in one."""
        columns = style, content
        scores = {
            name: [median[column] for column in columns]
            for name, median in self.medians().items()
        }  # fmt: skip
        return non_dominated(scores, [MORE_IS_BETTER[column] for column in columns])

    def wins(self, first: str, second: str, column: str) -> tuple[int, int]:
        """For how many pairs of pictures the first is better than the second, and of how many."""
        pairs = list(zip(self.rows_of(first), self.rows_of(second), strict=True))
        sign = 1 if MORE_IS_BETTER[column] else -1
        return sum(sign * (a[column] - b[column]) > 0 for a, b in pairs), len(pairs)

    def save(self, path: str | Path) -> None:
        """Write the league, whole or not at all."""
        text = json.dumps(
            {
                "run": dict(self.run),
                "contestants": dict(self.contestants),
                "rows": [_rounded(row) for row in self.rows],
            },
            indent=1,
        )
        with replacing(Path(path)) as file:
            file.write((text + "\n").encode())


def load_league(path: str | Path | None = None) -> League:
    """Return the league in a file; None: the one that comes with the course.

    Raises
    ------
    OSError
        The file is missing or cannot be read.
    ValueError
        It is no league.
    """
    path = BUNDLED / "league.json" if path is None else Path(path)
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        rows = tuple(_row(row) for row in stored["rows"])
        league = League(rows, dict(stored["contestants"]), dict(stored["run"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a league: {error!r}") from error
    _check(path, league.contestants, rows)
    return league


def _check(path: Path, contestants: Iterable[str], rows: Iterable[Row]) -> None:
    """Each contestant has a picture of each pair, once, and finite measures."""
    pairs: dict[str, list[tuple[str, str]]] = {name: [] for name in contestants}
    for row in rows:
        if row.contestant not in pairs:
            raise ValueError(f"{path}: {row.contestant!r} is not among the contestants")
        pairs[row.contestant].append((row.content, row.style_picture))
        if not all(math.isfinite(row[column]) for column in COLUMNS):
            raise ValueError(
                f"{path}: the row of {row.contestant!r} has numbers that are not finite"
            )
    if not pairs or not all(each and len(set(each)) == len(each) for each in pairs.values()):
        raise ValueError(f"{path}: a contestant has no pictures, or two of one pair")
    if len({tuple(sorted(each)) for each in pairs.values()}) > 1:
        raise ValueError(f"{path}: not every contestant has a picture of every pair")


def _row(stored: Mapping[str, Any]) -> Row:
    measures = Measures(**{name: float(stored[name]) for name in MEASURES})
    names = {name: stored[name] for name in ("contestant", "content", "style_picture")}
    return Row(**names, measures=measures, seconds=float(stored["seconds"]))


def _rounded(row: Row) -> dict[str, Any]:
    """As JSON; four digits are more than a second run gives again on another processor."""
    plain = {**asdict(row), **asdict(row.measures)}
    del plain["measures"]
    return {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in plain.items()
    }
