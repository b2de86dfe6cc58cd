"""The pictures in `images/content` and `images/style`, by name."""

from __future__ import annotations

import difflib
from pathlib import Path

FOLDERS = ("content", "style")
READABLE = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif")


def folders(kind: str) -> list[Path]:
    """Where pictures of a kind live: under the working directory, then beside the package."""
    package = Path(__file__).resolve().parents[1]
    bundled = package / "data" / "images"  # in an installed wheel; in a checkout beside the package
    if not bundled.is_dir():
        bundled = package.parent / "images"
    here = Path("images", kind)
    return [here, bundled / kind] if here.resolve() != bundled / kind else [here]


def pictures_in(folder: str | Path, *, deep: bool = False) -> list[Path]:
    """Return the pictures of a folder, sorted; `deep`: and those of the folders in it.

    A picture is a file with a suffix in `READABLE`. What begins with a dot is none: beside
    photo.jpg macOS writes a ._photo.jpg that holds no picture.
    """
    folder = Path(folder)
    found = folder.rglob("*") if deep else folder.iterdir()
    return sorted(
        path
        for path in found
        if path.suffix.lower() in READABLE
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def list_images(kind: str) -> dict[str, Path]:
    """Return name → path of the pictures in `images/content` or `images/style`.

    The name is the file's without its suffix. Pictures in the working directory's `images` folder
    come before the bundled ones of the same name.
    """
    if kind not in FOLDERS:
        raise ValueError(f"kind must be one of {', '.join(FOLDERS)}; got {kind!r}")
    found = {}
    for folder in reversed(folders(kind)):
        if folder.is_dir():
            found |= {path.stem: path for path in pictures_in(folder)}
    return dict(sorted(found.items()))


def find_image(name: str | Path, kind: str | None = None) -> Path:
    """Return the path of a picture given by path or by name.

    A name ("temple") is looked up in `images/content` and `images/style`, or in one of them when
    `kind` is given.

    Raises
    ------
    FileNotFoundError
        Neither a file nor a known name; the message lists what there is.
    """
    path = Path(name)
    is_name = str(name) == path.name
    if path.is_file() or (path.exists() and not is_name):
        return path
    known = {}
    for each in FOLDERS if kind is None else (kind,):
        known = list_images(each) | known
    found = ({p.name: p for p in known.values()} | known).get(path.name)
    if is_name and found is not None:
        return found
    if path.exists():
        return path
    close = difflib.get_close_matches(path.stem, known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise FileNotFoundError(
        f"{name}: no such picture; {hint}by name there are {', '.join(known)}; "
        "a path works too, and a picture put into images/content or images/style gets its name"
    )


def bundled_paths() -> list[Path]:
    """Return the pictures that come with the course, contents and styles."""
    return [path for kind in FOLDERS for path in pictures_in(folders(kind)[-1])]
