"""Runs of the package: in this process with a tiny network, and in processes of their own."""

import subprocess
import sys
import textwrap

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
