"""What moves in the notebooks: ipywidgets only, in the API that versions 7 and 8 share."""

from .balance import balance_explorer
from .compare import Compare, split
from .content import inversion_explorer
from .denoising import Denoising
from .explorer import Answer, Explorer
from .features import layer_explorer
from .generator import GeneratorExplorer
from .kernels import kernel_explorer
from .live import Live, to_jpeg
from .optimize import optimizer_explorer
from .regions import Regions
from .studio import Studio
from .style_gram import gram_explorer

__all__ = [
    "Answer",
    "Compare",
    "Denoising",
    "Explorer",
    "GeneratorExplorer",
    "Live",
    "Regions",
    "Studio",
    "balance_explorer",
    "gram_explorer",
    "inversion_explorer",
    "kernel_explorer",
    "layer_explorer",
    "optimizer_explorer",
    "split",
    "to_jpeg",
]
