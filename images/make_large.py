"""Make the large pictures in images/gallery, each by one command that this prints.

    python images/make_large.py [NAME ...]

Without a name: all five, some four hours of one core (AMD EPYC, AVX2). Contents are photographs of
3072 pixels in images/photos; drawn styles are drawn as large first. A run that was stopped goes on
from its checkpoint when this is started again. The pictures themselves, PNG files of some 8 MB,
stay in `results`; into the gallery go a JPEG of each, a piece
of it at 100 %, and one picture of all of them, small.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent))
from best_jpeg import best_jpeg

ROOT = Path(__file__).resolve().parents[1]
GALLERY, RESULTS = ROOT / "images" / "gallery", ROOT / "results"
SIZE = 2048  # pixels of the longer side
LARGEST_FILE, LARGEST_WALL = 650_000, 450_000  # bytes of a JPEG
PIECE = (840, 460)  # pixels
WALL, GAP = 1600, 8  # width of the picture of all of them, and between two, in pixels
ROWS = (("fig", "sunset"), ("mountain", "forest", "meadow"))
DRAWN = ("stained_glass", "woodcut_waves")


@dataclass(frozen=True)
class Large:
    """One of the pictures."""

    photograph: str
    style: str
    piece: tuple[float, float]  # the middle of the piece, in parts of width and height
    options: tuple[str, ...] = ()  # more of the command, at SIZE
    cleaned: int = 0  # grey levels of noise to remove at SIZE, by a second command

    @property
    def style_file(self) -> str:
        return f"results/styles/{self.style}.jpg" if self.style in DRAWN else self.style

    def out(self, size: int = SIZE) -> Path:
        return RESULTS / f"{self.photograph}_{self.style}_{size}.png"

    def picture(self, size: int = SIZE) -> Path:
        """The file that the last of its commands writes."""
        out = self.out(size)
        return out.with_stem(f"{out.stem}_denoised") if self.cleaned and size == SIZE else out

    def checkpoint(self, size: int = SIZE) -> Path:
        """The state of a run that has begun; when it is done, it is gone."""
        return self.out(size).with_suffix(".checkpoint")

    def command(self, size: int = SIZE) -> list[str]:
        """What makes it, from the root of the repository."""
        return [
            "nst", "stylize", f"images/photos/{self.photograph}.jpg", self.style_file,
            "--size", str(size), *(self.options if size == SIZE else ()),
            "--out", str(self.out(size).relative_to(ROOT)), "--overwrite",
            "--checkpoint", str(self.checkpoint(size).relative_to(ROOT)),
        ]  # fmt: skip

    def cleaning(self) -> list[str]:
        """What cleans the picture at SIZE; the file it writes is the default."""
        return [
            "nst", "denoise", str(self.out().relative_to(ROOT)),
            "--guide", f"images/photos/{self.photograph}.jpg",
            "--method", "non-local-means", "--strength", str(self.cleaned),
        ]  # fmt: skip


# Of a style much enlarged: more evaluations at 2048 pixels make a lattice, and no paint
ENLARGED = ("--steps", "100,56,34,10")
PICTURES = {
    "mountain": Large("mountain_path", "starry_night", (0.25, 0.25), ENLARGED, cleaned=8),
    "fig": Large("fig", "woodcut_waves", (0.6, 0.55)),
    "forest": Large("forest_stream", "stained_glass", (0.5, 0.6)),
    "sunset": Large("sunset_hills", "starry_night", (0.5, 0.45), ENLARGED, cleaned=8),
    "meadow": Large("autumn_meadow", "woodcut_waves", (0.7, 0.5), cleaned=5),
}


def draw_styles() -> None:
    """Those of the styles that are drawn, as large as the photographs, if they are not there."""
    folder = RESULTS / "styles"
    if not all((folder / f"{name}.jpg").exists() for name in DRAWN):
        script = ROOT / "images" / "draw_styles.py"
        subprocess.run([sys.executable, script, "--size", "3072", "--to", folder], check=True)


def make(large: Large, size: int = SIZE) -> Path:
    """Run the commands whose pictures are not there, or only as far as a stopped run got."""
    if not large.out(size).exists() or large.checkpoint(size).exists():
        run(large.command(size))
    if not large.picture(size).exists():
        run(large.cleaning())
    return large.picture(size)


def run(command: list[str]) -> None:
    print(shlex.join(command), flush=True)
    subprocess.run([sys.executable, "-m", "nst_tutorial", *command[1:]], check=True, cwd=ROOT)


def piece_of(picture: Image.Image, middle: tuple[float, float]) -> Image.Image:
    """A piece of it, pixel by pixel."""
    left = round(middle[0] * picture.width - PIECE[0] / 2)
    top = round(middle[1] * picture.height - PIECE[1] / 2)
    return picture.crop((left, top, left + PIECE[0], top + PIECE[1]))


def wall(rows: Sequence[Sequence[Image.Image]], width: int = WALL) -> Image.Image:
    """The pictures, whole, in rows that all fill the width."""
    strips = []
    for row in rows:
        room = width - GAP * (len(row) - 1)
        height = round(room / sum(picture.width / picture.height for picture in row))
        edges = [0]
        for picture in row:
            edges.append(edges[-1] + picture.width / picture.height * height)
        edges = [round(edge * room / edges[-1]) for edge in edges]
        strip = Image.new("RGB", (width, height), "white")
        for i, picture in enumerate(row):
            size = (edges[i + 1] - edges[i], height)
            strip.paste(picture.resize(size, Image.Resampling.LANCZOS), (edges[i] + GAP * i, 0))
        strips.append(strip)
    whole = Image.new("RGB", (width, sum(s.height + GAP for s in strips) - GAP), "white")
    top = 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height + GAP
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    names = parser.parse_args().names or list(PICTURES)
    if set(names) - set(PICTURES):
        parser.error(f"there are {', '.join(PICTURES)}")
    draw_styles()
    for name in names:
        large = PICTURES[name]
        picture = Image.open(make(large)).convert("RGB")
        (GALLERY / f"large_{name}.jpg").write_bytes(best_jpeg(picture, LARGEST_FILE))
        piece = piece_of(picture, large.piece)
        piece.save(GALLERY / f"large_{name}_piece.jpg", quality=90)
    shown = [[Image.open(GALLERY / f"large_{name}.jpg") for name in row] for row in ROWS]
    (GALLERY / "wall.jpg").write_bytes(best_jpeg(wall(shown), LARGEST_WALL))


if __name__ == "__main__":
    main()
