"""How a network learns: what from, for how long; averages of its weights, checkpoints, files."""

from .average import WeightAverage
from .budget import Budget, rate_at
from .files import Network, load_network, save_network
from .loop import Learnt, Step, learn
from .stream import PictureStream

__all__ = [
    "Budget",
    "Learnt",
    "Network",
    "PictureStream",
    "Step",
    "WeightAverage",
    "learn",
    "load_network",
    "rate_at",
    "save_network",
]
