"""What moves in the notebooks: ipywidgets only, in the API that versions 7 and 8 share."""

from .generator import GeneratorExplorer
from .live import Live, to_jpeg

__all__ = ["GeneratorExplorer", "Live", "to_jpeg"]
