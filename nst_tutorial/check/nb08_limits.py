"""Exercises of notebooks 08 and 08b: noise, the screened Poisson equation, tiles."""

from __future__ import annotations

import torch

from .exercise import ask, close, exercise, expect, features, number, tensor


@exercise
def noise_level(answer):
    """(H, W) in grey levels → the robust standard deviation of its noise."""

    def level(picture) -> float:
        return number(ask(answer, picture), "the noise level")

    white = features(200, 200).double()
    ramp = torch.arange(200).double()[:, None] * 0.3 + torch.arange(200).double() * 0.7
    expect(
        abs(level(torch.full((40, 40), 80.0).double())) < 1e-9,
        "a picture of one colour has no noise",
    )
    expect(
        abs(level(ramp)) < 1e-9,
        "a ramp has no noise, but your function finds some",
        "all four pixels count: a - b - c + d, with a and d on one diagonal",
    )
    result = level(2.5 * white)
    expect(
        not close(result, 2.5 * 2, 0.05),
        "white noise of standard deviation 2.5 gives 5: four values of noise add up to twice one",
        "divide a - b - c + d by 2",
    )
    expect(
        not close(result, 2.5 * 0.6745, 0.05) and not close(result, 2.5 * 0.6745 * 2, 0.05),
        "the median of |z| is 0.6745 for normal noise of standard deviation 1, not 1",
        "divide the median by 0.6745",
    )
    expect(
        close(result, 2.5, 0.04),
        f"white noise of standard deviation 2.5 should give 2.5, not {result:.3g}",
        "the median of |a - b - c + d| / 2 over all 2×2 pixels, over 0.6745",
    )
    edges = 2.5 * white
    edges.diagonal().add_(200.0)
    expect(
        close(level(edges), 2.5, 0.15),
        "one strong line across the picture changes your estimate much",
        "take the median of the absolute differences, not their mean square",
    )
    return "blind to ramps and lines, and right for white noise"


@exercise
def screened_poisson(answer):
    """(r, c, λ), r and c of n numbers → the u of least Σ (u - r)² + λ Σ (D u - D c)²."""
    r, c = features(12).double(), features(12, seed=1).double()

    def solution(r, c, strength):
        return tensor(ask(answer, r, c, strength), tuple(r.shape), "u").double()

    expect(close(solution(r, c, 0.0), r), "with a strength of 0 only the colours count: u = r")
    expect(close(solution(c, c, 3.0), c), "if both signals are the same, u is that signal")
    u = solution(r, c, 2.0)
    expect(
        not close(u, (r + 2.0 * c) / 3.0),
        "that mixes the values of both; wanted are the values of r and the differences of c",
        "L = D.T @ D with D the (n - 1, n) matrix of differences; c enters as L @ c",
    )
    expect(
        close(u.mean(), r.mean()),
        "differences do not know the mean, so the mean of u should be that of r",
        "nothing crosses the ends: the first and the last row of L are (1, -1) and (-1, 1)",
    )

    def energy(v):
        return (v - r).square().sum() + 2.0 * (v.diff() - c.diff()).square().sum()

    for seed in range(2, 8):
        step = 1e-3 * features(12, seed=seed).double()
        expect(
            min(energy(u + step), energy(u - step)) > energy(u) - 1e-9,
            f"this u is not the minimum: a small change lowers the sum below {energy(u):.4g}",
            "solve (1 + λ L) u = r + λ L c",
        )
    return "the minimum: no small change lowers the sum"


@exercise
def overhead(answer):
    """(tile, margin) → how many pixels are seen for each pixel of a tile inside a large picture."""

    def ratio(tile: int, margin: int) -> float:
        return number(ask(answer, tile, margin), "the overhead")

    expect(close(ratio(512, 0), 1.0), "without a margin each pixel is seen once: 1")
    result = ratio(512, 80)
    expect(
        not close(result, (512 + 160) / 512),
        "that is the ratio of two sides; pixels fill an area",
        "square it",
    )
    expect(
        not close(result, ((512 + 80) / 512) ** 2),
        "the margin lies on both sides of the tile",
        "the block is tile + 2 margin wide",
    )
    expect(
        close(result, (672 / 512) ** 2) and close(ratio(1024, 80), (1184 / 1024) ** 2),
        f"a tile of 512 with a margin of 80 is seen as 672 × 672 pixels, so not {result:.3g} times",
    )
    return f"{result:.2f} times for tiles of 512, {ratio(1024, 80):.2f} times for 1024"


@exercise
def assemble(answer):
    """(shape, [(rows, columns, gradient of that block)]) → gradient of the whole picture."""
    blocks, wanted = [], torch.zeros(9, 11)
    for seed, (rows, columns) in enumerate(
        [(slice(0, 6), slice(0, 7)), (slice(0, 6), slice(4, 11)), (slice(3, 9), slice(0, 7)),
         (slice(3, 9), slice(4, 11))]
    ):  # fmt: skip
        part = features(rows.stop - rows.start, columns.stop - columns.start, seed=seed)
        blocks.append((rows, columns, part))
        wanted[rows, columns] += part
    result = tensor(ask(answer, (9, 11), blocks), (9, 11), "the gradient")
    expect(
        close(result[:3, :4], wanted[:3, :4]),
        "where only one block lies, its values should come out",
        "begin with torch.zeros(shape)",
    )
    last = torch.zeros(9, 11)
    for rows, columns, part in blocks:
        last[rows, columns] = part
    expect(
        not close(result, last),
        "where blocks overlap, the last one has wiped out the others",
        "add: gradient[rows, columns] += block",
    )
    count = torch.zeros(9, 11)
    for rows, columns, _ in blocks:
        count[rows, columns] += 1
    expect(
        not close(result, wanted / count),
        "a pixel that is seen by two tiles pulls at the features of both: sum, not mean",
        "do not divide by the number of blocks",
    )
    expect(close(result, wanted), "the blocks are not added up where they belong")
    return "each pixel answers for all tiles that see it"
