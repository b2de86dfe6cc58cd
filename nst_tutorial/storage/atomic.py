"""Write files so that nothing is ever half-written."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def printable(path: str | Path) -> str:
    r"""Return a path as text that any stream takes: a byte that is no UTF-8 becomes \udce9.

    Names of files are bytes on most systems; Python keeps those that are no text as surrogates,
    which cannot be printed.
    """
    return str(path).encode("utf-8", "backslashreplace").decode()


def check_can_write(path: str | Path) -> Path:
    """Make the folder of `path` and try to write there, so that no work is done for nothing.

    Raises
    ------
    OSError
        The folder cannot be made or written to, or `path` is a folder itself, or a symbolic link
        that leads back to itself.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{printable(path)}: is a folder; name a file in it")
    folder = _followed(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise type(error)(
            error.errno, f"cannot write in the folder {printable(folder)} ({error.strerror})"
        ) from error
    return path


def _followed(path: Path) -> Path:
    """The file that a symbolic link stands for, which need not exist; any other path as it is."""
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            message = "a symbolic link that leads back to itself; remove it, or give another name"
            raise OSError(errno.ELOOP, message, str(path)) from error
    return path.resolve() if path.is_symlink() else path


def check_distinct(
    writes: Mapping[str, str | Path | None], reads: Mapping[str, str | Path | None] | None = None
) -> None:
    """Refuse two arguments that mean one file which would be written, before anything is lost.

    Two files that are only read may be the same. Symbolic links are followed.

    Parameters
    ----------
    writes, reads
        What an argument is called ("--out") → its path; None: not given.

    Raises
    ------
    ValueError
        It names both arguments and the file.
    """
    written = [(name, Path(path)) for name, path in writes.items() if path is not None]
    read = [(name, Path(path)) for name, path in (reads or {}).items() if path is not None]
    for number, (name, path) in enumerate(written, 1):
        for other, other_path in written[number:] + read:
            if _are_one(path, other_path):
                raise ValueError(f"{name} and {other} are one file, {path}; give them two names")


def _are_one(a: Path, b: Path) -> bool:
    if os.path.realpath(a) == os.path.realpath(b):
        return True
    try:
        return a.samefile(b)  # by two names: a hard link, a disk that takes A.png for a.png
    except OSError:  # one of them is not there
        return False


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
    path = _followed(Path(path))
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
    """Give the file its name unless the name is taken: of several at once, one gets it."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: first an empty file, which only one can make
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        temporary.replace(path)


@contextmanager
def claimed(path: str | Path) -> Iterator[bool]:
    """Whether nobody else, in this process or another, works on `path` while the block runs.

    A claim is a lock on a hidden file beside `path`. The system lets go of it when its holder dies,
    in whatever way. Where the file system has no locks, everybody gets the claim.

    Raises
    ------
    OSError
        The folder is missing or not writable.
    """
    path = Path(path)
    lock = path.with_name(f".{path.name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        # Whoever held it before may have removed the file between our opening and locking it.
        yield _try_lock(descriptor) and _is_still(lock, descriptor)
    finally:
        # Asked again, since an interruption may have come before the answer was known.
        if _try_lock(descriptor) and _is_still(lock, descriptor):
            with suppress(OSError):  # Windows does not remove what is open
                lock.unlink()
        os.close(descriptor)  # and with it the lock


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
    return True


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def is_whole_png(path: str | Path) -> bool:
    """Whether a file begins and ends as a PNG does."""
    with Path(path).open("rb") as file:
        head = file.read(8)
        file.seek(-min(12, file.seek(0, os.SEEK_END)), os.SEEK_END)
        return head == b"\x89PNG\r\n\x1a\n" and file.read()[4:8] == b"IEND"


def free_name(path: Path, taken: Callable[[Path], bool] = Path.exists) -> Path:
    """`path`, or the first of path-2, path-3, … that is not taken: that does not exist."""
    free, count = path, 2
    while taken(free):
        free = path.with_stem(f"{path.stem}-{count}")
        count += 1
    return free


def save_under_free_name(
    save: Callable[[Path, bool], Path], path: Path, overwrite: bool = False
) -> Path:
    """Call `save(path, overwrite)`, with the next free name as long as somebody else has that one.

    `save` must raise FileExistsError where the name is taken, as `replacing` does. So each of
    several programs that want one name at the same time gets a name of its own.
    """
    free = path
    while True:
        try:
            return save(free, overwrite)
        except FileExistsError:
            free = free_name(_unnumbered(path))


def _unnumbered(path: Path) -> Path:
    """a.png for a-3.png, if a.png is there: then the number was given by `free_name`."""
    base = path.with_stem(re.sub(r"(?<=.)-\d+$", "", path.stem))
    return base if base.exists() else path


LONGEST_NAME = 230  # bytes: file systems take 255, and a number or the name of a lock comes on top


def shortened(name: str) -> str:
    """Return the name of a file that file systems take: cut before its suffix where it is too long.

    A hash takes the place of what is cut off, so that different names remain different.
    """
    if len(os.fsencode(name)) <= LONGEST_NAME:
        return name
    stem, suffix = Path(name).stem, Path(name).suffix
    code = hashlib.sha256(os.fsencode(name)).hexdigest()[:8]
    room = LONGEST_NAME - len(os.fsencode(suffix)) - len(code) - 1
    kept = os.fsencode(stem)[:room].decode(errors="ignore")  # not half a character
    return f"{kept}~{code}{suffix}"
