"""A sheet of SVG: lines, arrows, boxes and text with formulas, in the colours of the course.

A picture in a notebook does not learn the theme of the page around it: JupyterLab's dark theme does
not set `prefers-color-scheme`. So there is no background, and every colour is of a middle lightness
that reads on white and on nearly black alike; text inside a box is white on one of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import hypot
from xml.sax.saxutils import escape, quoteattr

INK = "#74797f"  # lines, and text outside boxes
SLATE = "#666c74"  # boxes of no particular colour
CONTENT, STYLE, RESULT = "#1279bd", "#c45500", "#008560"
WHITE = "#ffffff"  # text inside boxes
LINE = 1.5  # the width of every line that is no hairline
HAIRLINE = 1
CORNER = 6  # radius
TEXT, SMALL = 13, 11.5  # font sizes

Point = tuple[float, float]

MARKUP = re.compile(r"(_\{|\^\{|\}|\*|`)")
FONTS = {"*": 'font-family="serif" font-style="italic"', "`": 'font-family="monospace"'}


class Drawing:
    """An SVG picture with a title and a description for those who do not see it."""

    def __init__(self, width: float, height: float, title: str, description: str):
        self.width, self.height = width, height
        self.title, self.description = title, description
        self.elements: list[str] = []

    def add(self, tag: str, **attributes: object) -> None:
        """Add an element; an underscore in an attribute's name stands for a hyphen."""
        self.elements.append(f"<{tag}{_attributes(attributes)}/>")

    def svg(self) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_number(self.width)}" '
            f'height="{_number(self.height)}" '
            f'viewBox="0 0 {_number(self.width)} {_number(self.height)}" role="img" '
            f'font-family="sans-serif" font-size="{TEXT}">'
        )
        said = (f"<title>{escape(self.title)}</title>", f"<desc>{escape(self.description)}</desc>")
        return "\n".join((head, *said, *self.elements, "</svg>")) + "\n"

    def text(
        self, x: float, y: float, words: str, fill: str = INK, anchor: str = "start", **more: object
    ) -> None:
        """Write a line: *italic letters of a formula*, `code`, a_{index}, a^{exponent}."""
        attributes = {"x": x, "y": y, "fill": fill, "text_anchor": anchor, **more}
        size = float(str(more.get("font_size", TEXT)))
        self.elements.append(f"<text{_attributes(attributes)}>{_spans(words, size)}</text>")

    def line(self, *points: Point, color: str = INK, **more: object) -> None:
        """Draw a line through the points, rounded at its corners."""
        self.add("path", d=_rounded(points), fill="none", stroke=color,
                 **{"stroke_width": LINE, **more})  # fmt: skip

    def arrow(self, *points: Point, color: str = INK, **more: object) -> None:
        """The same with a head at its end."""
        (a, b), (x, y) = points[-2:]
        length = hypot(x - a, y - b)
        u, v = (x - a) / length, (y - b) / length
        self.line(*points[:-1], (x - 6 * u, y - 6 * v), color=color, **more)
        corners = ((x, y), (x - 8 * u - 4 * v, y - 8 * v + 4 * u),
                   (x - 8 * u + 4 * v, y - 8 * v - 4 * u))  # fmt: skip
        self.add("path", d=_polygon(corners), fill=color)

    def polygon(self, *points: Point, **more: object) -> None:
        self.add("path", d=_polygon(points), **more)

    def frame(
        self, x: float, y: float, width: float, height: float, color: str = INK, **more: object
    ) -> None:
        """Draw the outline of a box, tinted inside."""
        self.add("rect", x=x, y=y, width=width, height=height,
                 **{"rx": CORNER, "fill": color, "fill_opacity": 0.08, "stroke": color,
                    "stroke_width": LINE, **more})  # fmt: skip

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        lines: Sequence[str] = (),
        color: str = SLATE,
        size: float = TEXT,
    ) -> None:
        """Fill a box and write white lines in its middle."""
        self.add("rect", x=x, y=y, width=width, height=height, rx=CORNER, fill=color)
        step = 1.4 * size
        first = y + height / 2 + 0.36 * size - step * (len(lines) - 1) / 2
        for i, words in enumerate(lines):
            self.text(x + width / 2, first + i * step, words, WHITE, "middle", font_size=size)

    def legend(self, x: float, y: float, words: str, color: str) -> None:
        """Write what a colour stands for, behind a sample of it."""
        self.add("rect", x=x, y=y - 10, width=12, height=12, rx=3, fill=color)
        self.text(x + 20, y, words)


def _number(value: float) -> str:
    return f"{round(value, 2):g}"


def _attributes(attributes: dict[str, object]) -> str:
    return "".join(
        f" {name.replace('_', '-')}="
        + quoteattr(_number(value) if isinstance(value, (int, float)) else str(value))
        for name, value in attributes.items()
    )


def _polygon(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points) + "Z"


def _rounded(points: Sequence[Point], radius: float = CORNER) -> str:
    """The path through points, its corners rounded."""
    path = f"M{_number(points[0][0])} {_number(points[0][1])}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        enter, leave = (_towards(corner, other, radius) for other in (before, after))
        path += "L{} {}Q{} {} {} {}".format(*map(_number, (*enter, *corner, *leave)))
    return path + "L{} {}".format(*map(_number, points[-1]))


def _towards(a: Point, b: Point, distance: float) -> Point:
    """The point that far from a towards b, half the way at most."""
    share = min(0.5, distance / hypot(b[0] - a[0], b[1] - a[1]))
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def _spans(words: str, size: float) -> str:
    """The markup of a line as <tspan> elements; what is raised or lowered is smaller."""
    spans, font, level, baseline = "", "", 0.0, 0.0
    for token in MARKUP.split(words):
        if token in FONTS:
            font = "" if font else FONTS[token]
        elif token in ("_{", "^{"):
            level = 0.25 * size if token == "_{" else -0.4 * size
        elif token == "}":
            level = 0.0
        elif token:
            moved = f'dy="{_number(level - baseline)}"' if level != baseline else ""
            small = f'font-size="{_number(0.75 * size)}"' if level else ""
            kinds = " ".join(filter(None, (font, moved, small)))
            spans += f"<tspan {kinds}>{escape(token)}</tspan>" if kinds else escape(token)
            baseline = level
    return spans
