"""A picture in tiles, the margin around each, and the two passes that make them exact."""

from __future__ import annotations

from itertools import pairwise

from nst_tutorial.settings import STYLE_LAYERS, Settings
from nst_tutorial.tiling import Window, split_into_windows
from nst_tutorial.vgg.layers import LAYERS, margin, reach, stride

from .canvas import RESULT, WHITE, Drawing

SIZE, TILE = (1536, 2048), 512  # height and width of the picture, side of a tile
SCALE = 0.185
LEFT, TOP = 24, 48  # of the picture
NUMBERS = 436  # left edge of the numbers
STEPS, STEP_TOP = (24, 252, 480), 388  # left edges of the steps, their top
SMALL_SCALE = 0.13  # of the steps
LAYERS_COMPARED = (*Settings().content_layers, *STYLE_LAYERS)
DEEPEST = max(LAYERS_COMPARED, key=LAYERS.index)


def windows() -> list[Window]:
    return split_into_windows(SIZE, TILE, LAYERS_COMPARED)


def is_inside(window: Window) -> bool:
    """Whether the window's block has its margin on every side."""
    return side_of(window.block[0]) == side_of(window.block[1]) == TILE + 2 * window.margin


def tiles() -> Drawing:
    inside = next(filter(is_inside, windows()))
    block = side_of(inside.block[0])
    around = margin(LAYERS_COMPARED)
    draw = Drawing(
        700,
        560,
        "Tiles and margins: the same objective in parts",
        f"A picture of {SIZE[1]} × {SIZE[0]} pixels is cut into {len(windows())} tiles of {TILE} × "
        f"{TILE}. The network sees each with a margin of {around} pixels, in a block of {block} × "
        f"{block}; at the picture's border the margin ends. {DEEPEST} reaches {reach(DEEPEST)} "
        f"pixels beyond its cell of {stride(DEEPEST)}, which is rounded up to whole cells. First "
        "the features of the tiles alone are added up to the statistic S of the whole picture; "
        "then the loss's slope D there is computed once; then the gradients of whole blocks are "
        "added, so that they overlap in the margins.",
    )
    draw_picture(draw, inside)
    draw_numbers(draw, inside)
    draw_steps(draw, inside)
    return draw


def side_of(part: slice) -> int:
    return part.stop - part.start


def place(rows: slice, columns: slice) -> dict[str, float]:
    """Where a part of the picture lies on the sheet, as attributes of a rectangle."""
    return {"x": LEFT + SCALE * columns.start, "y": TOP + SCALE * rows.start,
            "width": SCALE * side_of(columns), "height": SCALE * side_of(rows)}  # fmt: skip


def draw_picture(draw: Drawing, inside: Window) -> None:
    whole = place(slice(0, SIZE[0]), slice(0, SIZE[1]))
    draw.text(LEFT, TOP - 18, f"A picture of {SIZE[1]} × {SIZE[0]} pixels in {len(windows())} "
              "tiles", font_weight="bold")  # fmt: skip
    draw.frame(**whole, rx=0)
    for window in windows():
        tile = place(window.rows, window.columns)
        if window.rows.start:
            draw.line((tile["x"], tile["y"]), (tile["x"] + tile["width"], tile["y"]))
        if window.columns.start:
            draw.line((tile["x"], tile["y"]), (tile["x"], tile["y"] + tile["height"]))
    for window in (inside, windows()[-1]):
        draw_window(draw, window)


def draw_window(draw: Drawing, window: Window) -> None:
    """The tile's own pixels, and around them the block."""
    draw_block(draw, place(*window.block))
    own = place(window.rows, window.columns)
    draw.add("rect", **own, fill=RESULT)
    middle = own["x"] + own["width"] / 2
    draw.text(middle, own["y"] + own["height"] / 2 + 5, "tile", WHITE, "middle", font_size=16)


def draw_block(draw: Drawing, where: dict[str, float]) -> None:
    draw.frame(**where, color=RESULT, rx=0, fill_opacity=0.22, stroke_dasharray="5 3")


def draw_numbers(draw: Drawing, inside: Window) -> None:
    """What the network sees of a tile, and why."""
    block, around = side_of(inside.block[0]), inside.margin
    corner, cell = side_of(windows()[-1].block[0]), stride(DEEPEST)
    paragraphs = (
        (f"tile {TILE} × {TILE}", "the pixels whose features count"),
        (f"block {block} × {block}", "what the network sees for it;",
         f"{corner} × {corner} in a corner"),
        (f"margin {around}", f"`{DEEPEST}` sees {reach(DEEPEST)} pixels",
         f"beyond its {cell}-pixel cell, rounded",
         f"up to whole cells: {around // cell} × {cell}"),
        (f"{block}² / {TILE}² = {block**2 / TILE**2:.2f}", "times as many pixels to compute"),
    )  # fmt: skip
    y = TOP + 10
    for title, *lines in paragraphs:
        draw.text(NUMBERS, y, title, RESULT, font_weight="bold")
        for i, words in enumerate(lines, start=1):
            draw.text(NUMBERS, y + 19 * i, words)
        y += 19 * len(lines) + 34


def draw_steps(draw: Drawing, inside: Window) -> None:
    """Forward over all tiles, once for the whole, backward over all tiles."""
    side, around = SMALL_SCALE * TILE, SMALL_SCALE * inside.margin
    width, height = 2 * (side + around), side + 2 * around
    for left, own in ((STEPS[0], True), (STEPS[2], False)):
        for x in (left, left + side):
            draw_block(draw, {"x": x, "y": STEP_TOP, "width": side + 2 * around, "height": height})
        for x in (left + around, left + around + side) if own else ():
            draw.add("rect", x=x + 1, y=STEP_TOP + around + 1, width=side - 2, height=side - 2,
                     fill=RESULT)  # fmt: skip
    middle = STEP_TOP + height / 2
    draw.box(STEPS[1], middle - 32, width, 64, ("loss *L*(*S*)", "slope *D* = ∂*L*/∂*S*"))
    for a, b in pairwise(STEPS):
        draw.arrow((a + width + 14, middle), (b - 14, middle))
    texts = (
        ("1  forward", "The tiles' own features add", "up to the statistic *S*."),
        ("2  once", "Loss and slope belong to", "the whole picture."),
        ("3  backward", "The gradients of whole blocks", "are added, also in overlaps."),
    )
    for left, (title, *lines) in zip(STEPS, texts, strict=True):
        draw.text(left, STEP_TOP + height + 26, title, RESULT, font_weight="bold")
        for i, words in enumerate(lines, start=1):
            draw.text(left, STEP_TOP + height + 26 + 19 * i, words)
