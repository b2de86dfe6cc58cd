"""A look: a fitted grid of colour maps and all that it needs for another picture, in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..checks import check_image, check_number, printable
from ..storage.tensor_files import named_if_damaged, read_header, read_tensors, write_tensors
from .blocks import apply_in_blocks
from .grid import identity_grid
from .guide import Guide, guide_from

KIND = "nst_tutorial look"
VERSION = "1"
FORMAT = f"{KIND} {VERSION}"
SUFFIX = ".safetensors"
STRONGEST = 1.5  # times the look; beyond, colours do nothing but leave 0..1
LARGEST = 1e6  # of a number in a grid or a guide: so none that is computed overflows


@dataclass(frozen=True, eq=False)
class Look:
    """What a photograph's colours become: everywhere the same, or here and there another thing.

    >>> from nst_tutorial.looks import identity_grid
    >>> look = Look(identity_grid(8, 12, 16))
    >>> picture = torch.rand(1, 3, 60, 90)
    >>> torch.allclose(look.apply(picture), picture, atol=1e-6)
    True

    Raises
    ------
    ValueError
        The grid has another shape, or values that are not finite or over a million; settings that
        JSON cannot hold.
    """

    grid: Tensor
    """(1, 12, depth, rows, columns), see `looks.grid`."""

    guide: Guide = field(default_factory=Guide)
    record: Mapping[str, Any] = field(default_factory=dict)
    """The settings that made it."""

    def __post_init__(self) -> None:
        grid = self.grid
        if grid.dim() != 5 or grid.shape[:2] != (1, 12) or not grid.numel():
            raise ValueError(
                f"a look's grid must be (1, 12, depth, rows, columns); got {tuple(grid.shape)}"
            )
        if not grid.is_floating_point():
            raise ValueError(f"a look's grid must hold floating point numbers, got {grid.dtype}")
        numbers = (*self.guide.weights, self.guide.offset, float(grid.detach().abs().max()))
        if not all(abs(number) <= LARGEST for number in numbers):  # nor NaN
            raise ValueError(f"a look's numbers must be finite and at most {LARGEST:g}")
        _as_json(self.record)
        object.__setattr__(self, "grid", grid.detach())

    def apply(self, picture: Tensor, strength: float = 1.0) -> Tensor:
        """Return a picture (1, 3, H, W) of any size in the colours of this look.

        Parameters
        ----------
        picture
            sRGB, 0..1.
        strength
            0 leaves the picture as it is, 1 is the look, up to 1.5 goes beyond.

        Returns
        -------
        Tensor
            (1, 3, H, W), of the picture's type; values may leave 0..1, which `save_image` cuts off.

        Raises
        ------
        ValueError
            No picture of finite values; a strength outside 0..1.5.
        """
        check_image("the picture", picture)
        pixels = picture.detach()
        pixels = pixels.to(torch.promote_types(pixels.dtype, torch.float32))
        grid = self.with_strength(strength).grid.to(pixels)
        return apply_in_blocks(grid, pixels, self.guide).to(picture.dtype)

    def with_strength(self, strength: float) -> Look:
        """Return the look whose maps are 1 + strength · (A - 1), 1 being the map of no change."""
        strength = check_number("strength", strength, most=STRONGEST)
        if strength == 1:
            return self
        identity = identity_grid(*self.grid.shape[2:]).to(self.grid)
        return replace(self, grid=identity + strength * (self.grid - identity))

    @property
    def depends_on_position(self) -> bool:
        """Whether one colour can become another here than there."""
        return bool((self.grid != self.grid[..., :1, :1]).any())

    def averaged(self) -> Look:
        """Return the look that has everywhere, for each value of the guide, the mean of its maps.

        Each cell counts alike: that is the mean over all positions.
        """
        return replace(self, grid=self.grid.mean((3, 4), keepdim=True))


def describe(look: Look) -> dict[str, Any]:
    """What a look is, name → value: its size and guide, then the settings that made it."""
    depth, rows, columns = look.grid.shape[2:]
    return {
        "cells": f"{columns}×{rows}",
        "depth": depth,
        "guide": look.guide.kind,
        "depends on position": look.depends_on_position,
        **look.record,
    }


# --- files -----------------------------------------------------------------------------------


def save_look(look: Look, path: str | Path, *, overwrite: bool = True) -> Path:
    """Write a look into one safetensors file, whole or not at all.

    Raises
    ------
    ValueError
        The name does not end in .safetensors.
    OSError
        The folder is missing or not writable, the disk is full; FileExistsError.
    """
    path = check_look_path(path)
    header = {
        "format": FORMAT, "guide": json.dumps(look.guide.as_dict()), "record": _as_json(look.record)
    }  # fmt: skip
    write_tensors(path, {"grid": look.grid.float()}, header, overwrite=overwrite)
    return path


def check_look_path(path: str | Path) -> Path:
    """Return the path; a ValueError if its suffix is not that of a look."""
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        raise ValueError(f"{printable(str(path))}: a look is a file of the type {SUFFIX}")
    return path


def load_look(path: str | Path) -> Look:
    """Return the look that `save_look` wrote.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        No such file; a folder.
    ValueError
        The file is no look, is damaged, or of another version.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path}: is a folder; name the file of a look in it")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; a look is what photo mode saves")
    version = read_header(path).get("format", "").removeprefix(f"{KIND} ")
    if version.isdecimal() and version != VERSION:
        raise ValueError(
            f"{path}: a look of version {version}, and this program reads version {VERSION}; "
            "update nst_tutorial, or fit the look again"
        )
    header, tensors = read_tensors(path, FORMAT, "look")
    with named_if_damaged(path, "look"):
        return Look(
            tensors["grid"], guide_from(json.loads(header["guide"])), json.loads(header["record"])
        )


def _as_json(record: Mapping[str, Any]) -> str:
    if not isinstance(record, Mapping):
        raise ValueError(f"a look's record must be a mapping, got {type(record).__name__}")
    try:
        return json.dumps(dict(record))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"a look's record must be what JSON can hold ({error})") from error
