"""Checks for the exercises of the notebooks: properties of an answer, with hints.

`check.gram_matrix(my_function)` prints that the answer is right, or what is wrong with it, or that
there is none yet. It never stops a notebook.
"""

from .balance import balance_weights, pareto_front, translate_weight, weighted_minimum
from .style_gram import gram_matrix
from .style_transfer import put_back_detail, scales, should_stop, weighted_style

__all__ = [
    "balance_weights",
    "gram_matrix",
    "pareto_front",
    "put_back_detail",
    "scales",
    "should_stop",
    "translate_weight",
    "weighted_minimum",
    "weighted_style",
]
