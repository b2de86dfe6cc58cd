"""What moves in the notebooks: ipywidgets only, in the API that versions 7 and 8 share."""

from .live import Live, to_jpeg
from .regions import Regions

__all__ = ["Live", "Regions", "to_jpeg"]
