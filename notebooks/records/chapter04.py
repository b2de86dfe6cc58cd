"""Notebook 04: pictures made by each kernel, judged by every kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from bench import (
    LAYERS,
    PAIRS,
    STYLES,
    Case,
    Experiment,
    Outcome,
    Row,
    cases,
    exact,
    fell,
    load_pair,
    network,
    number,
    totals,
)
from chapter03 import middle
from torch import Tensor

import nst_tutorial as nst
from nst_tutorial import kernels

NAMES = ("linear", "gram", "gaussian", "bn")
JUDGES = ("linear", "gram", "gaussian", "bn", "wasserstein")


class Judge:
    """How far a picture is from a style by every kernel, as a share of the kernel's magnitude."""

    def __init__(self, style: Tensor, device: str):
        self.model = network(device)
        features = self.model(style.to(self.model.mean), list(LAYERS))
        self.fitted = {
            (name, layer): kernels.fit(name, f) for name in JUDGES for layer, f in features.items()
        }

    def __call__(self, image: Tensor) -> list[Row]:
        """A row for each kernel: its distance at relu3_1, and the mean over the five layers."""
        with torch.no_grad():
            features = self.model(image.to(self.model.mean), list(LAYERS))
            rows = []
            for name in JUDGES:
                distances = {}
                for layer, f in features.items():
                    kernel, target = self.fitted[name, layer]
                    distance = kernel.distance(kernel.statistic(f), target)
                    distances[layer] = float(distance / kernel.magnitude(target))
                mean = sum(distances.values()) / len(distances)
                rows.append(
                    {"judge": name, "relu3_1": number(distances["relu3_1"]), "mean": number(mean)}
                )
        return rows


def texture(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """A texture by one kernel; for the kernel "none" a cut-out of the style and the noise."""
    side = settings["side"]
    style = nst.load_image(case["style"], 2 * side)
    judge = Judge(style, device)
    if case["kernel"] == "none":
        standards = {"a cut-out of the style": middle(style, min(side, *style.shape[2:]))}
        standards["the noise"] = nst.transfer.noise((side, side), 0, style).clamp(0, 1)
        rows = [{"by": name, "seed": 0, **r} for name, x in standards.items() for r in judge(x)]
        return Outcome(rows)
    outcome = Outcome()
    for seed in settings["seeds"]:
        run = nst.synthesize_texture(
            style, side, list(LAYERS), case["kernel"], seed, steps=settings["steps"],
            style_weight=1.0, coarse_to_fine=False, **exact(device),
        )  # fmt: skip
        fallen = fell(totals(run))
        rows = ({"by": case["kernel"], "seed": seed, **r, "fell": fallen} for r in judge(run.image))
        outcome.rows += rows
        if case["style"] == STYLES[0] and seed == 0:
            outcome.pictures[case["kernel"]] = run.image
    return outcome


TEXTURES = Experiment(
    "04_textures",
    "Textures by each kernel, from three seeds: how near is each to the style, by every kernel?",
    settings={"side": 160, "steps": 200, "seeds": [0, 1, 2], "judges": JUDGES},
    small={"side": 48, "steps": 3, "seeds": [0]},
    cases=cases(style=STYLES, kernel=(*NAMES, "none")),
    measure=texture,
    seconds=600 * 0.4,
)


def transfer(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """A style transfer by one kernel, the terms balanced at the start."""
    content, style = load_pair(case["pair"], settings["size"])
    run = nst.stylize(
        content, style, kernel=case["kernel"], balance="gradient",
        style_weight=settings["style_weight"], steps=settings["steps"], **exact(device),
    )  # fmt: skip
    judge = Judge(style, device)
    rows = [
        {**row, "content": before["relu3_1"], "fell": fell(totals(run))}
        for row, before in zip(judge(run.image), judge(content), strict=True)
    ]
    pictures = {case["kernel"]: run.image} if case["pair"] == PAIRS[2] else {}
    return Outcome(rows, pictures)


TRANSFERS = Experiment(
    "04_transfers",
    "One content and one style by each kernel: how near is each result to the style, by every one?",
    settings={"size": 256, "steps": 200, "style_weight": 2.0, "judges": JUDGES},
    small={"size": 48, "steps": 3},
    cases=cases(pair=PAIRS, kernel=NAMES),
    measure=transfer,
    seconds=200 * 0.6,
)

WASSERSTEIN = replace(
    TRANSFERS,
    name="04_wasserstein",
    question="The same by the Wasserstein distance, whose evaluations take far longer: how near?",
    settings={**TRANSFERS.settings, "steps": 120},
    cases=cases(pair=PAIRS, kernel=("wasserstein",)),
    seconds=120 * 1.0,
)
