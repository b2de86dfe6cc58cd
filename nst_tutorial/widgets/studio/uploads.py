"""Pictures that are uploaded: checked as all others, limited, seen by nobody else."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ...checks import MOST_UPLOAD
from ...images.decoding import read_picture
from ...storage.atomic import free_name
from ...storage.private_folder import PrivateFolder

MOST_FILES = 20  # at a time
LONGEST_NAME = 60


def safe_name(name: str) -> str:
    """The name of a file that came from somewhere else, as a name that can do no harm here.

    No folders, no leading dots or dashes, only letters, digits, spaces and . _ - of any script. An
    é is one character, as most file systems have it, whether it was sent as one or as two.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c if c.isalnum() or c in " ._-" else "_" for c in last).strip().lstrip(".-")
    path = Path(kept or "picture")
    return path.stem[: LONGEST_NAME - len(path.suffix)] + path.suffix[:10]


def too_large(name: str, size: int) -> str:
    """What is told of a file of `size` bytes that is over the limit."""
    return (
        f"{name}: {size / 1e6:.1f} MB, over the limit of {MOST_UPLOAD / 1e6:.0f} MB for uploads; "
        "make the picture smaller first"
    )


class Uploads:
    """A private folder that is gone with the process, and the uploaded pictures in it.

    Each upload keeps its picture: a second one of the same name gets another name.
    """

    def __init__(self) -> None:
        self._private = PrivateFolder()
        self.folder = self._private.path
        self.paths: dict[str, Path] = {}
        self._names: dict[tuple[str, bytes], str] = {}  # of the name that was sent and the content

    def add(self, name: str, content: bytes, taken: Iterable[str] = ()) -> str:
        """Keep a picture; return the name it has here, none of those that are taken.

        The same picture under the same name is kept once.

        Raises
        ------
        ValueError
            Too large, too many, or not a picture that can be used; the message says which.
        """
        name = safe_name(name)
        if len(content) > MOST_UPLOAD:
            raise ValueError(too_large(name, len(content)))
        key = name, hashlib.sha256(content).digest()
        if key in self._names:
            return self._names[key]
        if len(self.paths) >= MOST_FILES:
            raise ValueError(f"{name}: there are {MOST_FILES} uploaded pictures already")
        path = self._free_path(name, taken)
        new = path.with_name(f".{path.name}")  # no safe name begins with a dot
        new.write_bytes(content)
        try:
            read_picture(new)
        except (ValueError, OSError) as error:
            new.unlink()
            raise ValueError(str(error).replace(str(new), name)) from error
        new.replace(path)
        self.paths[path.name], self._names[key] = path, path.name
        return path.name

    def _free_path(self, name: str, taken: Iterable[str]) -> Path:
        """Where to keep a picture. For some file systems A.png and a.png are one file."""
        known = {other.casefold() for other in (*self.paths, *taken)}
        return free_name(
            self.folder / name, lambda path: path.name.casefold() in known or path.exists()
        )
