"""What `nst stylize` is given: pictures and masks, at their sizes; settings of a result."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..checks import check_integer
from ..presets import PRESETS
from ..storage.atomic import check_distinct

if TYPE_CHECKING:
    from torch import Tensor

EVERYWHERE = "-"


def mix_from(text: str | None) -> list[float] | None:
    """How much of each style, from "1,2"."""
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"--mix is numbers separated by commas, as in 1,2; got {text!r}") from None


def check_order(content: str, style: str) -> None:
    """Refuse a style and a content that are named in the wrong order."""
    if not _is_known(content, "content") and _is_known(content, "style"):
        if _is_known(style, "content"):
            raise ValueError(
                f"{content} is a style, and {style} is not; did you mean nst stylize {style} "
                f"{content}?"
            )
        raise ValueError(f"{content} is a style; what shall be repainted comes before it")


def _is_known(name: str, kind: str) -> bool:
    from ..images.catalog import find_image

    try:
        return find_image(name, kind).exists()
    except (OSError, ValueError):
        return False


def sizes_of_styles(scale: float | Sequence[float], size: int, count: int) -> list[int]:
    """As large as each will be used, so that a huge painting does not fill the memory."""
    from ..checks import LARGEST_SIZE, SMALLEST_SIDE
    from ..transfer.styles import scales_of

    wanted = [size * each for each in scales_of(scale, count)]
    return [math.ceil(min(max(SMALLEST_SIDE, each), LARGEST_SIZE)) for each in wanted]


def read_styles(paths: Sequence[Path], sizes: Sequence[int]) -> Tensor | list[Tensor]:
    """One picture, or a list of several, as `stylize` takes them."""
    from ..images.reading import load_image

    styles = [load_image(p, s, enlarge=False) for p, s in zip(paths, sizes, strict=True)]
    return styles if len(styles) > 1 else styles[0]


def opacity_of(path: Path, size: int | None = None) -> Tensor | None:
    """How opaque a picture is, in the size of its result; None, and a word, if it is all opaque."""
    from ..images.reading import load_opacity
    from .console import complain

    opacity = load_opacity(path, size)
    if opacity is None:
        complain(f"{path} is opaque; --keep-alpha changes nothing")
    return opacity


def read_masks(
    option: str, names: Sequence[str] | None, sizes: Sequence[int], *, enlarge: bool
) -> list[Tensor | None] | None:
    """A mask for each style as large as its picture; None for everywhere."""
    from ..transfer.masks import load_mask

    if not names:
        return None
    if len(names) != len(sizes):
        raise ValueError(
            f"there must be one {option} for each style, or {EVERYWHERE} for everywhere; got "
            f"{len(names)} for {len(sizes)}"
        )
    return [
        None if name == EVERYWHERE else load_mask(name, size, enlarge=enlarge)
        for name, size in zip(names, sizes, strict=True)
    ]


def check_files(
    writes: Mapping[str, Path | None], reads: Mapping[str, Sequence[str | Path | None] | None]
) -> None:
    """Refuse a file to be written that is another argument too; `reads` holds a list for each."""
    named = {
        name if len(paths) == 1 else f"{name} {path}": Path(path)
        for name, paths in reads.items()
        if paths
        for path in paths
        if path not in (None, EVERYWHERE)
    }
    check_distinct(writes, named)


def recorded_options(path: Path) -> tuple[dict, dict]:
    """The options of `stylize` in a picture's record, and the record.

    Raises
    ------
    ValueError
        It names the picture, and what of its record `stylize` cannot use.
    """
    from ..images.reading import load_settings
    from ..presets import options_from
    from ..transfer.options import check_settings

    record = load_settings(path)
    try:
        options = options_from(record)
        check_settings(
            replace(PRESETS["default"], **{k: v for k, v in options.items() if k != "seed"})
        )
        check_integer("seed", options.get("seed", 0), 0)
    except (
        TypeError,
        ValueError,
        AttributeError,
        LookupError,
        OverflowError,
        RecursionError,
    ) as error:
        raise ValueError(f"{path}: its settings cannot be used ({error})") from error
    if not options.get("content_layers") or not options.get("style_layers"):
        raise ValueError(f"{path}: it was not made by stylize, so there is nothing to be like")
    return options, record


def without_enlargement(options: Mapping, path: Path) -> dict:
    """The options of an enlarged result for a run of its own, through all scales: it is told of."""
    from .console import complain

    lost = ["begin_at"]
    more = ""
    if isinstance(options.get("steps"), list):
        lost.append("steps")
        more = "; its steps, one number for each larger scale, are left out too"
    complain(
        f"{path} was enlarged from a smaller result, which is not in it: this run goes through all "
        f"scales, with its settings{more}; --start with that result makes it again"
    )
    return {name: value for name, value in options.items() if name not in lost}


def shape_in(value: object, path: Path) -> tuple[int, int]:
    """(H, W) from a picture's record; a ValueError if there is none."""
    try:
        height, width = (check_integer("a side", side, 1) for side in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: it does not say how large its pictures were") from error
    return height, width


def available_here(options: dict, path: Path, device: str) -> dict:
    """The options without the convolutions in them, if this machine lacks those: it is told of."""
    from ..machine.device import choose_device
    from ..vgg.paths import candidates, parse_paths
    from .console import complain

    here = choose_device(device)
    try:
        paths = parse_paths(options.get("convolutions", "auto"), "auto")
    except ValueError:  # of a later version, perhaps
        paths = ("unknown",)
    if not set(paths or ()) <= set(candidates(here)):
        complain(
            f"{path} was made with convolutions that {here.type} lacks, "
            f"{options['convolutions']}; its digits will differ"
        )
        return {k: v for k, v in options.items() if k not in ("convolutions", "precision")}
    return options
