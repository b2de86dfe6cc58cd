"""Any style in one pass: encode, move the features, decode."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import check_choice, check_number, check_pictures
from ..images.resizing import shape_of
from ..machine.memory import usable
from ..presets import normalized_mix
from ..tiling.targets import features_of
from ..vgg.layers import stride
from ..vgg.network import VGG19, load_vgg19
from .decoder import Decoder, Features
from .files import load_decoder
from .statistics import adain, mean_and_deviation, spectrum, wct

METHODS = ("adain", "wct")
TILE = 1024  # pixels of the encoder's tiles, in which larger pictures are looked at
BASE, BYTES = 0.95e9, 1350.0  # of memory: VGG19 and a tile; for each pixel of the result, measured


def paint(
    content: Tensor,
    style: Tensor | Sequence[Tensor],
    *,
    method: str = "adain",
    strength: float = 1.0,
    style_mix: Sequence[float] | None = None,
    content_masks: Sequence[Tensor | None] | None = None,
    style_masks: Sequence[Tensor | None] | None = None,
    decoder: Decoder | str | Path | None = None,
    device: str = "auto",
    model: VGG19 | None = None,
    memory: float | None = None,
) -> Tensor:
    """Return a picture repainted in any style, in one pass, (1, 3, H, W), sRGB, 0..1.

    The features f of the content, at each of the decoder's layers, are moved to those of the style,
    t, and decoded: g((1 - α) f + α t), α being the `strength` (Huang & Belongie 2017, equation 14).
    Several styles are mixed in the features, Σ w t (equation 15), inside their masks.

    Parameters
    ----------
    content, style
        Pictures (1, 3, H, W), sRGB, 0..1; a sequence of styles: all of them at once. A style is
        taken at the size that it has: a smaller one brings smaller patterns.
    method
        "adain": each channel gets the style's mean and deviation. "wct": the covariance, too.
    strength
        0: the content, decoded; 1: all of the style.
    style_mix
        How much of each style; None: the same of each.
    content_masks, style_masks
        For each style, where it goes and where it is taken from: (1, 1, H, W) in 0..1 as large as
        the content, or the style; None: everywhere. Outside of all the content stays.
    decoder
        A trained one, or its file; None: the package's.
    device, model
        As in `stylize`; `model` must be what the decoder was trained with.
    memory
        GB that the process may use; None: four fifths of what is free, and what it has already.

    Raises
    ------
    FileNotFoundError
        There is no decoder; the message says how to make one.
    ValueError
        A wrong shape or value; a picture too large for the memory.
    """
    styles: list[Tensor] = list(style) if isinstance(style, list | tuple) else [style]  # type: ignore[list-item]
    check_pictures({"content": content, **{f"style {i}": s for i, s in enumerate(styles, 1)}})
    check_choice("method", method, METHODS)
    strength = check_number("strength", strength, most=1)
    mix = normalized_mix(None if style_mix is None else list(style_mix), len(styles))
    into = _masks("content_masks", content_masks, [content] * len(styles))
    out_of = _masks("style_masks", style_masks, styles)
    if not isinstance(decoder, Decoder):
        decoder = load_decoder(decoder, device)
    model = model or load_vgg19(device=str(next(decoder.parameters()).device))
    decoder = decoder.to(model.mean)
    into, out_of = (
        [None if mask is None else continued(mask, decoder.stride) for mask in masks]
        for masks in (into, out_of)
    )
    _check_memory(shape_of(content), model.device, memory)
    with torch.inference_mode():
        f = encode(model, content.to(model.mean), decoder)
        looks = [
            _Look(w, encode(model, picture.to(model.mean), decoder), *masks)
            for w, picture, *masks in zip(mix, styles, into, out_of, strict=True)
            if w > 0
        ]
        height, width = shape_of(content)
        for layer in decoder.layers:
            f[layer] = _moved(layer, f[layer], looks, method, strength)
        painted = decoder(f)[:, :, :height, :width].clamp_(0, 1)
    return painted.contiguous().clone()  # an ordinary tensor again, that may have a gradient


def encode(model: VGG19, picture: Tensor, decoder: Decoder) -> Features:
    """Return the features that a decoder takes, (1, C, ⌈H / stride⌉, ⌈W / stride⌉) at the deepest.

    Poolings would lose the last rows and columns of a picture whose sides are no multiples of the
    stride: it is continued there.
    """
    padded = continued(picture, decoder.stride)
    tile = None if max(padded.shape[2:]) <= 2 * TILE else TILE
    features = features_of(model, padded, list(decoder.layers), tile)
    for layer, expected in zip(decoder.layers, decoder.design["channels"], strict=True):
        if features[layer].shape[1] != expected:
            raise ValueError(
                f"this decoder takes {expected} channels of {layer}, and the network has "
                f"{features[layer].shape[1]}: take the network that it was trained with"
            )
    return features


def continued(picture: Tensor, step: int) -> Tensor:
    """A picture whose sides are multiples of `step`: its last row and column repeated."""
    height, width = picture.shape[2:]
    return F.pad(picture, (0, -width % step, 0, -height % step), mode="replicate")


class _Look(NamedTuple):
    """A style: its share, its features, where it goes, and where it is taken from."""

    share: float
    features: Features
    into: Tensor | None
    out_of: Tensor | None


def _moved(layer: str, f: Tensor, looks: Sequence[_Look], method: str, strength: float) -> Tensor:
    """A layer's features (1, C, H, W), moved to those of the styles, each where it goes."""
    total: Tensor | None = None
    weights = torch.zeros_like(f[:, :1])
    seen = torch.zeros_like(weights)  # how much of any style there is
    for look in looks:
        into, out_of = (_at(mask, stride(layer), f) for mask in (look.into, look.out_of))
        place = torch.ones_like(weights) if into is None else into
        y = look.features[layer]
        if method == "adain":
            t = adain(f, *mean_and_deviation(y, out_of), into)
        else:
            t = wct(f, spectrum(y, out_of), into)
        t.mul_(look.share * place)
        total = t if total is None else total.add_(t)
        weights += look.share * place
        seen = (seen + place).clamp(max=1)
    assert total is not None  # a mixture has a share above 0
    t = total.div_(weights.clamp(min=torch.finfo(f.dtype).tiny))
    return t.sub_(f).mul_(strength * seen).add_(f)  # in place: all features of a large picture


def _masks(
    name: str, masks: Sequence[Tensor | None] | None, pictures: Sequence[Tensor]
) -> list[Tensor | None]:
    """One mask or None for each style; a ValueError unless it is as large as its picture."""
    if masks is None:
        return [None] * len(pictures)
    masks = list(masks)
    if len(masks) != len(pictures):
        raise ValueError(f"{name}: one for each style, {len(pictures)}; got {len(masks)}")
    for mask, picture in zip(masks, pictures, strict=True):
        if mask is not None and mask.shape != picture[:, :1].shape:
            raise ValueError(
                f"{name} must be (1, 1, H, W) as large as their pictures, "
                f"{tuple(picture[:, :1].shape)}; got {tuple(mask.shape)}"
            )
        if mask is not None and not mask.sum() > 0:
            raise ValueError(f"{name}: one of them is empty, no pixel counts")
    return masks


def _at(mask: Tensor | None, step: int, like: Tensor) -> Tensor | None:
    """A mask of pixels at the features: the mean over those of each position."""
    return None if mask is None else F.avg_pool2d(mask.to(like), step)


def _check_memory(shape: tuple[int, int], device: torch.device, memory: float | None) -> None:
    budget = 1e9 * check_number("memory", memory, above=0) if memory else usable(device)
    height, width = shape
    need = BASE + BYTES * height * width
    if budget is not None and need > budget:
        raise ValueError(
            f"a picture of {width}×{height} pixels would take {need / 1e9:.1f} GB, more than the "
            f"{budget / 1e9:.1f} GB that may be used: take a smaller size"
        )
