"""What several tests of batches use."""

import json
import os
import subprocess
import time

from runs import COMMAND

from nst_tutorial import load_image, sweep
from nst_tutorial.images.reading import save_image

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


def start(arguments):
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip


def wait_for_pictures(out, count, process, most=300):
    until = time.monotonic() + most
    while len(list(out.glob("*.png"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)


def whole_pictures(out):
    return [load_image(path).shape for path in out.glob("*.png")]
