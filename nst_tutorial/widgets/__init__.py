"""What moves in the notebooks: ipywidgets only, in the API that versions 7 and 8 share."""

from .compare import Compare, split
from .live import Live, to_jpeg
from .studio import Studio

__all__ = ["Compare", "Live", "Studio", "split", "to_jpeg"]
