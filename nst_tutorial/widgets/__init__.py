"""What moves in the notebooks: ipywidgets only, in the API that versions 7 and 8 share."""

from .balance import balance_explorer
from .content import inversion_explorer
from .explorer import Answer, Explorer
from .features import layer_explorer
from .kernels import kernel_explorer
from .live import Live, to_jpeg
from .optimize import optimizer_explorer
from .style_gram import gram_explorer

__all__ = [
    "Answer",
    "Explorer",
    "Live",
    "balance_explorer",
    "gram_explorer",
    "inversion_explorer",
    "kernel_explorer",
    "layer_explorer",
    "optimizer_explorer",
    "to_jpeg",
]
