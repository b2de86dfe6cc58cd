"""Explorers: turn a knob, see the mathematics move."""

from .balance import balance_explorer
from .content import inversion_explorer
from .denoising import denoising_explorer
from .explorer import Answer, Explorer
from .features import layer_explorer
from .generator import generator_explorer
from .kernels import kernel_explorer
from .looks import look_explorer
from .optimize import optimizer_explorer
from .regions import region_explorer
from .style_gram import gram_explorer

__all__ = [
    "Answer",
    "Explorer",
    "balance_explorer",
    "denoising_explorer",
    "generator_explorer",
    "gram_explorer",
    "inversion_explorer",
    "kernel_explorer",
    "layer_explorer",
    "look_explorer",
    "optimizer_explorer",
    "region_explorer",
]
