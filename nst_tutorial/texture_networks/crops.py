"""Cut-outs of content pictures at random places, from a list of pictures or from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import overload

import numpy as np
from torch import Tensor

from ..checks import LARGEST_SIZE, SMALLEST_SIDE, check_integer, check_pictures
from ..images.catalog import READABLE, pictures_in
from ..images.reading import load_image
from ..images.resizing import resize
from ..storage.fingerprints import fingerprint

KEPT = 64  # pictures of a folder that stay in memory,
KEPT_BYTES = 2e9  # if they do not take more than that


class PictureFolder(Sequence[Tensor]):
    """The pictures of a folder and the folders in it: all read once, then when they are asked for.

    Parameters
    ----------
    folder
        Any folder; files that are no pictures by their names are left out.
    shorter
        Pixels of the shorter side after resizing.

    Raises
    ------
    ValueError
        The folder holds no picture, or one that is damaged or too small; the message names it.
    NotADirectoryError
        `folder` is no folder.
    """

    def __init__(self, folder: str | Path, shorter: int):
        folder, self.shorter = (
            Path(folder),
            check_integer("shorter", shorter, SMALLEST_SIDE, LARGEST_SIZE),
        )
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder}: no such folder of pictures")
        self.paths = pictures_in(folder, deep=True)
        if not self.paths:
            raise ValueError(f"{folder}: no pictures in it ({', '.join(READABLE)})")
        kept = min(KEPT, int(KEPT_BYTES / (12 * 1.5 * self.shorter**2)))  # photographs are 3:2
        self._read = lru_cache(maxsize=max(1, kept))(self._load)
        for i in range(len(self.paths)):  # a damaged one would else end a training in its middle
            self._read(i)

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, i: int) -> Tensor: ...
    @overload
    def __getitem__(self, i: slice) -> list[Tensor]: ...
    def __getitem__(self, i: int | slice) -> Tensor | list[Tensor]:
        if isinstance(i, slice):
            return [self._read(k) for k in range(*i.indices(len(self)))]
        return self._read(i)

    def _load(self, i: int) -> Tensor:
        image = load_image(self.paths[i])
        factor = self.shorter / min(image.shape[2:])
        height, width = (round(side * factor) for side in image.shape[2:])
        return resize(image, (height, width)).clamp(0, 1)

    def identity(self) -> list[str]:
        """What the folder holds, for a checkpoint."""
        return [f"{path.name} {path.stat().st_size}" for path in self.paths]


def random_crop(contents: Sequence[Tensor], size: int, numbers: np.random.Generator) -> Tensor:
    """A square (1, 3, size, size) at a random place of a random picture.

    Raises
    ------
    ValueError
        That picture is none, or has a side shorter than `size`.
    """
    i = int(numbers.integers(len(contents)))
    content = contents[i]
    check_pictures({f"content {i}": content})
    height, width = content.shape[2:]
    if min(height, width) < size:
        raise ValueError(
            f"content {i} has {width}×{height} pixels, too few for cut-outs of {size}: "
            "take a larger picture or a smaller size"
        )
    top, left = (int(numbers.integers(side - size + 1)) for side in (height, width))
    return content[:, :, top : top + size, left : left + size]


def identity_of(contents: Sequence[Tensor]) -> list[str]:
    """What a list of pictures or a folder holds, as JSON can hold it."""
    if isinstance(contents, PictureFolder):
        return [f"shorter side {contents.shorter}", *contents.identity()]
    return [fingerprint(content) for content in contents]
