"""Blind votes on the page: the pictures under numbers, and who they are, for the ranking."""

from __future__ import annotations

import shutil
from pathlib import Path

from nst_tutorial.league.standing import PRIOR
from nst_tutorial.league.votes import pictures_to_vote_on

from .answers import write_json


def write_votes(folder: Path) -> None:
    """Copy the pictures; their names on the page do not say whose they are."""
    pairs = {}
    for number, (pair, pictures) in enumerate(pictures_to_vote_on().items()):
        pairs[pair] = []
        for i, path in enumerate(pictures):
            file = f"{number}_{i}{path.suffix}"
            shutil.copy(path, folder / file)
            pairs[pair].append([path.stem, file])
    content = {"kind": "votes", "prior": PRIOR, "pairs": pairs}
    write_json(folder / "explorer.json", content)
