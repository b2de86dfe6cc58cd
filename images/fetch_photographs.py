"""Fetch photographs to train painters with, from Debian's packages of wallpapers.

    python images/fetch_photographs.py FOLDER [--drawings FOLDER] [--except FOLDER …]

Needs `apt-get` and `dpkg`, and a Debian of which these packages are a part; nothing is installed.
Photographs go into FOLDER, with CREDITS.md: the author and licence of each. With --drawings, what
is no photograph goes there: styles to train a decoder with. Pictures that come with the course are
left out, and those in the folders after --except: they are for tests. They are recognised in any
size.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from nst_tutorial.images.catalog import bundled_paths, pictures_in
from nst_tutorial.images.decoding import read_picture

PACKAGES = (
    *("lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04"),
    *("mate-backgrounds", "plasma-workspace-wallpapers", "gnome-backgrounds"),
)
# By eye: which of their pictures were taken with a camera
PHOTOGRAPHS = (
    *("Bridge_by_*", "Dragonfly_by_*", "Infinite-Sea_by_*", "Kleiber_by_*", "Picture_??_by_*"),
    *("Wine_by_*", "aitzgorri_by_*", "free_by_*", "friends_by_*", "greentock_by_*", "life_by_*"),
    *("picosdeeuropa_by_*", "seeding_by_*", "sunset_by_*", "nature/*", "BytheWater/*"),
    *("ColdRipple/*", "ColorfulCups/*", "DarkestHour/*", "EveningGlow/*", "FallenLeaf/*"),
    *("Grey/*", "Kite/*", "OneStandsOut/*", "Path/*", "summer_1am/*"),
)
OTHER_SHAPES = ("*/screenshot.*", "*/1080x1920.*", "*/720x1440.*", "*/1622x2880.*")
OTHER_SHAPES += ("*/Elephants_*x*.jpg",)  # or sizes, of what is there already
THUMBNAIL = 16  # pixels a side
SAME = 0.06  # root mean square difference of two thumbnails, in 0..1, at most
ALIKE = 0.95  # their correlation, at least: two dark pictures differ little, and need not be one


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--drawings", type=Path)
    parser.add_argument("--except", dest="reserved", type=Path, action="append", default=[])
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        unpack(PACKAGES, Path(folder))
        pictures = sorted(wallpapers(Path(folder)))
        reserved = bundled_paths()
        for other in [Path(__file__).with_name("photos"), *chosen.reserved]:
            reserved += pictures_in(other, deep=True)
        report = sort_out(Path(folder), pictures, reserved, chosen.folder, chosen.drawings)
    print(report)


def unpack(packages: Iterable[str], folder: Path) -> None:
    """Download packages and unpack them below a folder."""
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing: this needs Debian, or a system made from it")
    subprocess.run(["apt-get", "download", *packages], cwd=folder, check=True)
    for file in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(file), str(folder)], check=True)
        file.unlink()


def wallpapers(folder: Path) -> Iterator[Path]:
    """Their pictures, each in one shape."""
    for path in pictures_in(folder, deep=True):
        other_shape = any(fnmatch.fnmatch(str(path), pattern) for pattern in OTHER_SHAPES)
        if not other_shape and not path.is_symlink():  # a link is another size's name
            yield path


def sort_out(
    root: Path, pictures: list[Path], reserved: list[Path], photographs: Path, drawings: Path | None
) -> str:
    """Copy what is not reserved to where it belongs; return what was done."""
    kept_back = [thumbnail(path) for path in reserved]
    licences = dict(read_licences(root))
    rows: dict[Path, list[str]] = {photographs: []}
    rows |= {} if drawings is None else {drawings: []}
    left_out = []
    for path in pictures:
        inner = path.relative_to(root).as_posix()
        target = photographs if is_photograph(inner) else drawings
        if target is None:
            continue
        try:
            small = thumbnail(path)
        except ValueError as error:
            left_out.append(str(error))
            continue
        if any(are_one(small, other) for other in kept_back):
            left_out.append(f"{inner}: it is one of those for tests")
            continue
        name = name_of(path)
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / name)
        rows[target].append(f"| {name} | {inner} | {licence_of(inner, path, licences)} |")
    for target, lines in rows.items():
        head = "| file | of the package | author, licence |\n|---|---|---|\n"
        target.joinpath("CREDITS.md").write_text(head + "\n".join(lines) + "\n", "utf-8")
    done = "\n".join(f"{len(lines)} pictures in {target}" for target, lines in rows.items())
    return "\n".join([done, "left out:", *left_out])


def is_photograph(inner: str) -> bool:
    return any(fnmatch.fnmatch(inner, f"*/{pattern}") for pattern in PHOTOGRAPHS)


def name_of(path: Path) -> str:
    """Of a wallpaper whose file is called after its size, the name of its folder."""
    if path.parent.name.startswith("images"):
        dark = "_dark" if path.parent.name == "images_dark" else ""
        return f"{path.parents[2].name}{dark}{path.suffix}"
    return path.name


# --- which pictures are the same --------------------------------------------------------------


def thumbnail(path: Path) -> np.ndarray:
    """A picture in 16×16 pixels, whatever its shape, 0..1; a ValueError if it cannot be read."""
    picture = read_picture(path)
    small = picture.convert("RGB").resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(small, np.float64) / 255


def are_one(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two thumbnails are of one picture, in whatever size and quality."""
    if np.sqrt(np.mean((a - b) ** 2)) > SAME:
        return False
    x, y = a - a.mean(), b - b.mean()
    return bool((x * y).sum() >= ALIKE * np.sqrt((x * x).sum() * (y * y).sum()))


# --- whose they are ---------------------------------------------------------------------------


def read_licences(root: Path) -> Iterator[tuple[str, str]]:
    """Pattern of a file's name → author and licence, from the packages' machine-readable files."""
    for file in sorted(root.glob("usr/share/doc/*/copyright")):
        for paragraph in re.split(r"\n\s*\n", file.read_text("utf-8", "replace")):
            fields = dict(re.findall(r"^(\w+): *(.*(?:\n[ \t].*)*)", paragraph, re.MULTILINE))
            if {"Files", "Copyright", "License"} <= set(fields):
                licence = fields["License"].splitlines()[0].strip()
                author = "; ".join(line.strip() for line in fields["Copyright"].splitlines())
                for pattern in fields["Files"].split():
                    yield pattern, f"{author}, {licence}"


def licence_of(inner: str, path: Path, licences: dict[str, str]) -> str:
    """What is known of a picture: from beside it, or from its package."""
    for metadata in (folder / "metadata.json" for folder in path.parents[:4]):
        if metadata.is_file():
            plugin = json.loads(metadata.read_text("utf-8"))["KPlugin"]
            authors = ", ".join(author["Name"] for author in plugin.get("Authors", []))
            return f"{authors}, {plugin.get('License', 'see its package')}"
    for pattern, licence in licences.items():
        if "*" not in pattern and inner.endswith(pattern.partition("/")[2] or pattern):
            return licence
    return "see its package"


if __name__ == "__main__":
    main()
