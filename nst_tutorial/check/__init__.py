"""Checks for the exercises of the notebooks: properties of an answer, with hints.

`check.gram_matrix(my_function)` prints that the answer is right, or what is wrong with it, or that
there is none yet. It never stops a notebook.
"""

from .nb01_features import convolution, feature_shape, layer_name, receptive_field
from .nb02_content import descent_step, leaky_gradient, loss_map
from .nb03_style import gram_matrix, order_free, style_gradient, style_loss
from .nb04_kernels import blind_spot, bn_from_gram, feature_map, unbiased_mmd2
from .nb05_balance import find_weight, pareto_front, translate_weight, weighted_minimum
from .nb06_optimize import pull_back, secant_pair, two_loop
from .nb07_style_transfer import put_back_detail, scales, should_stop, weighted_style
from .nb08_limits import assemble, noise_level, overhead, screened_poisson
from .nb09_photographs import fitted_map, guided_gram, matched_colors, sliced_maps
from .nb10_texture_networks import break_even, nearness, weight_gradient, wrap_around
from .nb11_at_scale import every_combination, file_name, makespan, whole_or_nothing
from .nb12_beyond_gram import shifted_gram, skewed_pair, sorted_distance
from .quizzes import quiz
from .reading import claim, sized

__all__ = [
    "assemble",
    "blind_spot",
    "bn_from_gram",
    "break_even",
    "claim",
    "convolution",
    "descent_step",
    "every_combination",
    "feature_map",
    "feature_shape",
    "file_name",
    "find_weight",
    "fitted_map",
    "gram_matrix",
    "guided_gram",
    "layer_name",
    "leaky_gradient",
    "loss_map",
    "makespan",
    "matched_colors",
    "nearness",
    "noise_level",
    "order_free",
    "overhead",
    "pareto_front",
    "pull_back",
    "put_back_detail",
    "quiz",
    "receptive_field",
    "scales",
    "screened_poisson",
    "secant_pair",
    "shifted_gram",
    "should_stop",
    "sized",
    "skewed_pair",
    "sliced_maps",
    "sorted_distance",
    "style_gradient",
    "style_loss",
    "translate_weight",
    "two_loop",
    "unbiased_mmd2",
    "weight_gradient",
    "weighted_minimum",
    "weighted_style",
    "whole_or_nothing",
    "wrap_around",
]
