"""The race of notebook 06 over equal ranges: L-BFGS and Adam, a factor of ten of rates each.

    python benchmarks/race.py [--size 128] [--steps 40] [--out benchmarks/race.json]

Three pairs under the preset "gram", from the content, in pixels, without the package's safety net:
the bare loop of the notebook. A number is the lowest loss of a run, over the lowest of all runs on
that pair; so 1 is best. "lost": at some evaluation the loss was not finite, or larger than at the
start after the tenth. Nothing here depends on how fast the machine is, so no time is measured.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import nst_tutorial as nst
from nst_tutorial.losses.objective import HasGradient
from nst_tutorial.optimize.methods import LBFGS, Adam
from nst_tutorial.transfer.builder import choose_model, make_objective

PAIRS = (("temple", "starry_night"), ("cat", "woodcut_waves"), ("coffee", "stained_glass"))
RATES = {"L-BFGS": (0.3, 1.0, 3.0), "Adam": (0.01, 0.03, 0.1)}
PRESET = nst.PRESETS["gram"]
SETTLED = 10  # evaluations after which a loss above the first one is no overshoot any more


@dataclass(frozen=True)
class Run:
    """One line of the race."""

    method: str
    rate: float
    pair: str
    lowest: float  # over the lowest of all runs on the pair
    lost: bool


def losses(method: LBFGS | Adam, objective: HasGradient, x, steps: int) -> list[float]:
    """The loop of the notebook: one evaluation, one step, and so on."""
    totals = []
    for _ in range(steps):
        found = objective.value_and_gradient(x)
        totals.append(found.total)
        if not math.isfinite(found.total):
            break  # nothing comes back from there
        x = x + method.step(x, found.gradient)
    return totals


def is_lost(totals: Sequence[float]) -> bool:
    late = totals[SETTLED:]
    return not math.isfinite(totals[-1]) or any(total > totals[0] for total in late)


def race(model: nst.VGG19, content: str, style: str, size: int, steps: int) -> list[Run]:
    """All methods at all their rates on one pair."""
    pictures = nst.load_image(content, size), nst.load_image(style, size, enlarge=False)
    start, target = (picture.to(model.mean) for picture in pictures)
    objective = make_objective(model, start, target, PRESET)
    makers = {"L-BFGS": lambda rate: LBFGS(20, rate), "Adam": Adam}
    totals = {
        (name, rate): losses(makers[name](rate), objective, start, steps)
        for name, rates in RATES.items()
        for rate in rates
    }
    finite = {key: min(filter(math.isfinite, each)) for key, each in totals.items()}
    best = min(finite.values())
    return [
        Run(name, rate, f"{content}, {style}", round(finite[name, rate] / best, 3), is_lost(each))
        for (name, rate), each in totals.items()
    ]


def table(runs: Sequence[Run]) -> str:
    """A row for each method and rate, a column for each pair, and the geometric mean."""
    pairs = list(dict.fromkeys(run.pair for run in runs))
    lines = [f"| | {' | '.join(pairs)} | geometric mean |", "|---|" + "---|" * (len(pairs) + 1)]
    for method, rate in dict.fromkeys((run.method, run.rate) for run in runs):
        row = [run for run in runs if (run.method, run.rate) == (method, rate)]
        mean = statistics.geometric_mean(run.lowest for run in row)
        cells = [f"{run.lowest:.2f}{' (lost)' if run.lost else ''}" for run in row]
        lines.append(f"| {method}, {rate:g} | {' | '.join(cells)} | {mean:.2f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    model = choose_model(PRESET, "auto", None)
    runs = [run for pair in PAIRS for run in race(model, *pair, options.size, options.steps)]
    print(table(runs))
    if options.out is not None:
        record = {"size": options.size, "steps": options.steps, "runs": [asdict(r) for r in runs]}
        options.out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
