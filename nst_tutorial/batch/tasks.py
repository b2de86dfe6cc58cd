"""A batch as a list of tasks: every combination of pictures and settings, each with its file."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from .. import __version__
from ..checks import printable
from ..images.catalog import READABLE, find_image
from ..images.reading import load_settings
from ..storage.atomic import is_whole_png
from ..storage.fingerprints import fingerprint_of_file
from ..transfer.options import settings_from
from .grid import SIZE, check_count, combinations

RECORD = "batch"  # under this name a picture's settings hold what `finished` looks for
UNREADABLE = "unreadable"

Pictures = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class Task:
    """One picture to be made. It fits into a message to another process."""

    content: Path
    style: Path
    options: dict
    """The values from the grid, by setting."""

    identity: dict
    """What decides the result: all settings, this package's version, fingerprints of the files."""

    names: dict
    """What the table calls the two pictures, {"content": …, "style": …}; printable."""

    file: str
    """The name of the result; it tells the pictures and the options."""

    @property
    def size(self) -> int:
        return self.identity["size"]


def make_tasks(
    contents: Pictures,
    styles: Pictures,
    grid: Mapping[str, Sequence],
    out: str | Path | None = None,
) -> list[Task]:
    """Return a task for each content, each style and each combination of the grid's values.

    A picture that cannot be read gets its tasks all the same, so that they fail and are listed.
    `out` is the folder of the results: see `list_pictures`.

    Raises
    ------
    ValueError
        A folder without pictures; a grid with an unknown setting, or a value that cannot be used;
        more than `MOST_PICTURES`.
    FileNotFoundError
        No such folder or picture, or file of weights.
    """
    content_paths = list_pictures(contents, "content", out)
    style_paths = list_pictures(styles, "style", out)
    check_count(grid, pairs=len(content_paths) * len(style_paths))
    content_names, style_names = told_apart(content_paths), told_apart(style_paths)
    settings = [(options, _identity(options)) for options in combinations(grid)]
    prints: dict[Path, str] = {}
    tasks: dict[str, Task] = {}  # the same picture twice, or the same value: one task
    for content, style in product(content_paths, style_paths):
        names = {"content": content_names[content], "style": style_names[style]}
        for path in (content, style):
            if path not in prints:
                prints[path] = _print_or_unreadable(path)
        for options, rest in settings:
            identity = {"content": prints[content], "style": prints[style], **rest}
            file = _name(content, style, options, identity)
            # Not in the name: what another version has made is replaced, not mixed with this one's.
            identity["version"] = __version__
            tasks.setdefault(file, Task(content, style, options, identity, names, file))
    return list(tasks.values())


def list_pictures(given: Pictures, kind: str, out: str | Path | None = None) -> list[Path]:
    """Return absolute paths: the pictures of a folder, or those given by path or by name.

    Where the folder is `out` itself, what a batch has written there is left out: otherwise each
    run would repaint the results of the one before. The settings inside the file tell.
    """
    if isinstance(given, str | Path):
        folder = Path(given)
        if not folder.is_dir():
            return [find_image(given, kind).absolute()]
        pictures = [p.absolute() for p in sorted(folder.iterdir()) if _is_picture(p)]
        left_out = ""
        if pictures and out is not None and folder.resolve() == Path(out).resolve():
            pictures = [path for path in pictures if not _is_of_a_batch(path)]
            left_out = "; what a batch has written is none"
        if not pictures:
            raise ValueError(
                f"{folder}: no pictures in this folder ({', '.join(READABLE)}{left_out})"
            )
        return pictures
    pictures = [find_image(name, kind).absolute() for name in given]
    if not pictures:
        raise ValueError(f"no {kind} pictures are given")
    return pictures


def _is_picture(path: Path) -> bool:
    """A file by its suffix, or a broken link. (What begins with a dot is macOS's or ours.)"""
    return path.suffix.lower() in READABLE and not path.name.startswith(".") and not path.is_dir()


def _is_of_a_batch(path: Path) -> bool:
    """Whether it is a result or a contact sheet."""
    try:
        return RECORD in load_settings(path)
    except (OSError, ValueError, MemoryError):  # no settings, or no picture at all
        return False


def told_apart(paths: Iterable[Path]) -> dict[Path, str]:
    """Return path → name of the file; with its folder, or the whole path, where two are the same.

    {…/a/1.jpg, …/b/1.jpg, …/b/2.jpg} gives a/1.jpg, b/1.jpg and 2.jpg. All are printable.
    """
    paths = set(paths)
    ways = [{path: _told("/".join(path.parts[-count:])) for path in paths} for count in (1, 2)]
    ways.append({path: _told(path.as_posix()) for path in paths})
    times = [Counter(way.values()) for way in ways]
    return {
        path: next(w[path] for w, t in zip(ways, times, strict=True) if t[w[path]] == 1)
        for path in paths
    }


def _told(name: str) -> str:
    """Printable, and another for each name: what is spelt out begins with a backslash."""
    return printable(name.replace("\\", r"\\"))


# --- what a result is called, and whether it is there -----------------------------------------


def _identity(options: Mapping) -> dict:
    settings = settings_from(options.get("preset", "default"), options).as_dict()
    del settings["source"]
    more = {"size": int(options.get("size", SIZE)), "seed": int(options.get("seed", 0))}
    return json.loads(json.dumps({**settings, **more}))  # as it comes back from a file


def _print_or_unreadable(path: Path) -> str:
    try:
        return fingerprint_of_file(path)
    except OSError:
        return UNREADABLE


def _name(content: Path, style: Path, options: Mapping, identity: Mapping) -> str:
    """content_style_setting=value…_hash.png, at most 240 bytes in any script.

    (A disk takes 255, and a claim's name is 6 longer.)
    """
    pictures = [_cut(_plain(path.stem)[:20], 60) for path in (content, style)]
    values = "_".join(f"{name.replace('_', '-')}={_short(v)}" for name, v in options.items())
    digest = hashlib.sha256(json.dumps(_floats(identity), sort_keys=True).encode()).hexdigest()
    return "_".join([*pictures, *([_cut(values, 90)] if values else []), digest[:10]]) + ".png"


def _cut(text: str, most: int) -> str:
    """The beginning of a text, whole letters of at most `most` bytes."""
    return text.encode()[:most].decode(errors="ignore")


def _plain(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", text).strip("-.") or "picture"


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        parts = [each if key == "name" else f"{key}-{_short(each)}" for key, each in value.items()]
        return "+".join(map(_plain, parts))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.6g}"
    return _plain(str(value))


def _floats(value: object) -> object:
    """Numbers as floats, so that 5 and 5.0 are the same setting."""
    if isinstance(value, Mapping):
        return {key: _floats(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_floats(each) for each in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def finished(path: Path, task: Task) -> dict | None:
    """Return what is recorded in the file if it is the picture that the task asks for, else None.

    The settings inside the PNG decide, the fingerprints of both pictures among them, not the name.
    """
    try:
        if not is_whole_png(path):
            return None
        record = load_settings(path).get(RECORD)
    except (OSError, ValueError, AttributeError):
        return None
    if not isinstance(record, dict) or not isinstance(record.get("row"), dict):
        return None
    same = _floats(record.get("identity")) == _floats(task.identity)
    return record if same else None
