"""Pictures that are uploaded: checked as all others, limited, seen by nobody else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...images.decoding import read_picture

MOST_BYTES = 10_000_000  # of one file; Jupyter's own connection takes hardly more
MOST_FILES = 20  # at a time
LONGEST_NAME = 60


def files_of(value: object) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each file in the `value` of an `ipywidgets.FileUpload`.

    In version 7 that is {name: {"metadata": …, "content": bytes}}, in version 8 a tuple of
    {"name": …, "content": memoryview}.
    """
    if isinstance(value, Mapping):
        entries = [{"name": name, **entry} for name, entry in value.items()]
    else:
        entries = list(value)
    for entry in entries:
        yield str(entry["name"]), bytes(entry["content"])


def safe_name(name: str) -> str:
    """The name of a file that came from somewhere else, as a name that can do no harm here.

    No folders, no leading dots or dashes, only letters, digits, spaces and . _ - of any script.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c if c.isalnum() or c in " ._-" else "_" for c in last).strip().lstrip(".-")
    path = Path(kept or "picture")
    return path.stem[: LONGEST_NAME - len(path.suffix)] + path.suffix[:10]


class Uploads:
    """A private folder that is gone with the process, and the uploaded pictures in it."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="nst-")  # only its owner can look inside
        self.folder = Path(self._folder.name)
        self.paths: dict[str, Path] = {}

    def add(self, name: str, content: bytes) -> str:
        """Keep a picture; return the name it has here.

        Raises
        ------
        ValueError
            Too large, too many, or not a picture that can be used; the message says which.
        """
        name = safe_name(name)
        if len(content) > MOST_BYTES:
            raise ValueError(
                f"{name}: {len(content) / 1e6:.1f} MB, over the limit of {MOST_BYTES / 1e6:.0f} MB "
                "for uploads; make the picture smaller first"
            )
        if name not in self.paths and len(self.paths) >= MOST_FILES:
            raise ValueError(f"{name}: there are {MOST_FILES} uploaded pictures already")
        path = self.folder / name
        new = path.with_name(f"new-{name}")
        new.write_bytes(content)
        try:
            read_picture(new)
        except (ValueError, OSError) as error:
            new.unlink()
            raise ValueError(str(error).replace(str(new), name)) from error
        new.replace(path)
        self.paths[name] = path
        return name
