"""Folders and small disks, and what a test says that has to go without."""

import subprocess
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def skip_loudly(reason: str) -> None:
    """Skip the test; the reason stands among the warnings at the end, whatever pytest's options."""
    warnings.warn(f"SKIPPED: {reason}", stacklevel=2)
    pytest.skip(reason)


@contextmanager
def mounted(folder: Path, options: str):
    """A small file system in memory, mounted at a folder; needs root."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        skip_loudly(f"no command to mount a small disk: {error}")
    if done.returncode:
        skip_loudly(f"a small disk cannot be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
