"""Regions: which style goes where, by soft masks, at every layer of the network.

Gatys et al. 2017, "Controlling Perceptual Factors in Neural Style Transfer" (arXiv 1611.07865,
section 4.1), take a Gram matrix for each region r, of the features inside it. With a mask T,

    G_r = Σ_p T_r(p) f_p f_pᵀ / Σ_p T_r(p),

in the picture and in its style. (They weigh the features before they are multiplied, so their T is
the square root of ours; for masks of zeros and ones it is the same.) The same is done here to every
statistic that is a mean over positions.

A mask is (1, 1, H, W) in 0..1, at the size of its picture, and says how much each pixel counts.
A position of a layer has been pooled from stride × stride pixels, and its mask is their mean.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import warn
from ..images.reading import load_image
from ..images.resizing import resize_mask, shape_of
from ..kernels.statistic import Statistic
from ..storage.atomic import printable
from ..vgg.layers import stride

EMPTY = 1 / 255  # less than one grey level of one pixel is nothing
DARK = 0.1  # a mask that is nowhere brighter is hardly meant to be one


def load_mask(path: str | Path, size: int | None = None, *, enlarge: bool = True) -> Tensor:
    """Read a grey picture as a mask (1, 1, H, W) in 0..1: white counts, black does not.

    Nor does what is transparent: white paint on a transparent layer is a mask. `size` and `enlarge`
    as in `load_image`: read a mask as large as its picture.

    Warns
    -----
    UserWarning
        White everywhere, or nowhere brighter than a dark grey: the file is hardly what was meant.
    """
    image = load_image(path, size, enlarge=enlarge, background="black")
    mask = image.mean(dim=1, keepdim=True)
    brightest = float(mask.max())
    if float(mask.min()) > 1 - EMPTY:
        warnings.warn(
            f"{printable(path)}: this mask is white everywhere, so every pixel counts", stacklevel=2
        )
    elif brightest < DARK:
        warnings.warn(
            f"{printable(path)}: this mask is black, or nearly so: its brightest pixel is "
            f"{brightest * 255:.0f} of 255, and white counts; if it holds 0 and 1, multiply by 255",
            stacklevel=2,
        )
    return mask


def check_mask(name: str, mask: object) -> None:
    """A ValueError unless it is a mask (1, 1, H, W) of values in 0..1, somewhere above 0."""
    if not isinstance(mask, Tensor) or mask.dim() != 4 or mask.shape[:2] != (1, 1):
        shape = tuple(mask.shape) if isinstance(mask, Tensor) else type(mask).__name__
        raise ValueError(f"{name} must be a mask (1, 1, H, W); got {shape}")
    if not mask.is_floating_point() and mask.dtype != torch.bool:
        raise ValueError(f"{name} must hold floating point numbers in 0..1, got {mask.dtype}")
    if not torch.isfinite(mask).all():
        raise ValueError(f"{name} has values that are not finite")
    if mask.numel() and not 0 <= float(mask.min()) <= float(mask.max()) <= 1:
        raise ValueError(
            f"{name} must have values in 0..1, got {mask.min():.3g} to {mask.max():.3g}"
        )
    if not float(mask.sum(dtype=torch.float64)) >= EMPTY:
        raise ValueError(f"{name} is empty: no pixel counts")


def fit_masks(kind: str, masks: object, pictures: Sequence[Tensor]) -> list[Tensor | None]:
    """Return one mask at the size of each picture, or None where every pixel counts.

    Parameters
    ----------
    kind
        "content mask" or "style mask", for messages.
    masks
        None: none at all. One mask, if there is one picture. A sequence of a mask or None for each.
    pictures
        (1, 3, H, W), one for each style: the content again and again, or the styles.

    Raises
    ------
    ValueError
        Not as many as pictures; no mask, out of range or empty: see `check_mask`.

    Warns
    -----
    UserWarning
        A mask has another size than its picture, and is resized.
    """
    if masks is None:
        return [None] * len(pictures)
    each: list[Tensor | None] = list(masks) if isinstance(masks, list | tuple) else [masks]  # type: ignore[list-item]  # checked below
    if len(each) != len(pictures):
        raise ValueError(f"{kind}s: there must be one for each style; got {len(each)} for "
                         f"{len(pictures)}")  # fmt: skip
    names = [f"{kind} {i}" if len(each) > 1 else kind for i in range(1, len(each) + 1)]
    return [_fitted(*triple) for triple in zip(names, each, pictures, strict=True)]


def _fitted(name: str, mask: Tensor | None, picture: Tensor) -> Tensor | None:
    """The mask on its picture's device, at its size; None if every pixel counts."""
    if mask is None:
        return None
    check_mask(name, mask)
    if mask.min() == 1:
        return None
    mask = mask.detach().to(picture.device, torch.promote_types(picture.dtype, torch.float32))
    if mask.shape[2:] != picture.shape[2:]:
        text = f"{name} has {_size(mask)} pixels and its picture {_size(picture)}: it is resized"
        warn(text)
        return resize_mask(mask, shape_of(picture))
    return mask


def at_layer(mask: Tensor, layer: str) -> Tensor:
    """A mask (1, 1, H, W) of pixels at a layer: the mean over the pixels of each position.

    Where the sides are no multiples of the stride, the poolings lose the last rows and columns,
    and so does the mask.
    """
    step = stride(layer)
    return mask if step == 1 else F.avg_pool2d(mask, step)


def at_layers(
    name: str, mask: Tensor | None, kernels: Mapping[str, Statistic]
) -> dict[str, Tensor | None]:
    """Return layer → mask for the layers of some statistics; None for no mask.

    Raises
    ------
    ValueError
        At some layer nothing of the mask is left, or too little for pairs of positions.
    """
    if mask is None:
        return dict.fromkeys(kernels)
    at: dict[str, Tensor | None] = {}
    for layer in kernels:
        here = at_layer(mask, layer)
        enough = here.sum() > 0 if kernels[layer].additive else (here >= 0.5).sum() >= 2
        if not enough:
            raise ValueError(
                f"too little is left of the {name} at {layer}, {_size(here)} positions: take "
                "a larger mask, a larger picture, or shallower layers"
            )
        at[layer] = here
    return at


def shares(mix: Sequence[float], masks: Sequence[Tensor | None]) -> list[float]:
    """Return each style's part of the style weight.

    A statistic is a mean over its region, so its gradient at a pixel grows as the region shrinks.
    Counting each style by its area as well makes every pixel be pulled as hard as in a picture
    without regions: Σ shares is the part of the picture that the masks cover.

    Parameters
    ----------
    mix
        How much of each style, ≥ 0 and not all 0.
    masks
        Where each goes, all at one size; None: everywhere.
    """
    if all(mask is None for mask in masks):
        return [part / sum(mix) for part in mix]
    like = next(mask for mask in masks if mask is not None)
    whole = torch.ones_like(like)
    everywhere = [(whole if mask is None else mask).cpu().double() for mask in masks]
    used = [mask for part, mask in zip(mix, everywhere, strict=True) if part > 0]
    covered = float(reduce(torch.add, used).clamp(max=1).mean())
    parts = [part * float(mask.mean()) for part, mask in zip(mix, everywhere, strict=True)]
    return [covered * part / sum(parts) for part in parts]


def _size(picture: Tensor) -> str:
    return f"{picture.shape[3]}×{picture.shape[2]}"
