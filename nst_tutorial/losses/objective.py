"""What is minimised: named terms, their weights, and the gradient of their sum.

An objective has one interface, `value_and_gradient(image)`. The optimiser knows no more than that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import torch
from torch import Tensor

from ..machine.modes import leaving_inference_mode
from ..vgg.network import VGG19
from .terms import Term

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


class HasGradient(Protocol):
    """What an optimiser needs to know of an objective: `Objective`, or the same in tiles."""

    @property
    def term_weights(self) -> Mapping[str, float]:
        """Term → its weight in the total."""

    def value_and_gradient(self, image: Tensor) -> Evaluation:
        """Evaluate the loss and its gradient at an image (1, 3, H, W), sRGB, 0..1."""


class Separable(HasGradient, Protocol):
    """An objective whose terms can be looked at one by one."""

    def alone(self, name: str) -> HasGradient:
        """The same with one of its terms only, at weight 1."""


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
        self.model, self.terms, self.term_weights = model, dict(terms), weights
        self.layers = list(dict.fromkeys(name for t in terms.values() for name in t.layers))

    def values(self, image: Tensor) -> dict[str, Tensor]:
        """Each term at the image, before its weight, as differentiable scalars."""
        features = self.model(image, self.layers) if self.layers else {}
        return {name: term.value(features, image) for name, term in self.terms.items()}

    def alone(self, name: str) -> Objective:
        """The same with one of its terms only, at weight 1."""
        return Objective(self.model, {name: self.terms[name]}, {name: 1.0})

    @leaving_inference_mode
    def value_and_gradient(self, image: Tensor) -> Evaluation:
        """Evaluate the loss and its gradient at an image (1, 3, H, W), sRGB, 0..1."""
        image = image.detach().requires_grad_()
        with torch.enable_grad():
            values = self.values(image)
            total = reduce(
                torch.add, (self.term_weights[name] * value for name, value in values.items())
            )
            (gradient,) = torch.autograd.grad(total, image)
        numbers = torch.stack(
            [v.to(total.dtype) for v in (total, *values.values())]
        ).tolist()  # one wait for the device
        return Evaluation(numbers[0], dict(zip(values, numbers[1:], strict=True)), gradient)
