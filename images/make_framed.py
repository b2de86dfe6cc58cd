"""Make the pictures in images/framed, one for the first page of a notebook.

    python images/make_framed.py [NOTEBOOK ...]

Without a name: all of them, ten minutes on two cores. Each is made by commands, which are
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
        "stylize", "forest_stream", "images/photos/dandelions.jpg", "--photo", "--size", "160",
        "--steps", "25", "--style-weight", "4", "--look", "results/framed/evening.safetensors",
    ),
    "12_beyond_gram": ("stylize", "sunset_hills", "confetti_dots", "--size", "512"),
}  # fmt: skip

# Notebook → the photograph, whole, that gets the look which its command writes
APPLIED = {"09_photographs": "forest_stream"}

# Notebook → a picture of the gallery
REDUCED = {
    "05_balance": "large_fig",
    "06_optimize": "large_forest",
    "07_style_transfer": "large_mountain",
    "08_limits": "large_mountain_piece",
    "08b_large_pictures": "large_fig_piece",
    "10_texture_networks": "painter_meadow",
    "11_at_scale": "pairs",
}
SIZE = 800  # pixels of its longer side

NOTEBOOKS = [*COMMANDS, *REDUCED]


def commands(notebook: str) -> list[list[str]]:
    """What makes the picture of a notebook, from the root of the repository; the last gives it."""
    out = (RESULTS / f"{notebook}.png").relative_to(ROOT)
    first = ["nst", *COMMANDS[notebook], "--out", str(out)]
    if notebook not in APPLIED:
        return [first]
    look, whole = first[first.index("--look") + 1], out.with_stem(f"{notebook}_whole")
    return [first, ["nst", "apply-look", look, APPLIED[notebook], "--out", str(whole)]]


def make(notebook: str) -> Path:
    """Run the commands, unless their pictures are there."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    for words in commands(notebook):
        print(shlex.join(words), flush=True)
        if not (ROOT / words[-1]).exists():
            subprocess.run([sys.executable, "-m", "nst_tutorial", *words[1:]], check=True, cwd=ROOT)
    return ROOT / words[-1]


def framed(notebook: str) -> Image.Image:
    """The picture of a notebook, made if need be."""
    gallery = ROOT / "images" / "gallery"
    path = gallery / f"{REDUCED[notebook]}.jpg" if notebook in REDUCED else make(notebook)
    picture = Image.open(path).convert("RGB")
    picture.thumbnail((SIZE, SIZE), Image.LANCZOS)
    return picture


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
