"""Checks for the exercises of the notebooks: properties of an answer, with hints.

`check.gram_matrix(my_function)` prints that the answer is right, or what is wrong with it, or that
there is none yet. It never stops a notebook.
"""

from .optimize import pull_back, secant_pair, two_loop
from .style_gram import gram_matrix

__all__ = ["gram_matrix", "pull_back", "secant_pair", "two_loop"]
