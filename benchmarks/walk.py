"""How a picture walks through the house: the files that `stylize` hands it to, and every climb.

A call is a move if one of its arguments is the content, as it was given or as a record or a list
holds it, and the caller is in another file. A move to a higher floor is a climb. The network is a
tiny random one, so that this takes a second: `python benchmarks/walk.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import torch

import nst_tutorial as nst

PACKAGE = Path(nst.__file__).parent
FLOORS = (
    ("checks", "settings", "presets"),
    ("storage", "machine"),
    ("images",),
    ("vgg", "kernels"),
    ("noise", "losses"),
    ("tiling",),
    ("optimize",),
    ("learning",),
    ("one_pass",),
    ("transfer",),
)


def floor_of(file: str) -> int:
    room = file.split("/")[0].removesuffix(".py")
    return next((i for i, rooms in enumerate(FLOORS) if room in rooms), len(FLOORS))


def holds(value: object, picture: torch.Tensor, depth: int = 2) -> bool:
    """Whether a value is the picture or holds it, as a view or in a record, list or mapping."""
    if isinstance(value, torch.Tensor):
        return value.untyped_storage().data_ptr() == picture.untyped_storage().data_ptr()
    if not depth:
        return False
    if is_dataclass(value) and not isinstance(value, type):
        parts = (getattr(value, field.name, None) for field in fields(value))
        return any(holds(part, picture, depth - 1) for part in parts)
    if isinstance(value, Mapping):
        return any(holds(part, picture, depth - 1) for part in value.values())
    return isinstance(value, list | tuple) and any(holds(v, picture, depth - 1) for v in value)


def walk(picture: torch.Tensor, run) -> list[tuple[str, str]]:
    """Return (from file, to file) of each move of the picture while `run` runs."""
    moves = []

    def file_of(frame) -> str | None:
        path = Path(frame.f_code.co_filename)
        return str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else None

    def trace(frame, event, argument):
        if event != "call":
            return
        here = file_of(frame)
        caller = frame.f_back
        there = file_of(caller) if caller is not None else None
        if here is None or there is None or here == there:
            return
        names = frame.f_code.co_varnames[
            : frame.f_code.co_argcount + frame.f_code.co_kwonlyargcount
        ]
        if any(holds(frame.f_locals.get(name), picture) for name in names):
            moves.append((there, here))

    sys.setprofile(trace)
    try:
        run()
    finally:
        sys.setprofile(None)
    return moves


def main() -> None:
    content = nst.load_image("temple", size=96)
    style = nst.load_image("starry_night", size=96)
    model = nst.VGG19("random", channels=(4, 6, 8, 8, 8), device="cpu")
    moves = walk(content, lambda: nst.stylize(content, style, model=model, steps=2))
    files = {file for move in moves for file in move}
    distinct = sorted(set(moves))
    climbs = [move for move in distinct if floor_of(move[1]) > floor_of(move[0])]
    for there, here in distinct:
        print(f"{there:35} → {here:30}" + ("   climbs" if (there, here) in climbs else ""))
    rooms = {file.split("/")[0].removesuffix(".py") for file in files}
    print(f"{len(rooms)} rooms, {len(files)} files, {len(distinct)} moves, {len(climbs)} climbs")


if __name__ == "__main__":
    main()
