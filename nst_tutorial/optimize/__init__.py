"""From an objective and a start to a picture: L-BFGS and Adam, coarse to fine, resumable."""

from .checkpoint import Checkpoint, Position, Saved, check_same_run, load, save
from .coarse_to_fine import ObjectiveAtScales, through_scales
from .grid import SMOOTHNESS, Coordinates, Grid, GridAtScales
from .loop import (
    BETTER,
    DIVERGED,
    NOTHING_BETTER,
    PATIENCE,
    Callback,
    Minimum,
    Progress,
    State,
    minimize,
    new_state,
)
from .methods import FIRST_STEP, LBFGS, OPTIMIZERS, Adam
from .parametrization import PARAMETRIZATIONS, Fourier, Parametrization, Penalty, Pixels
from .result import Result

__all__ = [
    "BETTER",
    "DIVERGED",
    "FIRST_STEP",
    "LBFGS",
    "NOTHING_BETTER",
    "OPTIMIZERS",
    "PARAMETRIZATIONS",
    "PATIENCE",
    "SMOOTHNESS",
    "Adam",
    "Callback",
    "Checkpoint",
    "Coordinates",
    "Fourier",
    "Grid",
    "GridAtScales",
    "Minimum",
    "ObjectiveAtScales",
    "Parametrization",
    "Penalty",
    "Pixels",
    "Position",
    "Progress",
    "Result",
    "Saved",
    "State",
    "check_same_run",
    "load",
    "minimize",
    "new_state",
    "save",
    "through_scales",
]
