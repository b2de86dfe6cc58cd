"""How strong a filter must be: as strong as takes the grain down to a stated level, and no more.

What a filter makes of a strength depends on the filter, on the size of the picture and on how its
grain is coloured. So "auto" states what should be left, and searches for the strength that does it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ..images.color import luminance
from .level import GREY, at_least_single, flat_regions, noise_level

Filter = Callable[[Tensor, Tensor | None, float], Tensor]
"""Picture, guide or None, the noise's standard deviation in 0..1 → smoother picture."""

SHARE_LEFT = 1 / 3  # of the grain: under a third the eye does not see it any more
FROM_ROUNDING = 1 / math.sqrt(12)  # grey levels of noise, which whole numbers bring with them
STRONGEST = 8.0  # times the level: beyond, filters blur and take off hardly any more
HALVINGS = 6  # of the interval in which the strength lies: to a quarter of the level, or better
SAMPLE_PIXELS = 2**20  # the search looks at these of a larger picture
BAND = 64  # rows that stay together in a sample


def least_strength(
    image: Tensor, remove: Filter, guide: Tensor | None, style: Tensor | None = None
) -> float:
    """Return the least strength that brings the grain to `level_to_reach`, in grey levels.

    Grain is looked for in the flat regions of the guide or, without one, of the image. Of a large
    picture a sample is filtered, so this takes six times as long as the filter at most.
    """
    where = flat_regions(image if guide is None else guide)
    image, where = _sample(image), _sample(where)
    guide = None if guide is None else _sample(guide)
    level = visible_grain(image, where)
    aim = level_to_reach(level, None if guide is None else visible_grain(guide, where), style)
    if level <= aim:
        return 0.0
    return weakest(
        lambda strength: visible_grain(remove(image, guide, strength / GREY), where) <= aim,
        min(STRONGEST * level, float(GREY)),
    )


def level_to_reach(level: float, photograph: float | None, style: Tensor | None = None) -> float:
    """Return the grain that should be left, in grey levels: that of the photograph, or a third.

    The larger of the two, since either will do; and at least what rounding to whole grey levels
    leaves. What is as fine in a style's own flat regions is brushwork. Variances of independent
    things add up, so the image has √(level² - style²) beyond it, and no more than that is taken off
    its level.

    Parameters
    ----------
    level, photograph
        `visible_grain` of the image and of its content, in the same place.
    style
        The style picture, if it is to be respected.
    """
    brushwork = 0.0 if style is None else visible_grain(style, flat_regions(style))
    beyond = math.sqrt(max(0.0, level**2 - brushwork**2))
    return max(SHARE_LEFT * level, photograph or 0.0, FROM_ROUNDING, level - beyond)


def visible_grain(image: Tensor, where: Tensor) -> float:
    """Return the noise level of the luminance in whole grey levels, as a screen will show it.

    Rounded, since a photograph from a file is: then both are seen alike. Of the luminance, since a
    single channel of whole numbers has differences that are multiples of ½, and a median of them
    says 0 or 0.74 and nothing between; the luminance mixes three.

    Parameters
    ----------
    image
        (1, 3, H, W), 0..1.
    where
        Boolean (1, 1, H, W).
    """
    image = at_least_single(image.detach()).clamp(0, 1)
    return noise_level(luminance((GREY * image).round() / GREY), where)


def weakest(suffices: Callable[[float], bool], strongest: float) -> float:
    """Return the smallest strength in 0..`strongest` that suffices, by bisection from above.

    `strongest`, if none does. It is asked at an eighth first, since most answers lie near there.
    """
    low, high = 0.0, strongest
    middle = strongest / 8
    for _ in range(HALVINGS):
        if suffices(middle):
            high = middle
        else:
            low = middle
        middle = (low + high) / 2
    return high


def level_of(image: Tensor, guide: Tensor | None = None) -> float:
    """Return the noise level in the guide's flat regions, or of the whole, in grey levels."""
    return noise_level(image, None if guide is None else flat_regions(guide))


def _sample(picture: Tensor) -> Tensor:
    """Bands of rows, evenly over a large picture; a picture that is not large as it is."""
    height, width = picture.shape[2:]
    every = math.ceil(height * width / SAMPLE_PIXELS)
    if every == 1:
        return picture
    return torch.cat([picture[:, :, top : top + BAND] for top in range(0, height, every * BAND)], 2)
