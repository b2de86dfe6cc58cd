"""Exercises of notebook 05: weights and what they trade."""

from __future__ import annotations

import math

import torch

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


MOST_CALLS = 15  # halving in factors needs a dozen for 1 %, halving in plain steps over twenty


@exercise
def find_weight(answer):
    """(loss, target) → the r with loss(r) = target, for a falling loss and r from 1e-4 to 1e4."""

    def reached(target: float, apart: float = 4.0, steep: int = 1) -> tuple[float, float]:
        calls = []

        def loss(r: float) -> float:
            calls.append(r)
            if len(calls) > 2000:
                raise RuntimeError("the style loss was asked for over a thousand times")
            return (apart / (1 + r)) ** (2 * steep)

        r = number(ask(answer, loss, target), "your weight")
        return (apart / (1 + max(r, 0.0))) ** (2 * steep), len(calls) / 2  # `ask` calls twice

    got, _ = reached(1.0)
    expect(
        close(got, 1.0, 0.011),
        f"for a target of 1 your weight gives a style loss of {got:.3g}",
        "a loss above the target asks for a larger weight, one below it for a smaller",
    )
    for target in (15.9, 1e-4):
        got, _ = reached(target)
        expect(
            close(got, target, 0.011),
            f"it is right for a target of 1, but for {target:g} you reach {got:.3g}",
            "the weight may be as small as 1e-4 and as large as 1e4: begin with both ends",
        )
    got, _ = reached(0.5, apart=10.0, steep=2)
    expect(
        close(got, 0.5, 0.011),
        "it is right for one style loss but not for another: use the `loss` that you are given",
    )
    most = max(reached(target)[1] for target in (15.9, 1.0, 1e-4))
    expect(
        most <= MOST_CALLS,
        f"you ask for the style loss {most:.0f} times, and each time is a whole stylisation: "
        f"{MOST_CALLS} are enough",
        "halve the interval in factors: the middle of a and b is √(ab); and stop within 1 %",
    )
    return "a weight chosen on purpose, at the price of a few runs"


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
