"""Two clouds of features and the three means that make MMD²: far apart, then alike."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, dist, exp, pi, sin
from random import Random

from .canvas import INK, LINE, RESULT, SMALL, STYLE, Drawing

Cloud = list[tuple[float, float]]

POINTS = 10  # of each cloud
STYLE_MIDDLE, FAR_MIDDLE = (1.1, 1.0), (-1.1, -0.85)
SPREAD, RADIUS, APART, SHIFT = 0.62, 1.1, 0.32, 0.3
SEED = 1
SIGMA = 1.0  # of the kernel, in the units of the features
UNIT = 36  # pixels for a unit of the features
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
    style, far = cloud_around(STYLE_MIDDLE, random), cloud_around(FAR_MIDDLE, random)
    angles = [random.uniform(0, 2 * pi) for _ in style]
    shifted = zip(style, angles, strict=True)
    return style, far, [(a + SHIFT * cos(t), b + SHIFT * sin(t)) for (a, b), t in shifted]


def cloud_around(middle: tuple[float, float], random: Random) -> Cloud:
    """Points from left to right: normally distributed, none far out, none upon another."""
    points: Cloud = []
    while len(points) < POINTS:
        point = (random.gauss(middle[0], SPREAD), random.gauss(middle[1], SPREAD))
        if dist(point, middle) < RADIUS and all(dist(point, other) > APART for other in points):
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
        f"matrix of all k has two bright blocks on its diagonal, and MMD² is {mmd2(far, y):.3f}. "
        f"Below, x lies where y does: all four blocks are alike, and MMD² is {mmd2(near, y):.3f}.",
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
    nearest = min(((a, b) for a in x for b in y), key=lambda pair: dist(*pair))
    beyond = RADIUS + 0.4
    for (a, b), color, words, (right, up) in (
        ((x[0], x[-1]), RESULT, "*k*(*x*, *x*′)", (FAR_MIDDLE[0], FAR_MIDDLE[1] - beyond)),
        ((y[0], y[-1]), STYLE, "*k*(*y*, *y*′)", (STYLE_MIDDLE[0], STYLE_MIDDLE[1] + beyond)),
        (nearest, INK, "*k*(*x*, *y*)", (1.0, -0.75)),
    ):
        draw.line(place(top, a), place(top, b), color=color)
        across, down = place(top, (right, up))
        draw.text(across, down + 5, words, color, "middle")


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
        draw.text(right, down, f"{value:.3f}", color, "end")
    draw.line((SUMS, top + 118), (right, top + 118))
    draw.text(SUMS + 16, top + 144, "MMD²", font_weight="bold")
    draw.text(right, top + 144, f"{mmd2(x, y):.3f}", INK, "end", font_weight="bold")


def draw_explanation(draw: Drawing) -> None:
    y = TOPS[-1] + PANEL + 48
    draw.legend(LEFT, y, "*x*: the result's features", RESULT)
    draw.legend(MATRIX, y, "*y*: the style's features", STYLE)
    draw.text(SUMS, y, "full colour: *k* = 1; none: 0")
