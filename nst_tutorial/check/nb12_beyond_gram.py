"""Exercises of notebook 12: equal first two moments, sorted samples, shifted Gram matrices."""

from __future__ import annotations

import torch
from torch import Tensor

from ..kernels.moments import gram_matrix
from .exercise import Wrong, ask, close, exercise, expect, features, number, tensor


@exercise
def skewed_pair(x, y):
    """Two samples of equal mean and variance, of which the third central moments differ."""
    x, y = (_sample(values, name) for values, name in ((x, "x"), (y, "y")))
    expect(
        close(x.mean(), y.mean(), 1e-3),
        f"the means differ: {float(x.mean()):.4g} and {float(y.mean()):.4g}",
        "add a constant to all values of one sample: its other central moments stay",
    )
    first, second = ((z - z.mean()).square().mean() for z in (x, y))
    expect(
        first > 0 and second > 0,
        "a sample of equal values has no third moment: give it some spread",
    )
    expect(
        close(first, second, 1e-3),
        f"the variances differ: {float(first):.4g} and {float(second):.4g}",
        "multiply the distances from the mean by a factor: the variance goes with its square",
    )
    third, other = (float((z - z.mean()).pow(3).mean()) for z in (x, y))
    expect(
        abs(third - other) > 0.05 * float(first) ** 1.5,
        f"the third central moments agree, too: {third:.3g} and {other:.3g}",
        "one sample should lean: many values a little below the mean, a few far above it",
    )
    return f"means and variances agree, third central moments are {third:.3g} and {other:.3g}"


def _sample(values, name: str) -> Tensor:
    sample = torch.as_tensor(values, dtype=torch.float64) if isinstance(values, list) else values
    sample = tensor(sample, name=name).double()
    if sample.dim() != 1 or len(sample) < 2:
        raise Wrong(
            f"{name} should be a list of at least two numbers, but has the shape "
            f"{tuple(sample.shape)}"
        )
    return sample


@exercise
def sorted_distance(answer):
    """Samples (M,) and (kM,) → the squared 2-Wasserstein distance, mean of squared sorted gaps."""
    x, y = features(7), features(7, seed=1) + 0.5
    result = number(ask(answer, x, y), "the distance")
    shuffled = x[torch.tensor([3, 6, 0, 2, 5, 1, 4])]
    expect(
        close(ask(answer, shuffled, y), result),
        "the order of the positions changes the distance",
        "sort both samples before you compare them",
    )
    expect(
        abs(number(ask(answer, x, shuffled))) < 1e-6,
        "a sample against itself should be at the distance 0",
        "the smallest value meets the smallest: sort both samples in the same direction",
    )
    expect(
        close(number(ask(answer, x, x + 2)), 4),
        "a sample moved by 2 should be at the squared distance 4",
        "the mean, not the sum, of the squares; and no root",
    )
    expect(
        not close(result, (x.mean() - y.mean()).square()),
        "this is the squared distance of the means: other differences are not seen",
        "square each gap first, and take the mean afterwards",
    )
    gaps = x.sort().values - y.sort().values
    expect(
        close(result, gaps.square().mean()),
        "it is right for a sample that is only moved, but not for one of another shape",
        "the mean of the squared gaps between the sorted samples",
    )
    z = features(21, seed=2)
    gaps = x.repeat_interleave(3).sort().values - z.sort().values
    expect(
        close(number(ask(answer, x, z), "the distance of 7 values and 21"), gaps.square().mean()),
        "it is right for samples of equal size, but not for 7 values and 21",
        "each value of x meets three of y: repeat it three times, then sort",
    )
    return "the cheapest way to carry one sample to the other keeps the order"


@exercise
def shifted_gram(answer):
    """x (1, C, H, W), down ≥ 0, across ≥ 0 → mean over pairs of f(p) f(p + Δ)ᵀ, (C, C)."""
    x = features(1, 3, 5, 7)
    result = tensor(ask(answer, x, 0, 0), (3, 3), "the shifted Gram matrix of 3 channels")
    expect(
        close(result, gram_matrix(x)[0]),
        "without a shift it should be the Gram matrix",
        "a mean over positions: divide by their number",
    )
    stripes = torch.zeros(1, 1, 6, 6)
    stripes[..., ::2] = 1  # columns 1, 0, 1, 0, …
    values = [number(ask(answer, stripes, *shift)) for shift in ((0, 1), (0, 2), (1, 0))]
    expect(
        not close(values[1], 1 / 3),
        "you divide by the number of all positions, but fewer pairs lie inside",
        "(H - down) · (W - across) pairs: shifted by 2, stripes of period 2 give ½ as without",
    )
    expect(
        not close(values, [0.5, 0.5, 0.0]),
        "down and across are swapped",
        "down moves along H, which is dimension 2, across along W",
    )
    expect(
        close(values, [0.0, 0.5, 0.5]),
        f"columns 1, 0, 1, 0, … shifted by (0, 1), (0, 2) and (1, 0) should give 0, ½ and ½, not "
        f"{', '.join(f'{value:.3g}' for value in values)}",
        "by hand: multiply each value with that `across` columns further right",
    )
    shifted, expected = ask(answer, x, 1, 2), _shifted_gram(x, 1, 2)
    expect(
        not close(shifted, expected.T),
        "rows and columns are swapped: the first index is the channel at p, the second at p + Δ",
        "unlike the Gram matrix, a shifted one is not symmetric",
    )
    around = torch.einsum("nchw,ndhw->cd", x, x.roll((-1, -2), dims=(2, 3))) / 35
    expect(
        not close(shifted, around),
        "pairs that lead around the edge count, too",
        "torch.roll brings the left edge in on the right: cut the shifted pictures instead",
    )
    expect(close(shifted, expected), "for three channels and the shift (1, 2) it is not right")
    return "one matrix for each shift: the Gram matrix is that of no shift"


def _shifted_gram(x: Tensor, down: int, across: int) -> Tensor:
    height, width = x.shape[2:]
    begin, end = x[0, :, : height - down, : width - across], x[0, :, down:, across:]
    return begin.flatten(1) @ end.flatten(1).T / begin[0].numel()
