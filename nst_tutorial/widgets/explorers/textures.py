"""A texture from features that were tampered with, or under a kernel of one's own."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ...kernels.registry import fit
from ...kernels.statistic import Statistic
from ...losses.factors import style_factor
from ...losses.objective import Objective
from ...losses.terms import OutOfRange, Style, Term
from ...optimize.loop import minimize
from ...transfer.textures import noise
from ...vgg.network import VGG19

RANGE_WEIGHT = 300.0


def texture(
    model: VGG19,
    style: Tensor,
    features: Mapping[str, Tensor],
    kernels: Mapping[str, Statistic],
    side: int,
    steps: int,
    masks: Mapping[str, Tensor | None] | None = None,
) -> Tensor:
    """Return a square picture (1, 3, side, side) with the statistics of the features.

    Parameters
    ----------
    model
        The network.
    style
        (1, 3, H, W): the noise of the start has its mean and spread.
    features
        Layer → features (1, C, H, W) whose statistic is wanted, of any size.
    kernels
        Layer → statistic.
    side, steps
        Pixels; evaluations of loss and gradient.
    masks
        Layer → (1, 1, H, W), how much each of the features' positions counts; None: all the same.
    """
    terms: dict[str, Term] = {"out of range": OutOfRange()}
    for layer, f in features.items():
        kernel, target = fit(kernels[layer], f, None if masks is None else masks[layer])
        factor = style_factor("relative", kernel, target, f.shape)
        terms[layer] = Style(layer, kernel, target, factor)
    weights = {name: RANGE_WEIGHT if name == "out of range" else 1.0 for name in terms}
    start = noise((side, side), 0, style)
    return minimize(Objective(model, terms, weights), start, steps=steps).image.clamp(0, 1).cpu()
