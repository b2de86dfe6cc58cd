"""Style transfer from the three pictures to the next step."""

from __future__ import annotations

from math import cos, pi, sin

from nst_tutorial.settings import STYLE_LAYERS, Settings

from .canvas import CONTENT, INK, LINE, RESULT, SLATE, SMALL, STYLE, WHITE, Drawing

WIDTH, HEIGHT = 96, 72  # of a picture
LEFT = 30  # of the pictures
ROWS = {"content": 76, "result": 200, "style": 324}  # their middles
NETWORK = (164, 72)  # left, width
FEATURES = (270, 144)
LOSSES = (440, 108)
TOTAL = (594, 78)
RETURN = 416  # the way back


def pipeline() -> Drawing:
    (content_layer,) = Settings().content_layers
    draw = Drawing(
        700,
        450,
        "Style transfer: from three pictures to the next step",
        "The content picture, the result and the style picture pass through the same network "
        f"VGG19. The features of {content_layer} of the content and the result are compared by "
        f"the content loss, the statistics of {STYLE_LAYERS[0]} to {STYLE_LAYERS[-1]} of the style "
        "and the result by the style loss. Both are weighted and added up to the total loss. Its "
        "gradient goes back through the network to the pixels of the result, and L-BFGS changes "
        "these; then all begins anew.",
    )
    draw_pictures(draw)
    draw_network(draw)
    draw_features(draw, f"`{content_layer}`", f"`{STYLE_LAYERS[0]}` … `{STYLE_LAYERS[-1]}`")
    draw_losses(draw)
    draw_way_back(draw)
    return draw


def draw_pictures(draw: Drawing) -> None:
    content, result, style = ROWS.values()
    titles = ((content, "content *c*", CONTENT), (result, "result *x*", RESULT),
              (style, "style *y*", STYLE))  # fmt: skip
    for middle, words, color in titles:
        top = middle - HEIGHT / 2
        draw.text(LEFT, top - 9, words, color, font_weight="bold")
        draw.frame(LEFT, top, WIDTH, HEIGHT, color)
    draw_hills(draw, content, CONTENT, 1)
    draw_hills(draw, result, CONTENT, 0.5)
    draw_swirls(draw, result)
    draw_swirls(draw, style)


def draw_hills(draw: Drawing, middle: float, color: str, opacity: float) -> None:
    """Two hills and a sun: a picture with a content."""
    ground = middle + HEIGHT / 2 - 6
    more = {"fill": color, "fill_opacity": opacity}
    draw.add("circle", cx=LEFT + 70, cy=middle - 14, r=9, **more)
    outline = ((10, 0), (36, 42), (51, 18), (61, 30), (86, 0))
    draw.polygon(*((LEFT + x, ground - height) for x, height in outline), **more)


def draw_swirls(draw: Drawing, middle: float) -> None:
    """Spirals and waves: a picture with a style."""
    for x, y, size in ((28, -14, 14), (70, -12, 15)):
        turns = [0.22 * i for i in range(62)]
        spiral = [(LEFT + x + size * t / 13.6 * cos(t), middle + y + size * t / 13.6 * sin(t))
                  for t in turns]  # fmt: skip
        draw.line(*spiral, color=STYLE)
    for y in (12, 20, 28):
        wave = [(LEFT + 8 + x, middle + y + 3 * sin(2 * pi * x / 26)) for x in range(0, 81, 4)]
        draw.line(*wave, color=STYLE)


def draw_network(draw: Drawing) -> None:
    left, width = NETWORK
    top, bottom = ROWS["content"] - 46, ROWS["style"] + 46
    draw.box(left, top, width, bottom - top, ("", "", "the same", "for all,", "never", "changed"),
             size=SMALL)  # fmt: skip
    draw.text(left + width / 2, ROWS["result"] - 22, "VGG19", WHITE, "middle",
              font_size=16, font_weight="bold")  # fmt: skip
    for middle in ROWS.values():
        draw.arrow((LEFT + WIDTH, middle), (left, middle))


def draw_features(draw: Drawing, content_layer: str, style_layers: str) -> None:
    (left, width), start = FEATURES, sum(NETWORK)
    boxes = (
        (ROWS["content"], "features *F*", content_layer, CONTENT),
        (ROWS["result"] - 32, "features *F*", content_layer, CONTENT),
        (ROWS["result"] + 32, "statistics *S*", style_layers, STYLE),
        (ROWS["style"], "statistics *S*", style_layers, STYLE),
    )
    for middle, words, layers, color in boxes:
        draw.arrow((start, middle), (left, middle))
        draw.box(left, middle - 23, width, 46, (words, layers), color, SMALL + 0.5)
    for y, words in ((ROWS["content"] - 32, "measured once"),
                     (ROWS["result"] + 4, "measured at every step"),
                     (ROWS["style"] + 40, "measured once")):  # fmt: skip
        draw.text(left + width / 2, y, words, INK, "middle", font_size=SMALL)


def draw_losses(draw: Drawing) -> None:
    (left, width), start, (total, side) = LOSSES, sum(FEATURES), TOTAL
    middle = left + width / 2
    sums = total + side / 2
    for words, target, near, color, weight in (
        ("content loss", ROWS["content"], ROWS["result"] - 32, CONTENT, "× *α*"),
        ("style loss", ROWS["style"], ROWS["result"] + 32, STYLE, "× *β*"),
    ):
        y = (target + near) / 2
        towards = 1 if target < near else -1
        draw.arrow((start, target), (middle, target), (middle, y - 16 * towards))
        draw.arrow((start, near), (middle, near), (middle, y + 16 * towards))
        draw.box(left, y - 16, width, 32, (words,), color)
        end = ROWS["result"] - 26 * towards
        draw.arrow((left + width, y), (sums, y), (sums, end))
        draw.text((left + width + sums) / 2, y - 8, weight, color, "middle", font_size=15)
    draw.box(total, ROWS["result"] - 26, side, 52, ("total loss", "*L*"), SLATE)


def draw_way_back(draw: Drawing) -> None:
    right, middle = sum(TOTAL), ROWS["result"]
    gradient, step = (404, 216), (164, 180)  # left, width
    more = {"color": RESULT, "stroke_width": LINE}
    draw.arrow((right, middle), (right + 16, middle), (right + 16, RETURN),
               (sum(gradient), RETURN), **more)  # fmt: skip
    draw.arrow((gradient[0], RETURN), (sum(step), RETURN), **more)
    draw.arrow((step[0], RETURN), (12, RETURN), (12, middle), (LEFT, middle), **more)
    draw.box(gradient[0], RETURN - 16, gradient[1], 32, ("∂*L*/∂*x*, back through VGG19",), RESULT)
    draw.box(step[0], RETURN - 16, step[1], 32, ("L-BFGS: the next *x*",), RESULT)
