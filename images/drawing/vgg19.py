"""VGG19 as five blocks, with names, channels and receptive fields."""

from __future__ import annotations

from nst_tutorial.settings import STYLE_LAYERS, Settings
from nst_tutorial.vgg.layers import BLOCKS, CHANNELS, CONVOLUTIONS, reach, stride

from .canvas import CONTENT, HAIRLINE, INK, SLATE, SMALL, STYLE, WHITE, Drawing

LEFT, COLUMN, GAP = 20, 116, 20
TOP, ROW, SPACE = 92, 42, 10  # of the first layer, of each, between them
POOL = 26
FIELDS = 362  # top of the squares
CONTENT_LAYERS = tuple(Settings().content_layers)


def vgg19() -> Drawing:
    draw = Drawing(
        700,
        548,
        "VGG19: five blocks, their layers and how far they see",
        f"Five blocks of {', '.join(map(str, BLOCKS))} convolutions, each followed by a ReLU, with "
        f"{', '.join(map(str, CHANNELS))} channels; a pooling that halves height and width ends "
        "each. Sides of the receptive fields in pixels: "
        + ", ".join(f"{relu_of(name)} {field(name)}" for name in CONVOLUTIONS)
        + f". The content is compared at {', '.join(CONTENT_LAYERS)}, the style at "
        f"{', '.join(STYLE_LAYERS)}.",
    )
    for block in range(1, len(BLOCKS) + 1):
        draw_header(draw, block)
        draw_layers(draw, block)
        draw_fields(draw, block)
    draw_explanation(draw)
    return draw


def relu_of(convolution: str) -> str:
    return convolution.replace("conv", "relu")


def field(layer: str) -> int:
    """The side of a layer's receptive field in pixels."""
    return stride(layer) + 2 * reach(layer)


def color_of(layer: str, otherwise: str = SLATE) -> str:
    if layer in CONTENT_LAYERS:
        return CONTENT
    return STYLE if layer in STYLE_LAYERS else otherwise


def left_of(block: int) -> float:
    return LEFT + (block - 1) * (COLUMN + GAP)


def convolutions_of(block: int) -> list[str]:
    return [name for name in CONVOLUTIONS if name.startswith(f"conv{block}_")]


def draw_header(draw: Drawing, block: int) -> None:
    middle = left_of(block) + COLUMN / 2
    step = stride(convolutions_of(block)[0])
    size = "*H* × *W*" if step == 1 else f"*H*/{step} × *W*/{step}"
    lines = ((f"block {block}", {"font_weight": "bold", "font_size": 15}),
             (f"{CHANNELS[block - 1]} channels", {}), (size, {}))  # fmt: skip
    for y, (words, more) in zip((30, 51, 72), lines, strict=True):
        draw.text(middle, y, words, INK, "middle", **more)


def draw_layers(draw: Drawing, block: int) -> None:
    left, middle = left_of(block), left_of(block) + COLUMN / 2
    for row, name in enumerate(convolutions_of(block)):
        top = TOP + row * (ROW + SPACE)
        draw_layer(draw, left, top, name)
        draw.arrow((middle, top + ROW), (middle, top + ROW + SPACE))
    top = TOP + BLOCKS[block - 1] * (ROW + SPACE)
    draw.frame(left, top, COLUMN, POOL)
    draw.text(left + 10, top + 17, f"`pool{block}`", font_size=SMALL)
    draw.text(left + COLUMN - 10, top + 17, f"{field(f'pool{block}')}", INK, "end")
    if block < len(BLOCKS):
        between, right, first = left + COLUMN + GAP / 2, left + COLUMN, TOP + ROW / 2
        y = top + POOL / 2
        draw.arrow((right, y), (between, y), (between, first), (right + GAP, first))


def draw_layer(draw: Drawing, left: float, top: float, convolution: str) -> None:
    """A convolution, its ReLU, and the side of what both see."""
    relu = relu_of(convolution)
    draw.box(left, top, COLUMN, ROW, color=color_of(relu))
    draw.text(left + 10, top + 16, f"`{convolution}`", WHITE, font_size=SMALL)
    draw.text(left + 10, top + 33, f"`{relu}`", WHITE, font_weight="bold")
    draw.text(left + COLUMN - 10, top + 28, f"{field(relu)}", WHITE, "end", font_size=16)


def draw_fields(draw: Drawing, block: int) -> None:
    """The receptive fields of a block around one middle, to scale, and a unit's step inside."""
    x, y = left_of(block) + COLUMN / 2, FIELDS + COLUMN / 2
    scale = COLUMN / max(map(field, CONVOLUTIONS))
    for name in convolutions_of(block):
        relu = relu_of(name)
        side, color = scale * field(relu), color_of(relu, INK)
        more = {"rx": 0, "stroke_width": HAIRLINE, "fill_opacity": 0.08}
        draw.frame(x - side / 2, y - side / 2, side, side, color, **more)
    step = scale * stride(relu)
    draw.add("rect", x=x - step / 2, y=y - step / 2, width=step, height=step, fill=INK)


def draw_explanation(draw: Drawing) -> None:
    y = FIELDS + COLUMN
    draw.text(LEFT, y + 28, "Numbers: side of the receptive field in pixels. Squares: the same "
              "fields to scale.")  # fmt: skip
    draw.legend(LEFT, y + 56, "content is compared here", CONTENT)
    draw.legend(LEFT + 230, y + 56, "style is compared here", STYLE)
