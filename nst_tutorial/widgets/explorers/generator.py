"""A texture network under your hands: its noise, and how much each of its scales counts."""

from __future__ import annotations

import time
from collections.abc import Mapping

import ipywidgets
from torch import Tensor

from ...texture_networks.generator import Generator
from ..components import Picture, StepSlider
from ..live import to_jpeg
from .controls import choice, counts_to, numbers, steps_of, tick
from .explorer import Answer, Explorer

LOUDEST = 3.0  # times as trained


def generator_explorer(
    generators: Mapping[str, Generator],
    content: Tensor | None = None,
    sizes: tuple[int, ...] = (128, 192, 256, 384),
) -> Explorer:
    """Return a widget that paints by a texture network while its sliders move.

    Controls: `generator`, `size`, `seed` of the noise, `tiled` (show 2 × 2 copies), and `scale_1`
    (the coarsest), `scale_2`, … : how much each scale counts. A button sets all scales to 1.

    Parameters
    ----------
    generators
        Name → generator, all with the same number of scales.
    content
        (1, 3, H, W), sRGB, 0..1: what those that stylise repaint, at its own size.
    sizes
        Sides of a texture to choose from, in pixels.

    Raises
    ------
    ValueError
        Different numbers of scales, or a content missing.
    """
    generators = dict(generators)
    depths = {generator.design["scales"] for generator in generators.values()}
    if len(depths) != 1:
        raise ValueError(f"the generators must have one number of scales, got {sorted(depths)}")
    if content is None and any(g.design["stylizes"] for g in generators.values()):
        raise ValueError("a generator that stylises needs a content")
    scales = [f"scale_{k + 1}" for k in range(depths.pop())]

    def answer(generator: str, size: int, seed: int, tiled: bool, **loud: float) -> Answer:
        network = generators[generator]
        picture = content if network.design["stylizes"] else None
        begin = time.perf_counter()
        strengths = [loud[name] for name in scales]
        image = network.sample(size, seed, content=picture, strengths=strengths)
        spent = time.perf_counter() - begin
        image = image.repeat(1, 1, 2, 2) if tiled else image
        height, width = image.shape[2:]
        words = f"{width} × {height} pixels; the pass took {1000 * spent:.0f} ms"
        alt = f"what {generator} paints"
        return Answer((Picture(to_jpeg(image), alt=alt),), words)

    controls = {
        "generator": choice(generators, next(iter(generators)), "network", "which network paints"),
        "size": steps_of(sizes, sizes[(len(sizes) - 1) // 2], "size, pixels", "side of a texture"),
        "seed": StepSlider("seed of the noise", counts_to(99), 0, "each seed another sample"),
        "tiled": tick(False, "show 2 × 2 copies", "a texture without seams continues"),
    }  # fmt: skip
    for k, name in enumerate(scales):
        first, last = k == 0, k == len(scales) - 1
        label = "coarsest scale" if first else "finest scale" if last else f"scale {k + 1}"
        marks = numbers(0.0, LOUDEST, 0.1, 2)
        controls[name] = StepSlider(label, marks, 1.0, "1: as trained, 0: switched off")
    for name in ("size", "seed", *scales):
        controls[name].continuous = True  # one pass is quick enough to follow the hand
    what = "the generator explorer: a texture network, its noise and its scales"
    explorer = Explorer(what, controls, answer, ("24em",))
    reset = ipywidgets.Button(description="all scales to 1")
    reset.on_click(lambda _: explorer.set(**dict.fromkeys(scales, 1.0)))
    explorer.knobs.children += (reset,)
    return explorer
