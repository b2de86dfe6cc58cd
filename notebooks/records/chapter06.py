"""Notebook 06: L-BFGS and Adam over equal ranges, how much to remember, and where to begin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bench import GRAM, PAIRS, Case, Experiment, Outcome, cases, fell, network, number, prepared
from torch import Tensor

import nst_tutorial as nst
from nst_tutorial.losses.objective import HasGradient
from nst_tutorial.optimize.methods import LBFGS, Adam
from nst_tutorial.transfer.builder import make_objective

# --- the race ------------------------------------------------------------------------------------

RATES = {"L-BFGS": (0.3, 0.5, 1.0, 1.5, 2.0, 3.0), "Adam": (0.01, 0.02, 0.03, 0.05, 0.07, 0.1)}
"""A factor of ten for each."""

RIDERS = tuple(f"{method} {rate:g}" for method, rates in RATES.items() for rate in rates)
SETTLED = 10  # evaluations after which a loss above the first one is no overshoot any more


def bare(method: LBFGS | Adam, objective: HasGradient, x: Tensor, steps: int) -> list[float]:
    """The loop of the notebook: one evaluation, one step, and so on, without a safety net."""
    seen = []
    for _ in range(steps):
        evaluation = objective.value_and_gradient(x)
        seen.append(evaluation.total)
        if not math.isfinite(evaluation.total):
            break  # nothing comes back from there
        x = x + method.step(x, evaluation.gradient)
    return seen


def is_lost(seen: list[float]) -> bool:
    """Whether a run ended in what is no number, or rose above its start after it had settled."""
    return not math.isfinite(seen[-1]) or any(total > seen[0] for total in seen[SETTLED:])


def ride(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """One method at one rate on one pair, from the content, in pixels."""
    objective, content, _ = prepared(case["pair"], settings["size"], device)
    name, rate = case["rider"].rsplit(" ", 1)
    method = LBFGS(20, float(rate)) if name == "L-BFGS" else Adam(float(rate))
    seen = bare(method, objective, content, settings["steps"])
    finite = [total for total in seen if math.isfinite(total)]
    row = {
        "method": name, "rate": float(rate), "start": number(seen[0]),
        **{f"lowest after {n}": number(min(finite[:n])) for n in settings["at"]},
        "last": number(seen[-1]), "lost": is_lost(seen), "fell": fell(seen),
        "not finite at": None if math.isfinite(seen[-1]) else len(seen),
        "curve": [number(total) for total in seen[:: settings["every"]]],
    }  # fmt: skip
    return Outcome([row])


RACE = Experiment(
    "06_race",
    "L-BFGS and Adam over rates that span a factor of ten each: which is lower, how far apart?",
    settings={"size": 256, "steps": 150, "at": [40, 100, 150], "every": 3, "preset": "gram"},
    small={"size": 48, "steps": 12, "at": [6, 12]},
    cases=cases(pair=PAIRS, rider=RIDERS),
    measure=ride,
    seconds=150 * 0.6,
)


def remember(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """L-BFGS with so many pairs, of length 1, in pixels."""
    objective, content, _ = prepared(case["pair"], settings["size"], device)
    seen = bare(LBFGS(case["pairs kept"]), objective, content, settings["steps"])
    lowest = {f"lowest after {n}": number(min(seen[:n])) for n in settings["at"]}
    return Outcome([{**lowest, "lost": is_lost(seen), "fell": fell(seen)}])


MEMORY = Experiment(
    "06_memory",
    "How much is lost with fewer secant pairs?",
    settings={"size": 256, "steps": 150, "at": [15, 40, 100, 150], "preset": "gram"},
    small={"size": 48, "steps": 12, "at": [6, 12]},
    cases=cases(pair=PAIRS, **{"pairs kept": (1, 5, 20, 50)}),
    measure=remember,
    seconds=150 * 0.6,
)

# --- coarse to fine ------------------------------------------------------------------------------

PLANS = {
    "full size alone": [[1, 200]],
    "half, full": [[2, 400], [1, 100]],
    "quarter, half, full": [[4, 400], [2, 300], [1, 100]],
}
"""The same work, pixels × evaluations: divisor of the size, evaluations."""


def climb(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """Begin small, enlarge, put back the content's detail, and go on."""
    size, model = settings["size"], network(device)
    large, painting = (
        nst.load_image(name, size).to(model.mean) for name in case["pair"].split(", ")
    )
    image = before = ended = None
    for divisor, steps in PLANS[case["plan"]]:
        here, paint = (nst.resize(x, size // divisor) for x in (large, painting))
        shape = here.shape[2:]
        start = here
        if image is not None:
            start = nst.resize(image, shape) + here - nst.resize(before, shape)
        at = make_objective(model, here, paint, GRAM)
        steps = max(1, round(steps * settings["share"]))
        ended, before = nst.minimize(at, start, steps=steps), here
        image = ended.image
    best = min(ended.history, key=lambda row: row["total"])
    style = sum(at.term_weights[k] * v for k, v in best.items() if k.startswith("style"))
    row = {
        "total": number(best["total"]), "content": number(best["content relu4_2"]),
        "style": number(style), "fell": fell([r["total"] for r in ended.history]),
    }  # fmt: skip
    pictures = {case["plan"]: image.cpu()} if case["pair"] == PAIRS[0] else {}
    return Outcome([row], pictures)


CLIMB = Experiment(
    "06_climb",
    "The same work begun at three sizes: which has the lowest loss, and which the largest forms?",
    settings={"size": 384, "share": 0.75, "plans": PLANS},
    small={"size": 96, "share": 0.02},
    cases=cases(pair=PAIRS, plan=tuple(PLANS)),
    measure=climb,
    seconds=150 * 1.3,
)
