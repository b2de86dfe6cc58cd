"""A folder that is gone with its process; if the process was killed, when the next one looks."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "nst-uploads-"
LOCK, FILES = "lock", "files"


class PrivateFolder:
    """`path` is a new folder that only its owner can look into, removed with this object.

    A process that is killed removes nothing. So each holds a lock, which the system gives up at the
    end of the process however it ends: a folder whose lock can be had belongs to nobody.
    """

    def __init__(self):
        remove_abandoned()
        folder, lock = _claim()
        self.path = folder / FILES
        self.path.mkdir(mode=0o700)
        weakref.finalize(self, _remove, folder, lock)


def remove_abandoned() -> list[Path]:
    """Remove the folders of processes that are dead; return them."""
    removed = []
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, Timeout):  # another user's, or one in use
            if _is_mine(folder):
                lock = _lock(folder)
                lock.acquire(timeout=0)
                _remove(folder, lock)
                removed.append(folder)
    return removed


def _claim() -> tuple[Path, FileLock]:
    """A new folder, and the lock on it.

    Another process may take the folder for abandoned before the lock is held; then a new one is
    made.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # with the mode 0o700
        lock = _lock(folder)
        with suppress(OSError):
            made = folder.stat().st_ino
            lock.acquire()
            if (folder / LOCK).exists() and folder.stat().st_ino == made:
                return folder, lock
        lock.release()


def _lock(folder: Path) -> FileLock:
    # Whoever removes the folder may be another thread than the one that made it
    return FileLock(folder / LOCK, thread_local=False)


def _is_mine(folder: Path) -> bool:
    """Whether it is a folder, no link to one, of this user."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()


def _remove(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder / FILES, ignore_errors=True)
    lock.release()  # before the rest: where files in use cannot be removed, the lock is one
    shutil.rmtree(folder, ignore_errors=True)
