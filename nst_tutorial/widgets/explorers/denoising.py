"""Turn the strength of a de-noiser and see what goes: the noise, and then the picture."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from ...noise.filters import denoise, find_strength
from ...noise.strength import level_of
from ...presets import DENOISERS, DENOISING_AREAS
from ..components import Picture, StepSlider
from ..live import to_jpeg
from .controls import choice
from .explorer import Answer, Explorer


def denoising_explorer(
    image: Tensor,
    guide: Tensor,
    measure: Callable[[Tensor], float] | None = None,
    crop: tuple[slice, slice] = (slice(None), slice(None)),
    zoom: int = 1,
) -> Explorer:
    """Return a widget with a picture before and after de-noising, and what that does in numbers.

    Controls: `method`, `strength` in grey levels (it begins at what "auto" takes), `where`.

    Parameters
    ----------
    image, guide
        The result and its content, (1, 3, H, W), of one size.
    measure
        picture → style error; if given, its change is told.
    crop, zoom
        Show only these rows and columns, each pixel `zoom` times as wide.

    Raises
    ------
    ValueError
        A guide of another size, or values that are not finite.
    """
    noise = level_of(image, guide)
    error = None if measure is None else measure(image)

    def cut(picture: Tensor) -> Tensor:
        part = picture[(..., *crop)].clamp(0, 1)
        return part.repeat_interleave(zoom, 2).repeat_interleave(zoom, 3)

    def answer(method: str, strength: float, where: str) -> Answer:
        smooth = denoise(image, method, guide, strength, where)
        words = f"left: before, right: after; noise {noise:.2f} → {level_of(smooth, guide):.2f} "
        words += "grey levels"
        if measure is not None and error is not None:
            words += f", style error {measure(smooth) / error - 1:+.1%}"
        before = Picture(to_jpeg(cut(image)), alt="before de-noising")
        return Answer((before, Picture(to_jpeg(cut(smooth)), alt=f"after {method}")), words)

    start = find_strength(image, guide=guide)
    most = max(4 * noise, 2 * start, 0.1)
    marks = max(1, round(40 * start / most))  # from 0 to where it starts: the keys lead back there
    step = start / marks if start else most / 40
    values = [start if i == marks else i * step for i in range(math.ceil(most / step) + 1)]
    controls = {
        "method": choice(DENOISERS, DENOISERS[0], "method", "how the grain is told from the rest"),
        "strength": StepSlider(
            "strength, grey levels", [(f"{value:.2f}", value) for value in values], values[marks],
            "the noise that is to be removed",
        ),
        "where": choice(
            DENOISING_AREAS, "flat", "where", "where the content is flat, or everywhere"
        ),
    }  # fmt: skip
    what = "the de-noising explorer: a picture before and after, and the noise in numbers"
    return Explorer(what, controls, answer, ("100%",), compares=True)
