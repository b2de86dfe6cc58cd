"""A result that is read back: its picture, its settings, and the pictures that it was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checks import printable
from .sources import recorded_options, shape_in

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Small:
    """A result, and what it was made of."""

    path: Path
    picture: Tensor
    record: Mapping[str, Any]
    options: dict[str, Any]
    content: Path
    styles: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Longer side in pixels."""
        return max(self.picture.shape[2:])


def read_small(result: str, content: str | None, styles: Sequence[str]) -> Small:
    """Read a result and find its pictures, by the names in it unless others are given.

    Raises
    ------
    ValueError, OSError
        It holds no settings, or those of another kind of picture; a picture is not there, or is
        another than the one it was made of.
    """
    from ..images.catalog import find_image
    from ..images.reading import load_image

    path = find_image(result)
    options, record = recorded_options(path)
    if options.get("parametrization") == "grid":
        raise ValueError(
            f"{path}: --photo made it, which paints nothing that could be enlarged; nst stylize "
            f"with --like {path} and a larger --size, or nst apply-look, does what is wanted"
        )
    picture, (height, width) = load_image(path), shape_in(record.get("content_size"), path)
    if tuple(picture.shape[2:]) != (height, width):
        raise ValueError(
            f"{path}: it is {picture.shape[3]}×{picture.shape[2]} px, and was {width}×{height} "
            "when it was made; give the result itself, as it was written"
        )
    was = _recorded_pictures(path, record)
    if styles and len(styles) != len(was) - 1:
        raise ValueError(
            f"{path}: its styles are {len(was) - 1}, and here are {len(styles)}; give --style for "
            "each, in their order"
        )
    others: Sequence[str | None] = styles or [None] * (len(was) - 1)
    chosen = [content, *others]
    files = [_find(path, each, other) for each, other in zip(was, chosen, strict=True)]
    return Small(path, picture, record, options, files[0], tuple(files[1:]))


@dataclass(frozen=True)
class _Recorded:
    """What a result says of a picture that it was made of."""

    kind: str
    name: object
    shape: tuple[int, int]
    thumbnail: object


def _recorded_pictures(path: Path, record: Mapping[str, Any]) -> list[_Recorded]:
    """The content and each style in a record, which may have been written by anybody."""
    from ..transfer.styles import style_names

    sizes, names = record.get("style_size"), record.get("style")
    if not (isinstance(sizes, list) and any(isinstance(each, list) for each in sizes)):
        sizes = [sizes]  # one style
    if not (isinstance(names, list) and len(names) == len(sizes)):
        names = [names] * len(sizes)
    thumbnails = record.get("thumbnails")
    looks = thumbnails if isinstance(thumbnails, dict) else {}
    content = _Recorded(
        "content", record.get("content"), shape_in(record.get("content_size"), path),
        looks.get("content"),
    )  # fmt: skip
    each = zip(names, sizes, style_names(len(sizes)), strict=True)
    styles = [
        _Recorded("style", n, shape_in(size, path), looks.get(name)) for n, size, name in each
    ]
    return [content, *styles]


def _find(path: Path, was: _Recorded, chosen: str | None) -> Path:
    """The file of a picture that a result was made of; a ValueError if it is another one."""
    from ..images.catalog import find_image
    from ..images.reading import load_image
    from ..images.resizing import fit
    from ..transfer.provenance import shows

    kind, name, (height, width) = was.kind, was.name, was.shape
    if chosen is not None:
        file = find_image(chosen, kind)
    elif not isinstance(name, str) or Path(name).name != name:
        raise ValueError(f"{path}: it does not say what its {kind} was; give --{kind}")
    else:
        try:
            file = find_image(name, kind)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{path}: its {kind}, {printable(name)}, is neither here nor in images/{kind}; "
                f"give --{kind} with its path"
            ) from error
    picture = load_image(file, max(height, width), enlarge=False)
    wanted = fit(picture.shape[3], picture.shape[2], max(height, width))
    if max(abs(wanted[0] - width), abs(wanted[1] - height)) > 1:  # one for rounding
        raise ValueError(
            f"{path}: its {kind} was {width}×{height} px, and {file} would be "
            f"{wanted[0]}×{wanted[1]}: another picture? give the right one with --{kind}"
        )
    if not shows(picture, was.thumbnail):
        raise ValueError(
            f"{path}: its {kind} was not what {file} shows; give the right one with --{kind}"
        )
    return file
