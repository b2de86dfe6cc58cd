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
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # with the mode 0o700
        lock = _lock(folder)
        lock.acquire()
        self.path = folder / FILES  # after the lock, see `remove_abandoned`
        self.path.mkdir(mode=0o700)
        weakref.finalize(self, _remove, folder, lock)


def remove_abandoned() -> list[Path]:
    """Remove the folders of processes that are dead; return them.

    One without files is left: it may be new, and not locked yet.
    """
    removed = []
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, Timeout):  # another user's, or one in use
            if _is_mine(folder) and (folder / FILES).is_dir():
                with _lock(folder).acquire(timeout=0) as lock:
                    if (folder / FILES).is_dir():
                        _remove(folder, lock)
                        removed.append(folder)
    return removed


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
