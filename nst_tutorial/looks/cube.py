"""A look as a table of colours that photo and video programs read.

The format is the text file of Adobe's "Cube LUT Specification", version 1.0 (2013): a few lines of
keywords, then the result for each colour of a lattice, one a line, red fastest. Programs
interpolate between them.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ..checks import check_integer
from ..storage.atomic import replacing
from .look import Look

SUFFIX = ".cube"
LARGEST_SIZE = 256  # by the specification
LONGEST_TITLE = 200  # a line has at most 250 bytes


def write_cube(
    look: Look,
    path: str | Path,
    size: int = 33,
    *,
    title: str | None = None,
    overwrite: bool = True,
) -> Path:
    """Write a look as 3D LUT: the colours that size³ colours from black to white become.

    On the lattice the table is the look itself. Between its colours, which programs interpolate
    linearly, it is off by a part that falls as the size grows. Values may leave 0..1, as the format
    allows.

    Parameters
    ----------
    look
        One that does not depend on position.
    path
        Its suffix is .cube.
    size
        Colours along each channel, 2 to 256; programs read at least 17, 33 and 65.
    title
        What programs may show; the name of the file if it is None.

    Raises
    ------
    ValueError
        The look depends on position; no such size or suffix.
    OSError
        The folder is missing or not writable, the disk is full; FileExistsError.
    """
    path = Path(path)
    size = check_integer("size", size, 2, LARGEST_SIZE)
    if path.suffix.lower() != SUFFIX:
        raise ValueError(f"{path}: the name of a 3D LUT must end in {SUFFIX}")
    if look.depends_on_position:
        raise ValueError(
            f"{path}: the look makes one colour one thing here and another there, which a 3D LUT "
            "cannot hold: fit it with grid_size=1, or take its average (look.averaged(), --average)"
        )
    colors = look.apply(lattice(size)).view(3, size, size * size)
    header = (
        f'TITLE "{_plain(path.stem if title is None else title)}"\n'
        f"LUT_3D_SIZE {size}\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 1 1 1\n"
    )
    with replacing(path, overwrite=overwrite) as file:
        file.write(header.encode("ascii"))
        for plane in colors.unbind(1):  # of one blue: the text of all would fill the memory
            lines = ["{:.6f} {:.6f} {:.6f}\n".format(*color) for color in plane.T.tolist()]
            file.write("".join(lines).encode("ascii"))
    return path


def lattice(size: int) -> Tensor:
    """The colours of a cube as a picture (1, 3, size², size), red along its rows, blue slowest."""
    steps = torch.linspace(0, 1, size)
    blue, green, red = torch.meshgrid(steps, steps, steps, indexing="ij")
    return torch.stack([red, green, blue]).view(1, 3, size * size, size)


def _plain(title: str) -> str:
    """A title that every reader takes: printable ASCII without the quotation mark that ends it."""
    kept = "".join(c if c.isascii() and c.isprintable() and c != '"' else "_" for c in title)
    return kept[:LONGEST_TITLE]
