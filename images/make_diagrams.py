"""Draw the six diagrams of the course as SVG files.

    python images/make_diagrams.py [FOLDER]

writes them into images/diagrams, or into FOLDER. Layer names, receptive fields, tiles and margins
are asked of the package, and what can be computed is; the same files come out wherever it runs.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from drawing.canvas import Drawing
from drawing.gram import gram
from drawing.pipeline import pipeline
from drawing.tiles import tiles
from drawing.two_clouds import two_clouds
from drawing.two_loop import two_loop
from drawing.vgg19 import vgg19

DIAGRAMS: dict[str, Callable[[], Drawing]] = {
    "pipeline": pipeline,
    "vgg19": vgg19,
    "gram": gram,
    "two_clouds": two_clouds,
    "two_loop": two_loop,
    "tiles": tiles,
}


def make_diagrams(folder: Path) -> None:
    """Write every diagram into a folder, as NAME.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in DIAGRAMS.items():
        (folder / f"{name}.svg").write_bytes(draw().svg().encode())


if __name__ == "__main__":
    make_diagrams(Path(*sys.argv[1:2] or [Path(__file__).resolve().parent / "diagrams"]))
