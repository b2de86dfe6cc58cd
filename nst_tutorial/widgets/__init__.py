"""What moves in the notebooks: ipywidgets only, in the API that versions 7 and 8 share."""

from .compare import Compare, split
from .denoising import Denoising
from .live import Live, to_jpeg
from .studio import Studio

__all__ = ["Compare", "Denoising", "Live", "Studio", "split", "to_jpeg"]
