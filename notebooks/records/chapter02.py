"""Notebook 02: what a layer has lost, what it sees faintly, and which layer the content needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench import (
    CONTENTS,
    GRAM,
    PAIRS,
    Case,
    Experiment,
    Outcome,
    Row,
    cases,
    color,
    correlation,
    exact,
    fell,
    finest,
    gray,
    load_pair,
    missing,
    network,
    number,
    referee,
    rms,
    totals,
)

import nst_tutorial as nst
from nst_tutorial.transfer.builder import make_objective


def invert(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """Rebuild a picture from one layer, and stop by at some evaluations to look at it."""
    content = nst.load_image(case["picture"], settings["size"])
    layer, stops = case["layer"], settings["at"][case["layer"]]
    outcome, start, last = Outcome(), [], []

    def watch(progress: Any) -> None:
        last[:] = [progress]
        if progress.evaluation == 1:
            start.append(progress.image.cpu())
        if progress.evaluation in stops:
            outcome.rows.append(look(progress))

    def look(progress: Any) -> Row:
        x = progress.image.cpu()
        if case["picture"] == CONTENTS[0] and progress.evaluation in (stops[0], stops[-1]):
            made_by = " ".join(str(value) for value in [*case.values()][1:])
            outcome.pictures[f"{made_by} {progress.evaluation}"] = x
        noise = {
            f"noise left in {name}": number(correlation(finest(part(x)), finest(part(start[0]))))
            for name, part in (("brightness", gray), ("colour", color))
        }
        loss = number(progress.terms[f"content {layer}"])
        row = {"evaluations": progress.evaluation, "loss": loss, **noise, **missing(x, content)}
        return {**row, "pixels": number(rms(x - content))}

    run = nst.reconstruct(
        content, layer, seed=0, steps=stops[-1], callback=watch, pooling=case.get("pooling", "max"),
        **exact(device),
    )  # fmt: skip
    if last[0].evaluation not in stops:  # nothing was gained any more
        outcome.rows.append(look(last[0]))
    for row in outcome.rows:
        row["stopped"] = run.stopped
    return outcome


FINE_COLOUR = Experiment(
    "02_fine_colour",
    "How much of the starting noise is left after many evaluations, and in which layers?",
    settings={
        "size": 192,
        "at": {
            "relu1_1": [80, 400, 800, 1500],
            "relu2_1": [80, 400, 800, 1500],
            "relu4_2": [80, 400, 800, 1500],
        },
    },
    small={"size": 48, "at": {"relu1_1": [2, 4], "relu2_1": [2, 4], "relu4_2": [2, 4]}},
    cases=cases(picture=CONTENTS, layer=("relu1_1", "relu2_1", "relu4_2")),
    measure=invert,
    seconds=1500 * 0.12,
)

OUTLINES = Experiment(
    "02_outlines",
    "Do outlines come back from deep layers, if there are evaluations enough?",
    settings={"size": 192, "at": {"relu4_1": [80, 320, 640], "relu5_1": [80, 320, 640]}},
    small={"size": 48, "at": {"relu4_1": [2, 4], "relu5_1": [2, 4]}},
    cases=cases(picture=CONTENTS, layer=("relu4_1", "relu5_1")),
    measure=invert,
    seconds=640 * 0.3,
)

POOLING = Experiment(
    "02_pooling",
    "Is a picture that is rebuilt through average pooling smoother, or nearer to the content?",
    settings={"size": 192, "at": {"relu4_1": [80, 400]}},
    small={"size": 48, "at": {"relu4_1": [2, 4]}},
    cases=cases(picture=CONTENTS, layer=("relu4_1",), pooling=("max", "average")),
    measure=invert,
    seconds=400 * 0.25,
)

# --- why relu4_2 ---------------------------------------------------------------------------------


def content_at(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """Style transfer from noise with the content at one layer."""
    content, style = load_pair(case["pair"], settings["size"])
    run = nst.stylize(
        content, style, content_layers={case["content at"]: 1.0}, kernel="gram", start="noise",
        style_weight=settings["style_weight"], steps=settings["steps"], **exact(device),
    )  # fmt: skip
    model = network(device)
    here, there = (picture.to(model.mean) for picture in (content, style))
    judged = referee(run.image, make_objective(model, here, there, GRAM))
    row = {**judged, **missing(run.image, content), "fell": fell(totals(run))}
    pictures = {case["content at"]: run.image} if case["pair"] == PAIRS[1] else {}
    return Outcome([row], pictures)


CONTENT_LAYER = Experiment(
    "02_content_layer",
    "What is kept of content and of style with the content at one layer or another?",
    settings={"size": 256, "steps": 300, "style_weight": 3.0},
    small={"size": 48, "steps": 4},
    cases=cases(
        pair=PAIRS, **{"content at": ("relu1_2", "relu2_2", "relu3_2", "relu4_2", "relu5_2")}
    ),
    measure=content_at,
    seconds=300 * 0.5,
)
