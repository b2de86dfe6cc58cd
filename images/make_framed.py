"""Make the pictures in images/framed, one for the first page of a notebook.

    python images/make_framed.py [NOTEBOOK ...]

Without a name: all of them, ten minutes on two cores. Each is made by one command, which is
printed, or is a picture of the gallery made smaller. The PNG files that the commands write
stay in `results`; into the folder go JPEG files for the course's readers.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent))
from best_jpeg import best_jpeg

ROOT = Path(__file__).resolve().parents[1]
FOLDER, RESULTS = ROOT / "images" / "framed", ROOT / "results" / "framed"
LARGEST_FILE = 160_000  # bytes of a JPEG

# Notebook → what `nst` is asked for
COMMANDS = {
    "00_quickstart": ("stylize", "temple", "starry_night", "--size", "512"),
    "02_content": ("stylize", "cat", "stained_glass", "--size", "512", "--steps", "80,20"),
    "03_style_gram": (
        "texture", "tissue_stain", "--size", "512", "--style-size", "512", "--steps", "150",
    ),
    "04_kernels": (
        "stylize", "coffee", "confetti_dots", "--size", "512", "--steps", "80,20",
        "--style-weight", "3",
    ),
    "09_photographs": (
        "stylize", "forest_stream", "images/photos/dandelions.jpg", "--photo", "--size", "640",
        "--steps", "30", "--style-weight", "4",
    ),
}  # fmt: skip

# Notebook → a picture of the gallery
REDUCED = {
    "05_balance": "large_fig",
    "06_optimize": "large_forest",
    "07_style_transfer": "large_mountain",
    "08_limits": "large_mountain_piece",
    "08b_large_pictures": "large_sunset_piece",
    "10_texture_networks": "painter_meadow",
    "11_at_scale": "pairs",
    "12_beyond_gram": "large_sunset",
}
SIZE = 800  # pixels of its longer side

NOTEBOOKS = [*COMMANDS, *REDUCED]


def command(notebook: str) -> list[str]:
    """What makes the picture of a notebook, from the root of the repository."""
    out = (RESULTS / f"{notebook}.png").relative_to(ROOT)
    return ["nst", *COMMANDS[notebook], "--out", str(out)]


def make(notebook: str) -> Path:
    """Run the command, unless its picture is there."""
    words, out = command(notebook), RESULTS / f"{notebook}.png"
    print(shlex.join(words), flush=True)
    if not out.exists():
        subprocess.run([sys.executable, "-m", "nst_tutorial", *words[1:]], check=True, cwd=ROOT)
    return out


def framed(notebook: str) -> Image.Image:
    """The picture of a notebook, made if need be."""
    if notebook in REDUCED:
        picture = Image.open(ROOT / "images" / "gallery" / f"{REDUCED[notebook]}.jpg")
        picture.thumbnail((SIZE, SIZE), Image.LANCZOS)
        return picture
    return Image.open(make(notebook)).convert("RGB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NOTEBOOK", help=", ".join(NOTEBOOKS))
    names = parser.parse_args().names or NOTEBOOKS
    if set(names) - set(NOTEBOOKS):
        parser.error(f"there are {', '.join(NOTEBOOKS)}")
    FOLDER.mkdir(exist_ok=True)
    for name in names:
        (FOLDER / f"{name}.jpg").write_bytes(best_jpeg(framed(name), LARGEST_FILE))


if __name__ == "__main__":
    main()
