"""Exercises of notebook 02: where the content loss arises, its gradient, and a step downhill."""

from __future__ import annotations

import torch

from .exercise import ask, close, exercise, expect, features, number, tensor


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
def content_gradient(answer):
    """a before the ReLU, P → the gradient of ½ Σ (ReLU(a) - P)² with respect to a."""
    a, P = features(1, 3, 4, 5), features(1, 3, 4, 5, seed=1).relu()
    result = tensor(ask(answer, a, P), (1, 3, 4, 5), "the gradient")
    leaf = a.clone().requires_grad_()
    (ours,) = torch.autograd.grad(0.5 * (leaf.relu() - P).square().sum(), leaf)
    expect(
        not close(result, -ours),
        "the gradient points the wrong way",
        "it is F - P: where F is too large, the loss grows with F",
    )
    expect(
        (result[a < 0] == 0).all(),
        "where a < 0 the gradient should be 0",
        "there F = ReLU(a) is 0, and stays 0 if a changes a little: multiply by (a > 0)",
    )
    at_target = P.where(P > 0, -1.0)
    expect(
        (tensor(ask(answer, at_target, P), (1, 3, 4, 5)) == 0).all(),
        "where ReLU(a) equals P the gradient should be 0",
    )
    expect(
        not close(result, 2 * ours),
        "the gradient is twice too large",
        "the ½ of equation 1 is there to cancel the 2 of the derivative",
    )
    expect(
        close(result, ours),
        "the sign and the zeros are right, the numbers are not",
        "the derivative of ½ (F - P)² is F - P: a sum over places has no 1/n in it",
    )
    return "F - P through an open gate, 0 through a closed one"


@exercise
def relative_content_loss(answer):
    """F, P of one shape → Σ (F - P)² / Σ P²."""
    F, P = features(1, 3, 4, 5).relu(), features(1, 3, 4, 5, seed=1).relu()
    result = number(ask(answer, F, P), "the loss")
    expect(number(ask(answer, P, P)) == 0, "the loss of equal features should be 0")
    expect(
        close(ask(answer, 10 * F, 10 * P), result),
        "a layer with features ten times as large should give the same loss",
        "divide by something that grows by 100, too: the sum of the squares of P",
    )
    twice = [torch.cat([x, x], dim=3) for x in (F, P)]
    expect(
        close(ask(answer, *twice), result),
        "a picture twice as wide should give the same loss",
        "above and below the line both must be sums, or both means",
    )
    empty = number(ask(answer, torch.zeros_like(F), P))
    expect(
        close(empty, 1.0),
        f"no features at all should give the loss 1, not {empty:.3g}",
        "with F = 0 there is Σ P² above the line: what must stand below it, with which factor?",
    )
    ours = (F - P).square().sum() / P.square().sum()
    expect(
        close(result, ours),
        "the properties hold, but the number is not Σ (F - P)² / Σ P²",
        "divide by the squares of P alone, the target, which never changes",
    )
    return "the same for strong and weak layers, for large and small pictures"


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
