"""The Gram matrix F Fᵀ of three channels at four positions, worked out."""

from __future__ import annotations

from .canvas import INK, LINE, SLATE, SMALL, STYLE, WHITE, Drawing

FEATURES = ((2, 1, 0, 1), (0, 3, 1, 0), (1, 0, 2, 2))  # a row a channel, a column a position
SIDE = 2  # a channel's map has 2 × 2 positions
ROW, COLUMN = 0, 2  # of the entry that is worked out
CELL, MAP_CELL = 36, 26
LEFT_OF_F, LEFT_OF_G, TOP_OF_G = 200, 396, 192
LEFT_OF_MAPS = 40

CHANNELS, POSITIONS = len(FEATURES), len(FEATURES[0])


def gram_matrix() -> list[list[int]]:
    return [[sum(a * b for a, b in zip(f, g, strict=True)) for g in FEATURES] for f in FEATURES]


def gram() -> Drawing:
    entry = gram_matrix()[ROW][COLUMN]
    draw = Drawing(
        700,
        424,
        "The Gram matrix G = F Fᵀ",
        f"The maps of {CHANNELS} channels with {SIDE} × {SIDE} positions each are written as the "
        f"rows of a matrix F of {CHANNELS} × {POSITIONS} numbers: {_rows(FEATURES)}. F times its "
        f"transpose is the matrix G of {CHANNELS} × {CHANNELS}: {_rows(gram_matrix())}. The entry "
        f"in row {ROW + 1}, column {COLUMN + 1} is the sum over all positions of channel {ROW + 1} "
        f"times channel {COLUMN + 1}: {worked_out('·')} = {entry}. The diagonal says how active a "
        "channel is, the other entries how much two channels are active together. Shuffling the "
        "positions changes the order of the columns of F, and G stays the same.",
    )
    draw_bands(draw)
    draw_maps(draw)
    draw_factors(draw)
    draw_product(draw)
    draw_explanation(draw, entry)
    return draw


def _rows(matrix) -> str:
    return "; ".join(" ".join(map(str, row)) for row in matrix)


def worked_out(times: str) -> str:
    pairs = zip(FEATURES[ROW], FEATURES[COLUMN], strict=True)
    return " + ".join(f"{a}{times}{b}" for a, b in pairs)


def draw_cell(draw: Drawing, x: float, y: float, value: int, size: float, color: str) -> None:
    draw.add("rect", x=x + 1, y=y + 1, width=size - 2, height=size - 2, rx=3, fill=color)
    draw.text(x + size / 2, y + 0.64 * size, str(value), WHITE, "middle", font_size=0.42 * size)


def color_of(channel: int) -> str:
    return STYLE if channel in (ROW, COLUMN) else SLATE


def draw_bands(draw: Drawing) -> None:
    """What meets in the entry that is worked out: a row from the left, a column from above."""
    x, y = LEFT_OF_G + COLUMN * CELL, TOP_OF_G + ROW * CELL
    more = {"fill": STYLE, "fill_opacity": 0.16}
    draw.add("rect", x=LEFT_OF_F, y=y, width=x - LEFT_OF_F, height=CELL, **more)
    top = TOP_OF_G - 16 - POSITIONS * CELL
    draw.add("rect", x=x, y=top, width=CELL, height=y - top, **more)


def draw_maps(draw: Drawing) -> None:
    side, gap = SIDE * MAP_CELL, 14
    top = TOP_OF_G + CHANNELS * CELL / 2 - (CHANNELS * side + (CHANNELS - 1) * gap) / 2
    draw.text(LEFT_OF_MAPS - 20, top - 34, "a layer's features,", INK)
    draw.text(LEFT_OF_MAPS - 20, top - 16, f"{CHANNELS} channels of {SIDE} × {SIDE}", INK)
    for channel, values in enumerate(FEATURES):
        y = top + channel * (side + gap)
        for position, value in enumerate(values):
            row, column = divmod(position, SIDE)
            x = LEFT_OF_MAPS + column * MAP_CELL
            draw_cell(draw, x, y + row * MAP_CELL, value, MAP_CELL, color_of(channel))
        middle = TOP_OF_G + (channel + 0.5) * CELL
        draw.arrow((LEFT_OF_MAPS + side + 10, y + side / 2), (LEFT_OF_F - 8, middle))


def draw_factors(draw: Drawing) -> None:
    top = TOP_OF_G - 16 - POSITIONS * CELL
    for channel, values in enumerate(FEATURES):
        for position, value in enumerate(values):
            x, y = LEFT_OF_F + position * CELL, TOP_OF_G + channel * CELL
            draw_cell(draw, x, y, value, CELL, SLATE if channel != ROW else STYLE)
            x, y = LEFT_OF_G + channel * CELL, top + position * CELL
            draw_cell(draw, x, y, value, CELL, SLATE if channel != COLUMN else STYLE)
    middle = LEFT_OF_F + POSITIONS * CELL / 2
    draw.text(middle, TOP_OF_G - 34, "*F*", INK, "middle", font_size=20)
    draw.text(middle, TOP_OF_G - 14, "one row per channel", INK, "middle", font_size=SMALL)
    right = LEFT_OF_G + CHANNELS * CELL
    draw.text(right + 18, top + 22, "*F*^{T}", INK, font_size=20)
    draw.text(right + 18, top + 42, "one column per channel", INK, font_size=SMALL)


def draw_product(draw: Drawing) -> None:
    for i, values in enumerate(gram_matrix()):
        for j, value in enumerate(values):
            color = STYLE if (i, j) == (ROW, COLUMN) else SLATE
            draw_cell(draw, LEFT_OF_G + j * CELL, TOP_OF_G + i * CELL, value, CELL, color)
    side = CHANNELS * CELL
    draw.add("rect", x=LEFT_OF_G - 3, y=TOP_OF_G - 3, width=side + 6, height=side + 6,
             rx=6, fill="none", stroke=INK, stroke_width=LINE)  # fmt: skip


def draw_explanation(draw: Drawing, entry: int) -> None:
    right, bottom = LEFT_OF_G + CHANNELS * CELL, TOP_OF_G + CHANNELS * CELL
    draw.text(right + 18, TOP_OF_G + 16, "*G* = *F* *F*^{T}", INK, font_size=20)
    notes = (
        "Diagonal: how active",
        "a channel is. Elsewhere:",
        "how much two channels",
        "are active together.",
    )
    for i, words in enumerate(notes):
        draw.text(right + 18, TOP_OF_G + 44 + 18 * i, words, font_size=SMALL)
    draw.text(right + 3, bottom + 36, f"*G*_{{{ROW + 1}{COLUMN + 1}}} = {worked_out(' · ')} = "
              f"{entry}", STYLE, "end", font_size=16)  # fmt: skip
    below = (
        "Shuffle the positions: the columns of *F* change places, *G* stays the same.",
        f"Divided by the number of positions, here {POSITIONS}, it does not grow with the picture.",
    )
    for i, words in enumerate(below):
        draw.text(20, bottom + 84 + 22 * i, words)
