"""Blind votes: pairs of pictures in a random order, and files that a class can put together."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

from ..storage.atomic import replacing
from .records import BUNDLED
from .standing import Vote

SUFFIXES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Ballot:
    """Two pictures of one content and style, left and right, whose names the voter does not see."""

    pair: str
    left: Path
    right: Path

    def vote(self, side: str | None) -> Vote:
        """The vote for "left", "right" or None, neither."""
        names = self.left.stem, self.right.stem
        sides = {"left": names[0], "right": names[1], None: None}
        if side not in sides:
            raise ValueError(f"a vote is for 'left', 'right' or None, got {side!r}")
        return Vote(*names, sides[side])


def pictures_to_vote_on(folder: str | Path | None = None) -> dict[str, list[Path]]:
    """Return pair → its pictures, from a folder with one folder for each pair.

    The pictures in it are named after the contestants, `temple-starry_night/gram.png`; None: those
    that come with the course.

    Raises
    ------
    OSError
        The folder is missing.
    ValueError
        No folder in it has two pictures, or one has two of the same name.
    """
    folder = BUNDLED / "pictures" if folder is None else Path(folder)
    pairs = {
        each.name: sorted(p for p in each.iterdir() if _is_picture(p))
        for each in sorted(folder.iterdir())
        if each.is_dir() and not each.name.startswith((".", "__"))
    }
    for name, pictures in pairs.items():
        if len({path.stem for path in pictures}) < len(pictures):
            raise ValueError(f"{folder / name} has two pictures of one contestant's name")
    pairs = {name: pictures for name, pictures in pairs.items() if len(pictures) > 1}
    if not pairs:
        raise ValueError(
            f"nothing to vote on in {folder}: it needs a folder for each pair of content and "
            "style, with two pictures or more named after their contestants"
        )
    return pairs


def _is_picture(path: Path) -> bool:
    hidden = path.name.startswith(".")  # such as macOS leaves beside the files
    return path.suffix.lower() in SUFFIXES and path.is_file() and not hidden


def ballots(pairs: dict[str, list[Path]], seed: int) -> Iterator[Ballot]:
    """All pairs of pictures in a random order, again and again; left and right are random too."""
    draw = random.Random(seed)
    possible = [
        (name, two) for name, pictures in pairs.items() for two in combinations(pictures, 2)
    ]  # fmt: skip
    while True:
        draw.shuffle(possible)
        for name, two in possible:
            left, right = draw.sample(two, 2)
            yield Ballot(name, left, right)


def save_votes(votes: Sequence[Vote], path: str | Path) -> Path:
    """Write votes as JSON, whole or not at all, and return where."""
    path = Path(path)
    with replacing(path) as file:
        file.write((json.dumps([asdict(vote) for vote in votes], indent=1) + "\n").encode())
    return path


def load_votes(paths: str | Path | Iterable[str | Path]) -> list[Vote]:
    """Return the votes in one file or several, those of a class for instance.

    Raises
    ------
    OSError
        A file is missing.
    ValueError
        It holds no votes; the message names it.
    """
    votes = []
    for path in [paths] if isinstance(paths, str | Path) else paths:
        try:
            votes += [Vote(**vote) for vote in json.loads(Path(path).read_text(encoding="utf-8"))]
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} holds no votes: {error}") from error
    return votes
