"""From pictures to an objective: the content, one style or several, each in its colours and region.

`losses` has the terms; here it is decided which there are for given pictures and settings, and how
much each of them counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from ..checks import warn
from ..kernels.registry import kernels_of_layers
from ..losses.factors import content_factor, style_factor
from ..losses.objective import Objective
from ..losses.terms import Content, Grain, OutOfRange, Style, Term, TotalVariation
from ..machine.device import choose_device
from ..machine.malloc import keep_freed_memory
from ..noise.level import flatness
from ..presets import Settings
from ..tiling.targets import features_of, fit_kernels
from ..vgg.calibration import fastest
from ..vgg.layers import stride
from ..vgg.network import VGG19, load_vgg19
from ..vgg.paths import candidates
from .masks import at_layers
from .provenance import recorded_convolutions
from .styles import StyleSource


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
                terms[name] = term
                weights[name] = weight * source.share * resolved(layer, source.enlarged)
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


def resolved(layer: str, enlarged: float) -> float:
    """Return how much a layer has to say of a style that was enlarged so many times, in 0..1.

    Positions of a layer are its stride apart. Where that is less than a pixel of the style's file,
    there are no strokes to be seen, but only how smooth an enlarged picture is.
    """
    return min(1.0, stride(layer) / enlarged)


def _style_terms(
    model: VGG19, source: StyleSource, settings: Settings, tile: int | None
) -> dict[str, Style]:
    """Layer → the distance of its statistic inside the one mask from that inside the other."""
    kernels = kernels_of_layers(settings.kernel, settings.style_layers)
    into = at_layers("content mask", source.content_mask, kernels)
    out_of = at_layers("style mask", source.style_mask, kernels)
    fitted = fit_kernels(model, source.picture, kernels, out_of, tile)
    terms = {}
    for layer, (kernel, target, shape) in fitted.items():
        factor = style_factor(settings.style_normalization, kernel, target, shape)
        terms[layer] = Style(layer, kernel, target, factor, into[layer])
    return terms


def choose_model(
    settings: Settings,
    device: str,
    model: VGG19 | None,
    padding: str = "zeros",
    *,
    pixels: float = 0,
    checkpoint: str | Path | None = None,
) -> VGG19:
    """Return the network that the settings ask for, or the given one; set up the allocator.

    Its convolutions are those that the settings or the network fix, else those of a checkpoint that
    is there already, else the fastest: measured, if that was not done before, for a run that looks
    at so many `pixels` that it pays (see `vgg.calibration.fastest`).
    """
    if model is None:
        name = str(choose_device(device))
        model = load_vgg19(
            settings.vgg_weights, settings.pooling, settings.rescale, padding, name,
            edges=settings.edges,
        )  # fmt: skip
        model = model.with_paths("auto")  # what was loaded before may know an older variable
    if model.device.type == "cpu":
        keep_freed_memory()
    if settings.convolutions != "auto" or settings.precision != "auto":
        model = model.with_paths(settings.convolutions, settings.precision)
    recorded = recorded_convolutions(checkpoint)
    if recorded is None or model.paths_are_chosen:
        return fastest(model, pixels)
    try:
        model = model.with_paths(recorded)
    except ValueError as error:
        raise ValueError(f"{checkpoint} cannot go on here: {error}") from error
    emulated = set(model.paths) - set(candidates(model.device))
    if emulated:
        warn(f"{checkpoint}: {', '.join(sorted(emulated))} is emulated here, and slow")
    return model
