"""A run as it was asked for: its pictures and settings, checked once; and the plan for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..checks import SMALLEST_SIDE, check_integer, check_pictures
from ..images.resizing import fit
from ..kernels.registry import kernels_of_layers
from ..looks.grid import grid_shape
from ..optimize.grid import check_cells
from ..presets import Settings, normalized_mix
from ..tiling.planning import Plan, plan, schedule_of
from ..tiling.scales import sizes_of_scales
from ..vgg.layers import stride
from .styles import StyleSource, as_list, style_names, style_sources

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, eq=False)
class Request:
    """What is to be made of which pictures, each of them checked."""

    settings: Settings
    shape: tuple[int, int]
    """(H, W) of the result."""

    content: Tensor | None = None
    """What is to be kept, (1, 3, H, W), sRGB, 0..1; None: a texture."""

    styles: tuple[StyleSource, ...] = ()
    """What it is to look like; none: a reconstruction."""

    start: Tensor | None = None
    """A picture to start from, if settings.start is "picture"."""

    seed: int = 0
    tileable: bool = False
    style_shapes: tuple[tuple[int, int], ...] = ()
    """(H, W) of each style that was given, also of those of which nothing is wanted."""

    @property
    def pictures(self) -> Mapping[str, Tensor]:
        """Name → picture, of everything that decides the result."""
        named = {} if self.content is None else {"content": self.content}
        named |= {source.name: source.picture for source in self.styles}
        return named if self.start is None else {**named, "start": self.start}

    @property
    def enlarges(self) -> bool:
        """Whether the start is a small result of this content, which the run goes on from.

        Only where coarse scales are left out, since elsewhere a start is any picture. It keeps its
        own size, and gets the content's fine detail that it could not hold.
        """
        if self.settings.begin_at is None or self.content is None or self.start is None:
            return False
        return max(self.start.shape[2:]) < max(self.shape)

    @property
    def pixels(self) -> float:
        """That the run will look at, each as often as it does."""
        height, width = self.shape
        longer = max(height, width)
        scales = schedule_of(self.settings, longer, self.narrowest)
        return sum(count * height * width * (size / longer) ** 2 for size, count in scales)

    @property
    def coarsest(self) -> int:
        """Longer side at the coarsest scale that a whole run could have."""
        longer, settings = max(self.shape), self.settings
        if not settings.coarse_to_fine:
            return longer
        return sizes_of_scales(longer, settings.scale_factor, self.narrowest)[0]

    @property
    def narrowest(self) -> float:
        """The shorter side of the narrowest picture, where the result's longer side is 1.

        No scale may be so small that this picture loses the deepest layer.
        """
        sides = [min(self.shape) / max(self.shape)]
        for source in self.styles:
            shape = source.picture.shape[2:]
            sides.append(min(shape) / max(shape) * float(source.scale))
        settings = self.settings
        deepest = max(map(stride, [*settings.content_layers, *settings.style_layers]))
        room = room_for_pairs(settings) * min(1, SMALLEST_SIDE / deepest)
        return min(sides) * room

    def plan(
        self,
        device: str | torch.device = "auto",
        *,
        memory: float | None = None,
        tile: int | str = "auto",
        seconds_per_megapixel: float | None = None,
        paths: Sequence[str] | None = None,
    ) -> Plan:
        """Return the scales to work at, each with its tiles and memory; see `tiling.plan`."""
        return plan(
            *self.shape, settings=self.settings, memory=memory, tile=tile, device=device,
            seconds_per_megapixel=seconds_per_megapixel, narrowest=self.narrowest,
            circular=self.tileable, paths=paths,
        )  # fmt: skip


def request_transfer(
    content: Tensor,
    style: Tensor | Sequence[Tensor],
    settings: Settings,
    *,
    content_masks: object = None,
    style_masks: object = None,
    start: Tensor | None = None,
    seed: int = 0,
) -> Request:
    """Return the request of `stylize`, or raise its ValueError."""
    styles = as_list(style)
    names = style_names(len(styles))
    pictures = {"content": content, **dict(zip(names, styles, strict=True))}
    check_pictures(pictures if start is None else {**pictures, "start": start})
    seed = check_integer("seed", seed, 0)
    mix = normalized_mix(settings.style_mix, len(styles))
    fine = settings.style_mix_fine and normalized_mix(settings.style_mix_fine, len(styles))
    several = len(mix) > 1
    settings = replace(
        settings, style_mix=mix if several else None, style_mix_fine=fine if several else None
    )
    sources = style_sources(content, styles, settings, content_masks, style_masks)
    if settings.regions is not None and any(s.is_masked for s in sources):
        raise ValueError(
            f"masks and regions={settings.regions!r} both say where styles go; give one of them"
        )
    shape = (content.shape[2], content.shape[3])
    if settings.parametrization == "grid":
        check_cells(grid_shape(*shape, settings.grid_size, settings.grid_depth))
    for source in sources:
        check_style_scale(source, shape)
    if settings.begin_at is not None and start is not None:
        _check_shape(start, shape)
    shapes = tuple((each.shape[2], each.shape[3]) for each in styles)
    return Request(settings, shape, content, tuple(sources), start, seed, style_shapes=shapes)


def _check_shape(start: Tensor, shape: tuple[int, int]) -> None:
    """A ValueError unless a start, with which coarse scales are left out, is like the content."""
    height, width = start.shape[2], start.shape[3]
    wanted = fit(shape[1], shape[0], max(height, width))
    if max(abs(width - wanted[0]), abs(height - wanted[1])) > 1:  # one for rounding
        raise ValueError(
            f"start is {width}×{height} px, and a content of {shape[1]}×{shape[0]} would be "
            f"{wanted[0]}×{wanted[1]}: with begin_at it must be a result of this content"
        )


def check_style_scale(source: StyleSource, shape: tuple[int, int]) -> None:
    """A ValueError if a style is too small for the network beside a result of that (H, W)."""
    other = source.picture.shape[2:]
    if min(other) / max(other) * source.size_for(shape) < SMALLEST_SIDE:
        raise ValueError(
            f"style_scale {source.scale} leaves the style smaller than {SMALLEST_SIDE} pixels"
        )


def room_for_pairs(settings: Settings) -> float:
    """½ if a kernel needs pairs of positions, and so pictures twice as large; else 1."""
    kernels = kernels_of_layers(settings.kernel, settings.style_layers).values()
    return 1.0 if all(kernel.additive for kernel in kernels) else 0.5
