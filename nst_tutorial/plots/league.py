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
        axis.annotate(
            name, (x, y), xytext=(6, 4), textcoords="offset points", fontsize=8,
            fontweight="bold" if best else "normal",
        )  # fmt: skip
    along = sorted(points[name] for name in front)
    axis.plot(*zip(*along, strict=True), color=COLORS[1], linewidth=1, zorder=0)
    axis.set(
        xlabel=f"{TITLES[content]} →",
        ylabel=f"{TITLES[style]} →",
    )
    if not MORE_IS_BETTER[content]:
        axis.invert_xaxis()
    if not MORE_IS_BETTER[style]:  # better is up, and to the right
        axis.invert_yaxis()
    axis.margins(x=0.12)
    axis.grid(alpha=0.3)
    return figure


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
