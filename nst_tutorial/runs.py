"""What a run is: its settings, its network, its pictures; and how it is told from another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from . import __version__
from .allocator import keep_freed_memory
from .checkpoint import fingerprint
from .objectives import StyleSource
from .presets import Settings, get_preset
from .vgg import VGG19, choose_device, load_vgg19


def settings_from(preset: str, given: Mapping) -> Settings:
    """Return the preset with the given options put in their place."""
    options = {name: given[name] for name in Settings.__dataclass_fields__ if name in given}
    settings = get_preset(preset)
    if options.get("balance") == "gradient" and settings.balance != "gradient":
        ones = {
            "content_weight": 1.0,
            "style_weight": 1.0,
            "content_layers": dict.fromkeys(settings.content_layers, 1.0),
            "style_layers": dict.fromkeys(settings.style_layers, 1.0),
        }
        options = {**ones, **options}
    return replace(settings, **options)


def choose_model(
    settings: Settings, device: str, model: VGG19 | None, padding: str = "zeros"
) -> VGG19:
    """Return the network that the settings ask for, or the given one; set up the allocator."""
    if model is None:
        name = str(choose_device(device))
        model = load_vgg19(settings.weights, settings.pooling, settings.rescale, padding, name)
    if model.device.type == "cpu":
        keep_freed_memory()
    return model


def record(settings: Settings, model: VGG19, seed: int) -> dict:
    """Return everything that decides a result but its pictures, as JSON can hold it."""
    network = {
        "weights": model.weights,
        "pooling": model.pooling,
        "rescale": model.rescaled,
        "convolutions": model.convolutions,
        "precision": "bfloat16" if model.reduced else "float32",
    }
    return {**settings.as_dict(), **network, "seed": seed, "version": __version__}


def how_much_and_where(sources: Sequence[StyleSource]) -> dict:
    """Return what a record says of several styles and regions: shares, fingerprints of masks."""
    masks = {
        f"{source.name} {kind.replace('_', ' ')}": fingerprint(mask)
        for source in sources
        for kind in ("content_mask", "style_mask")
        if (mask := getattr(source, kind)) is not None
    }
    if not masks and [source.name for source in sources] == ["style"]:
        return {}
    return {"style_shares": {source.name: source.share for source in sources}, "masks": masks}


def identity(made_with: Mapping, pictures: Mapping[str, Tensor], model: VGG19) -> dict:
    """Return what tells a run from another: its record, its pictures and masks, its network."""
    looks = {f"{name} picture": fingerprint(picture) for name, picture in pictures.items()}
    return {**made_with, **looks, "padding": model.padding, "network": fingerprint_of(model)}


def fingerprint_of(model: VGG19) -> str:
    """A short name of the network's weights: a file of the same name may hold others."""
    return fingerprint(torch.cat([b.detach().flatten().float().cpu() for b in model.buffers()]))
