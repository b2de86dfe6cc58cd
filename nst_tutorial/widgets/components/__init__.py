"""Pieces of a page that ipywidgets lacks, as anywidgets: a Python class, a script and a style each.

The scripts are what the browser runs, without a bundler, and ask nothing of any server. All can be
used by keyboard, have names for screen readers, and follow the theme of the page.
"""

from .compare_view import CompareView
from .mask_painter import MaskPainter
from .picture_picker import PicturePicker
from .picture_row import Picture, PictureRow
from .result_strip import ResultStrip
from .step_slider import StepSlider

__all__ = [
    "CompareView",
    "MaskPainter",
    "Picture",
    "PicturePicker",
    "PictureRow",
    "ResultStrip",
    "StepSlider",
]
