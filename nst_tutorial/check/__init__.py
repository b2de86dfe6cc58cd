"""Checks for the exercises of the notebooks: properties of an answer, with hints.

`check.gram_matrix(my_function)` prints that the answer is right, or what is wrong with it, or that
there is none yet. It never stops a notebook.
"""

from .features import convolution, feature_shape, layer_name, receptive_field
from .style_gram import gram_matrix

__all__ = ["convolution", "feature_shape", "gram_matrix", "layer_name", "receptive_field"]
