"""Any style in one pass: VGG19's features, moved to a style's statistics, and decoded.

Optimisation needs hundreds of evaluations for one picture, a painter one pass for one style. A
style statistic that is a mean and a deviation of each channel (`kernels.BatchNormStatistics`) can
be given to features in closed form; then any picture can be the style.
"""

from .decoder import LAYERS, Decoder
from .files import COMMAND, load_decoder, save_decoder
from .painting import METHODS, encode, paint
from .statistics import Spectrum, adain, mean_and_deviation, spectrum, wct
from .training import train_decoder
from .views import draw_styles, recolored

__all__ = [
    "COMMAND",
    "LAYERS",
    "METHODS",
    "Decoder",
    "Spectrum",
    "adain",
    "draw_styles",
    "encode",
    "load_decoder",
    "mean_and_deviation",
    "paint",
    "recolored",
    "save_decoder",
    "spectrum",
    "train_decoder",
    "wct",
]
