"""The optimiser explorer: every walk as numbers, which the page draws.

A walk is shown beside the one before it, so that pictures of all pairs would be hundreds of
thousands; the walks themselves are a few hundred.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

from nst_tutorial import widgets
from nst_tutorial.plots.figure import COLORS
from nst_tutorial.widgets.explorers import optimize

from .answers import control_of, switched_off, write_json

DIGITS = 6
FLOOR = 1e-5  # below which losses are not drawn


def write_walks(folder: Path) -> None:
    explorer = widgets.optimizer_explorer()
    controls = [control_of(name, widget) for name, widget in explorer.controls.items()]
    by_name = {each.name: each for each in controls}
    names = [name for name in by_name if name != "before"]
    walks = {}
    for marks in product(*(range(len(by_name[name].values)) for name in names)):
        walk = {name: by_name[name].values[i] for name, i in zip(names, marks, strict=True)}
        if walk["method"] != "L-BFGS":
            if marks[names.index("history")] != by_name["history"].index:
                continue
            walk["history"] = 0
        path, losses = optimize.walk(**walk)
        walks[",".join(map(str, marks))] = [
            [round(x, DIGITS) for place in path.tolist() for x in place],
            [float(f"{value:.{DIGITS}g}") for value in losses],
            optimize.told_of(walk, path, losses),
        ]
    write_json(
        folder / "explorer.json",
        {
            "kind": "walks",
            "what": explorer.what,
            "controls": [each.as_json() for each in controls],
            "off": switched_off(explorer, controls),
            "names": names,
            "valleys": list(optimize.VALLEYS.values()),
            "bottom": list(optimize.BOTTOM),
            "box": list(optimize.BOX),
            "free": optimize.WALLS.index(optimize.FREE),
            "floor": FLOOR,
            "colors": list(COLORS[:2]),
            "walks": walks,
        },
    )
