"""Before starting: which scales, in which tiles, with how much memory, in how much time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..checks import check_integer, check_number
from ..images.resizing import fit
from ..kernels.registry import kernels_of_layers
from ..kernels.statistic import reach_of
from ..machine.device import choose_device
from ..machine.memory import usable
from ..presets import Settings
from ..vgg.calibration import likely_paths
from ..vgg.paths import parse_paths
from .engine import SMALLEST_TILE
from .memory_needs import memory_of_evaluation, pixels_seen
from .scales import schedule
from .windows import can_be_cut

# Bytes, as in `memory_needs`
PER_PIXEL_OF_STATE = 150  # start, best picture, and what the optimiser works with
PER_PAIR = 24  # for each pair that L-BFGS remembers
TILES = (1536, 1280, 1024, 896, 768, 640, 512, 384, 256, 192)  # smaller ones save little
TWICE_FORWARD = 1.3  # times the time: in tiles the network runs forward once more
FEWEST_PAIRS = 6  # rather than fewer of them, smaller tiles,
NARROW_TILE = 384  # unless the network would look at more than twice as many pixels as there are:
VERY_FEW_PAIRS = 2  # then rather so few


@dataclass(frozen=True)
class Stage:
    """One scale of a plan."""

    height: int
    width: int
    steps: int  # evaluations of loss and gradient
    tile: int | None  # side in pixels; None: in one piece
    pairs: int  # that L-BFGS remembers
    memory: float  # bytes at the peak, of the whole process
    work: float  # pixels to be seen forward and back, in all evaluations


@dataclass(frozen=True)
class Plan:
    """What a run will do and need. `str(plan)` is a table."""

    stages: tuple[Stage, ...]
    budget: float | None  # bytes that may be used; None: not known
    seconds: float | None = None  # if the speed was given

    @property
    def memory(self) -> float:
        """Bytes at the peak."""
        return max(stage.memory for stage in self.stages)

    @property
    def fits(self) -> bool:
        return self.budget is None or self.memory <= self.budget

    def __str__(self) -> str:
        lines = []
        for s in self.stages:
            how = "in one piece" if s.tile is None else f"in tiles of {s.tile} px"
            lines.append(
                f"{s.width}×{s.height}: {s.steps} evaluations {how}, "
                f"{s.pairs} pairs, {s.memory / 1e9:.1f} GB"
            )
        if self.seconds is not None:
            lines.append(f"about {duration(self.seconds)}")
        if self.budget is not None and not self.fits:
            lines.append(f"more than the {self.budget / 1e9:.1f} GB that may be used")
        return "\n".join(lines)


def plan(
    height: int,
    width: int,
    *,
    settings: Settings | None = None,
    memory: float | None = None,
    tile: int | str = "auto",
    device: str | torch.device = "auto",
    seconds_per_megapixel: float | None = None,
    narrowest: float | None = None,
    circular: bool = False,
    paths: Sequence[str] | None = None,
) -> Plan:
    """Return what `stylize` will do for a picture of this size.

    >>> planned = plan(1024, 1536, memory=8, device="cpu")
    >>> [(stage.height, stage.width, stage.steps) for stage in planned.stages]
    [(128, 192, 76), (256, 384, 54), (512, 768, 40), (1024, 1536, 30)]

    Parameters
    ----------
    height, width
        Of the result, in pixels.
    settings
        Those that decide scales, evaluations and memory are read; None: the default preset's.
    memory
        GB that the process may use; None: four fifths of what is free, and what it has already.
    tile
        "auto": the largest that fits; "whole": in one piece; or the side in pixels.
    device
        "auto", or a name that torch knows.
    seconds_per_megapixel
        Of one evaluation in one piece, if the time is to be told.
    narrowest
        See `schedule`.
    circular
        The picture continues on its opposite side. Not every size can then be cut into tiles.
    paths
        Of the network's five blocks (`VGG19.paths`), since each path needs another memory; None:
        those that a run on this machine would take.

    Raises
    ------
    ValueError
        A number out of range.
    """
    height, width = check_integer("height", height, 1), check_integer("width", width, 1)
    settings = settings or Settings()
    device = choose_device(device)
    budget = check_number("memory", memory, above=0) * 1e9 if memory is not None else usable(device)
    longer = max(height, width)
    narrowest = min(height, width) / longer if narrowest is None else narrowest
    if paths is None:
        paths = parse_paths(settings.convolutions, settings.precision) or likely_paths(device)
    stages = []
    for size, evaluations in schedule_of(settings, longer, narrowest):
        shape = fit(width, height, size)[::-1]
        stages.append(_stage(shape, evaluations, settings, budget, tile, device, circular, paths))
    seconds = None
    if seconds_per_megapixel is not None:
        seconds = sum(stage.work for stage in stages) / 1e6 * seconds_per_megapixel
    return Plan(tuple(stages), budget, seconds)


def schedule_of(settings: Settings, longer: int, narrowest: float) -> list[tuple[int, int]]:
    """Return the `schedule` that settings ask for, of a result of that longer side."""
    return schedule(
        longer, settings.steps, settings.coarse_to_fine, narrowest, settings.scale_factor,
        settings.begin_at,
    )  # fmt: skip


def _stage(shape, steps, settings, budget, tile, device, circular, paths) -> Stage:
    layers = [*settings.content_layers, *settings.style_layers]
    kernels = kernels_of_layers(settings.kernel, settings.style_layers)
    reaches = {layer: reach_of(kernel) for layer, kernel in kernels.items()}
    most_pairs = 0
    if settings.method == "lbfgs":
        most_pairs = max(1, min(settings.lbfgs_pairs, steps - 1))

    pixels = shape[0] * shape[1]
    moving, factor = pixels, 0
    if settings.parametrization == "grid":  # a map's twelve numbers are as many as four pixels'
        moving = 4 * settings.grid_depth * settings.grid_size**2
        # Of `optimize.Coordinates` a band: a cell's features with those of a row of cells and more
        factor = 8 * moving * 4 * settings.grid_depth * (settings.grid_size + 2)

    def of_state(pairs: int) -> int:
        return PER_PIXEL_OF_STATE * pixels + PER_PAIR * pairs * moving + factor

    def needs(side: int | None, pairs: int) -> float:
        evaluation = memory_of_evaluation(shape, side, layers, device, circular, paths, kernels)
        return evaluation + of_state(pairs)

    if tile == "auto":
        whole_only = circular and not can_be_cut(shape, layers, reaches)
        sides = [None, *(side for side in TILES if side < max(shape) and not whole_only)]
        wide = [side for side in sides if side is None or side >= NARROW_TILE]
        choices = [(side, FEWEST_PAIRS) for side in wide] + [
            (side, VERY_FEW_PAIRS) for side in sides
        ]
        fitting = (
            side
            for side, pairs in choices
            if budget is None or needs(side, min(most_pairs, pairs)) <= budget
        )
        side = next(fitting, sides[-1])
    else:
        if isinstance(tile, str) and tile != "whole":
            raise ValueError(f"tile must be auto, whole or a side in pixels; got {tile!r}")
        side = None if tile == "whole" else check_integer("tile", tile, SMALLEST_TILE)
    evaluation = memory_of_evaluation(shape, side, layers, device, circular, paths, kernels)
    pairs = most_pairs
    if budget is not None and pairs > 1:
        counts = range(1, most_pairs + 1)
        pairs = max(1, bisect_right(counts, budget, key=lambda n: evaluation + of_state(n)))
    seen = pixels_seen(shape, side, layers, circular, reaches)
    work = steps * sum(seen) * (1.0 if len(seen) == 1 else TWICE_FORWARD)
    return Stage(shape[0], shape[1], steps, side, pairs, evaluation + of_state(pairs), work)


def duration(seconds: float) -> str:
    """Seconds in words: "40 s", "2.5 min", "3.1 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
