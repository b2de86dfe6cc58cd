"""Train the painters and the decoder that come with the package, in nst_tutorial/data.

    python images/fetch_photographs.py PHOTOS --drawings DRAWINGS
    python images/train_painters.py PHOTOS DRAWINGS [NAMES] [--minutes 90]

Without names: all of them, one after the other, each for so long. What was interrupted goes on when
it is started again. Every one of them is what the command line makes: the command is printed.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import nst_tutorial as nst

DATA = Path(nst.__file__).parent / "data"
PAINTERS = {  # name → style
    "repaint_starry_night": "starry_night",
    "repaint_woodcut_waves": "woodcut_waves",
    "repaint_stained_glass": "stained_glass",
}
DECODER = "decoder"


def command_for(name: str, photos: Path, drawings: Path, minutes: float) -> list[str]:
    """The words after `python -m nst_tutorial` that train a network."""
    for_long = ["--photos", str(photos), "--minutes", f"{minutes:g}", "--overwrite"]
    if name == DECODER:
        out = DATA / "decoders" / f"{name}.safetensors"
        return ["train-decoder", *for_long, "--styles", str(drawings), "--out", str(out)]
    out = DATA / "painters" / f"{name}.safetensors"
    return ["train-painter", PAINTERS[name], *for_long, "--out", str(out)]


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("drawings", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--minutes", type=float, default=90.0)
    chosen = parser.parse_args()
    known = [*PAINTERS, DECODER]
    for name in chosen.names:
        if name not in known:
            parser.error(f"{name}: there are {', '.join(known)}")
    for name in chosen.names or known:
        words = command_for(name, chosen.photos, chosen.drawings, chosen.minutes)
        print("nst", shlex.join(words), flush=True)
        done = subprocess.run([sys.executable, "-m", "nst_tutorial", *words])
        if done.returncode:
            sys.exit(done.returncode)


if __name__ == "__main__":
    main()
