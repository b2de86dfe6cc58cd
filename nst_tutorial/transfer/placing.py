"""Where each style goes, as far as the network or the pictures decide it: regions and faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from ..checks import warn
from ..presets import normalized_mix
from ..regions.faces import FACE_STYLE, face_mask
from ..regions.matching import match_regions
from ..vgg.network import VGG19
from .masks import shares
from .request import Request
from .styles import StyleSource, style_names

REGION = " region "  # after the name of a style, before the number


def place_styles(request: Request, model: VGG19) -> Request:
    """Return the request with its styles divided among regions and weak in faces, if it asks so.

    A style of which one region or none was found keeps its name; else its terms are called
    "style region 1 relu1_1", … The request itself is returned if it asks for neither. Errors and
    warnings are those of `match_regions`; no face in the content is a warning.
    """
    settings, content = request.settings, request.content
    if content is None or (settings.regions is None and not settings.keep_faces):
        return request
    sources: Sequence[StyleSource] = request.styles
    if settings.regions is not None:
        sources = [part for source in sources for part in _divided(source, content, request, model)]
    if settings.keep_faces:
        sources = _sparing_faces(sources, content)
    names = style_names(len(request.style_shapes))
    masks = [source.content_mask for source in sources]

    def shares_of(mix: Sequence[float] | None) -> list[float]:
        part_of = dict(zip(names, normalized_mix(mix, len(names)), strict=True))
        return shares([part_of[source.name.partition(REGION)[0]] for source in sources], masks)

    weights = shares_of(settings.style_mix)
    fine = shares_of(settings.style_mix_fine) if settings.style_mix_fine else [None] * len(masks)
    placed = [
        replace(source, share=share, fine_share=fine_share)
        for source, share, fine_share in zip(sources, weights, fine, strict=True)
    ]
    return replace(request, styles=tuple(placed))


def _divided(
    source: StyleSource, content: Tensor, request: Request, model: VGG19
) -> list[StyleSource]:
    """The style once for each of its regions."""
    regions = request.settings.regions
    assert regions is not None
    into, out_of = match_regions(content, source.picture, regions, seed=request.seed, model=model)
    if len(into) == 1:
        return [source]
    return [
        replace(source, name=f"{source.name}{REGION}{r}", content_mask=c, style_mask=s)
        for r, (c, s) in enumerate(zip(into, out_of, strict=True), start=1)
    ]


def _sparing_faces(sources: Sequence[StyleSource], content: Tensor) -> list[StyleSource]:
    """The same, each with a mask that is low in the faces of the content."""
    faces = face_mask(content)
    if not faces.any():
        warn(
            "keep_faces: no face is seen in the content (from the front, upright), so none is kept"
        )
        return list(sources)
    calm = 1 - (1 - FACE_STYLE) * faces
    return [
        replace(s, content_mask=calm if s.content_mask is None else s.content_mask * calm)
        for s in sources
    ]
