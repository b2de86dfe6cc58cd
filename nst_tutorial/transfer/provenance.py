"""What a run is: its settings, its network, its pictures; and how it is told from another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from .. import __version__
from ..images.resizing import resize
from ..presets import Settings
from ..storage.fingerprints import fingerprint, fingerprint_of_network
from ..storage.tensor_files import read_header
from ..vgg.network import VGG19
from .request import Request

THUMBNAIL = 8  # pixels a side
UNLIKE = 8  # grey levels of 255: of the bundled pictures two sizes differ by 1, two by 58 or more


def record(settings: Settings, model: VGG19, seed: int) -> dict[str, Any]:
    """Return everything that decides a result but its pictures, as JSON can hold it."""
    network = {
        "vgg_weights": model.weights,
        "pooling": model.pooling,
        "rescale": model.rescaled,
        "edges": model.edges,
        "convolutions": model.convolutions,
        "precision": model.precision,
    }
    return {**settings.as_dict(), **network, "seed": seed, "version": __version__}


def record_transfer(request: Request, model: VGG19) -> dict[str, Any]:
    """The same for a style transfer, with shares of several styles and fingerprints of masks."""
    made_with = record(request.settings, model, request.seed)
    masks = {
        f"{source.name} {kind.replace('_', ' ')}": fingerprint(mask)
        for source in request.styles
        for kind in ("content_mask", "style_mask")
        if (mask := getattr(source, kind)) is not None
    }
    if not masks and [source.name for source in request.styles] == ["style"]:
        return made_with
    return {**made_with, **style_shares(request), "masks": masks}


def thumbnail(picture: Tensor) -> str:
    """Return hexadecimal digits of a picture (1, 3, H, W), all but the same at every size of it.

    The brightness of 8 × 8 pixels, in 8 bits. A fingerprint would be another wherever a file is
    decoded or resized a little otherwise.
    """
    small = resize(picture.detach(), (THUMBNAIL, THUMBNAIL)).mean(dim=1).clamp(0, 1)
    return bytes((255 * small).round().flatten().int().tolist()).hex()


def shows(picture: Tensor, recorded: object) -> bool:
    """Whether a picture has the thumbnail in a record, or the record has none that can be read."""
    if not isinstance(recorded, str):
        return True
    try:
        theirs = bytes.fromhex(recorded)
    except ValueError:
        return True
    ours = bytes.fromhex(thumbnail(picture))
    return len(theirs) != len(ours) or all(
        abs(one - other) <= UNLIKE for one, other in zip(ours, theirs, strict=True)
    )


def style_shares(request: Request) -> dict[str, dict[str, float]]:
    """Each style's part of the style weight, by the name that its terms begin with."""
    return {"style_shares": {source.name: source.share for source in request.styles}}


def identity(made_with: Mapping, pictures: Mapping[str, Tensor], model: VGG19) -> dict:
    """Return what tells a run from another: its record, its pictures and masks, its network."""
    looks = {f"{name} picture": fingerprint(picture) for name, picture in pictures.items()}
    return {
        **made_with,
        **looks,
        "padding": model.padding,
        "network": fingerprint_of_network(model),
    }


def recorded_convolutions(checkpoint: str | Path | None) -> str | None:
    """Return the convolutions of an unfinished run, as `VGG19` takes them; None: there is none."""
    header = {} if checkpoint is None else read_header(checkpoint)
    try:
        convolutions = json.loads(header["identity"])["convolutions"]
    except (LookupError, TypeError, ValueError):  # whoever reads the whole file says what is wrong
        return None
    return convolutions if isinstance(convolutions, str) else None
