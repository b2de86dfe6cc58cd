"""Checks for the exercises of the notebooks: properties of an answer, with hints.

`check.gram_matrix(my_function)` prints that the answer is right, or what is wrong with it, or that
there is none yet. It never stops a notebook.
"""

from .kernels import blind_spot, bn_from_gram, feature_map, mmd2
from .style_gram import gram_matrix, order_free, style_gradient, style_loss

__all__ = [
    "blind_spot",
    "bn_from_gram",
    "feature_map",
    "gram_matrix",
    "mmd2",
    "order_free",
    "style_gradient",
    "style_loss",
]
