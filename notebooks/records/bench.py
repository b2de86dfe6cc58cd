"""What the experiments share: the pairs of pictures, how a run is made, and what is measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

import nst_tutorial as nst
from nst_tutorial.transfer.builder import choose_model, make_objective
from nst_tutorial.vgg.network import load_vgg19

Case = Mapping[str, Any]
Row = dict[str, Any]

PAIRS = ("temple, starry_night", "cat, woodcut_waves", "coffee, stained_glass")
STYLES = ("starry_night", "stained_glass", "tissue_stain")
CONTENTS = ("cat", "temple", "coffee")
LAYERS = nst.presets.STYLE_LAYERS
GRAM = nst.PRESETS["gram"]


@dataclass
class Outcome:
    """What one case gives: rows of numbers, and pictures (1, 3, H, W) by name."""

    rows: list[Row] = field(default_factory=list)
    pictures: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """A question, and the cases whose answers make one record.

    `measure(case, settings, device)` must depend on nothing else, so that cases can run in any
    order and in any process. What a case says stands in each of its rows.
    """

    name: str
    question: str
    settings: Mapping[str, Any]
    small: Mapping[str, Any]
    """Those settings that make it a matter of seconds: enough for a test, and for nothing else."""
    cases: Sequence[Case]
    measure: Callable[[Case, Mapping[str, Any], str], Outcome]
    seconds: float = 1.0
    """Of one case, roughly: its evaluations × what one takes on one core of an AMD EPYC (Zen 4)."""


def cases(**columns: Sequence[Any]) -> list[Case]:
    """Return every combination, the last column fastest: cases(a=(1, 2), b=(3,)) has two."""
    combined: list[dict[str, Any]] = [{}]
    for name, values in columns.items():
        combined = [{**case, name: value} for case in combined for value in values]
    return combined


# --- runs ------------------------------------------------------------------------------------


def exact(device: str) -> dict[str, Any]:
    """Return the options that let the network compute alike on every device."""
    return {"device": device, "convolutions": "direct", "precision": "float32"}


def network(device: str) -> nst.VGG19:
    return load_vgg19(**exact(device))


def load_pair(pair: str, size: int) -> tuple[Tensor, Tensor]:
    content, style = pair.split(", ")
    return nst.load_image(content, size), nst.load_image(style, size, enlarge=False)


def prepared(pair: str, size: int, device: str) -> tuple[nst.Objective, Tensor, Tensor]:
    """The objective of the preset "gram" for a pair, its content and its style, on the device."""
    model = choose_model(GRAM, device, network(device))
    content, style = (picture.to(model.mean) for picture in load_pair(pair, size))
    return make_objective(model, content, style, GRAM), content, style


# --- numbers ---------------------------------------------------------------------------------


def number(value: float | Tensor) -> float | None:
    """Four significant digits, or None for what JSON cannot hold."""
    value = float(value)
    return float(f"{value:.4g}") if math.isfinite(value) else None


def numbers(values: Mapping[str, float | Tensor]) -> Row:
    return {name: number(value) for name, value in values.items()}


def fell(totals: Sequence[float]) -> float | None:
    """By which part of itself the lowest loss fell in the last quarter of a run.

    That says how far a run has converged: 0 if nothing was gained any more.
    """
    most = totals[: max(1, 3 * len(totals) // 4)]
    before, end = (min(filter(math.isfinite, each)) for each in (most, totals))
    return number((before - end) / abs(before)) if before else 0.0


def totals(run: nst.transfer.Request | Any) -> list[float]:
    """The loss at each evaluation of the last scale of a run."""
    size = run.history[-1]["size"]
    return [row["total"] for row in run.history if row["size"] == size]


def relative(a: Tensor, b: Tensor) -> float:
    """‖a - b‖² / ‖b‖²: 0 if equal, 1 if a is zero."""
    return float((a - b).square().sum() / b.square().sum())


def rms(x: Tensor) -> float:
    return float(x.square().mean().sqrt())


def correlation(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])


def gray(x: Tensor) -> Tensor:
    return x.mean(dim=1, keepdim=True)


def color(x: Tensor) -> Tensor:
    return x - gray(x)


def finest(x: Tensor) -> Tensor:
    """Differences of differences, over 2 × 2 pixels: a smooth ramp has none."""
    return x.diff(dim=2).diff(dim=3)


def edges(x: Tensor) -> Tensor:
    across, down = gray(x).diff(dim=3)[..., 1:, :], gray(x).diff(dim=2)[..., 1:]
    return (across.square() + down.square()).sqrt()


def blur(x: Tensor, width: int = 9) -> Tensor:
    return torch.nn.functional.avg_pool2d(x, width, stride=1)


def missing(x: Tensor, content: Tensor) -> Row:
    """The five errors of notebook 02, "What is missing, measured": 0 is a perfect copy."""
    tint = color(x) - color(content)
    return numbers(
        {
            "brightness": rms(gray(x - content)),
            "colour": rms(tint),
            "colour, blurred": rms(blur(tint)),
            "edges": 1 - correlation(edges(x), edges(content)),
            "edges, blurred": 1 - correlation(edges(blur(x)), edges(blur(content))),
        }
    )


def referee(image: Tensor, objective: nst.Objective) -> Row:
    """Content and style loss of a picture in relative units, whatever made it.

    The terms are those of the preset "gram" without α and β, so that results of different losses
    can be compared.
    """
    with torch.no_grad():
        terms = objective.values(image.to(objective.model.mean))
    style = {name: float(v) for name, v in terms.items() if name.startswith("style")}
    shares = {name: objective.term_weights[name] / GRAM.style_weight for name in style}
    content = sum(float(v) for name, v in terms.items() if name.startswith("content"))
    return numbers({"content": content, "style": sum(shares[k] * v for k, v in style.items())})


def grams(model: nst.VGG19, image: Tensor) -> dict[str, Tensor]:
    """Gram matrices of the five style layers."""
    with torch.no_grad():
        features = model(image.to(model.mean), list(LAYERS))
    return {layer: nst.gram_matrix(f)[0] for layer, f in features.items()}
