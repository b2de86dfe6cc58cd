"""Notebook 10: batch against instance normalisation, on photographs of changing contrast."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from bench import Case, Experiment, Outcome, cases, number
from torch import Tensor

import nst_tutorial as nst
from nst_tutorial.texture_networks.objective import style_distance

LEARNT = ("astronaut", "coffee", "autumn_meadow", "forest_stream", "mountain_path", "sunset_hills")
HELD_OUT = ("temple", "cat")
CONTRASTS = (1.0, 0.6, 0.33)


def hazy(photograph: Tensor, contrast: float) -> Tensor:
    """The photograph with less contrast about middle grey."""
    return 0.5 + contrast * (photograph - 0.5)


def apart(x: Tensor, y: Tensor) -> float:
    """Root mean square difference."""
    return float((x - y).square().mean().sqrt())


def train(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """Train a painter on photographs in three contrasts, and try it on others."""
    size, side = settings["size"], settings["picture"]
    style = nst.load_image(settings["style"], settings["style size"], kind="style")
    photographs = [nst.load_image(name, side) for name in LEARNT]
    contents = [hazy(x, c) for x, c in itertools.product(photographs, CONTRASTS)]
    net = nst.Generator(stylizes=True, normalization=case["normalization"], seed=case["seed"])
    training = nst.train_generator(
        net, style, contents, steps=settings["steps"], batch=settings["batch"], size=size,
        seed=case["seed"], device=device, style_weight=settings["style weight"],
    )  # fmt: skip
    last = training.history[-settings["steps"] // 5 :]
    row: dict[str, Any] = {"loss": number(sum(each["total"] for each in last) / len(last))}
    clear = [nst.load_image(name, side)[..., : side // 2, : side // 2] for name in HELD_OUT]
    paintings = {
        (name, c): net.sample(seed=1, content=hazy(x, c)).cpu()
        for name, x in zip(HELD_OUT, clear, strict=True)
        for c in CONTRASTS
    }
    for c in CONTRASTS:
        each = [style_distance(paintings[name, c], style, device=device) for name in HELD_OUT]
        row[f"style distance at {c:g}"] = number(sum(each) / len(each))
    faint = CONTRASTS[-1]
    moved = [apart(paintings[name, faint], paintings[name, 1.0]) for name in HELD_OUT]
    others = apart(*(paintings[name, 1.0] for name in HELD_OUT))
    row["by haze"] = number(sum(moved) / len(moved))
    row["between photographs"] = number(others)
    pictures = {}
    if case["seed"] == settings["shown"]:
        pictures = {
            f"{case['normalization']} {HELD_OUT[0]} {c:g}": paintings[HELD_OUT[0], c]
            for c in (1.0, faint)
        }
    return Outcome([row], pictures)


NORMALIZATIONS = Experiment(
    "10_normalizations",
    "Batch or instance normalisation in a painter: which is nearer to the style, for photographs "
    "of whatever contrast?",
    settings={
        "style": "starry_night", "style size": 192, "picture": 256, "size": 64, "batch": 4,
        "steps": 500, "style weight": 15.0, "shown": 0,
    },
    small={"picture": 64, "size": 32, "batch": 2, "steps": 4},
    cases=cases(normalization=("batch", "instance"), seed=(0, 1, 2)),
    measure=train,
    seconds=500 * 0.3,
)  # fmt: skip
