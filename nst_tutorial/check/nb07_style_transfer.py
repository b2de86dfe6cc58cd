"""Exercises of notebook 07: the pieces of a style transfer."""

from __future__ import annotations

import torch

from ..images.resizing import resize
from .exercise import Wrong, ask, close, exercise, expect, features, number, tensor


@exercise
def weighted_style(answer):
    """(grams, targets, weights), dicts by layer → Σ weight · ‖G - A‖² / ‖A‖²."""
    sizes = {"relu1_1": 2, "relu3_1": 4}
    A = {name: _gram(n, 1) for name, n in sizes.items()}
    G = {name: _gram(n, 2) for name, n in sizes.items()}

    def loss(grams: dict, targets: dict, **weights: float) -> float:
        return number(ask(answer, dict(grams), dict(targets), weights), "the style loss")

    expect(
        abs(loss(A, A, relu1_1=0.3, relu3_1=0.7)) < 1e-9,
        "equal Gram matrices should give a loss of 0",
        "take the difference of the two before you square",
    )
    black = {name: torch.zeros_like(a) for name, a in A.items()}
    one = loss(black, A, relu1_1=1.0, relu3_1=0.0)
    expect(
        close(one, 1.0),
        f"no features at all should be exactly 1 away in one layer of weight 1, not {one:.3g}",
        "divide the sum of (G - A)² by the sum of A², of the target and not of the picture",
    )
    grown = {name: 10 * a for name, a in A.items()}
    grown_too = {name: 10 * g for name, g in G.items()}
    expect(
        close(loss(grown_too, grown, relu1_1=1.0, relu3_1=1.0), loss(G, A, relu1_1=1, relu3_1=1)),
        "a ten times stronger network should give the same loss",
        "divide by the sum of A², squared as the numerator is",
    )
    parts = [loss(G, A, relu1_1=1.0, relu3_1=0.0), loss(G, A, relu1_1=0.0, relu3_1=1.0)]
    expect(
        close(loss(G, A, relu1_1=0.25, relu3_1=0.5), 0.25 * parts[0] + 0.5 * parts[1]),
        "each layer should count as its weight says",
        "sum weights[name] times the layer's own relative error",
    )
    expect(
        close(parts[1], _relative(G["relu3_1"], A["relu3_1"])),
        "the properties hold, but the numbers are not those of ‖G - A‖² / ‖A‖²",
    )
    return "relative, weighted, and 0 only when every layer agrees"


@exercise
def scales(answer):
    """(size, coarsest) → sizes from coarse to fine, each half of the next, none below coarsest."""

    def sizes(size: int, coarsest: int) -> list[float]:
        result = ask(answer, size, coarsest)
        if not isinstance(result, list | tuple):
            raise Wrong("your sizes should be a list")
        return [number(value, "a size") for value in result]

    result = sizes(768, 192)
    expect(
        result == sorted(result),
        "coarse to fine: the smallest size comes first",
        "insert each half at the front of the list",
    )
    expect(result and result[-1] == 768, "the last size should be that of the picture")
    expect(
        min(result) >= 192,
        f"{min(result):g} is below the coarsest size of 192",
        "halve only while half of the smallest size is still large enough",
    )
    expect(
        result == [192, 384, 768],
        f"768 halved down to 192 is 192, 384, 768, not {', '.join(f'{n:g}' for n in result)}",
        "half of 384 is just 192: it may be taken",
    )
    expect(
        sizes(300, 192) == [300],
        "a picture of 300 pixels should be worked on at one size, since 150 is below 192",
    )
    return "each size twice the one before"


@exercise
def put_back_detail(answer):
    """(image, small, large) → the image enlarged, plus what enlarging `small` loses of `large`."""
    large = features(1, 3, 24, 32).sigmoid()
    small = resize(large, (12, 16))
    image = features(1, 3, 12, 16, seed=3).sigmoid()

    def enlarged(image, small, large) -> torch.Tensor:
        return tensor(ask(answer, image, small, large), (1, 3, 24, 32), "the enlarged picture")

    same = enlarged(small, small, large)
    expect(
        not close(same, resize(small, (24, 32))),
        "the picture is enlarged, but the fine detail has not come back",
        "add what is lost by enlarging: large - nst.resize(small, …)",
    )
    expect(
        close(same, large),
        "a small picture that has not been changed should give back the large one exactly",
        "add large - nst.resize(small, large.shape[2:])",
    )
    flat = torch.full_like(large, 0.5)
    expect(
        close(enlarged(image, resize(flat, (12, 16)), flat), resize(image, (24, 32))),
        "without any detail to put back, what is left is the enlarged picture",
        "start from nst.resize(image, large.shape[2:])",
    )
    wanted = resize(image, (24, 32)) + large - resize(small, (24, 32))
    expect(close(enlarged(image, small, large), wanted), "the two parts should simply be added")
    return "what was painted is enlarged, what was never touched comes back sharp"


@exercise
def should_stop(answer):
    """(totals, window, share) → whether the last `window` losses bring less than `share`."""

    def stops(totals: list[float], window: int = 3, share: float = 0.1) -> bool:
        result = ask(answer, list(totals), window, share)
        if not isinstance(result, bool):
            raise Wrong(f"your answer should be True or False, but it is {result!r}")
        return result

    expect(
        not stops([5.0, 5.0, 5.0]),
        "with a window of 3 and only 3 losses there is nothing before the window to compare with",
        "return False while len(totals) <= window",
    )
    expect(
        stops([8.0, 4.0, 2.0, 2.0, 2.0, 2.0]),
        "three evaluations without any progress should stop it",
        "compare the lowest of the last `window` losses with the lowest before them",
    )
    expect(
        not stops([8.0, 4.0, 2.0, 1.0, 0.5, 0.25]),
        "a loss that is halved at each evaluation should not be stopped",
        "stop if the new lowest is *not* more than the share below the old lowest",
    )
    expect(
        stops([10.0, 9.9, 9.8, 9.7]) and not stops([10.0, 9.0, 8.0, 7.0]),
        "the share decides: 3 % less in the window is below a share of 0.1, 30 % less is above it",
    )
    expect(
        stops([1000 * loss for loss in (10.0, 9.9, 9.8, 9.7)]),
        "with all losses a thousand times larger the answer should be the same",
        "a share is relative: multiply the old lowest by 1 - share",
    )
    expect(
        not stops([10.0, 5.0, 4.0, 3.0, 9.0]),
        "one bad evaluation at the end should not stop a run that gets on well",
        "take the lowest of the window, not its last",
    )
    expect(
        stops([10.0, 2.0, 9.0, 5.0, 4.0, 3.0]),
        "2.0 was reached long ago, and the last three losses are all above it: stop",
        "compare with the lowest of all losses before the window, not only with the one before it",
    )
    return "patient with one bad step, and firm with many"


def _gram(channels: int, seed: int) -> torch.Tensor:
    F = features(1, channels, 6, 7, seed=seed).flatten(2)
    return F @ F.transpose(1, 2) / F.shape[2]


def _relative(G: torch.Tensor, A: torch.Tensor) -> torch.Tensor:
    return (G - A).square().sum() / A.square().sum()
