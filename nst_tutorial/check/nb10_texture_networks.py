"""Exercises of notebook 10: borders that wrap, the gradient of weights, what pays, diversity."""

from __future__ import annotations

import math

import torch

from ..texture_networks.objective import nearness as _nearness
from .exercise import Wrong, ask, close, exercise, expect, features, number, tensor


@exercise
def wrap_around(answer):
    """A row x (n,) → (n + 2,): as if it continued on its opposite side."""
    x = features(5, seed=3)
    y = tensor(ask(answer, x), name="your row")
    expect(
        y.shape == (7,),
        f"a row of 5 should become one of 7, one more at each end; yours has {tuple(y.shape)}",
    )
    expect(close(y[1:-1], x), "the five numbers in the middle should be those of x, in order")
    expect(
        not (close(y[0], x[0]) and close(y[-1], x[-1])),
        "that repeats the border; it should continue on the other side",
        "before the first number comes the last one",
    )
    expect(
        bool(y[0]) or bool(y[-1]),
        "there are zeros at the ends; a picture that tiles has no end",
        "before the first number comes the last one",
    )
    expect(close(y[0], x[-1]), "the new first number is not the last of x")
    expect(close(y[-1], x[0]), "the new last number is not the first of x")
    one = features(1, seed=4)
    expect(close(ask(answer, one), one.repeat(3)), "a row of one number should become that thrice")
    rolled = tensor(ask(answer, x.roll(1)), (7,))
    expect(close(rolled[1:], y[:-1]), "rolling x should roll the result, and it does not")
    return "a convolution over it cannot tell where the picture begins"


@exercise
def weight_gradient(answer):
    """z (n,), g (n,) = ∂L/∂x → ∂L/∂a, ∂L/∂b for the generator x = a z + b."""
    z, g = features(6, seed=5), features(6, seed=6)
    pair = ask(answer, z, g)
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise Wrong("your function should return two numbers", "return da, db")
    for name, value in zip(("∂L/∂a", "∂L/∂b"), pair, strict=True):
        size = torch.as_tensor(value).numel()
        expect(
            size == 1,
            f"{name} should be one number, but has {size}: a is one weight, however many pixels "
            "there are",
            "every pixel holds a; what they say of it adds up",
        )
    da, db = number(pair[0], "∂L/∂a"), number(pair[1], "∂L/∂b")
    expect(
        not (close(da, (g * z).mean()) and close(db, g.mean())),
        "those are means; the chain rule sums over the pixels",
        "a change of b changes every pixel, and their effects add up",
    )
    expect(
        not (close(da, g.sum()) and close(db, (g * z).sum())),
        "the two are swapped",
        "b moves each pixel by 1, a moves it by its z",
    )
    expect(
        not close(da, g.sum() * z.sum()),
        "∂L/∂a is a sum of products, not a product of sums",
        "pixel by pixel: g times z, and then the sum",
    )
    expect(close(db, g.sum()), "∂L/∂b is wrong", "∂x/∂b = 1 at every pixel")
    expect(close(da, (g * z).sum()), "∂L/∂a is wrong", "∂x/∂a = z at every pixel")
    return "(∂x/∂w)ᵀ ∂L/∂x: nothing but this happens in images.backward(gradient)"


@exercise
def break_even(answer):
    """training, optimising, applying (seconds) → the least number of pictures that pays."""
    n = number(ask(answer, 105.0, 15.0, 5.0), "the number of pictures")
    expect(
        n not in (7, 8),
        "the pass takes time as well: each picture saves optimising - applying",
    )
    expect(n == int(n), "a number of pictures is a whole one: round up")
    expect(n == 11, "training 105 s, optimising 15 s, applying 5 s: that is 11 pictures")
    expect(
        ask(answer, 100.0, 11.0, 1.0) == 11,
        "training 100 s, optimising 11 s, applying 1 s: with 10 pictures both take the same time, "
        "but training should be *faster*",
        "training + n · applying < n · optimising, and not ≤",
    )
    try:
        never = ask(answer, 100.0, 1.0, 1.0)
    except Wrong as wrong:
        raise Wrong(
            "if the pass is no faster than optimising, training never pays: return math.inf",
            wrong.hint,
        ) from None
    expect(
        never == math.inf and ask(answer, 100.0, 1.0, 2.0) == math.inf,
        "if the pass is no faster than optimising, training never pays: return math.inf",
    )
    return "the price of speed is paid before the first picture"


@exercise
def nearness(answer):
    """Pictures (N, 3, H, W) → - mean ln of each one's distance to its nearest neighbour."""
    x = torch.tensor([0.0, 0.1, 0.5, 0.9]).view(4, 1, 1, 1).expand(4, 3, 2, 2).clone()
    try:
        value = float(torch.as_tensor(ask(answer, x)))
    except (TypeError, ValueError, RuntimeError):
        raise Wrong("your result should be one number") from None
    expect(
        math.isfinite(value),
        "that is not finite: a picture is its own nearest neighbour, at distance 0",
        "leave the diagonal out, for instance by adding infinity to it",
    )
    right = _nearness(x)
    expect(
        not close(value, -right, 1e-3),
        "the sign is turned: it should be small when pictures are far apart",
    )
    expect(
        not close(value, 2 * right, 1e-3),
        "those are squared distances; take the square root, or half of the logarithm",
    )
    expect(
        not close(value, len(x) * right, 1e-3),
        "that is the sum over the pictures; take the mean",
    )
    far = -torch.tensor([0.9, 0.8, 0.5, 0.9]).log().mean()
    expect(not close(value, far, 1e-3), "that takes the farthest picture instead of the nearest")
    expect(
        close(value, right, 1e-3),
        "grey pictures of 0, 0.1, 0.5, 0.9: nearest distances 0.1, 0.1, 0.4, 0.4",
        "the distance is the root of the mean squared difference over all pixels and colours",
    )
    y = torch.rand((5, 3, 4, 4), generator=torch.Generator().manual_seed(1))
    expect(close(float(ask(answer, y)), _nearness(y), 1e-3), "right for grey, wrong for colours")
    return "pictures that are all alike make it large, so a network pays for repeating itself"
