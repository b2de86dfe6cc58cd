"""The balance explorer: two weights, one ratio, one place on the front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ... import plots
from ...images.reading import load_image
from ...storage.fingerprints import fingerprint
from ...transfer.pareto import Point, trade_off
from ..drawings import drawn
from .cache import Arrays, compressed, picture_key, remembered
from .content import unpacked
from .controls import steps_of
from .explorer import Answer, Explorer, kept

CONTENT, STYLE, SIZE, STEPS = "temple", "starry_night", 128, 60
LADDER = tuple(2.0**k for k in range(-1, 8))  # style weights of the bundled front
CONTENT_WEIGHTS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
STYLE_WEIGHTS = tuple(round(2 ** (k / 2), 2) for k in range(-4, 19))


def balance_explorer(points: Sequence[Point] | None = None) -> Explorer:
    """Return a widget that shows the picture and the losses at a content and a style weight.

    Controls: `content_weight` and `style_weight`. The picture is that of the measured point whose
    ratio of weights is nearest; the losses are interpolated between its neighbours, both
    logarithms linearly in the logarithm of the ratio.

    Parameters
    ----------
    points
        A front from `trade_off`, of two points at least, with growing style weights above 0; None:
        the bundled one of the temple after The Starry Night, 128 pixels.

    Raises
    ------
    ValueError
        Fewer than two points, or weights that do not grow.
    """
    points = bundled_front() if points is None else list(points)
    weights = [point.style_weight for point in points]
    if len(points) < 2 or weights[0] <= 0 or any(a >= b for a, b in pairwise(weights)):
        raise ValueError(f"the front needs two or more growing style weights, got {weights}")
    images = [fingerprint(point.image) for point in points]
    losses = [[p.style_weight, p.content_loss, p.style_loss] for p in points]

    def answer(content_weight: float, style_weight: float) -> Answer:
        ratio = style_weight / content_weight
        key = {"ratio": round(ratio, 6), "losses": losses, "images": images}
        return kept("balance", key, lambda: _drawn(points, ratio))

    controls = {
        "content_weight": steps_of(
            CONTENT_WEIGHTS, 1.0, "content weight α", "what a unit of content loss costs"
        ),
        "style_weight": steps_of(
            STYLE_WEIGHTS, 16.0, "style weight β", "what a unit of style loss costs"
        ),
    }
    what = "the balance explorer: two weights, one ratio, one place on the front"
    return Explorer(what, controls, answer, ("47%", "47%"))


def interpolated(points: Sequence[Point], ratio: float) -> tuple[float, float, Point]:
    """The content and the style loss at a ratio of weights, and the measured point nearest to it.

    Beyond the ends of the front: those of its end.
    """
    at = math.log(ratio)
    x = [math.log(point.style_weight) for point in points]
    content = np.interp(at, x, [math.log(max(p.content_loss, 1e-12)) for p in points])
    style = np.interp(at, x, [math.log(max(p.style_loss, 1e-12)) for p in points])
    nearest = points[min(range(len(x)), key=lambda i: abs(x[i] - at))]
    return math.exp(content), math.exp(style), nearest


def _drawn(points: Sequence[Point], ratio: float) -> Answer:
    content, style, nearest = interpolated(points, ratio)
    shown = plots.image_row([nearest.image], [f"β/α = {nearest.style_weight:g}"], height=3.6)
    front = plots.front(points, here=(style, content))
    words = (
        f"<b>β/α = {ratio:.3g}</b>: content loss {content:.3g}, style loss {style:.3g}, "
        f"so α·content + β·style is least, in units of α, at {content + ratio * style:.3g}. "
    )
    first, last = points[0].style_weight, points[-1].style_weight
    if not first <= ratio <= last:
        words += f"The front was measured from {first:g} to {last:g}: this is its end."
    else:
        words += f"The picture is the measured one nearest to it, {nearest.style_weight:g}."
    return Answer((drawn(shown, "jpeg"), drawn(front)), words)


# --- the bundled front -----------------------------------------------------------------------


def front_settings() -> dict:
    """What decides the bundled front."""
    pictures = [picture_key(CONTENT), picture_key(STYLE)]
    return {"pictures": pictures, "size": SIZE, "steps": STEPS, "weights": list(LADDER)}


def bundled_front() -> list[Point]:
    """The front that comes with the course."""
    arrays = remembered("front", front_settings(), measure_front)
    rows = zip(LADDER, arrays["content"], arrays["style"], strict=True)
    return [Point(w, float(c), float(s), unpacked(arrays[f"image {w:g}"])) for w, c, s in rows]


def measure_front() -> Arrays:
    """Measure the bundled front: minutes."""
    content, style = load_image(CONTENT, SIZE), load_image(STYLE, SIZE)
    points = trade_off(content, style, LADDER, kernel="gram", steps=STEPS)
    images = {f"image {p.style_weight:g}": compressed(p.image) for p in points}
    content_losses = np.array([p.content_loss for p in points])
    return {**images, "content": content_losses, "style": np.array([p.style_loss for p in points])}
