"""The pictures in `images/content` and `images/style`, by name."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..checks import check_choice
from ..storage.atomic import printable

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
    files = folder.rglob("*") if deep else folder.iterdir()
    return sorted(
        path
        for path in files
        if path.suffix.lower() in READABLE
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def list_images(kind: str) -> dict[str, Path]:
    """Return name → path of the pictures in `images/content` or `images/style`.

    The name is the file's without its suffix, or with it where two files of a folder differ in
    nothing else. Pictures in the working directory's `images` folder come before the bundled ones
    of the same name.
    """
    check_choice("kind", kind, FOLDERS)
    named: dict[str, Path] = {}
    for folder in reversed(folders(kind)):
        if folder.is_dir():
            pictures = pictures_in(folder)
            count = Counter(path.stem for path in pictures)
            named = {name: path for name, path in named.items() if name not in count}
            for path in pictures:
                named[printable(path.stem if count[path.stem] == 1 else path.name)] = path
    return dict(sorted(named.items()))


def find_image(name: str | Path, kind: str | None = None) -> Path:
    """Return the path of a picture given by path or by name.

    A name ("temple" or "temple.jpg") is looked up in `images/content` and then in `images/style`.
    With kind "content" in the first alone; with kind "style" in the second before the first, since
    a photograph may be in the style of another.

    Raises
    ------
    FileNotFoundError
        Neither a file nor a known name; the message lists what there is.
    ValueError
        Several files have the name and differ in their suffixes.
    """
    path = Path(name)
    is_name = str(name) == path.name
    if path.is_file() or (path.exists() and not is_name):
        return path
    kinds = {"content": ("content",), "style": ("style", "content")}.get(kind or "", FOLDERS)
    for each in kinds if is_name else ():
        matches = _matches(printable(path), each)
        if len(matches) > 1:
            names = ", ".join(printable(match.name) for match in matches)
            raise ValueError(f"{printable(path)}: which one of {names}? Name it with its suffix")
        if matches:
            return matches[0]
    if path.exists():
        return path
    known = [each for kind in kinds for each in list_images(kind)]
    raise FileNotFoundError(
        f"{printable(path)}: no such picture; {_hint(path, kinds)}by name there are "
        f"{', '.join(known)}; "
        "a path works too, and a picture put into images/content or images/style gets its name"
    )


def _matches(name: str, kind: str) -> list[Path]:
    """The pictures of this name, with or without its suffix, of the first folder that has any."""
    for folder in folders(kind):
        pictures = pictures_in(folder) if folder.is_dir() else []
        for matches in (
            [path for path in pictures if printable(path.name) == name],
            [path for path in pictures if printable(path.stem) == name],
        ):
            if matches:
                return matches
    return []


def _hint(path: Path, kinds: Sequence[str]) -> str:
    """What may have been meant: a picture of the other kind, or one of nearly this name."""
    name = printable(path.name)
    for other in set(FOLDERS) - set(kinds):
        if _matches(name, other):
            return f"{name} is a style; did you mean it as the style? "
    known = [each for kind in kinds for each in list_images(kind)]
    close = difflib.get_close_matches(printable(path.stem), known, n=1)
    return f"did you mean {close[0]}? " if close else ""


def bundled_paths() -> list[Path]:
    """Return the pictures that come with the course, contents and styles."""
    return [path for kind in FOLDERS for path in pictures_in(folders(kind)[-1])]
