"""The figures of the notebooks: one function each, each returns a matplotlib Figure.

The figures belong to no window and no global state. In a notebook they show themselves, with an
alternative text for readers who do not see them.
"""

from .charts import bars, lines
from .features import boxes, feature_maps, filters, gradient_fields, small_tensors
from .figure import COLORS, DPI, new_figure, to_bytes
from .losses import front, gradient_norms, loss_curves
from .optimize import descent_paths, race, scaling
from .pictures import image_grid, image_row
from .statistics import gram_matrices

__all__ = [
    "COLORS",
    "DPI",
    "bars",
    "boxes",
    "descent_paths",
    "feature_maps",
    "filters",
    "front",
    "gradient_fields",
    "gradient_norms",
    "gram_matrices",
    "image_grid",
    "image_row",
    "lines",
    "loss_curves",
    "new_figure",
    "race",
    "scaling",
    "small_tensors",
    "to_bytes",
]
