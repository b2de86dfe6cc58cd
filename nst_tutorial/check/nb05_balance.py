"""Exercises of notebook 05: weights and what they trade."""

from __future__ import annotations

import math

import torch

from ..losses.balance import balanced_weights
from .exercise import Wrong, ask, close, exercise, expect, features, number


@exercise
def weighted_minimum(answer):
    """(alpha, beta, a, b) → the x where alpha (x - a)² + beta (x - b)² is least."""

    def at(*values: float) -> float:
        return number(ask(answer, *values), "your minimum")

    middle = at(1.0, 1.0, 0.0, 4.0)
    expect(
        close(middle, 2.0),
        f"with equal weights the minimum lies half-way between a and b, not at {middle:g}",
        "set the derivative 2 alpha (x - a) + 2 beta (x - b) to zero and solve for x",
    )
    expect(
        at(1.0, 3.0, 0.0, 4.0) > 2.0,
        "a larger beta should pull the minimum towards b",
        "alpha belongs to a, beta to b: have they changed places?",
    )
    expect(
        close(at(1.0, 3.0, 0.0, 4.0), 3.0),
        "with alpha = 1, beta = 3, a = 0, b = 4 the minimum is at 3",
        "it is an average of a and b, in which each counts as its weight says",
    )
    expect(
        close(at(10.0, 30.0, 0.0, 4.0), 3.0),
        "ten times both weights should leave the minimum where it is",
        "divide by the sum of the weights",
    )
    expect(
        close(at(1.0, 3.0, 2.0, 6.0), 5.0),
        "moving a and b by 2 should move the minimum by 2",
        "a and b both count, each times its weight",
    )
    return "a weighted average: only the ratio of the weights counts"


@exercise
def pareto_front(answer):
    """[(content, style), …] → those that no other point beats in both, in their order."""

    def front(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        result = ask(answer, points)
        if not isinstance(result, list | tuple):
            raise Wrong(f"your front should be a list of points, not of type {_name(result)}")
        return list(result)

    apart = [(0.1, 3.0), (0.5, 1.0), (2.0, 0.2)]
    result = front(apart)
    expect(
        set(apart) <= set(result),
        "a point is missing that no other point beats",
        "less content loss for more style loss is a choice, not a mistake",
    )
    result = front([*apart, (0.6, 1.5)])
    expect(
        (0.6, 1.5) not in result,
        "(0.6, 1.5) is on your front, but (0.5, 1.0) beats it in both losses",
        "leave a point out if some other one is smaller in content and smaller in style",
    )
    expect(
        (0.5, 1.5) not in front([*apart, (0.5, 1.5)]),
        "(0.5, 1.5) is on your front, but (0.5, 1.0) has the same content loss for less style loss",
        "to beat is: no worse in both losses, and better in one",
    )
    dent = [(0.1, 3.0), (1.4, 1.9), (2.0, 0.2)]
    expect(
        front(dent) == dent,
        "(1.4, 1.9) is missing, though no point beats it in both losses",
        "it lies above the line between its neighbours, but a dent in a front is allowed",
    )
    again = front([*apart, apart[1]])
    expect(
        apart[1] in again,
        "two equal points should not remove each other",
        "a point is beaten only by one that is better in at least one loss",
    )
    return "what is left are choices, what has gone were mistakes"


@exercise
def balance_weights(answer):
    """(weights, norms) → weights · first norm / norm, so that all terms pull as the weights say."""
    weights = {"content relu4_2": 1.0, "style relu1_1": 1.0, "style relu3_1": 1.0}
    norms = {"content relu4_2": 0.2, "style relu1_1": 4.0, "style relu3_1": 0.05}

    def new(weights: dict[str, float]) -> dict[str, float]:
        result = ask(answer, dict(weights), dict(norms))
        if not isinstance(result, dict):
            raise Wrong(f"your answer should be a dict, name → weight, not of type {_name(result)}")
        if set(result) != set(weights):
            raise Wrong(f"the names should be {', '.join(weights)}")
        return {name: number(value, f"the weight of {name}") for name, value in result.items()}

    result = new(weights)
    pulls = [result[name] * norms[name] for name in weights]
    expect(
        not close(max(pulls), max(n * n for n in norms.values())),
        "the strongest term has become stronger still",
        "divide by the norm: a term that pulls hard needs a small weight",
    )
    expect(
        close(max(pulls), min(pulls)),
        "with weights of 1, weight times norm should come out the same for every term",
        "each weight is to be divided by its own norm",
    )
    expect(
        close(result["content relu4_2"], 1.0),
        "the first term should keep its weight",
        "multiply every weight by the norm of the first term",
    )
    uneven = {"content relu4_2": 2.0, "style relu1_1": 1.0, "style relu3_1": 6.0}
    result = new(uneven)
    pulls = {name: result[name] * norms[name] for name in uneven}
    expect(
        close(pulls["style relu3_1"], 6 * pulls["style relu1_1"]),
        "a term of weight 6 should pull six times as hard as one of weight 1",
        "the old weight stays as a factor",
    )
    expect(
        all(close(result[n], w) for n, w in balanced_weights(uneven, norms).items()),
        "the pulls have the right ratios, but the first term should keep its weight",
    )
    return "every term pulls as hard as its weight says"


@exercise
def translate_weight(answer):
    """(weight, G) → the weight under "relative" of a term that has it under "paper"."""
    x, y = features(1, 4, 3, 5), features(1, 4, 3, 5, seed=1)
    G_x, G_y = (f.flatten(2) @ f.flatten(2).transpose(1, 2) / 15 for f in (x, y))
    distance = float((G_x - G_y).square().sum())

    def term(weight: float, G: torch.Tensor) -> float:
        return number(ask(answer, weight, G), "your weight")

    result = term(3.0, G_y)
    expect(
        close(term(6.0, G_y), 2 * result),
        "twice the weight in the paper's units should be twice the weight in ours",
    )
    wanted = 3.0 * distance / (4 * 4**2)
    got = result * distance / float(G_y.square().sum())
    expect(
        not close(got, 4 * wanted),
        "the term is four times too large",
        "the paper's factor is 1 / (4 C²), with the 4",
    )
    expect(
        not math.isclose(result * float(G_y.square().sum()), 3.0 / (4 * 4**2), rel_tol=1e-4),
        "‖G‖² stands on the wrong side",
        "weight · d / (4 C²) = new weight · d / ‖G‖²: solve for the new weight",
    )
    expect(
        not close(got, 4**2 * wanted),
        "C seems to be 1 in your formula, but G, of shape (1, 4, 4), has four channels",
        "len(G) counts the pictures; read C off the last axis: G.shape[-1]",
    )
    expect(
        close(got, wanted),
        "the weighted term should be the same number in both units",
        "weight · d / (4 C²) = new weight · d / ‖G‖², where C is the number of channels and ‖G‖² "
        "the sum of the squares of the entries of G",
    )
    wide = torch.eye(8)[None]
    expect(
        close(term(1.0, wide), 8 / (4 * 64)),
        "for a layer of eight channels the weight is wrong",
        "read C off the shape of G: G.shape[-1]",
    )
    return "one loss, two units"


def _name(value) -> str:
    return type(value).__name__
