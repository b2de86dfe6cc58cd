"""The trade-off between content and style, measured: one picture for each balance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

from torch import Tensor

from ..checks import check_number
from ..images.reading import check_can_save, load_image, load_settings, save_image
from ..optimize.result import Result
from ..presets import Settings, current_names
from ..vgg.network import VGG19
from .builder import choose_model
from .options import NAMES, refuse_unknown
from .provenance import identity, record_transfer
from .request import Request, request_transfer
from .style_transfer import settings_and_start, stylize

OPTIONS = tuple(signature(stylize).parameters)


@dataclass(frozen=True)
class Point:
    """What one style weight leads to."""

    style_weight: float
    content_loss: float
    """Σ layer weight · content term, without `content_weight`."""
    style_loss: float
    """Σ layer weight · style's share · style term, without `style_weight`."""
    image: Tensor
    """(1, 3, H, W), sRGB, 0..1."""


def trade_off(
    content: Tensor,
    style: Tensor | Sequence[Tensor],
    weights: Iterable[float] = (0.3, 1, 3, 10, 30, 100, 300),
    *,
    folder: str | Path | None = None,
    **options,
) -> list[Point]:
    """Return the measured front of content loss against style loss, by growing style weight.

    Each point is a whole `stylize` from the same start; both losses are those at the finest scale.

    Parameters
    ----------
    content, style
        Pictures (1, 3, H, W), sRGB, 0..1; styles may be several, as in `stylize`.
    weights
        Style weights.
    folder
        Where each point is kept as soon as it is there: a PNG with its losses inside. A second
        call with the same pictures and options takes what it finds and goes on, so that nothing is
        lost by Ctrl-C, which ends the front early. Fronts with other options can share the folder.
    options
        Any option of `stylize` but `style_weight`; at least one step.

    Raises
    ------
    ValueError
        As `stylize`; no weights; weights that are not distinct.
    OSError
        The folder cannot be made or written to.
    """
    weights = sorted(check_number("a style weight", w) for w in weights)
    if not weights or len(set(weights)) != len(weights):
        raise ValueError(f"weights must be distinct and at least one, got {weights}")
    refuse_unknown(options, OPTIONS)
    options = current_names({n: value for n, value in options.items() if value is not None})
    if "style_weight" in options:
        raise ValueError("style_weight is what trade_off varies; give weights instead")
    request = _request(content, style, options)
    if request.settings.steps == 0:
        raise ValueError(
            f"steps must be at least 1 to measure anything, got {request.settings.steps}"
        )
    model = choose_model(
        request.settings, options.get("device", "auto"), options.get("model"),
        pixels=len(weights) * request.pixels,
    )  # fmt: skip
    model = model.with_paths(model.paths)  # the same for all points, whatever is measured meanwhile
    key = _key(request, model)
    points = []
    for weight in weights:
        path = None
        if folder is not None:
            path = check_can_save(Path(folder, f"style_weight_{weight!r}_{key[:8]}.png"))
        point = _stored(path, key)
        if point is None:
            result = stylize(content, style, style_weight=weight, **{**options, "model": model})
            if result.stopped in ("callback", "interrupted"):
                break
            point = _point(result, weight, request.settings)
            if path is not None:
                losses = [point.content_loss, point.style_loss]
                record = {"key": key, "style_weight": weight, "losses": losses}
                save_image(point.image, path, {**result.settings, "trade_off": record})
        points.append(point)
    return points


def _point(result: Result, weight: float, settings: Settings) -> Point:
    best = result.row
    content_loss = sum(w * best[f"content {layer}"] for layer, w in settings.content_layers.items())
    style_loss = sum(
        share * w * best[f"{name} {layer}"]
        for name, share in result.settings.get("style_shares", {"style": 1.0}).items()
        for layer, w in settings.style_layers.items()
    )
    return Point(weight, content_loss, style_loss, result.image)


def _request(
    content: Tensor, style: Tensor | Sequence[Tensor], options: Mapping[str, Any]
) -> Request:
    """The request that `stylize` makes of these options, but for the style weight."""
    names = {*NAMES} - {"start"}
    settings, start = settings_and_start(
        options.get("preset", "default"),
        options.get("start"),
        {name: value for name, value in options.items() if name in names},
    )
    return request_transfer(
        content, style, settings, content_masks=options.get("content_masks"),
        style_masks=options.get("style_masks"), start=start, seed=options.get("seed", 0),
    )  # fmt: skip


def _key(request: Request, model: VGG19) -> str:
    """A hash of everything but the style weight that decides the outcome."""
    made_with = {**record_transfer(request, model), "style_weight": None}
    text = json.dumps(identity(made_with, request.pictures, model), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _stored(path: Path | None, key: str) -> Point | None:
    """The point in a file, or None if there is none, or none that can be used."""
    if path is None or not path.exists():
        return None
    try:
        record = load_settings(path)["trade_off"]
        if record["key"] != key:
            return None
        content_loss, style_loss = record["losses"]
        return Point(record["style_weight"], content_loss, style_loss, load_image(path))
    except (OSError, ValueError, KeyError, TypeError):  # damaged: it is made again
        return None
