"""What is minimised: named terms, their weights, and the gradient of their sum.

An objective has one face, `value_and_gradient(image)`. The optimiser knows no more than that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from .kernels import BatchNormStatistics, Gaussian, Moments, Polynomial, Statistic
from .noise import fine_detail
from .tiles import Window
from .vgg import VGG19


class Term(Protocol):
    """One summand of an objective, before its weight."""

    layers: tuple[str, ...]

    def value(self, features: Mapping[str, Tensor], image: Tensor) -> Tensor:
        """A scalar ≥ 0 from the features at `layers` and the image (1, 3, H, W).

        All terms but `Style` also have `part(features, block, window)`, which sees a tile of the
        picture (`tiles.Window`): its own features, and the block of pixels around it. The parts of
        all tiles add up to the value.
        """


@dataclass(frozen=True)
class Content:
    """factor · Σ (F - P)², the features F of a layer against those of the content picture, P.

    Gatys et al. 2016, equation 1, with the factor ½; `content_factor` names the common choices.
    A mask (1, 1, H, W) at the layer's size says how much each position counts.
    """

    layer: str
    target: Tensor
    factor: float
    mask: Tensor | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        return (self.layer,)

    def value(self, features: Mapping[str, Tensor], image: Tensor) -> Tensor:
        squares = (features[self.layer] - self.target).square()
        return self.factor * (squares if self.mask is None else self.mask * squares).sum()

    def part(self, features: Mapping[str, Tensor], block: Tensor, window: Window) -> Tensor:
        here = window.at(self.layer, self.mask)
        target, mask = here.cut(self.target), here.cut(self.mask)
        return replace(self, target=target, mask=mask).value(features, block)


@dataclass(frozen=True)
class Style:
    """factor · distance of a layer's statistic from that of the style picture.

    With the Gram matrix: Gatys et al. 2016, equation 4; `style_factor` names the common choices.
    A mask (1, 1, H, W) at the layer's size says how much each position counts.
    """

    layer: str
    kernel: Statistic
    target: Moments
    factor: float
    mask: Tensor | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        return (self.layer,)

    def value(self, features: Mapping[str, Tensor], image: Tensor) -> Tensor:
        return self.of(self.kernel.statistic(features[self.layer], self.mask))

    def of(self, statistic: Moments) -> Tensor:
        """The term's value, given the statistic of the whole picture."""
        return self.factor * self.kernel.distance(statistic, self.target)


@dataclass(frozen=True)
class TotalVariation:
    """Mean absolute difference of neighbouring pixels, down and across: rough pictures cost."""

    layers: tuple[str, ...] = ()

    def value(self, features: Mapping[str, Tensor], image: Tensor) -> Tensor:
        down, across = image.diff(dim=2).abs(), image.diff(dim=3).abs()
        return down.mean() + across.mean()

    def part(self, features: Mapping[str, Tensor], block: Tensor, window: Window) -> Tensor:
        height, width = window.size
        rows, columns = window.pixels(block).shape[2:]
        # With the neighbours of its last row and column, but none beyond the picture.
        behind = (
            slice(own.start, min(own.stop + 1, side))
            for own, side in zip((window.rows, window.columns), window.size, strict=True)
        )
        image = window.of_picture(block, *behind)
        down, across = image[..., :columns].diff(dim=2), image[..., :rows, :].diff(dim=3)
        return down.abs().sum() / (3 * (height - 1) * width) + across.abs().sum() / (
            3 * height * (width - 1)
        )


@dataclass(frozen=True)
class Grain:
    """Mean square of a picture's finest detail, each pixel counting as a mask (1, 1, H, W) says.

    For white noise it is its variance. With the mask `noise.flatness` of the content it charges in
    advance for what `noise_level` finds there afterwards, and leaves texture elsewhere alone. It
    looks in all directions: if only diagonal differences cost, as `noise_level` has them, the
    optimiser would answer with stripes along the axes. Pixels on the border count for nothing.
    """

    mask: Tensor
    layers: tuple[str, ...] = ()

    def value(self, features: Mapping[str, Tensor], image: Tensor) -> Tensor:
        squares = self.mask[..., 1:-1, 1:-1] * fine_detail(image).square()
        return squares.sum() / image.numel()

    def part(self, features: Mapping[str, Tensor], block: Tensor, window: Window) -> Tensor:
        height, width = window.size
        rows, columns = (
            slice(max(own.start, 1) - 1, min(own.stop, side - 1) + 1)
            for own, side in zip((window.rows, window.columns), window.size, strict=True)
        )
        here = Grain(self.mask[..., rows, columns])
        image = window.of_picture(block, rows, columns)
        return here.value(features, image) * image[0, 0].numel() / (height * width)


@dataclass(frozen=True)
class OutOfRange:
    """Mean squared distance of the pixels from 0..1: a soft wall instead of clamping.

    Clamping inside the optimisation would make its gradients lie; see `optimize.minimize`.
    """

    layers: tuple[str, ...] = ()

    def value(self, features: Mapping[str, Tensor], image: Tensor) -> Tensor:
        return (image - image.clamp(0, 1)).square().mean()

    def part(self, features: Mapping[str, Tensor], block: Tensor, window: Window) -> Tensor:
        image = window.pixels(block)
        height, width = window.size
        return (image - image.clamp(0, 1)).square().sum() / (3 * height * width)


# --- factors ---------------------------------------------------------------------------------

CONTENT_NORMALIZATIONS = {
    "sum": "½ Σ (F - P)², Gatys et al. 2016, equation 1: grows with the picture",
    "mean": "mean of (F - P)², the authors' later code",
    "relative": "Σ (F - P)² / Σ P²: 1 means as far off as a picture without any features",
}

STYLE_NORMALIZATIONS = {
    "sum": "‖G_x - G_y‖², the squared maximum mean discrepancy itself",
    "paper": "‖G_x - G_y‖² / 4C², Gatys et al. 2016, equation 4 (for pictures of one size)",
    "code": "‖G_x - G_y‖² / C⁴ · 1000, the authors' later code",
    "relative": "‖G_x - G_y‖² / ‖G_y‖²: 1 means as far off as a picture without any features",
    "li2017-code": "the constants in the code of Li et al. 2017, one for each kernel",
}


def content_factor(normalization: str, target: Tensor) -> float:
    """Return the factor of Σ (F - P)² under a name from CONTENT_NORMALIZATIONS."""
    if normalization == "sum":
        return 0.5
    if normalization == "mean":
        return 1 / target.numel()
    if normalization == "relative":
        return 1 / _nonzero(target.square().mean()) / target.numel()
    raise ValueError(
        f"unknown normalization {normalization!r} of the content loss; there are "
        + ", ".join(CONTENT_NORMALIZATIONS)
    )


def style_factor(
    normalization: str, kernel: Statistic, target: Moments, shape: Sequence[int]
) -> float:
    """Return the factor of the statistic's distance under a name from STYLE_NORMALIZATIONS.

    `shape` (1, C, H, W) is that of the style's features, from which `target` was made.
    """
    channels = shape[1]
    if normalization == "sum":
        return 1.0
    if normalization == "paper":
        return 1 / (4 * channels**2)
    if normalization == "code":
        return 1e3 / channels**4
    if normalization == "relative":
        return 1 / _nonzero(kernel.magnitude(target))
    if normalization == "li2017-code":
        return _li2017_code(kernel, channels, shape[2] * shape[3])
    raise ValueError(
        f"unknown normalization {normalization!r} of the style loss; there are "
        + ", ".join(STYLE_NORMALIZATIONS)
    )


def _li2017_code(kernel: Statistic, C: int, M: int) -> float:
    """The factors that Li et al.'s code amounts to, before their style weight.

    They are written there for sums over the M positions, and into the gradients; here they stand
    before distances of means, hence the powers of M.
    """
    if isinstance(kernel, Polynomial) and kernel.degree == 2:
        return 0.1 * M / (4 * C**2)
    if isinstance(kernel, Polynomial) and kernel.degree == 1:
        return 2e3 * M / (2 * C)
    if isinstance(kernel, Gaussian):
        return 3e14 / (4 * C)
    if isinstance(kernel, BatchNormStatistics):
        return 1e3 * M / (2 * C)
    raise ValueError(f"the code of Li et al. 2017 has no factor for {kernel}")


def _nonzero(magnitude: Tensor) -> float:
    """The magnitude, or 1 where the features are all zero (a black picture in a dead layer)."""
    value = float(magnitude)
    return value if value > 0 else 1.0


# --- the objective ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Evaluation:
    """Loss and gradient at one image.

    `terms` holds each term before its weight; total = Σ weight · term. `gradient` is that of the
    total with respect to the image, (1, 3, H, W).
    """

    total: float
    terms: dict[str, float]
    gradient: Tensor


class Objective:
    """Σ weight · term over named terms, evaluated on the whole image at once.

    Parameters
    ----------
    model
        Gives the features; runs to the deepest layer that a term needs.
    terms
        name → Term. The names become the columns of the history.
    weights
        name → weight ≥ 0. A term of weight 0 is still evaluated and recorded.
    """

    def __init__(self, model: VGG19, terms: Mapping[str, Term], weights: Mapping[str, float]):
        if set(terms) != set(weights):
            raise ValueError(f"terms {sorted(terms)} and weights {sorted(weights)} differ")
        for name, weight in weights.items():
            if not 0 <= weight < float("inf"):
                raise ValueError(f"the weight of {name} must be finite and ≥ 0, got {weight}")
        if not any(weights.values()):
            raise ValueError("at least one weight must be above 0, or there is nothing to do")
        weights = {name: float(weight) for name, weight in weights.items()}
        self.model, self.terms, self.weights = model, dict(terms), weights
        self.layers = list(dict.fromkeys(name for t in terms.values() for name in t.layers))

    def values(self, image: Tensor) -> dict[str, Tensor]:
        """Each term at the image, before its weight, as differentiable scalars."""
        features = self.model(image, self.layers) if self.layers else {}
        return {name: term.value(features, image) for name, term in self.terms.items()}

    def alone(self, name: str) -> Objective:
        """The same with one of its terms only, at weight 1."""
        return Objective(self.model, {name: self.terms[name]}, {name: 1.0})

    def value_and_gradient(self, image: Tensor) -> Evaluation:
        """Evaluate the loss and its gradient at an image (1, 3, H, W), sRGB, 0..1."""
        image = image.detach().requires_grad_()
        with torch.enable_grad():
            values = self.values(image)
            total = sum(self.weights[name] * value for name, value in values.items())
            (gradient,) = torch.autograd.grad(total, image)
        numbers = torch.stack(
            [v.to(total.dtype) for v in (total, *values.values())]
        ).tolist()  # one wait for the device
        return Evaluation(numbers[0], dict(zip(values, numbers[1:], strict=True)), gradient)
