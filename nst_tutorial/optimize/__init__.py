"""From an objective and a start to a picture: L-BFGS and Adam, coarse to fine, resumable."""

from .checkpoint import Checkpoint, Position, Saved, check_same_run, load, save
from .coarse_to_fine import ObjectiveAtScales, through_scales
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
from .parametrization import PARAMETRIZATIONS, Fourier, Pixels
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
    "Adam",
    "Callback",
    "Checkpoint",
    "Fourier",
    "Minimum",
    "ObjectiveAtScales",
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
