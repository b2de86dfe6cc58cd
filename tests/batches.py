"""What several tests of batches use."""

import json

from conftest import COMMAND

from nst_tutorial import load_image, sweep
from nst_tutorial.images import save_image

TINY = {"size": [48], "steps": [2]}
GRID = {**TINY, "style_weight": [5.0, 50.0]}


def run(out, contents="temple", styles="starry_night", grid=GRID, **options):
    return sweep(contents, styles, grid, out, **{"progress": False, "device": "cpu", **options})


def pictures_in(folder):
    return {p.name: p.stat().st_mtime_ns for p in folder.glob("*.png")}


def command(out, grid, *more):
    (out.parent / "grid.json").write_text(json.dumps(grid))
    folders = []
    for kind, name in (("contents", "temple"), ("styles", "starry_night")):
        folder = out.parent / kind
        folder.mkdir(exist_ok=True)
        save_image(load_image(name, 48), folder / f"{name}.png")
        folders += [f"--{kind}", folder]
    return [*COMMAND, "batch", *map(str, folders), "--grid", str(out.parent / "grid.json"),
            "--out", str(out), "--device", "cpu", *more]  # fmt: skip
