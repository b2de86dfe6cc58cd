"""How long an evaluation takes here."""

from __future__ import annotations

import statistics
import time

import torch

from ..presets import PRESETS
from ..tiling.engine import Engine
from ..vgg.calibration import fastest
from ..vgg.network import VGG19
from .builder import make_objective


def seconds_per_evaluation(model: VGG19, size: int) -> float:
    """Median seconds of one evaluation of the default objective on a square picture.

    With the convolutions that a run would take, as far as they are known.
    """
    model = fastest(model, 0)
    image = torch.rand(1, 3, size, size, device=model.device)
    objective = Engine(make_objective(model, image, image.flip(3), PRESETS["default"]))
    seconds = []
    for _ in range(4):
        begin = time.perf_counter()
        objective.value_and_gradient(image)
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[1:])
