"""Notebook 03: what a Gram matrix keeps and forgets, and how many pictures share one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import torch
from bench import (
    LAYERS,
    STYLES,
    Case,
    Experiment,
    Outcome,
    cases,
    color,
    correlation,
    exact,
    fell,
    finest,
    grams,
    gray,
    network,
    number,
    relative,
    rms,
    totals,
)
from torch import Tensor

import nst_tutorial as nst

# --- blocks and fields ---------------------------------------------------------------------------


def middle(image: Tensor, side: int) -> Tensor:
    top, left = ((n - side) // 2 for n in image.shape[2:])
    return image[..., top : top + side, left : left + side]


def shuffled(image: Tensor, width: int, seed: int) -> Tensor:
    """The picture cut into blocks of that width, which change places."""
    tiles = image.unfold(2, width, width).unfold(3, width, width).flatten(2, 3)
    down, across = image.shape[2] // width, image.shape[3] // width
    order = torch.randperm(down * across, generator=torch.Generator().manual_seed(seed))
    tiles = tiles[:, :, order].unflatten(2, (down, across))
    return tiles.permute(0, 1, 2, 4, 3, 5).reshape(image.shape)


def shuffle_blocks(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """How far the Gram matrix of each layer moves when blocks change places."""
    model, side = network(device), settings["size"]
    picture = nst.load_image(case["style"])
    square = nst.resize(middle(picture, min(picture.shape[2:])), (side, side))
    target = grams(model, square)

    def distances(image: Tensor, what: str, seed: int | None = None) -> list[dict]:
        G = grams(model, image)
        return [
            {"what": what, "seed": seed, "layer": k, "distance": number(relative(G[k], a))}
            for k, a in target.items()
        ]

    rows = distances(square.flip(3), "mirrored")
    for other in (s for s in settings["others"] if s != case["style"]):
        rows += distances(nst.load_image(other, side), f"other: {other}")
    for width in settings["widths"]:
        for seed in settings["seeds"]:
            rows += distances(shuffled(square, width, seed), f"{width} px", seed)
    return Outcome(rows)


BLOCKS = Experiment(
    "03_blocks",
    "Which layers' Gram matrices notice that blocks of a picture have changed places?",
    settings={
        "size": 384, "widths": [192, 96, 48, 32, 16, 8, 4, 2, 1], "seeds": [0, 1, 2],
        "others": ["starry_night", "stained_glass", "woodcut_waves"],
    },
    small={"size": 64, "widths": [32, 4, 1], "seeds": [0, 1]},
    cases=cases(style=("starry_night", "stained_glass", "woodcut_waves", "tissue_stain")),
    measure=shuffle_blocks,
    seconds=35 * 0.8,
)  # fmt: skip


def effective_width(gradient: Tensor, share: float) -> float:
    """Width of the square about the centre of gravity that holds this share of the squares."""
    weight = gradient.square().sum(dim=(0, 1)).double().cpu()
    weight = weight / weight.sum()
    down, across = (torch.arange(n).double() for n in weight.shape)
    y, x = weight.sum(dim=1) @ down, weight.sum(dim=0) @ across
    away = torch.maximum((down - y).abs()[:, None], (across - x).abs()[None]).flatten()
    order = away.argsort()
    reached = (weight.flatten()[order].cumsum(0) < share).sum()
    return float(2 * away[order][reached] + 1)


def measure_fields(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """How wide the part of the picture is to which the units at one position mainly respond."""
    model, side = network(device), settings["size"]
    picture = nst.load_image(case["style"])
    square = nst.resize(middle(picture, min(picture.shape[2:])), (side, side)).to(model.mean)
    rows = []
    for layer in settings["layers"]:
        x = square.clone().requires_grad_()
        features = model(x, [layer])[layer]
        height, width = features.shape[2:]
        for at in settings["at"]:
            i, j = int(at[0] * height), int(at[1] * width)
            unit = features[0, :, i, j].square().sum()
            (gradient,) = torch.autograd.grad(unit, x, retain_graph=True)
            width_of = number(effective_width(gradient, settings["share"]))
            rows.append({"layer": layer, "at": at, "width": width_of})
    return Outcome(rows)


FIELDS = Experiment(
    "03_fields",
    "How wide is the square that holds nine tenths of a unit's squared gradient?",
    settings={
        "size": 384, "share": 0.9, "layers": [*LAYERS, "relu4_2"],
        "at": [[0.5, 0.5], [0.4, 0.4], [0.4, 0.6], [0.6, 0.4], [0.6, 0.6]],
    },
    small={"size": 64, "layers": ["relu1_1", "relu3_1"]},
    cases=cases(style=("starry_night", "stained_glass", "woodcut_waves", "tissue_stain")),
    measure=measure_fields,
    seconds=30 * 1.0,
)  # fmt: skip

# --- textures ------------------------------------------------------------------------------------


def texture(style: Tensor, side: int, layers: Any, seed: int, steps: int, device: str) -> Any:
    return nst.synthesize_texture(
        style, side, layers, seed=seed, steps=steps, style_weight=1.0, coarse_to_fine=False,
        **exact(device),
    )  # fmt: skip


def compare_textures(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """Textures of one style from several seeds: how near their matrices, how far the pictures."""
    model, side = network(device), case["side"]
    style = nst.load_image(case["style"], 2 * side)
    target, outcome, textures = grams(model, style), Outcome(), {}
    for seed in settings["seeds"]:
        run = texture(style, side, list(LAYERS), seed, settings["steps"], device)
        textures[seed], matrices = run.image.to(model.mean), grams(model, run.image)
        for layer in LAYERS:
            distance = number(relative(matrices[layer], target[layer]))
            row = {"kind": "to the style", "seed": seed, "layer": layer, "G": distance}
            outcome.rows.append({**row, "fell": fell(totals(run))})
        if case["style"] == STYLES[0]:
            outcome.pictures[f"{side} px seed {seed}"] = run.image
    for one, two in combinations(textures, 2):
        with torch.no_grad():
            F, H = (model(textures[seed], list(LAYERS)) for seed in (one, two))
        pixels = number(rms(textures[one] - textures[two]))
        for layer in LAYERS:
            G, A = (nst.gram_matrix(z[layer])[0] for z in (F, H))
            row = {"kind": "of two seeds", "seed": f"{one}, {two}", "layer": layer}
            row |= {"G": number(relative(G, A)), "features": number(relative(F[layer], H[layer]))}
            outcome.rows.append({**row, "pixels": pixels})
    return outcome


TEXTURES = Experiment(
    "03_textures",
    "How near to a style's Gram matrices do textures come, and how unlike each other are they?",
    settings={"steps": 600, "seeds": [0, 1, 2]},
    small={"steps": 4, "seeds": [0, 1]},
    cases=cases(style=STYLES, side=(128,)),
    measure=compare_textures,
    seconds=1800 * 0.25,
)


def single_layer(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """A texture from one layer alone: how much of the starting noise is left in it."""
    side = settings["side"]
    style = nst.load_image(case["style"], 2 * side)
    start = nst.transfer.noise((side, side), 0, style)
    run = texture(style, side, [case["layer"]], 0, settings["steps"], device)
    noise = {
        f"noise left in {name}": number(correlation(finest(part(run.image)), finest(part(start))))
        for name, part in (("brightness", gray), ("colour", color))
    }
    row = {"loss": number(run.row[f"style {case['layer']}"]), **noise, "fell": fell(totals(run))}
    pictures = {case["layer"]: run.image} if case["style"] == STYLES[0] else {}
    return Outcome([row], pictures)


SINGLE_LAYERS = Experiment(
    "03_single_layers",
    "What is a texture from one layer alone, after many evaluations?",
    settings={"side": 192, "steps": 300},
    small={"side": 48, "steps": 4},
    cases=cases(style=STYLES, layer=LAYERS),
    measure=single_layer,
    seconds=300 * 0.3,
)
