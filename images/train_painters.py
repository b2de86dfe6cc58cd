"""Train the painters that come with the package, and the decoder for any style.

    python images/fetch_photographs.py PHOTOS --drawings DRAWINGS
    python images/train_painters.py PHOTOS [NAMES] [--drawings DRAWINGS] [--print]

Without names: all painters, one after the other, each in half an hour of one core of a server;
`decoder`, in 70 minutes, needs the drawings too. What was interrupted continues when it is started
again. Each of them is what the command line makes: the command is printed, and with --print nothing
else is done.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import nst_tutorial as nst

DATA = Path(nst.__file__).parent / "data"
ON = ("--size", "256", "--batch", "1")
PAINTERS = {  # name → style, steps, how much of the photograph
    "repaint_starry_night": ("starry_night", "1500", "0.2"),
    "repaint_woodcut_waves": ("woodcut_waves", "1000", "0.2"),
}


DECODER = "decoder"
DECODER_OPTIONS = ("--size", "160", "--batch", "3", "--minutes", "70", "--style-weight", "3")


def command_for(name: str, photos: Path, drawings: Path | None = None) -> list[str]:
    """The words after `python -m nst_tutorial` that train a network."""
    if name == DECODER:
        out = DATA / "decoders" / f"{name}.safetensors"
        return ["train-decoder", "--photos", str(photos), "--styles", str(drawings), "--overwrite",
                *DECODER_OPTIONS, "--out", str(out)]  # fmt: skip
    out = DATA / "painters" / f"{name}.safetensors"
    style, steps, share = PAINTERS[name]
    return ["train-painter", style, "--photos", str(photos), "--overwrite", *ON, "--steps", steps,
            "--content-share", share, "--out", str(out)]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--drawings", type=Path)
    parser.add_argument("--print", action="store_true", dest="only_print")
    chosen = parser.parse_args()
    known = [*PAINTERS, DECODER]
    for name in chosen.names:
        if name not in known:
            parser.error(f"{name}: there are {', '.join(known)}")
    if DECODER in chosen.names and chosen.drawings is None:
        parser.error(f"{DECODER}: give the folder of styles that it learns from, --drawings")
    for name in chosen.names or PAINTERS:
        words = command_for(name, chosen.photos, chosen.drawings)
        print("nst", shlex.join(words), flush=True)
        if chosen.only_print:
            continue
        done = subprocess.run([sys.executable, "-m", "nst_tutorial", *words])
        if done.returncode:
            sys.exit(done.returncode)


if __name__ == "__main__":
    main()
