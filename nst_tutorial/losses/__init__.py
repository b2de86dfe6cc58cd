"""What is minimised: terms, what they are multiplied by, and the objective they add up to."""

from .balance import ROUNDING, balanced_weights, gradient_norms, starting_norms
from .factors import CONTENT_NORMALIZATIONS, STYLE_NORMALIZATIONS, content_factor, style_factor
from .objective import Evaluation, Objective
from .terms import Content, Grain, OutOfRange, Style, Term, TotalVariation

__all__ = [
    "CONTENT_NORMALIZATIONS",
    "ROUNDING",
    "STYLE_NORMALIZATIONS",
    "Content",
    "Evaluation",
    "Grain",
    "Objective",
    "OutOfRange",
    "Style",
    "Term",
    "TotalVariation",
    "balanced_weights",
    "content_factor",
    "gradient_norms",
    "starting_norms",
    "style_factor",
]
