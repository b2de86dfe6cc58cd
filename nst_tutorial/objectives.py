"""From pictures to an objective: the content, one style or several, each in its colours and region.

`losses` has the terms; here it is decided which there are for given pictures and settings, and how
much each of them counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from . import color
from .engine import features_of, statistics_of
from .images import fit, resize
from .inputs import as_list, kernels_of_layers, normalized_mix, scales_of, style_names
from .losses import (
    Content,
    Grain,
    Objective,
    OutOfRange,
    Style,
    Term,
    TotalVariation,
    content_factor,
    style_factor,
)
from .noise import flatness
from .presets import Settings
from .regions import at_layers, fit_masks, resize_mask, shares
from .vgg import VGG19


@dataclass(frozen=True)
class StyleSource:
    """One style: its picture, how much of it, how large, and from where to where."""

    picture: Tensor
    """(1, 3, H, W), sRGB, 0..1."""

    share: float = 1.0
    """Its part of the style weight."""

    scale: float = 1.0
    """Longer side of the picture over that of the content, at every scale."""

    name: str = "style"
    """Of its terms: "style relu1_1"; with several styles "style 1 relu1_1"."""

    content_mask: Tensor | None = None
    """Where it goes, (1, 1, H, W) at the content's size; None: everywhere."""

    style_mask: Tensor | None = None
    """Where it is taken from, (1, 1, H, W) at the picture's own size; None: all of it."""

    def to(self, like: Tensor) -> StyleSource:
        """The same on the device and in the type of a tensor."""
        names = ("picture", "content_mask", "style_mask")
        moved = {n: t.detach().to(like) for n in names if (t := getattr(self, n)) is not None}
        return replace(self, **moved)

    def size_for(self, shape: tuple[int, int]) -> int:
        """Longer side of the picture beside a content of that (H, W): never above its own."""
        return min(max(self.picture.shape[2:]), round(max(shape) * self.scale))

    def beside(self, shape: tuple[int, int]) -> StyleSource:
        """The same for a content of that (H, W): picture and masks resized."""
        picture = resize(self.picture, self.size_for(shape))
        style_mask = resize_mask(self.style_mask, tuple(picture.shape[2:]))
        content_mask = resize_mask(self.content_mask, shape)
        return replace(self, picture=picture, content_mask=content_mask, style_mask=style_mask)


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
    into = fit_masks("content mask", content_masks, [content] * count)
    out_of = fit_masks("style mask", style_masks, styles)
    each = zip(
        styles, shares(mix, into), scales_of(settings.style_scale, count), style_names(count),
        into, out_of, strict=True,
    )  # fmt: skip
    return [StyleSource(*parts) for parts in each if parts[1] > 0]


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
    return content, list(sources)


def make_objective(
    model: VGG19,
    content: Tensor | None,
    style: Tensor | Sequence[StyleSource] | None,
    settings: Settings,
    tile: int | None = None,
) -> Objective:
    """Return the objective of `stylize` for pictures (1, 3, H, W) at one scale.

    Without a content only the style's terms are there, and the other way round. `tile` is the side
    of the tiles in which the pictures are looked at; None: in one piece.
    """
    terms: dict[str, Term] = {}
    weights: dict[str, float] = {}
    if content is not None:
        for layer, target in features_of(model, content, settings.content_layers, tile).items():
            factor = content_factor(settings.content_normalization, target)
            terms[f"content {layer}"] = Content(layer, target, factor)
            weights[f"content {layer}"] = settings.content_weight * settings.content_layers[layer]
    if style is not None:
        sources = [StyleSource(style)] if isinstance(style, Tensor) else style
        for source in sources:
            for layer, term in _style_terms(model, source, settings, tile).items():
                name = f"{source.name} {layer}"
                weight = settings.style_weight * settings.style_layers[layer]
                terms[name], weights[name] = term, weight * source.share
    if settings.tv_weight:
        terms["total variation"] = TotalVariation()
        weights["total variation"] = settings.tv_weight
    if settings.grain_weight and content is not None:
        terms["grain"] = Grain(flatness(content))
        weights["grain"] = settings.grain_weight
    if settings.range_weight:
        terms["out of range"] = OutOfRange()
        weights["out of range"] = settings.range_weight
    return Objective(model, terms, weights)


def _style_terms(
    model: VGG19, source: StyleSource, settings: Settings, tile: int | None
) -> dict[str, Style]:
    """Layer → the distance of its statistic inside the one mask from that inside the other."""
    kernels = kernels_of_layers(settings.kernel, settings.style_layers)
    into = at_layers("content mask", source.content_mask, kernels)
    out_of = at_layers("style mask", source.style_mask, kernels)
    found = {}
    for layer, (target, shape) in statistics_of(
        model, source.picture, kernels, out_of, tile
    ).items():
        kernel = kernels[layer].fitted(target)
        factor = style_factor(settings.style_normalization, kernel, target, shape)
        found[layer] = Style(layer, kernel, target, factor, into[layer])
    return found
