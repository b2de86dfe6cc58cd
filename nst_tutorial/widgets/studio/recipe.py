"""Which picture is to be made, as it is computed, and as code that computes it again."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...checks import LARGEST_SIZE, SMALLEST_SIDE, check_number
from ...images.catalog import find_image
from ...images.decoding import read_picture
from ...images.reading import load_image
from ...images.resizing import fit, shape_of
from ...optimize.loop import Callback
from ...optimize.result import Result
from ...presets import Settings
from ...tiling.planning import Plan
from ...transfer.masks import load_mask
from ...transfer.options import settings_from
from ...transfer.request import Request, check_style_scale
from ...transfer.style_transfer import stylize
from ...transfer.styles import style_sources

PLENTY = 1e6  # GB: a plan that memory does not restrict


@dataclass(frozen=True)
class Picture:
    """A picture by name, and where it lies here."""

    name: str
    path: Path


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a picture.

    Parameters
    ----------
    content, styles
        The pictures.
    size
        Longer side in pixels.
    options
        Of `stylize`. What is not in it is left to `stylize`.
    stop_after
        The evaluation after which it was stopped; None: it was not.
    content_masks, style_masks
        Of each style, where it goes and what of it is taken; empty: everywhere, everything.
    """

    content: Picture
    styles: tuple[Picture, ...]
    size: int
    options: Mapping = field(default_factory=dict)
    stop_after: int | None = None
    content_masks: tuple[Picture, ...] = ()
    style_masks: tuple[Picture, ...] = ()

    @property
    def settings(self) -> Settings:
        return settings_from(self.options.get("preset", "default"), self.options)

    @property
    def name(self) -> str:
        """For the file of the result."""
        return "_".join(dict.fromkeys(Path(picture.name).stem for picture in self.pictures))

    @property
    def style_size(self) -> int:
        """No larger than the style will be used, so that a huge painting fills no memory."""
        scale = check_number("style_scale", self.settings.style_scale)  # one for all styles
        size = min(max(SMALLEST_SIDE, self.size * scale), LARGEST_SIZE)
        return math.ceil(size)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return (self.content, *self.styles)

    @property
    def masks(self) -> tuple[Picture, ...]:
        return (*self.content_masks, *self.style_masks)

    def load(self) -> tuple[Tensor, list[Tensor]]:
        """The content and the styles, as `stylize` gets them."""
        styles = [load_image(s.path, self.style_size, enlarge=False) for s in self.styles]
        return load_image(self.content.path, self.size), styles

    def run(self, callback: Callback | None = None) -> Result:
        """Compute the picture."""
        content, styles = self.load()
        style = styles if len(styles) > 1 else styles[0]
        masks: dict[str, Any] = {
            name: [load_mask(mask.path, size, enlarge=enlarge) for mask in masks]
            for name, masks, size, enlarge in self._masks
        }
        return stylize(content, style, callback=callback, **masks, **self.options)

    @property
    def _masks(self) -> list[tuple[str, tuple[Picture, ...], int, bool]]:
        """Name of the option, its masks, and the size in which they are read."""
        all_masks = [
            ("content_masks", self.content_masks, self.size, True),
            ("style_masks", self.style_masks, self.style_size, False),
        ]
        return [each for each in all_masks if each[1]]

    # --- before starting ---------------------------------------------------------------------

    def plan(self, seconds_per_megapixel: float | None = None, memory: float | None = None) -> Plan:
        """What a run will do, with how much memory and in how much time.

        Raises
        ------
        ValueError, OSError
            As `stylize` would, for pictures and settings that cannot be used; no style layers, for
            which the command line has no words.
        """
        settings = self.settings
        if not settings.style_layers:
            raise ValueError("All style layers are at 0: give at least one of them a weight.")
        content = _shape(self.content.path, self.size, True)
        styles = [_shape(each.path, self.style_size, False) for each in self.styles]
        sources = style_sources(content, styles, settings)
        for source in sources:
            check_style_scale(source, shape_of(content))
        request = Request(settings, shape_of(content), content, tuple(sources))
        return request.plan(
            memory=memory or self.options.get("memory"),
            seconds_per_megapixel=seconds_per_megapixel,
        )

    def pinned(self) -> Recipe:
        """The same, with the memory among the options if the plan depends on it.

        How a picture is cut into tiles decides how its last bits are rounded. Where there is plenty
        of memory nothing is cut, then or when the picture is made again.
        """
        now = self.plan()
        if now.budget is None or now.stages == self.plan(memory=PLENTY).stages:
            return self
        budget = math.floor(now.budget / 1e8) / 10
        return replace(self, options={**self.options, "memory": budget})

    # --- as code -----------------------------------------------------------------------------

    def python(self) -> str:
        """The call that makes this picture."""
        arguments = [f"{name}={_literal(value)}" for name, value in self.options.items()]
        for name, masks, size, enlarge in self._masks:
            fixed = "" if enlarge else ", enlarge=False"
            calls = [f"nst.transfer.load_mask({_literal(m.name)}, {size}{fixed})" for m in masks]
            arguments.append(f"{name}=[{', '.join(calls)}]")
        if self.stop_after is not None:
            arguments.append(f"callback=lambda progress: progress.evaluation == {self.stop_after}")
        styles = [self._loading(s, "style") for s in self.styles]
        style = styles[0] if len(styles) == 1 else _lines("[", styles, "]")
        call = _lines("nst.stylize(", ["content", "style", *arguments], ")")
        return "\n".join(
            [
                "import nst_tutorial as nst",
                "",
                f"content = {self._loading(self.content, 'content')}",
                f"style = {style}",
                f"result = {call}",
                f"nst.save_image(result.image, {_literal(self.name + '.png')}, result.settings)",
            ]
        )

    def shell(self) -> str:
        """The command that makes this picture."""
        words = ["nst", "stylize", self.content.name, self.styles[0].name]
        words += ["--size", str(self.size)]
        for other in self.styles[1:]:
            words += ["--also", other.name]
        for name, value in self.options.items():
            words += _as_options(name, value)
        for name, masks, _, _ in self._masks:
            for mask in masks:
                words += [f"--{name.replace('_', '-').removesuffix('s')}", mask.name]
        if self.stop_after is not None:
            words += ["--stop-after", str(self.stop_after)]
        return shlex.join(words)

    def _loading(self, picture: Picture, kind: str) -> str:
        size = self.size if kind == "content" else self.style_size
        arguments = [_literal(picture.name), str(size)]
        if _found(picture.name) != picture.path and _found(picture.name, kind) == picture.path:
            arguments.append(f'kind="{kind}"')  # there is a picture of that name of the other kind
        if kind == "style":
            arguments.append("enlarge=False")
        return f"nst.load_image({', '.join(arguments)})"


def _found(name: str, kind: str | None = None) -> Path | None:
    try:
        return find_image(name, kind)
    except FileNotFoundError:  # uploaded: it lies with the visitor
        return None


def _literal(value: object) -> str:
    """Strings, numbers, lists and mappings as Python, in double quotes: JSON is the same there."""
    if isinstance(value, bool):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def _lines(opening: str, parts: list[str], closing: str) -> str:
    return "\n".join([opening, *(f"    {part}," for part in parts), closing])


def _as_options(name: str, value: object) -> list[str]:
    """An option of `stylize` as words of the command line."""
    if name == "kernel" and isinstance(value, Mapping):
        named = {("kernel" if key == "name" else key): v for key, v in value.items()}
        return [word for key, v in named.items() for word in (f"--{key}", str(v))]
    if value is True:
        return [f"--{name.replace('_', '-')}"]
    if name in ("style_mix", "style_mix_fine") and isinstance(value, Sequence):
        return [f"--{name[6:].replace('_', '-')}", ",".join(map(repr, value))]
    if isinstance(value, Mapping):
        value = ",".join(f"{key}={weight!r}" for key, weight in value.items())
    return [f"--{name.replace('_', '-')}", str(value)]


@lru_cache(maxsize=64)
def _size_of(path: Path, changed: float) -> tuple[int, int]:
    return read_picture(path).size


def _shape(path: Path, size: int, enlarge: bool) -> Tensor:
    """A tensor of the shape that `load_image` will give, without its numbers."""
    width, height = _size_of(path, path.stat().st_mtime)
    if enlarge or size < max(width, height):
        width, height = fit(width, height, size)
    if min(width, height) < SMALLEST_SIDE:
        load_image(path, size, enlarge=enlarge)  # it says what is wrong
    return torch.empty((1, 3, height, width), device="meta")
