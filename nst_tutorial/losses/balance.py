"""How much of each: gradient norms, and weights from them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from .objective import Separable

ROUNDING = 1e-4  # of the norm elsewhere: that is what rounding may leave of a zero


def gradient_norms(objective: Separable, image: Tensor) -> dict[str, float]:
    """Return the Euclidean norm of each term's gradient at an image, before its weight."""
    return {
        name: float(objective.alone(name).value_and_gradient(image).gradient.norm())
        for name in objective.term_weights
    }


def starting_norms(
    objective: Separable, start: Tensor, noise: Tensor | None = None
) -> dict[str, float]:
    """Return the gradient norms at the start, and at noise for terms that have none there.

    As the content's at the content itself. Without noise such terms keep their zero.
    """
    here = gradient_norms(objective, start)
    if noise is None:
        return here
    elsewhere = gradient_norms(objective, noise)
    return {
        name: norm if norm > ROUNDING * elsewhere[name] else elsewhere[name]
        for name, norm in here.items()
    }


def balanced_weights(weights: Mapping[str, float], norms: Mapping[str, float]) -> dict[str, float]:
    """Return weights under which the terms' gradients have norms in the ratio of the old weights.

    Content and style terms are balanced against the first of them, whose weight stays as it is;
    other terms (total variation, range) keep theirs. A term without a gradient keeps its weight.
    """
    main = [name for name in weights if name.split()[0] in ("content", "style")]
    reference = next((norms[name] for name in main if norms[name] > 0), 1.0)
    return {
        name: weight * reference / norms[name] if name in main and norms[name] > 0 else weight
        for name, weight in weights.items()
    }
