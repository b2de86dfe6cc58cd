"""Notebook 12: what autocorrelations and nearest neighbours do that Gram matrices cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from bench import (
    GRAM,
    PAIRS,
    Case,
    Experiment,
    Outcome,
    cases,
    exact,
    fell,
    load_pair,
    missing,
    network,
    number,
    referee,
    relative,
    totals,
)
from torch import Tensor

import nst_tutorial as nst
from nst_tutorial import kernels
from nst_tutorial.transfer.builder import make_objective


def brick_wall(width: int) -> Tensor:
    """The wall of the notebook, a photograph that comes with scikit-image."""
    from skimage import data  # here, so that all other records do without it

    brick = torch.from_numpy(data.brick()).rot90()[130:390, 60:450].float() / 255
    return nst.resize(brick.expand(1, 3, -1, -1).contiguous(), (2 * width // 3, width))


def covariances(image: Tensor, layer: str, reach: int, device: str) -> Tensor:
    """Of each channel with itself at a distance, (C, shifts down, shifts across)."""
    model, statistic = network(device), kernels.Autocorrelation(reach)
    with torch.no_grad():
        features = model(image.to(model.mean), [layer])
    _, products, means = statistic.statistic(features[layer])
    return (products - means.square()[..., None, None])[0]


def rebuild_wall(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """A texture of the wall by one kernel: how near its autocorrelations come to the wall's."""
    wall = brick_wall(settings["width"])
    run = nst.synthesize_texture(
        wall, settings["side"], kernel=case["kernel"], seed=case["seed"], steps=settings["steps"],
        **exact(device),
    )  # fmt: skip
    layer, reach = settings["layer"], settings["reach"]
    theirs, ours = (covariances(x, layer, reach, device) for x in (wall, run.image))
    row = {"autocorrelation": number(relative(ours, theirs)), "fell": fell(totals(run))}
    pictures = {case["kernel"]: run.image} if case["seed"] == 0 else {}
    return Outcome([row], pictures)


WALLS = Experiment(
    "12_walls",
    "Does a wall stay a wall, by Gram matrices alone or with autocorrelations, from three seeds?",
    settings={"width": 192, "side": 192, "steps": 400, "layer": "relu2_1", "reach": 16},
    small={"width": 96, "side": 64, "steps": 3, "reach": 8},
    cases=cases(seed=(0, 1, 2), kernel=("gram", "autocorrelation")),
    measure=rebuild_wall,
    seconds=400 * 0.9,
)


def imprint(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """A style transfer with Gram matrices or with nearest neighbours."""
    content, style = load_pair(case["pair"], settings["size"])
    run = nst.stylize(
        content, style, kernel=case["kernel"], steps=settings["steps"], **exact(device)
    )
    model = network(device)
    here, there = (picture.to(model.mean) for picture in (content, style))
    judged = referee(run.image, make_objective(model, here, there, GRAM))
    row = {**judged, **missing(run.image, content), "fell": fell(totals(run))}
    name = f"{case['pair'].split(', ')[0]} {case['kernel']}"
    return Outcome([row], {name: run.image})


PRINTS = Experiment(
    "12_prints",
    "How much of content and of style is kept with nearest neighbours in place of Gram matrices?",
    settings={"size": 256, "steps": 200},
    small={"size": 48, "steps": 3},
    cases=cases(pair=("temple, woodcut_waves", *PAIRS[1:]), kernel=("gram", "nearest_neighbours")),
    measure=imprint,
    seconds=200 * 0.8,
)
