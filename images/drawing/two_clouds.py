"""Two clouds of features and the three means that make MMD²: far apart, then alike."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, dist, exp, pi, sin
from random import Random

from .canvas import INK, LINE, RESULT, SMALL, STYLE, Drawing

Cloud = list[tuple[float, float]]

POINTS = 10  # of each cloud
SEED, SPREAD, APART, SHIFT = 5, 0.62, 0.32, 0.3
SIGMA = 1.0  # of the kernel, in the units of the features
UNIT = 35  # pixels for a unit of the features
PANEL = 200  # side of a panel
LEFT, MATRIX, SUMS = 32, 284, 500
TOPS = (62, 350)
STEPS = 12  # shades of the kernel matrix


def kernel(a: Sequence[float], b: Sequence[float]) -> float:
    """The Gaussian kernel exp(-‖a - b‖² / 2σ²)."""
    return exp(-(dist(a, b) ** 2) / (2 * SIGMA**2))


def mean_kernel(a: Cloud, b: Cloud) -> float:
    return sum(kernel(p, q) for p in a for q in b) / (len(a) * len(b))


def mmd2(x: Cloud, y: Cloud) -> float:
    return mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)


def clouds() -> tuple[Cloud, Cloud, Cloud]:
    """The features of the style, of a result that is far from it, and of one that is near."""
    random = Random(SEED)
    style = cloud_around((1.15, 1.0), random)
    angles = [random.uniform(0, 2 * pi) for _ in style]
    near = [(a + SHIFT * cos(t), b + SHIFT * sin(t))
            for (a, b), t in zip(style, angles, strict=True)]  # fmt: skip
    return style, cloud_around((-1.15, -0.9), random), near


def cloud_around(middle: tuple[float, float], random: Random) -> Cloud:
    """Normally distributed points from left to right, none upon another."""
    points: Cloud = []
    while len(points) < POINTS:
        point = (random.gauss(middle[0], SPREAD), random.gauss(middle[1], SPREAD))
        if all(dist(point, other) > APART for other in points):
            points.append(point)
    return sorted(points)


def two_clouds() -> Drawing:
    y, far, near = clouds()
    draw = Drawing(
        700,
        612,
        "Two clouds of features and their squared maximum mean discrepancy",
        "Each position of a picture is a point in the space of the channels, so that a picture is "
        "a cloud of points. MMD² is the mean of the kernel k over pairs within the cloud x, plus "
        "that within the cloud y, minus twice that between them. Above, the clouds lie apart: the "
        f"matrix of all k has two bright blocks on its diagonal, and MMD² is {mmd2(far, y):.2f}. "
        f"Below, x lies where y does: all four blocks are alike, and MMD² is {mmd2(near, y):.2f}.",
    )
    draw_case(draw, TOPS[0], "Apart: a point resembles only those of its own cloud", far, y)
    draw_case(draw, TOPS[1], "Alike: a point resembles the points of both clouds equally", near, y)
    draw_pairs(draw, TOPS[0], far, y)
    draw_explanation(draw)
    return draw


def draw_case(draw: Drawing, top: float, words: str, x: Cloud, y: Cloud) -> None:
    draw.text(LEFT, top - 32, words, font_weight="bold")
    draw_points(draw, top, x, y)
    draw_matrix(draw, top, x, y)
    draw_sums(draw, top, x, y)


def place(top: float, point: Sequence[float]) -> tuple[float, float]:
    return LEFT + PANEL / 2 + UNIT * point[0], top + PANEL / 2 - UNIT * point[1]


def draw_points(draw: Drawing, top: float, x: Cloud, y: Cloud) -> None:
    bottom = top + PANEL
    draw.arrow((LEFT, bottom), (LEFT + PANEL, bottom))
    draw.arrow((LEFT, bottom), (LEFT, top))
    draw.text(LEFT + PANEL, bottom + 17, "channel 1", INK, "end", font_size=SMALL)
    draw.text(LEFT - 8, top, "channel 2", INK, "end", font_size=SMALL,
              transform=f"rotate(-90 {LEFT - 8} {top})")  # fmt: skip
    for cloud, color in ((y, STYLE), (x, RESULT)):
        for point in cloud:
            across, down = place(top, point)
            draw.add("circle", cx=across, cy=down, r=5, fill=color)


def draw_pairs(draw: Drawing, top: float, x: Cloud, y: Cloud) -> None:
    """One pair of each kind, named by its kernel: below, above, and between the clouds."""
    below = max(place(top, point)[1] for point in x) + 24
    above = min(place(top, point)[1] for point in y) - 14
    for pair, color, words, height in (
        ((x[0], x[-1]), RESULT, "*k*(*x*, *x*′)", below),
        ((y[0], y[-1]), STYLE, "*k*(*y*, *y*′)", above),
        (min(((a, b) for a in x for b in y), key=lambda pair: dist(*pair)), INK, "", 0),
    ):
        a, b = (place(top, point) for point in pair)
        draw.line(a, b, color=color)
        middle = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
        if words:
            draw.text(middle[0], height, words, color, "middle")
        else:
            draw.text(middle[0] + 14, middle[1] + 12, "*k*(*x*, *y*)", color)


def draw_matrix(draw: Drawing, top: float, x: Cloud, y: Cloud) -> None:
    """The kernel of every two points, in blocks: the fuller the colour, the more alike."""
    cell = PANEL / (2 * POINTS)
    everything = [*x, *y]
    shades: dict[tuple[str, int], str] = {}
    for i, a in enumerate(everything):
        for j, b in enumerate(everything):
            color = (RESULT, INK, STYLE)[(i >= POINTS) + (j >= POINTS)]
            shade = (color, round(STEPS * kernel(a, b)))
            corner = f"M{MATRIX + j * cell:g} {top + i * cell:g}"
            shades[shade] = shades.get(shade, "") + f"{corner}h{cell:g}v{cell:g}h-{cell:g}z"
    for (color, step), path in sorted(shades.items()):
        if step:
            draw.add("path", d=path, fill=color, fill_opacity=step / STEPS)
    draw.add("path", d=f"M{MATRIX} {top}h{PANEL}v{PANEL}h-{PANEL}zM{MATRIX + PANEL / 2} {top}"
             f"v{PANEL}M{MATRIX} {top + PANEL / 2}h{PANEL}",
             fill="none", stroke=INK, stroke_width=LINE)  # fmt: skip
    for k, (words, color) in enumerate((("*x*", RESULT), ("*y*", STYLE))):
        middle = (k + 0.5) * PANEL / 2
        draw.text(MATRIX + middle, top - 8, words, color, "middle", font_size=16)
        draw.text(MATRIX - 10, top + middle + 5, words, color, "end", font_size=16)


def draw_sums(draw: Drawing, top: float, x: Cloud, y: Cloud) -> None:
    right = 680
    lines = (
        ("mean *k*(*x*, *x*′)", "", mean_kernel(x, x), RESULT),
        ("mean *k*(*y*, *y*′)", "+", mean_kernel(y, y), STYLE),
        ("2 mean *k*(*x*, *y*)", "−", 2 * mean_kernel(x, y), INK),
    )
    for i, (words, sign, value, color) in enumerate(lines):
        down = top + 42 + 30 * i
        draw.text(SUMS, down, sign, INK)
        draw.text(SUMS + 16, down, words, color)
        draw.text(right, down, f"{value:.2f}", color, "end")
    draw.line((SUMS, top + 118), (right, top + 118))
    draw.text(SUMS + 16, top + 144, "MMD²", font_weight="bold")
    draw.text(right, top + 144, f"{mmd2(x, y):.2f}", INK, "end", font_weight="bold")


def draw_explanation(draw: Drawing) -> None:
    y = TOPS[-1] + PANEL + 48
    draw.legend(LEFT, y, "*x*: the result's features", RESULT)
    draw.legend(MATRIX, y, "*y*: the style's features", STYLE)
    draw.text(SUMS, y, "full colour: *k* = 1; none: 0")
