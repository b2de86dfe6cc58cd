"""What moves in the notebooks: ipywidgets only, in the API that versions 7 and 8 share."""

from .denoising import Denoising
from .live import Live, to_jpeg
from .regions import Regions

__all__ = ["Denoising", "Live", "Regions", "to_jpeg"]
