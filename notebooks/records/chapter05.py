"""Notebook 05: the front of content against style, units of a weight, and how to get it wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bench import (
    GRAM,
    PAIRS,
    Case,
    Experiment,
    Outcome,
    cases,
    color,
    exact,
    fell,
    load_pair,
    missing,
    network,
    number,
    prepared,
    referee,
    rms,
    totals,
)
from torch import Tensor

import nst_tutorial as nst
from nst_tutorial import losses
from nst_tutorial.transfer.builder import make_objective

# --- the front -----------------------------------------------------------------------------------


def point(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """One point of a front: both losses at the end of a run, before their weights."""
    content, style = load_pair(case["pair"], settings["size"])
    weight = case["style weight"]
    run = nst.stylize(
        content, style, kernel="gram", style_weight=weight, steps=settings["steps"], **exact(device)
    )
    best = run.row
    terms = {name: w * best[name] for name, w in run.term_weights.items()}
    row = {
        "content": number(best["content relu4_2"]),
        "style": number(sum(v for k, v in terms.items() if k.startswith("style")) / weight),
        "out of range": number(best["out of range"]),
        "fell": fell(totals(run)),
    }
    pictures = {f"style weight {weight:g}": run.image} if case["pair"] == PAIRS[0] else {}
    return Outcome([row], pictures)


FRONT = Experiment(
    "05_front",
    "What does each unit of style cost, and do the prices lie between the weights?",
    settings={"size": 256, "steps": 400},
    small={"size": 48, "steps": 4},
    cases=cases(pair=PAIRS, **{"style weight": (0.5, 2, 8, 32, 128, 512)}),
    measure=point,
    seconds=400 * 0.5,
)

# --- one thing at a time -------------------------------------------------------------------------

BASE = {
    "kernel": "gram", "style_weight": 15.0, "start": "content", "parametrization": "fourier",
    "pooling": "max", "style_normalization": "relative", "content_normalization": "relative",
}  # fmt: skip
ONE_THING = {
    "nothing": {},
    "style in units of paper": {"style_normalization": "paper"},
    "style in units of code": {"style_normalization": "code"},
    "style in units of sum": {"style_normalization": "sum"},
    "content in units of mean": {"content_normalization": "mean"},
    "content in units of sum": {"content_normalization": "sum"},
    "average pooling": {"pooling": "average"},
    "start from noise": {"start": "noise"},
    "pixels": {"parametrization": "pixel"},
}


def vary(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """A run in which one setting differs from the base, seen in the units of the base."""
    objective, content, style = prepared(case["pair"], settings["size"], device)
    options = {**BASE, **ONE_THING[case["varied"]], **exact(device)}
    run = nst.stylize(content, style, steps=settings["steps"], **options)
    seen = referee(run.image, objective)
    moved = number(rms(run.image - content.cpu()))
    row = {**seen, "moved": moved, "fell": fell(totals(run)), "stopped": run.stopped}
    pictures = {case["varied"]: run.image} if case["pair"] == PAIRS[0] else {}
    return Outcome([row], pictures)


UNITS = Experiment(
    "05_units",
    "One thing is varied at a time: what becomes of content and style, in the same units?",
    settings={"size": 256, "steps": 200, **BASE},
    small={"size": 48, "steps": 4},
    cases=cases(pair=PAIRS, varied=tuple(ONE_THING)),
    measure=vary,
    seconds=200 * 0.5,
)

# --- failures ------------------------------------------------------------------------------------

FAILURES_OF: dict[str, dict[str, Any]] = {
    "as it should be": {},
    "no content": {"content_weight": 0.0, "start": "noise"},
    "one layer": {"style_layers": {"relu1_1": 1.0}, "style_weight": 1000.0},
    "no style": {"style_weight": 0.001},
}


def raw_sums(objective: nst.Objective, ratio: float) -> nst.Objective:
    """The same with `ratio` times the style's Gram matrices as targets, in relative units."""
    terms = {
        name: replace(term, target=ratio * term.target, factor=term.factor / ratio**2)
        if isinstance(term, losses.Style)
        else term
        for name, term in objective.terms.items()
    }
    return nst.Objective(objective.model, terms, objective.term_weights)


def contrast(x: Tensor) -> float:
    """Root mean square distance of the colours from their mean."""
    return rms(x - x.mean(dim=(2, 3), keepdim=True))


def fail(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """A style transfer with one mistake, judged by the losses that were meant."""
    objective, content, style = prepared(case["pair"], settings["size"], device)
    if case["failure"] in FAILURES_OF:
        options = {"kernel": "gram", **FAILURES_OF[case["failure"]], **exact(device)}
        image = nst.stylize(content, style, steps=settings["steps"], **options).image
    else:  # raw sums F Fᵀ, matched to those of a style with twice the width and height
        size = settings["size"]
        big = nst.load_image(case["pair"].split(", ")[1], 2 * size, enlarge=False).to(style)
        model = network(device)
        larger = make_objective(model, content, big, GRAM)
        ratio = big[0, 0].numel() / content[0, 0].numel()
        minimum = nst.minimize(raw_sums(larger, ratio), content, steps=settings["steps"])
        image = minimum.image.clamp(0, 1).cpu()
    here = content.cpu()
    row = {
        **referee(image, objective), **missing(image, here), "contrast": number(contrast(image)),
        "of the content": number(contrast(here)), "of the style": number(contrast(style)),
        "saturation": number(rms(color(image))),
        "black or white": number(((image < 0.01) | (image > 0.99)).double().mean()),
    }  # fmt: skip
    pictures = {case["failure"]: image} if case["pair"] == PAIRS[2] else {}
    return Outcome([row], pictures)


FAILURES = Experiment(
    "05_failures",
    "Which mistakes spoil a style transfer, after many evaluations too?",
    settings={"size": 256, "steps": 200},
    small={"size": 48, "steps": 4},
    cases=cases(pair=PAIRS, failure=(*FAILURES_OF, "raw sums")),
    measure=fail,
    seconds=200 * 0.5,
)
