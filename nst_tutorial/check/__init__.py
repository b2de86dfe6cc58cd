"""Checks for the exercises of the notebooks: properties of an answer, with hints.

`check.gram_matrix(my_function)` prints that the answer is right, or what is wrong with it, or that
there is none yet. It never stops a notebook.
"""

from .content import content_gradient, content_loss, descent_step, relative_content_loss
from .features import convolution, feature_shape, layer_name, receptive_field
from .kernels import blind_spot, bn_from_gram, feature_map, mmd2
from .optimize import pull_back, secant_pair, two_loop
from .style_gram import gram_matrix, order_free, style_gradient, style_loss

__all__ = [
    "blind_spot",
    "bn_from_gram",
    "content_gradient",
    "content_loss",
    "convolution",
    "descent_step",
    "feature_map",
    "feature_shape",
    "gram_matrix",
    "layer_name",
    "mmd2",
    "order_free",
    "pull_back",
    "receptive_field",
    "relative_content_loss",
    "secant_pair",
    "style_gradient",
    "style_loss",
    "two_loop",
]
