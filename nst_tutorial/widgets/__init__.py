"""What moves in the notebooks: ipywidgets, in the API of versions 7 and 8, and anywidgets."""

from .compare import Compare, split
from .explorers.balance import balance_explorer
from .explorers.content import inversion_explorer
from .explorers.denoising import denoising_explorer
from .explorers.explorer import Answer, Explorer
from .explorers.features import layer_explorer
from .explorers.generator import generator_explorer
from .explorers.kernels import kernel_explorer
from .explorers.looks import look_explorer
from .explorers.optimize import optimizer_explorer
from .explorers.regions import region_explorer
from .explorers.style_gram import gram_explorer
from .live import Live, to_jpeg
from .studio.app import Studio
from .votes import BlindVotes

__all__ = [
    "Answer",
    "BlindVotes",
    "Compare",
    "Explorer",
    "Live",
    "Studio",
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
    "split",
    "to_jpeg",
]
