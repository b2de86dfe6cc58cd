"""The look explorer: a fitted grid of colour maps, from no change to beyond it, stiff or free.

Also what notebook 09 shows of runs that take minutes: they come with the course, one command makes
them (`precompute`), and what decides them stands at the top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ...images.color import luminance
from ...images.reading import load_image
from ...looks.grid import roughness
from ...looks.look import STRONGEST, Look
from ...noise.level import GREY, flat_regions
from ...optimize.result import Result
from ...transfer.style_transfer import stylize
from ...vgg.network import VGG19, load_vgg19
from ..components import Picture
from ..live import to_jpeg
from .cache import Arrays, compressed, model_key, picture_key, remembered
from .content import unpacked
from .controls import choice, span_of, steps_of
from .explorer import Answer, Explorer

PAIR = "mountain_path", "sunset_hills"
SEED = 0
SMOOTHNESS = (3.0, 30.0, 300.0, 30000.0)
REGIONS = {"everywhere": None, "two, matched": 2}
LOOKS = {"size": 192, "steps": 30, "style_weight": 4.0}  # of the explorer's
PAINTING = {"size": 384, "steps": 240}
MARKS = (165, 200, 240)  # evaluations whose pictures are kept, all at full size
QUALITY = 97  # of JPEG: grain is to be measured
LAPLACIAN_OF_NOISE = 20**0.5  # its standard deviation, of white noise: √(1 + 1 + 1 + 1 + 4²)
SHOWN = 512  # pixels of the longer side that a look is applied at


def look_explorer() -> Explorer:
    """Return a widget that applies looks fitted to two bundled photographs.

    Controls: `strength` (0: the photograph, 1: the fitted look), `smoothness` (what a difference of
    neighbouring cells costs), `regions` (the style everywhere, or region by region).
    """
    content = load_image(PAIR[0], SHOWN)
    flat = flat_regions(content)
    before = grain(content, flat)
    photograph = Picture(to_jpeg(content), alt=f"the photograph {PAIR[0]}")

    def answer(strength: float, smoothness: float, regions: str) -> Answer:
        look = fitted_look(smoothness, regions)
        result = look.apply(content, strength).clamp(0, 1)
        words = (
            f"grain in flat places {grain(result, flat):.2f} grey levels (the photograph: "
            f"{before:.2f}); edges r = {edge_correlation(result, content):.2f}; roughness of the "
            f"grid {float(roughness(look.grid)):.2g}<br>left: the photograph, "
            "right: the look at this strength"
        )
        return Answer((photograph, Picture(to_jpeg(result), alt="the look applied to it")), words)

    controls = {
        "strength": span_of(
            0.0, STRONGEST, 0.125, 1.0, "strength", "0: the photograph, 1: the fitted look"
        ),
        "smoothness": steps_of(
            SMOOTHNESS, SMOOTHNESS[2], "smoothness", "what a difference of two neighbours costs"
        ),
        "regions": choice(REGIONS, next(iter(REGIONS)), "regions", "where the style is taken from"),
    }
    what = "the look explorer: a fitted look, weaker or stronger, and how stiff its grid is"
    return Explorer(what, controls, answer, ("100%",), compares=True)


def grain(image: Tensor, flat: Tensor) -> float:
    """Standard deviation of a picture's fine detail where a mask says so, in grey levels.

    Of the Laplacian of luminance, scaled so that white noise of luminance keeps its own.
    """
    detail = laplacian(luminance(image))[flat[..., 1:-1, 1:-1]]
    return GREY * float(detail.std()) / LAPLACIAN_OF_NOISE


def edge_correlation(image: Tensor, content: Tensor) -> float:
    """Correlation of two pictures' Laplacians of luminance: 1 if every edge is where it was."""
    pair = torch.stack([laplacian(luminance(x)).flatten() for x in (image, content)])
    return float(torch.corrcoef(pair)[0, 1])


def laplacian(grey: Tensor) -> Tensor:
    """(1, 1, H, W) → (1, 1, H - 2, W - 2): the sum of four neighbours less four times a pixel."""
    across = grey[..., 1:-1, :-2] + grey[..., 1:-1, 2:]
    return grey[..., :-2, 1:-1] + grey[..., 2:, 1:-1] + across - 4 * grey[..., 1:-1, 1:-1]


# --- what is stored --------------------------------------------------------------------------


def fitted_look(smoothness: float, regions: str) -> Look:
    """The look of the explorer's pair at one of `SMOOTHNESS` and of `REGIONS`."""
    settings = look_settings(smoothness, regions)
    return as_look(remembered("look", settings, partial(fit, settings)))


def look_settings(smoothness: float, regions: str) -> dict:
    options = {"mode": "photo", "smoothness": smoothness, "regions": REGIONS[regions]}
    return run_settings(PAIR, **LOOKS, **options)


def run_settings(pair: tuple[str, str], **options: object) -> dict:
    """All that decides a stored run."""
    return {
        "pair": list(pair), "pictures": [picture_key(name) for name in pair],
        "model": model_key(None), "seed": SEED, **options,
    }  # fmt: skip


def run(settings: Mapping, model: VGG19 | None = None, **more) -> Result:
    """Return what `stylize` makes with these settings."""
    content, style = (load_image(name, settings["size"]) for name in settings["pair"])
    options = {k: v for k, v in settings.items() if k not in ("pair", "pictures", "model", "size")}
    return stylize(content, style, model=model or load_vgg19(), **options, **more)


def fit(settings: Mapping, model: VGG19 | None = None) -> Arrays:
    """Fit a look: its grid, and the total of each evaluation."""
    result = run(settings, model)
    assert result.look is not None  # mode="photo"
    grid = result.look.grid.numpy()
    return {"grid": grid, "totals": np.array([row["total"] for row in result.history])}


def as_look(arrays: Arrays) -> Look:
    return Look(torch.from_numpy(arrays["grid"]))


def painting_settings() -> dict:
    return run_settings(PAIR, **PAINTING, preset="gram")


def painting() -> tuple[dict[int, Tensor], list[float]]:
    """The pair repainted in pixels: pictures after `MARKS`, and the total of each evaluation."""
    settings = painting_settings()
    arrays = remembered("painting", settings, partial(paint, settings))
    pictures = {mark: unpacked(arrays[f"image {mark}"]) for mark in MARKS}
    return pictures, arrays["totals"].tolist()


def paint(settings: Mapping, model: VGG19 | None = None) -> Arrays:
    """Run in pixels, and keep pictures on the way: minutes."""
    kept: dict[str, np.ndarray] = {}

    def keep(progress) -> None:
        if progress.evaluation in MARKS:
            kept[f"image {progress.evaluation}"] = compressed(progress.image, QUALITY)

    result = run(settings, model, callback=keep)
    kept[f"image {settings['steps']}"] = compressed(result.image, QUALITY)
    return {**kept, "totals": np.array([row["total"] for row in result.history])}


def jobs() -> Iterator[tuple[str, Mapping, partial]]:
    """Everything of this that is bundled: name, settings, and how it is made."""
    settings = painting_settings()
    yield "painting", settings, partial(paint, settings)
    for regions in REGIONS:
        for smoothness in SMOOTHNESS:
            settings = look_settings(smoothness, regions)
            yield "look", settings, partial(fit, settings)
