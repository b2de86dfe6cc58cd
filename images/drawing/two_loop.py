"""The two-loop recursion of L-BFGS: down the remembered pairs, and up again."""

from __future__ import annotations

from .canvas import INK, RESULT, SLATE, Drawing

BOX, HEIGHT = 196, 58  # of a computation
LEFT, RIGHT = 24, 480  # the first loop, the second
PAIR, PAIR_WIDTH = 288, 124
ROWS = {"k−1": 118, "k−2": 218, "k−m": 346}  # tops, the newest pair first
TURN = 442  # top of the box between the loops


def two_loop() -> Drawing:
    draw = Drawing(
        700,
        536,
        "The two-loop recursion of L-BFGS",
        "The gradient g enters at the top left as q. It goes down the remembered pairs of s, a "
        "change of the unknowns, and y, the change of the gradient, the newest first: at each pair "
        "alpha = rho s·q is kept and alpha y subtracted from q. At the bottom q is scaled by "
        "gamma = s·y / y·y of the newest pair and called r. It goes up the same pairs, the oldest "
        "first: at each pair beta = rho y·r, and (alpha − beta) s is added to r. At the top right "
        "r is H g, and the step is −H g. Here rho = 1 / y·s.",
    )
    draw_ends(draw)
    for name, top in ROWS.items():
        draw_row(draw, name, top)
    draw_ways(draw)
    return draw


def draw_ends(draw: Drawing) -> None:
    draw.text(LEFT + BOX / 2, 26, "first loop: newest to oldest", INK, "middle",
              font_weight="bold")  # fmt: skip
    draw.text(RIGHT + BOX / 2, 26, "second loop: oldest to newest", INK, "middle",
              font_weight="bold")  # fmt: skip
    draw.text(PAIR + PAIR_WIDTH / 2, 26, "remembered pairs", INK, "middle", font_weight="bold")
    draw.box(LEFT, 44, BOX, 40, ("gradient:  *q* ← *g*",), RESULT)
    draw.box(RIGHT, 44, BOX, 40, ("step:  −*r* = −*H g*",), RESULT)


def draw_row(draw: Drawing, name: str, top: float) -> None:
    """A pair, what it does to q on the way down, and to r on the way up."""
    i = f"_{{*{name}*}}"
    first = (f"*α*{i} = *ρ*{i} *s*{i}^{{T}}*q*", f"*q* ← *q* − *α*{i} *y*{i}")
    second = (f"*β* = *ρ*{i} *y*{i}^{{T}}*r*", f"*r* ← *r* + (*α*{i} − *β*) *s*{i}")
    for left, lines in ((LEFT, first), (RIGHT, second)):
        draw.box(left, top, BOX, HEIGHT, lines, SLATE, 15)
    draw.frame(PAIR, top, PAIR_WIDTH, 32)
    draw.text(PAIR + PAIR_WIDTH / 2, top + 20, f"*s*{i},  *y*{i}", INK, "middle", font_size=15)
    draw.arrow((PAIR, top + 16), (LEFT + BOX, top + 16))
    draw.arrow((PAIR + PAIR_WIDTH, top + 16), (RIGHT, top + 16))
    draw.arrow((LEFT + BOX, top + 46), (RIGHT, top + 46), stroke_dasharray="2 4",
               stroke_linecap="round")  # fmt: skip
    draw.text(PAIR + PAIR_WIDTH / 2, top + 63, f"*α*{i}", INK, "middle", font_size=15)


def draw_ways(draw: Drawing) -> None:
    """The vector's way: down, across, and up."""
    down, up = LEFT + BOX / 2, RIGHT + BOX / 2
    tops = list(ROWS.values())
    stops = [(84, tops[0]), (tops[0] + HEIGHT, tops[1]), (tops[1] + HEIGHT, tops[2])]
    for above, below in stops:
        draw.arrow((down, above), (down, below), color=RESULT)
        draw.arrow((up, below), (up, above), color=RESULT)
    gap = (tops[1] + HEIGHT + tops[2]) / 2
    for x in (down, PAIR + PAIR_WIDTH / 2, up):
        for dot in (-7, 0, 7):
            draw.add("circle", cx=x + (14 if x != PAIR + PAIR_WIDTH / 2 else 0), cy=gap + dot,
                     r=1.8, fill=INK)  # fmt: skip
    end, middle = tops[2] + HEIGHT, TURN + 26
    draw.arrow((down, end), (down, middle), (PAIR - 50, middle), color=RESULT)
    draw.arrow((PAIR + PAIR_WIDTH + 50, middle), (up, middle), (up, end), color=RESULT)
    draw.box(PAIR - 50, TURN, PAIR_WIDTH + 100, 52, ("turn:  *r* ← *γ* *q*",
             "*γ* = *s*^{T}*y* / *y*^{T}*y*  of the newest pair"), RESULT)  # fmt: skip
    draw.text(350, 520, "*ρ* = 1 / *y*^{T}*s*. Some 4 *m n* multiplications for *m* pairs and *n* "
              "unknowns; no matrix is ever formed.", INK, "middle")  # fmt: skip
