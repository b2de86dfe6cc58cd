"""Write files so that nothing is ever half-written."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def check_can_write(path: str | Path) -> Path:
    """Make the folder of `path` and try to write there, so that no work is done for nothing.

    Raises
    ------
    OSError
        The folder cannot be made or written to, or `path` is a folder itself.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path}: is a folder; name a file in it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise type(error)(
            error.errno, f"cannot write in the folder {path.parent} ({error.strerror})"
        ) from error
    return path


@contextmanager
def replacing(path: str | Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Open a new file for writing that takes the place of `path` when the block ends well.

    The bytes go to a hidden file in the same folder, reach the disk, and are renamed. If the block
    raises, or is interrupted, `path` is as it was before and the hidden file is gone. (Only a
    process killed in the middle leaves the hidden file behind.)

    Raises
    ------
    FileExistsError
        `path` exists by the end and `overwrite` is False, also if somebody else wrote it meanwhile.
    OSError
        The folder is missing or not writable, the disk is full; it names `path`.
    """
    path = Path(path)
    path = path.resolve() if path.is_symlink() else path
    temporary = path.with_name(f".nst-{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            temporary.replace(path)
        else:
            _link(temporary, path)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error  # its name, not the hidden
    finally:
        with suppress(OSError):  # not there, or the folder cannot be written at all
            temporary.unlink()


def _link(temporary: Path, path: Path) -> None:
    """Give the file its name unless the name is taken, in one step where the disk can do that."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError as error:  # a file system without links
        if path.exists():
            raise FileExistsError(f"{path}: exists already") from error
        temporary.replace(path)
