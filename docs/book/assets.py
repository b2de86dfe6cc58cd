"""What every page needs and no one reads: mathematics, the icon, pictures in the front's size."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from PIL import Image, ImageSequence

MATHJAX = ("tex-chtml.js", "a11y", "input/tex/extensions", "output/chtml/fonts", "ui")
SPEECH = ("sre/mathmaps/base.json", "sre/mathmaps/en.json")  # for MathJax's own menu
WIDTH = 280  # in pixels, of the film and of the two pictures beside it
EVERY = 3  # every third frame of the film
FRAME_MS = 200  # 3 seconds in all: too short to need a button that stops it


def mathjax(folder: Path) -> None:
    """MathJax with its fonts, from the package that carries it: pages fetch nothing.

    Raises
    ------
    ModuleNotFoundError
        The package is not installed.
    """
    package = importlib.util.find_spec("sphinx-mathjax-offline")
    if package is None or package.origin is None:
        raise ModuleNotFoundError('sphinx-mathjax-offline is missing: pip install -e ".[docs]"')
    source = Path(package.origin).parent / "static" / "mathjax"
    for name in (*MATHJAX, *SPEECH):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy
        copy(source / name, target)


def pictures_of_the_front(root: Path, folder: Path) -> dict[str, int]:
    """Pictures as large as the first page shows them; the heights of the two beside the film."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(root / "images" / "thumbnails", folder / "thumbnails")
    film(root / "images" / "gallery" / "run.webp", folder / "run.webp")
    heights = {}
    for kind, name in (("content", "cat"), ("style", "woodcut_waves")):
        image = _resized(Image.open(root / "images" / kind / f"{name}.jpg"))
        image.save(folder / f"{name}.jpg", quality=85)
        heights[name] = image.height
    return heights


def film(source: Path, target: Path) -> None:
    """A smaller film that is played once, and its last frame as a JPEG beside it."""
    frames = [_resized(frame) for frame in ImageSequence.Iterator(Image.open(source))]
    first, *rest = [*frames[:-1:EVERY], frames[-1]]
    first.save(target, save_all=True, append_images=rest, duration=FRAME_MS, loop=1, quality=50,
               method=6)  # fmt: skip
    frames[-1].save(target.with_suffix(".jpg"), quality=85)


def _resized(image: Image.Image) -> Image.Image:
    return image.convert("RGB").resize((WIDTH, round(WIDTH * image.height / image.width)))


def icon(root: Path, target: Path) -> None:
    """The cat in waves, 64 pixels wide, for the browser's tab."""
    image = Image.open(root / "images" / "thumbnails" / "07_style_transfer.jpg")
    side = min(image.size)
    image.crop((0, 0, side, side)).resize((64, 64)).save(target)
