"""Texture networks against optimisation: the time for a picture of the same style distance.

    python benchmarks/texture_networks.py [names of bundled generators] [--size 256]

For each bundled generator of a texture: the median time of one pass, the style distance of its
pictures (mean over seeds), the time in which `synthesize_texture` comes to that distance, and the
distance it has after 200 evaluations. Passes and optimisation take turns in one process. For a
generator that repaints, the same with `stylize` and the whole objective, content and style, in the
weights of its training. Beside it stands how far one half of the style picture is from the whole: a
statistic of one picture is partly chance, which an optimisation fits, too.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from dataclasses import replace

import torch
from peers import headline, seconds

import nst_tutorial as nst
from nst_tutorial.machine.malloc import keep_freed_memory
from nst_tutorial.presets import PRESETS, Settings
from nst_tutorial.texture_networks.files import bundled, load_generator
from nst_tutorial.texture_networks.objective import style_distance
from nst_tutorial.transfer.builder import make_objective

STEPS, PASSES, SEEDS = 200, 15, 4
PAPER = 500  # times as fast: 20 ms against 10 s on a K40, Ulyanov et al. 2016
TARGETS = {"ratio": 100, "distance": 3, "pass": 0.1}


def compare(name: str, size: int) -> None:
    generator = load_generator(name, "cpu")
    stylizes = generator.design["stylizes"]
    style = nst.load_image(generator.settings["style"], max(generator.settings["style_size"]),
                           kind="style")  # fmt: skip
    content = nst.load_image(generator.settings["content"], size) if stylizes else None
    settings = PRESETS["gram"]
    if stylizes:  # as it was trained
        settings = replace(settings, style_weight=generator.settings["style_weight"])
    distance = (
        whole_objective(content, style, settings)
        if stylizes
        else lambda x: style_distance(x, style)
    )
    images = [generator.sample(size, seed, content=content) for seed in range(SEEDS)]
    ours = statistics.mean(distance(image) for image in images)
    passes: list[float] = []
    rows: list[tuple[float, float]] = []  # seconds of the optimisation so far, distance
    spent_here = [0.0]

    def watch(progress) -> None:
        kept = [n for n in progress.terms if n.startswith(("style", "content"))]
        total = sum(progress.term_weights[n] * progress.terms[n] for n in kept)
        if max(progress.size) == size:
            scale = 1.0 if stylizes else PRESETS["gram"].style_weight
            rows.append((progress.seconds - spent_here[0], total / scale))
        if progress.evaluation % (STEPS // PASSES) == 0:
            spent = seconds(lambda: generator.sample(size, progress.evaluation, content=content))
            passes.append(spent)
            spent_here[0] += spent

    if stylizes:
        result = nst.stylize(
            content, style, steps=STEPS, kernel="gram", style_weight=settings.style_weight,
            device="cpu",
            callback=watch,
        )  # fmt: skip
    else:
        result = nst.synthesize_texture(style, size, steps=STEPS, device="cpu", callback=watch)
    theirs = distance(result.image)
    one = statistics.median(passes)
    if not stylizes:
        halves = style.split(style.shape[3] // 2, dim=3)[:2]
        print(f"  one half of the style picture: {statistics.mean(map(distance, halves)):.4f}")
    reached = next((time for time, value in rows if value <= ours), None)
    print(f"{name}, {size} px: a pass {1000 * one:.0f} ms (aim: {1000 * TARGETS['pass']:.0f}); "
          f"distance {ours:.4f}, after {STEPS} evaluations {theirs:.4f}: "
          f"{ours / theirs:.2f} times (aim: {TARGETS['distance']})")  # fmt: skip
    if reached is None:
        print(f"  optimisation does not come to {ours:.4f} in {STEPS} evaluations, "
              f"{rows[-1][0]:.0f} s: at least {rows[-1][0] / one:.0f} times as fast")  # fmt: skip
        return
    print(f"  optimisation comes to {ours:.4f} in {reached:.1f} s: {reached / one:.0f} times as "
          f"fast (aim: {TARGETS['ratio']}; the paper: {PAPER})", flush=True)  # fmt: skip


def whole_objective(content: torch.Tensor, style: torch.Tensor, settings: Settings) -> Callable:
    """Content + style of a picture, as `stylize` weighs them."""
    model = nst.VGG19(device="cpu")
    objective = make_objective(model, content, style, settings)

    @torch.no_grad()
    def value(image: torch.Tensor) -> float:
        values = objective.values(image)
        return float(
            sum(objective.term_weights[n] * v for n, v in values.items() if n != "out of range")
        )

    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(bundled()))
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    keep_freed_memory()
    print(headline())
    for name in options.names:
        compare(name, options.size)


if __name__ == "__main__":
    main()
