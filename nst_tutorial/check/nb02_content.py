"""Exercises of notebook 02: where the content loss arises, its gradient, and a step downhill."""

from __future__ import annotations

import torch

from .exercise import ask, close, exercise, expect, features, tensor


@exercise
def loss_map(answer):
    """F, P (1, C, H, W) → (H, W), whose sum over positions is Σ (F - P)² / Σ P²."""
    F, P = features(1, 3, 4, 5).relu(), features(1, 3, 4, 5, seed=1).relu()
    result = tensor(ask(answer, F, P), (4, 5), "the map")
    expect((result >= 0).all(), "the map is negative somewhere", "square the differences first")
    moved = F.where(torch.arange(5) == 2, P)  # F and P differ in one column alone
    elsewhere = torch.arange(5) != 2
    expect(
        (tensor(ask(answer, moved, P), (4, 5))[:, elsewhere] == 0).all(),
        "where F and P are equal the map should be 0",
        "each position has its own differences: sum over the channels alone",
    )
    ours = (F - P).square().sum(dim=(0, 1)) / P.square().sum()
    expect(
        not close(result, ours * P.square().sum()),
        "the map adds up to Σ (F - P)², and should add up to the relative loss",
        "divide by one number, the sum of all squares of P",
    )
    expect(
        close(result.sum(), ours.sum()),
        "the map does not add up to the relative loss Σ (F - P)² / Σ P²",
        "above the line a sum over the channels, below it a sum over everything",
    )
    expect(
        close(result, ours),
        "the map adds up to the right number, but its parts are wrong",
        "every position is divided by the same number, not by its own squares of P",
    )
    return "at each position its share, together the relative loss"


@exercise
def leaky_gradient(answer):
    """a before a leaky ReLU, P, slope s → the gradient of ½ Σ (F - P)² with respect to a."""
    a, P, slope = features(1, 3, 4, 5), features(1, 3, 4, 5, seed=1).relu(), 0.1
    result = tensor(ask(answer, a, P, slope), (1, 3, 4, 5), "the gradient")
    leaf = a.clone().requires_grad_()
    F = torch.nn.functional.leaky_relu(leaf, slope)
    (ours,) = torch.autograd.grad(0.5 * (F - P).square().sum(), leaf)
    expect(
        not close(result, -ours),
        "the gradient points the wrong way",
        "it is F - P: where F is too large, the loss grows with F",
    )
    expect(
        close(result[a > 0], ours[a > 0]),
        "where a > 0 the gradient should be F - P, with F = a",
        "the derivative of ½ (F - P)² is F - P: no 2, and no 1/n, since the loss is a sum",
    )
    expect(
        not (result[a < 0] == 0).all(),
        "where a < 0 a leaky ReLU still passes a change on, and the gradient is not 0",
        "F = slope · a changes by slope times the change of a",
    )
    expect(
        not close(result[a < 0], (F - P)[a < 0].detach()),
        "where a < 0 a change of a changes F by slope times as much: that factor is missing",
        "the chain rule: (F - P) times the derivative of F, which is slope",
    )
    expect(
        not close(result[a < 0], -slope * P[a < 0]),
        "where a < 0 F is slope · a, and not 0",
        "the unit's error is slope · a - P",
    )
    expect(
        close(result, ours),
        "where a < 0 the numbers are not slope · (slope · a - P)",
        "first F = slope · a, then (F - P), then the factor slope of the chain rule",
    )
    return "F - P where the gate is open, slope times F - P where it leaks"


@exercise
def descent_step(answer):
    """(x, loss, rate) → x - rate · gradient of loss(x)."""
    target = features(1, 3, 4, 4, seed=2)
    x = features(1, 3, 4, 4)

    def loss(picture):
        return 0.5 * (picture - target).square().sum()

    result = tensor(ask(answer, x, loss, 0.1), (1, 3, 4, 4), "the new picture")
    expect(
        not close(result, x),
        "the picture has not moved",
        "return x - rate * gradient",
    )
    expect(
        float(loss(result.detach())) < float(loss(x)),
        "the loss has grown",
        "the gradient points uphill: subtract it",
    )
    expect(
        close(ask(answer, x, loss, 0.0), x),
        "with a rate of 0 the picture should stay as it is",
    )
    expect(
        close(result, x - 0.1 * (x - target)),
        "the step goes downhill, but has the wrong length",
        "a step is rate times the gradient itself, not times its sign or its direction",
    )
    expect(
        not result.requires_grad,
        "the new picture still hangs on the graph of the old one",
        "you subtract from the copy that PyTorch watches: subtract from x itself, or from "
        "x.detach(), which is x without a record of where it came from",
    )
    return "downhill, by rate times the gradient"
