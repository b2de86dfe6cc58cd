"""The trade-off between content and style, measured: one picture for each balance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from .. import __version__
from ..checks import check_number, check_pictures
from ..images.reading import check_can_save, load_image, load_settings, save_image
from ..optimize.result import Result
from ..presets import Settings
from .options import check_settings, settings_from
from .style_transfer import stylize
from .styles import as_list, style_names


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
    options = {name: value for name, value in options.items() if value is not None}
    if "style_weight" in options:
        raise ValueError("style_weight is what trade_off varies; give weights instead")
    settings = settings_from(options.get("preset", "default"), options)
    styles = as_list(style)
    pictures = {"content": content, **dict(zip(style_names(len(styles)), styles, strict=True))}
    check_pictures(pictures)
    check_settings(settings)
    if settings.steps < 1:
        raise ValueError(f"steps must be at least 1 to measure anything, got {settings.steps}")
    key = _fingerprint(pictures, settings, options)
    points = []
    for weight in weights:
        path = None
        if folder is not None:
            path = check_can_save(Path(folder, f"style_weight_{weight!r}_{key[:8]}.png"))
        point = _stored(path, key)
        if point is None:
            result = stylize(content, style, style_weight=weight, **options)
            if result.stopped in ("callback", "interrupted"):
                break
            point = _point(result, weight, settings)
            if path is not None:
                losses = [point.content_loss, point.style_loss]
                record = {"key": key, "style_weight": weight, "losses": losses}
                save_image(point.image, path, {**result.settings, "trade_off": record})
        points.append(point)
    return points


def _point(result: Result, weight: float, settings: Settings) -> Point:
    size = result.history[-1]["size"]
    best = min((r for r in result.history if r["size"] == size), key=lambda r: r["total"])
    content_loss = sum(w * best[f"content {layer}"] for layer, w in settings.content_layers.items())
    style_loss = sum(
        share * w * best[f"{name} {layer}"]
        for name, share in result.settings.get("style_shares", {"style": 1.0}).items()
        for layer, w in settings.style_layers.items()
    )
    return Point(weight, content_loss, style_loss, result.image)


def _fingerprint(pictures: Mapping[str, Tensor], settings: Settings, options: dict) -> str:
    """Of everything but the style weight that decides the outcome."""
    digest = hashlib.sha256()

    def add(name: str, tensor: Tensor) -> None:
        array = tensor.detach().cpu().double().numpy()
        digest.update(f"{name} {array.shape}".encode() + array.tobytes())

    for name, picture in pictures.items():
        add(name, picture)
    for kind in ("content_masks", "style_masks"):
        masks = options.get(kind)
        for i, mask in enumerate(masks if isinstance(masks, list | tuple) else [masks]):
            if isinstance(mask, Tensor):
                add(f"{kind} {i}", mask)
    if isinstance(settings.start, Tensor):
        add("start", settings.start)
    if "model" in options:
        model = options["model"]
        digest.update(f"{model.pooling} {model.padding}".encode())
        for name, tensor in model.state_dict().items():
            add(name, tensor)
    plain = {**settings.as_dict(), "style_weight": None}
    digest.update(json.dumps([plain, options.get("seed", 0), __version__]).encode())
    return digest.hexdigest()


def _stored(path: Path | None, key: str) -> Point | None:
    """The point in a file, or None if there is none, or none that can be used."""
    if path is None or not path.exists():
        return None
    try:
        record = load_settings(path)["trade_off"]
        if record["key"] != key:
            return None
        return Point(record["style_weight"], *record["losses"], load_image(path))
    except (OSError, ValueError, KeyError, TypeError):  # damaged: it is made again
        return None
