"""The styles of a run: their pictures, shares, scales and regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import torch
from torch import Tensor

from ..images import color
from ..images.color_transport import transport_colors
from ..images.resizing import enlarge, fit, resize_mask, shape_of
from ..kernels.registry import kernels_of_layers
from ..presets import Settings, normalized_mix
from .masks import at_layers, fit_masks, shares


def as_list(style: Tensor | Sequence[Tensor]) -> list[Tensor]:
    """One picture, or a sequence of several, as a list."""
    if not isinstance(style, list | tuple):
        return [style]  # type: ignore[list-item]  # one that is no picture is told by name
    if not style:
        raise ValueError("style must be a picture, or a sequence of at least one; it is empty")
    return list(style)


def style_names(count: int) -> list[str]:
    """Return the names of `count` styles: "style", or "style 1", "style 2", …"""
    return ["style"] if count == 1 else [f"style {i}" for i in range(1, count + 1)]


def scales_of(scale: float | Sequence[float], count: int) -> list[float]:
    """Return the style scale of each style, from one for all or one for each."""
    if isinstance(scale, int | float):
        return [scale] * count
    if len(scale) != count:
        raise ValueError(f"style_scale must be a number, or {count}, one for each style; got "
                         f"{scale!r}")  # fmt: skip
    return list(scale)


@dataclass(frozen=True, eq=False)
class StyleSource:
    """One style: its picture, how much of it, how large, and from where to where."""

    picture: Tensor
    """(1, 3, H, W), sRGB, 0..1."""

    share: float = 1.0
    """Its part of the style weight."""

    fine_share: float | None = None
    """The same at the finest scale, `share` being that at the coarsest; None: no other."""

    scale: float | Fraction = 1.0
    """Longer side of the picture over that of the content, at every scale."""

    grows: bool = False
    """Whether it is enlarged beside a content that is too large for its own pixels."""

    enlarged: float = 1.0
    """Longer side over that of its file, at least 1: strokes finer than that it has none."""

    name: str = "style"
    """Of its terms: "style relu1_1"; with several styles "style 1 relu1_1"."""

    content_mask: Tensor | None = None
    """Where it goes, (1, 1, H, W) at the content's size; None: everywhere."""

    style_mask: Tensor | None = None
    """Where it is taken from, (1, 1, H, W) at the picture's own size; None: all of it."""

    @property
    def is_masked(self) -> bool:
        return self.content_mask is not None or self.style_mask is not None

    def to(self, like: Tensor) -> StyleSource:
        """The same on the device and in the type of a tensor."""
        names = ("picture", "content_mask", "style_mask")
        moved = {n: t.detach().to(like) for n in names if (t := getattr(self, n)) is not None}
        return replace(self, **moved)

    def size_for(self, shape: tuple[int, int]) -> int:
        """Longer side of the picture beside a content of that (H, W)."""
        beside = round(max(shape) * self.scale)
        return beside if self.grows else min(max(self.picture.shape[2:]), beside)

    def beside(self, shape: tuple[int, int]) -> StyleSource:
        """The same for a content of that (H, W): picture and masks resized."""
        size = self.size_for(shape)
        picture = enlarge(self.picture, size)
        enlarged = max(1.0, size / max(self.picture.shape[2:]))
        style_mask = resize_mask(self.style_mask, shape_of(picture))
        content_mask = resize_mask(self.content_mask, shape)
        return replace(
            self, picture=picture, enlarged=enlarged, content_mask=content_mask,
            style_mask=style_mask,
        )  # fmt: skip

    def share_at(self, fineness: float) -> float:
        """Its part of the style weight between the coarsest scale, 0, and the finest, 1."""
        if self.fine_share is None:
            return self.share
        return (1 - fineness) * self.share + fineness * self.fine_share


def style_sources(
    content: Tensor,
    style: Tensor | Sequence[Tensor],
    settings: Settings,
    content_masks: object = None,
    style_masks: object = None,
) -> list[StyleSource]:
    """Return the styles that count, each with its share, scale and masks; see `stylize`.

    A style of which nothing is wanted is left out.

    Raises
    ------
    ValueError
        Numbers or masks that do not fit the styles, or are out of range.
    """
    styles = as_list(style)
    count = len(styles)
    mix = normalized_mix(settings.style_mix, count)
    fine_mix = settings.style_mix_fine and normalized_mix(settings.style_mix_fine, count)
    into = fit_masks("content mask", content_masks, [content] * count)
    out_of = fit_masks("style mask", style_masks, styles)
    scales = scales_of(settings.style_scale, count)
    if settings.strokes == "keep":
        scales = [kept_scale(s, x, shape_of(content)) for s, x in zip(scales, styles, strict=True)]
    fine_shares = shares(fine_mix, into) if fine_mix else [None] * count
    each = zip(
        styles, shares(mix, into), fine_shares, scales, [settings.strokes == "grow"] * count,
        [1.0] * count, style_names(count), into, out_of, strict=True,
    )  # fmt: skip
    return [StyleSource(*parts) for parts in each if parts[1] > 0 or parts[2]]


def kept_scale(scale: float, style: Tensor, shape: tuple[int, int]) -> float:
    """Return a style scale at which the style is, beside a content of (H, W), never enlarged."""
    return min(scale, max(shape_of(style)) / max(shape))


def check_regions(
    sources: Sequence[StyleSource], shapes: Sequence[tuple[int, int]], settings: Settings
) -> None:
    """A ValueError if a mask has nothing left at some layer of a content of these (H, W)."""
    kernels = kernels_of_layers(settings.kernel, settings.style_layers)
    for shape in shapes:
        for source in sources:
            height, width = source.picture.shape[2:]
            style_shape = fit(width, height, source.size_for(shape))[::-1]
            at_layers("content mask", resize_mask(source.content_mask, shape), kernels)
            at_layers("style mask", resize_mask(source.style_mask, style_shape), kernels)


def recolored(
    content: Tensor, sources: Sequence[StyleSource], settings: Settings
) -> tuple[Tensor, list[StyleSource]]:
    """Return content and styles as `settings.color` wants them seen by the network."""

    def changed(change, *more) -> list[StyleSource]:
        return [
            replace(s, picture=change(s.picture, content, *more, s.style_mask, s.content_mask))
            for s in sources
        ]

    if settings.color == "luminance":
        return color.grey(content), changed(color.match_luminance)
    if settings.color == "match":
        matched = changed(color.match_color, settings.color_method)
        return content, [replace(s, picture=s.picture.clamp(0, 1)) for s in matched]
    if settings.color == "histogram":
        return content, [
            replace(s, picture=transport_colors(s.picture, content, s.style_mask, s.content_mask))
            for s in sources
        ]
    return content, list(sources)


def matched(content: Tensor, sources: Sequence[StyleSource], settings: Settings) -> Tensor:
    """Return the content with the mean and covariance of the colours of the styles, in 0..1.

    Each region has those of its style, as `images.match_color` finds them; where several meet, a
    mean by their shares; outside of all it stays as it is.
    """
    change, total = torch.zeros_like(content), torch.zeros_like(content[:, :1])
    covered = torch.zeros_like(total)
    for source in sources:
        colors = color.match_color(
            content, source.picture, settings.color_method, source.content_mask, source.style_mask
        )
        mask = torch.ones_like(total) if source.content_mask is None else source.content_mask
        change += source.share * mask * (colors - content)
        total += source.share * mask
        covered = torch.maximum(covered, mask)
    return (content + covered * change / total.clamp(min=1e-12)).clamp(0, 1)
