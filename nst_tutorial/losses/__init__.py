"""What is minimised: terms, what they are multiplied by, and the objective they add up to."""

from .balance import ROUNDING, balanced_weights, gradient_norms, starting_norms
from .factors import content_factor, style_factor
from .objective import Evaluation, HasGradient, Objective, Separable
from .terms import Content, Cut, Grain, LocalTerm, OutOfRange, Style, Term, TotalVariation, Window

__all__ = [
    "ROUNDING",
    "Content",
    "Cut",
    "Evaluation",
    "Grain",
    "HasGradient",
    "LocalTerm",
    "Objective",
    "OutOfRange",
    "Separable",
    "Style",
    "Term",
    "TotalVariation",
    "Window",
    "balanced_weights",
    "content_factor",
    "gradient_norms",
    "starting_norms",
    "style_factor",
]
