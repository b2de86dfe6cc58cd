"""The league: where its contestants lie between content and style."""

from __future__ import annotations

from collections.abc import Mapping

from ..league.records import COLUMNS, MORE_IS_BETTER, League
from .figure import COLORS, Figure, new_figure

TITLES: Mapping[str, str] = {
    "style": "distance from the style, features",
    "patches": "distance from the style, patches",
    "edges": "edge coherence with the content",
    "features": "correlation of relu4_2 with the content",
    "grain": "grain in flat regions, grey levels",
    "seconds": "seconds",
}

ON_A_LOGARITHMIC_AXIS = ("style", "patches")


def league_front(league: League, style: str = "style", content: str = "edges") -> Figure:
    """Medians of two columns, a point for each contestant; the front is joined by a line."""
    medians, front = league.medians(), league.front(style, content)
    alt = (
        f"Contestants by {TITLES[style]} and {TITLES[content]}. On the front, since nobody is "
        f"better in one and as good in the other: {', '.join(front)}."
    )
    figure = new_figure(alt, 8.5, 5.5)
    axis = figure.subplots()
    points = {name: (median[content], median[style]) for name, median in medians.items()}
    for name, (x, y) in points.items():
        best = name in front
        axis.plot(x, y, "o" if best else "x", color=COLORS[1 if best else 0], markersize=7)
        others = [point for other, point in points.items() if other != name]
        left = any(_is_in_the_way(point, (x, y)) for point in others)
        above = not any(_is_in_the_way((x, y), point) for point in others if point < (x, y))
        axis.annotate(
            name, (x, y), xytext=(-6 if left else 6, 3 if above else -9), fontsize=8,
            textcoords="offset points", ha="right" if left else "left",
            fontweight="bold" if best else "normal",
        )  # fmt: skip
    along = sorted(points[name] for name in front)
    axis.plot(*zip(*along, strict=True), color=COLORS[1], linewidth=1, zorder=0)
    axis.set(
        xlabel=f"{TITLES[content]} →",
        ylabel=f"{TITLES[style]} →",
    )
    if style in ON_A_LOGARITHMIC_AXIS:
        axis.set_yscale("log")
        for set_formatter in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
            set_formatter("{x:g}")
    if not MORE_IS_BETTER[content]:
        axis.invert_xaxis()
    if not MORE_IS_BETTER[style]:  # better is up, and to the right
        axis.invert_yaxis()
    axis.margins(x=0.12)
    axis.grid(alpha=0.3)
    return figure


def _is_in_the_way(point: tuple[float, float], of: tuple[float, float]) -> bool:
    """Whether a point is so little to the right of another that the other's label would hide it."""
    return 0 <= point[0] - of[0] < 0.08 and 0.9 < point[1] / max(of[1], 1e-12) < 1.11


def league_table(league: League, by: str = "style") -> str:
    """The medians as a table in Markdown, sorted by a column; the best of each is bold."""
    medians = league.medians()
    best = {
        column: (max if MORE_IS_BETTER[column] else min)(m[column] for m in medians.values())
        for column in COLUMNS
    }
    order = sorted(medians, key=lambda name: medians[name][by], reverse=MORE_IS_BETTER[by])
    lines = [f"| contestant | {' | '.join(COLUMNS)} |", "|---" + "|---:" * len(COLUMNS) + "|"]
    for name in order:
        cells = []
        for column, value in medians[name].items():
            text = f"{value:.3g}"
            cells.append(f"**{text}**" if value == best[column] else text)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
