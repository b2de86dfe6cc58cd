"""Write files so that nothing is ever half-written."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """Open a new file for writing that takes the place of `path` when the block ends well.

    The bytes go to a hidden file in the same folder, reach the disk, and are renamed. If the block
    raises, or is interrupted, `path` is as it was before and the hidden file is gone.

    Raises
    ------
    OSError
        The folder is missing or not writable, the disk is full.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name[:80]}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
