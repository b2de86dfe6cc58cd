"""Runs of the package: in this process with a tiny network, and in processes of their own."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from nst_tutorial.transfer.style_transfer import stylize

COMMAND = [sys.executable, "-m", "nst_tutorial"]
QUICK = ["--size", "64", "--steps", "3", "--device", "cpu"]
TINY = (4, 6, 8, 8, 8)  # channels of the five blocks


def quick(pair, tiny, **options):
    """Twelve steps of `stylize` with the tiny network."""
    return stylize(*pair, model=tiny, **{"steps": 12, **options})


RUN = textwrap.dedent("""
    import sys
    from pathlib import Path
    import torch
    from nst_tutorial.transfer import stylize
    from nst_tutorial.vgg import VGG19

    torch.set_num_threads(1)
    folder, name, method, *checkpoint = sys.argv[1:]
    content, style = torch.rand(2, 1, 3, 400, 48, generator=torch.Generator().manual_seed(0))
    model = VGG19("random", channels=(4, 6, 8, 8, 8), device="cpu")
    print("ready", flush=True)
    found = stylize(
        content, style, model=model, steps=60, start="noise", method=method, balance="gradient",
        checkpoint=checkpoint[0] if checkpoint else None, checkpoint_every=2,
        callback=lambda progress: print(progress.evaluation, flush=True),
    )
    history = [{k: v for k, v in row.items() if k != "seconds"} for row in found.history]
    torch.save((found.image, history), Path(folder, name))
""")


def begin(*arguments) -> subprocess.Popen:
    """A process that runs RUN with these arguments and has loaded all it needs."""
    command = [sys.executable, "-c", RUN, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


LONG = ["stylize", "temple", "starry_night", "--size", "64", "--steps", "100000", "--device",
             "cpu"]  # fmt: skip


def start(out: Path, *arguments) -> subprocess.Popen:
    """A run that has long work before it; returns once the optimisation is under way."""
    process = subprocess.Popen(
        [*COMMAND, *LONG, "--out", str(out)],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": "200"},
    )  # fmt: skip
    seen = ""
    while "/100000" not in seen:
        character = process.stderr.read(1)
        assert character, f"it ended early: {seen}"
        seen += character
    return process


def start_in_a_terminal(out: Path):
    """The same in a terminal of its own, which is the second that is returned."""
    ours, theirs = os.openpty()
    terminal = os.fdopen(ours, "rb", buffering=0)
    code = "import fcntl, runpy, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); " + (
        "runpy.run_module('nst_tutorial', run_name='__main__')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, *LONG, "--out", str(out)],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while not re.search(rb"[2-9]\d/100000", seen):
        seen += terminal.read(1000)
    return process, terminal
