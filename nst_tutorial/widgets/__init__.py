"""What moves in the notebooks: ipywidgets only, in the API that versions 7 and 8 share."""

from .balance import balance_explorer
from .compare import Compare, split
from .content import inversion_explorer
from .denoising import denoising_explorer
from .explorer import Answer, Explorer
from .features import layer_explorer
from .generator import generator_explorer
from .kernels import kernel_explorer
from .live import Live, to_jpeg
from .optimize import optimizer_explorer
from .regions import region_explorer
from .studio import Studio
from .style_gram import gram_explorer

__all__ = [
    "Answer",
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
    "optimizer_explorer",
    "region_explorer",
    "split",
    "to_jpeg",
]
