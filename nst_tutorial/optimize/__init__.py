"""From an objective and a start to a picture: L-BFGS and Adam, coarse to fine, resumable."""

from .checkpoint import Checkpoint, Saved, check_same_run, load, save
from .coarse_to_fine import through_scales
from .loop import (
    BETTER,
    DIVERGED,
    PATIENCE,
    Callback,
    HasGradient,
    Minimum,
    Progress,
    State,
    minimize,
    new_state,
)
from .methods import FIRST_STEP, LBFGS, Adam
from .parametrization import PARAMETERS, Fourier, Pixels
from .result import Result

__all__ = [
    "BETTER",
    "DIVERGED",
    "FIRST_STEP",
    "LBFGS",
    "PARAMETERS",
    "PATIENCE",
    "Adam",
    "Callback",
    "Checkpoint",
    "Fourier",
    "HasGradient",
    "Minimum",
    "Pixels",
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
