"""A picture in tiles, the margin around each, and the two passes that make them exact."""

from __future__ import annotations

from nst_tutorial.settings import STYLE_LAYERS, Settings
from nst_tutorial.tiling import Window, split_into_windows
from nst_tutorial.vgg.layers import LAYERS, margin, reach, stride

from .canvas import INK, RESULT, SMALL, Drawing

SIZE, TILE = (1536, 2048), 512  # height and width of the picture, side of a tile
SCALE = 0.185
LEFT, TOP = 24, 64  # of the picture
PASSES = 452  # left edge of the explanation
LAYERS_COMPARED = (*Settings().content_layers, *STYLE_LAYERS)
DEEPEST = max(LAYERS_COMPARED, key=LAYERS.index)


def windows() -> list[Window]:
    return split_into_windows(SIZE, TILE, LAYERS_COMPARED)


def is_inside(window: Window) -> bool:
    """Whether the window's block has its margin on every side."""
    rows, columns = window.block
    height, width = window.size
    return 0 < rows.start and rows.stop < height and 0 < columns.start and columns.stop < width


def tiles() -> Drawing:
    inside = next(filter(is_inside, windows()))
    block = side_of(inside.block[0])
    around = margin(LAYERS_COMPARED)
    draw = Drawing(
        700,
        452,
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
    draw_measures(draw, inside)
    draw_passes(draw)
    draw_numbers(draw, around, block)
    return draw


def side_of(part: slice) -> int:
    return part.stop - part.start


def place(rows: slice, columns: slice) -> dict[str, float]:
    """Where a part of the picture lies on the sheet, as attributes of a rectangle."""
    return {"x": LEFT + SCALE * columns.start, "y": TOP + SCALE * rows.start,
            "width": SCALE * side_of(columns), "height": SCALE * side_of(rows)}  # fmt: skip


def draw_picture(draw: Drawing, inside: Window) -> None:
    for window in windows():
        draw.frame(**place(window.rows, window.columns), rx=0)
    for window in (inside, windows()[-1]):
        draw_window(draw, window)


def draw_window(draw: Drawing, window: Window) -> None:
    """The tile's own pixels, and around them the block."""
    draw.frame(**place(*window.block), color=RESULT, rx=0, fill_opacity=0.22,
               stroke_dasharray="5 3")  # fmt: skip
    own = place(window.rows, window.columns)
    draw.add("rect", **own, fill=RESULT)
    draw.text(own["x"] + own["width"] / 2, own["y"] + own["height"] / 2 + 5, "tile", "#ffffff",
              "middle", font_size=16)  # fmt: skip


def draw_measures(draw: Drawing, inside: Window) -> None:
    """Sides of the picture and of the tile, the block and the margin."""
    size = slice(0, SIZE[1])
    measure(draw, size, TOP - 34, f"{SIZE[1]} px")
    rows, columns = inside.block
    measure(draw, columns, TOP - 12, f"block {side_of(columns)}", RESULT)


def measure(draw: Drawing, part: slice, y: float, words: str, color: str = INK) -> None:
    a, b = LEFT + SCALE * part.start, LEFT + SCALE * part.stop
    draw.arrow(((a + b) / 2, y), (a, y), color=color)
    draw.arrow(((a + b) / 2, y), (b, y), color=color)
    draw.text((a + b) / 2, y - 6, words, color, "middle", font_size=SMALL)


def draw_passes(draw: Drawing) -> None:
    pass


def draw_numbers(draw: Drawing, around: int, block: int) -> None:
    pass
