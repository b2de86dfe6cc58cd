"""Notebook 00: what the two losses of the quickstart do, together or against each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench import PAIRS, Case, Experiment, Outcome, cases, exact, load_pair, number

import nst_tutorial as nst


def watch_losses(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """Run `stylize` as the quickstart does, and keep both losses with their weights."""
    content, style = load_pair(case["pair"], settings["size"])
    steps = settings["steps"][case["run"]]
    run = nst.stylize(content, style, steps=steps, **exact(device))
    every = max(1, steps // 160)
    rows = []
    for row in run.history:
        if row["evaluation"] % every and row is not run.history[-1]:
            continue
        weighted = {name: w * row[name] for name, w in run.term_weights.items()}
        parts = {
            kind: number(sum(v for name, v in weighted.items() if name.startswith(kind)))
            for kind in ("content", "style")
        }
        rows.append({"evaluation": row["evaluation"], "size": row["size"], **parts})
    pictures = {f"{case['pair']} {case['run']}": run.image} if case["pair"] == PAIRS[0] else {}
    return Outcome(rows, pictures)


CURVES = Experiment(
    "00_curves",
    "After the first jump, does the content loss fall together with the style loss?",
    settings={"size": 384, "steps": {"quickstart": 160, "long": 480}, "preset": "default"},
    small={"size": 64, "steps": {"quickstart": 6, "long": 8}},
    cases=cases(pair=PAIRS, run=("quickstart", "long")),
    measure=watch_losses,
    seconds=320 * 0.9,
)
