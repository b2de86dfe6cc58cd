"""The figures of the notebooks: one function each, each returns a matplotlib Figure.

The figures belong to no window and no global state. In a notebook they show themselves, with an
alternative text for readers who do not see them.
"""

from .balance import exchange_rates, norms_by_layer, two_parabolas
from .drift import differences, totals
from .figure import COLORS, DPI, new_figure, to_bytes
from .losses import front, gradient_norms, loss_curves
from .pictures import image_grid, image_row
from .statistics import gram_matrices

__all__ = [
    "COLORS",
    "DPI",
    "differences",
    "exchange_rates",
    "front",
    "gradient_norms",
    "gram_matrices",
    "image_grid",
    "image_row",
    "loss_curves",
    "new_figure",
    "norms_by_layer",
    "to_bytes",
    "totals",
    "two_parabolas",
]
