"""What moves in the notebooks: ipywidgets only, in the API that versions 7 and 8 share."""

from .live import Live, to_jpeg

__all__ = ["Live", "to_jpeg"]
