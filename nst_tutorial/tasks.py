"""A batch as a list of tasks: every combination of pictures and settings, each with its file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from .checks import number, one_of, whole
from .files import is_whole_png
from .images import LARGEST_SIZE, SMALLEST_SIDE, load_settings
from .inputs import check_settings
from .library import READABLE, find_image
from .losses import CONTENT_NORMALIZATIONS, STYLE_NORMALIZATIONS
from .methods import METHODS
from .parameters import PARAMETERS
from .presets import Settings
from .transfer import settings_from

SIZE = 512  # pixels of the longer side, where the grid does not say
SETTINGS = (
    *("size", "preset", "seed"),
    *(name for name in Settings.__dataclass_fields__ if name != "source"),
)
"""What a grid may list values of: the options of `stylize` that JSON can hold, and the size."""

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
    """What decides the result: all settings, and the fingerprints of the two files."""

    file: str
    """The name of the result; it tells the pictures and the options."""

    @property
    def size(self) -> int:
        return self.identity["size"]


def make_tasks(contents: Pictures, styles: Pictures, grid: Mapping[str, Sequence]) -> list[Task]:
    """Return a task for each content, each style and each combination of the grid's values.

    A picture that cannot be read gets its tasks all the same, so that they fail and are listed.

    Raises
    ------
    ValueError
        A folder without pictures; a grid with an unknown setting, or a value that cannot be used.
    FileNotFoundError
        No such folder or picture.
    """
    pairs = product(list_pictures(contents, "content"), list_pictures(styles, "style"))
    settings = [(options, _identity(options)) for options in combinations(grid)]
    prints: dict[Path, str] = {}
    tasks: dict[str, Task] = {}  # the same picture twice, or the same value: one task
    for content, style in pairs:
        for path in (content, style):
            if path not in prints:
                prints[path] = _print_or_unreadable(path)
        for options, rest in settings:
            identity = {"content": prints[content], "style": prints[style], **rest}
            task = Task(content, style, options, identity, _name(content, style, options, identity))
            tasks.setdefault(task.file, task)
    return list(tasks.values())


def list_pictures(given: Pictures, kind: str) -> list[Path]:
    """Return absolute paths: the pictures of a folder, or those given by path or by name."""
    if isinstance(given, str | Path):
        folder = Path(given)
        if not folder.is_dir():
            return [find_image(given, kind).resolve()]
        pictures = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in READABLE]
        found = [p.resolve() for p in pictures if not (p.name.startswith(".") or p.is_dir())]
        if not found:
            raise ValueError(f"{folder}: no pictures in this folder ({', '.join(READABLE)})")
        return found
    found = [find_image(name, kind).resolve() for name in given]
    if not found:
        raise ValueError(f"no {kind} pictures are given")
    return found


def combinations(grid: Mapping[str, Sequence]) -> list[dict]:
    """Return every combination of the grid's values, {setting: value}, each one checked.

    {"style_weight": [5, 15], "kernel": ["gram", "bn"]} has four; an empty grid has one, all
    settings as they are by default.

    Raises
    ------
    ValueError
        An unknown setting, no list of values, or a value that `stylize` would refuse.
    """
    if not isinstance(grid, Mapping):
        raise ValueError(f"the grid must map settings to lists of values, got {grid!r}")
    for name, values in grid.items():
        if name not in SETTINGS:
            raise ValueError(f"unknown setting {name!r} in the grid; there are {_known()}")
        if isinstance(values, str | Mapping) or not isinstance(values, Sequence) or not values:
            raise ValueError(f"{name} in the grid must be a list of values, got {values!r}")
    found = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    for options in found:
        _check(options)
    return found


def _known() -> str:
    return ", ".join(SETTINGS)


def _check(options: Mapping) -> None:
    if whole("size", options.get("size", SIZE), SMALLEST_SIDE) > LARGEST_SIZE:
        raise ValueError(f"size must be at most {LARGEST_SIZE}, got {options['size']}")
    whole("seed", options.get("seed", 0), 0)
    settings = settings_from(options.get("preset", "default"), options)
    check_settings(settings)
    number("style_scale", settings.style_scale, above=0)
    whole("history", settings.history, 1)
    one_of("pooling", settings.pooling, ("max", "average"))
    one_of("method", settings.method, METHODS)
    one_of("parameters", settings.parameters, PARAMETERS)
    one_of("content_normalization", settings.content_normalization, CONTENT_NORMALIZATIONS)
    one_of("style_normalization", settings.style_normalization, STYLE_NORMALIZATIONS)
    if settings.learning_rate is not None:
        number("learning_rate", settings.learning_rate, above=0)
    for name in ("rescale", "coarse_to_fine"):
        if not isinstance(getattr(settings, name), bool):
            raise ValueError(f"{name} must be true or false, got {getattr(settings, name)!r}")


# --- what a result is called, and whether it is there -----------------------------------------


def _identity(options: Mapping) -> dict:
    settings = settings_from(options.get("preset", "default"), options).as_dict()
    del settings["source"]
    more = {"size": int(options.get("size", SIZE)), "seed": int(options.get("seed", 0))}
    return json.loads(json.dumps({**settings, **more}))  # as it comes back from a file


def fingerprint_of_file(path: Path) -> str:
    """The beginning of a hash of the file's bytes."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:16]


def _print_or_unreadable(path: Path) -> str:
    try:
        return fingerprint_of_file(path)
    except OSError:
        return UNREADABLE


def _name(content: Path, style: Path, options: Mapping, identity: Mapping) -> str:
    """content_style_setting=value…_hash.png, at most 250 bytes in any script."""
    pictures = [_plain(path.stem)[:20] for path in (content, style)]
    values = "_".join(f"{name.replace('_', '-')}={_short(v)}" for name, v in options.items())
    digest = hashlib.sha256(json.dumps(_floats(identity), sort_keys=True).encode()).hexdigest()
    return "_".join([*pictures, *([values[:90]] if values else []), digest[:10]]) + ".png"


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
