"""A stream of random cut-outs of a folder's pictures: at random places, scales and ways round."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..checks import LARGEST_SIZE, SMALLEST_SIDE, check_integer, check_number
from ..images.catalog import READABLE, pictures_in
from ..images.reading import load_image
from ..images.resizing import resize
from ..storage.atomic import printable

SIDES = (256, 512)  # pixels of a picture's longer side, when a cut-out is taken from it
MEMORY = 1.0  # GB of decoded pictures that are kept, three bytes a pixel
GREY = 3 / 255  # a photograph whose channels differ by less, in the mean, is grey


class PictureStream:
    """Random square cut-outs of all pictures of a folder.

    A cut-out is taken from a picture made so small that its longer side has a random number of
    pixels, at a random place, and mirrored half of the time. A picture is decoded when it is first
    drawn, and then kept in the size in which it is needed, as long as the memory allows: those that
    were not drawn for the longest time go first.

    Pictures that cannot be used are skipped, and told in `skipped`.

    Parameters
    ----------
    folder
        Any folder; those in it count, too.
    size
        Pixels of a cut-out's side.
    sides
        The range of the longer side. It begins higher where a picture would else be narrower than
        a cut-out.
    memory
        GB for decoded pictures.
    grey
        Whether pictures without colour are used, as drawings may be.

    Raises
    ------
    NotADirectoryError
        There is no such folder.
    ValueError
        No file in it is a picture by its name; a value out of range.
    """

    def __init__(
        self,
        folder: str | Path,
        size: int = 256,
        *,
        sides: tuple[int, int] = SIDES,
        memory: float = MEMORY,
        grey: bool = False,
    ):
        self.folder = Path(folder)
        self.size = check_integer("size", size, SMALLEST_SIDE, LARGEST_SIZE)
        least, most = (check_integer("sides", s, SMALLEST_SIDE, LARGEST_SIZE) for s in sides)
        if least > most:
            raise ValueError(f"sides must be the least and the most, got {sides!r}")
        self.sides, self.grey = (least, most), grey
        self.memory = 1e9 * check_number("memory", memory)
        if not self.folder.is_dir():
            raise NotADirectoryError(f"{printable(folder)}: no such folder of pictures")
        self.paths = pictures_in(self.folder, deep=True)
        if not self.paths:
            raise ValueError(f"{printable(folder)}: no pictures in it ({', '.join(READABLE)})")
        self.skipped: dict[Path, str] = {}
        """Path → why it is not used; it grows while pictures are drawn."""
        self.decoded = 0
        """How often a picture was read."""
        self._kept: OrderedDict[int, Tensor] = OrderedDict()  # (3, H, W), uint8
        self._bytes = 0

    def __len__(self) -> int:
        """How many pictures there are, those included of which it is not yet known."""
        return len(self.paths) - len(self.skipped)

    def draw(self, numbers: np.random.Generator) -> Tensor:
        """Return a cut-out (1, 3, size, size), sRGB, 0..1. The same numbers draw the same.

        Raises
        ------
        ValueError
            No picture of the folder can be used; the message says why.
        """
        while len(self):
            i = int(numbers.integers(len(self.paths)))
            picture = self._picture(i)
            if picture is not None:
                return self._cut(picture, numbers)
        first = next(iter(self.skipped.values()))
        raise ValueError(
            f"{printable(self.folder)}: none of its {len(self.paths)} pictures can be used; the "
            f"first: {first}"
        )

    def batch(self, count: int, numbers: np.random.Generator) -> Tensor:
        """Return several cut-outs, (count, 3, size, size)."""
        return torch.cat([self.draw(numbers) for _ in range(count)])

    def read_all(self) -> None:
        """Look at every picture once, so that it is known which cannot be used.

        Raises
        ------
        ValueError
            None can be used.
        """
        for i in range(len(self.paths)):
            self._picture(i)
        if not len(self):
            self.draw(np.random.default_rng(0))  # which says why

    def identity(self) -> str:
        """What the folder holds and how it is cut, in a line, for a checkpoint."""
        files = "\n".join(f"{path.name} {path.stat().st_size}" for path in self.paths)
        code = hashlib.sha256(files.encode("utf-8", "backslashreplace")).hexdigest()[:12]
        least, most = self.sides
        return f"{self.size} px of {least} to {most}, {len(self.paths)} pictures {code}"

    def _cut(self, picture: Tensor, numbers: np.random.Generator) -> Tensor:
        height, width = picture.shape[1:]
        least, most = self._range(height, width)
        longer = int(numbers.integers(least, most + 1))
        side = min(round(self.size * max(height, width) / longer), height, width)
        top, left = (int(numbers.integers(length - side + 1)) for length in (height, width))
        part = picture[None, :, top : top + side, left : left + side].float() / 255
        part = resize(part, (self.size, self.size)).clamp_(0, 1)
        return part.flip(3) if numbers.random() < 0.5 else part

    def _range(self, height: int, width: int) -> tuple[int, int]:
        """Pixels of the longer side, the least and the most, of a picture of that shape."""
        longer, shorter = max(height, width), min(height, width)
        least = max(self.sides[0], -(-self.size * longer // shorter))
        return min(least, longer), min(max(self.sides[1], least), longer)

    def _picture(self, i: int) -> Tensor | None:
        """The picture of this number, reduced; None: it cannot be used."""
        if self.paths[i] in self.skipped:
            return None
        if i in self._kept:
            self._kept.move_to_end(i)
            return self._kept[i]
        try:
            picture = self._read(self.paths[i])
        except (ValueError, OSError) as error:
            self.skipped[self.paths[i]] = str(error)
            return None
        self._kept[i] = picture
        self._bytes += picture.numel()
        while self._bytes > self.memory and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.numel()
        return picture

    def _read(self, path: Path) -> Tensor:
        """A picture as large as it will be needed; a ValueError says why it cannot be used."""
        self.decoded += 1
        image, name = load_image(path), printable(path)
        height, width = image.shape[2:]
        if min(height, width) < self.size:
            raise ValueError(
                f"{name}: {width}×{height} pixels are too few for cut-outs of {self.size}"
            )
        _, most = self._range(height, width)
        image = resize(image, most).clamp_(0, 1)
        if not self.grey and float((image.amax(dim=1) - image.amin(dim=1)).mean()) < GREY:
            raise ValueError(f"{name}: without colour, and this stream is of colour pictures")
        return (image[0] * 255).round_().to(torch.uint8)
