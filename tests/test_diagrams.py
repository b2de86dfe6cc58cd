"""The drawn diagrams: what the script makes, legible on light and dark pages, and true."""

import importlib
import re
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
import torch
from folders import names_in
from PIL import ImageFont

import nst_tutorial as nst
from nst_tutorial.optimize.methods import LBFGS
from nst_tutorial.settings import Settings
from nst_tutorial.tiling import split_into_windows
from nst_tutorial.vgg.layers import BLOCKS, CHANNELS, LAYERS

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "images" / "diagrams"
DIAGRAMS = sorted(FOLDER.glob("*.svg"))
NAMES = ["gram", "pipeline", "tiles", "two_clouds", "two_loop", "vgg19"]
SVG = "{http://www.w3.org/2000/svg}"
PAGES = ("#ffffff", "#111111")
STYLE_LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]

every_diagram = pytest.mark.parametrize("path", DIAGRAMS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def drawing():
    """Import a module from beside the script."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "images")
        yield importlib.import_module


def elements(name, tag):
    return list(ElementTree.parse(FOLDER / f"{name}.svg").iter(SVG + tag))


def number(element, *names):
    values = [float(element.get(name)) for name in names]
    return values[0] if len(values) == 1 else values


def words(element):
    return "".join(element.itertext())


def texts(name):
    """(x, y, words) of every line, in the order of drawing."""
    return [(*number(e, "x", "y"), words(e)) for e in elements(name, "text")]


def inside(x, y, rectangle):
    left, top, width, height = number(rectangle, "x", "y", "width", "height")
    return left <= x <= left + width and top <= y <= top + height


def test_the_script_makes_the_bundled_files(drawing, tmp_path):
    drawing("make_diagrams").make_diagrams(tmp_path)
    assert names_in(tmp_path) == names_in(FOLDER) == [f"{name}.svg" for name in NAMES]
    for path in DIAGRAMS:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_every_diagram_is_credited():
    credits = (ROOT / "images" / "CREDITS.md").read_text()
    assert all(f"diagrams/{path.name}" in credits for path in DIAGRAMS)


@every_diagram
def test_a_diagram_stands_alone(path):
    source = path.read_text()
    root = ElementTree.fromstring(source)
    assert len(path.read_bytes()) <= 30_000
    assert float(root.get("width")) <= 700
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    title, description = (root.findtext(SVG + tag) for tag in ("title", "desc"))
    assert 10 < len(title) < 80
    assert len(description) > 150
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
        *("svg", "title", "desc", "text", "tspan", "path", "rect", "circle")
    }
    assert not re.search(r"href|url\(|@import|&(?!amp|lt|gt)", source)
    assert re.findall(r"https?:[^\"]*", source) == ["http://www.w3.org/2000/svg"]
    fonts = set(re.findall(r'font-family="([^"]*)"', source))
    assert fonts <= {"sans-serif", "serif", "monospace"}


def luminance(color):
    """Relative luminance of #rrggbb (WCAG 2.1)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a, b):
    darker, lighter = sorted(map(luminance, (a, b)))
    return (lighter + 0.05) / (darker + 0.05)


@every_diagram
def test_colours_read_on_light_and_dark_pages(path):
    root = ElementTree.parse(path).getroot()
    boxes = []  # what has been drawn opaquely so far
    for element in root.iter():
        if element.tag == SVG + "rect" and "fill-opacity" not in element.attrib:
            boxes.append(element)
        if element.tag != SVG + "text":
            colors = {element.get("fill", "none"), element.get("stroke", "none")} - {"none"}
            assert all(contrast(c, page) >= 3 for c in colors for page in PAGES), element.attrib
            continue
        x, y = number(element, "x", "y")
        ground = [box.get("fill") for box in boxes if inside(x, y, box)][-1:]
        ground = [color for color in ground if color != "none"] or PAGES
        color = element.get("fill")
        assert all(contrast(color, g) >= 3.9 for g in ground), (words(element), color, ground)


def extent(element, usual):
    """Left and right end of a line, in the widest of the usual fonts; `usual`: its size."""
    size = float(element.get("font-size", usual))
    pieces = [(element.text, {}), *((e.text, e.attrib) for e in element)]
    pieces += [(e.tail, {}) for e in element]
    width = 0
    for text, attributes in pieces:
        family = attributes.get("font-family", "sans-serif")
        face = {"serif": "Serif-Italic", "monospace": "SansMono", "sans-serif": "Sans"}[family]
        bold = "-Bold" if element.get("font-weight") and "Italic" not in face else ""
        font = Path(matplotlib.get_data_path(), "fonts", "ttf", f"DejaVu{face}{bold}.ttf")
        scale = float(attributes.get("font-size", size)) / 100
        width += scale * ImageFont.truetype(font, 100).getlength(text or "")
    x = float(element.get("x"))
    left = x - {"start": 0, "middle": width / 2, "end": width}[element.get("text-anchor")]
    return left, left + width


@every_diagram
def test_text_fits_the_sheet_and_its_box(path):
    root = ElementTree.parse(path).getroot()
    rectangles = [e for e in root.iter(SVG + "rect") if "fill-opacity" not in e.attrib]
    for element in root.iter(SVG + "text"):
        if "transform" in element.attrib:  # along an axis
            continue
        left, right = extent(element, root.get("font-size"))
        assert left >= 4, words(element)
        assert right <= 696, words(element)
        if element.get("fill") == "#ffffff":
            x, y = number(element, "x", "y")
            box = next(r for r in reversed(rectangles) if inside(x, y, r))
            begin, width = number(box, "x", "width")
            assert begin + 3 <= left, words(element)
            assert right <= begin + width - 3, words(element)


def receptive_fields():
    """Layer → side in pixels, by the recursion r ← r + (k - 1) s, s ← s t."""
    fields, r, s = {}, 1, 1
    for name in LAYERS:
        kernel, step = {"conv": (3, 1), "relu": (1, 1), "pool": (2, 2)}[name[:4]]
        r, s = r + (kernel - 1) * s, s * step
        fields[name] = r
    return fields


def test_vgg19_has_every_layer_with_its_receptive_field():
    lines = [said for *_, said in texts("vgg19")]
    names = [said for said in lines if re.match(r"(conv|relu|pool)\d", said)]
    assert names == list(LAYERS)
    for name, field in receptive_fields().items():
        if not name.startswith("conv"):  # whose number is that of its ReLU, beside both
            assert lines[lines.index(name) + 1] == str(field), name
    assert [said for said in lines if "channels" in said] == [f"{c} channels" for c in CHANNELS]
    assert "H/16 × W/16" in lines


def test_vgg19_draws_the_fields_to_scale_and_marks_what_is_compared():
    squares = [e for e in elements("vgg19", "rect") if e.get("rx") == "0"]
    sides = [number(e, "width") for e in squares]
    fields = [r for name, r in receptive_fields().items() if name.startswith("relu")]
    assert len(sides) == sum(BLOCKS)
    ratios = [side / field for side, field in zip(sides, fields, strict=True)]
    assert max(ratios) - min(ratios) < 0.005
    relus = [e for e in elements("vgg19", "text") if words(e).startswith("relu")]
    boxes = [e for e in elements("vgg19", "rect") if e.get("height") == "42"]
    marked = {"#c45500": [], "#1279bd": [], "#666c74": []}
    for text, box in product(relus, boxes):
        if inside(*number(text, "x", "y"), box):
            marked[box.get("fill")].append(words(text))
    assert marked["#c45500"] == STYLE_LAYERS
    assert marked["#1279bd"] == ["relu4_2"]


def test_the_pipeline_names_the_default_layers():
    lines = [said for *_, said in texts("pipeline")]
    settings = Settings()
    assert lines.count("relu4_2") == lines.count("relu1_1 … relu5_1") == 2
    assert list(settings.content_layers) == ["relu4_2"]
    assert list(settings.style_layers) == STYLE_LAYERS


def test_the_gram_matrix_is_worked_out_right(drawing):
    rows = drawing("drawing.gram").FEATURES
    F = torch.tensor(rows, dtype=torch.float64)
    G = 4 * nst.gram_matrix(F.view(1, 3, 2, 2))[0]
    (outline,) = (e for e in elements("gram", "rect") if e.get("fill") == "none")
    cells = sorted((y, x, int(said)) for x, y, said in texts("gram") if inside(x, y, outline))
    assert [value for *_, value in cells] == G.flatten().tolist()
    (sentence,) = (said for *_, said in texts("gram") if said.startswith("G13"))
    _, products, result = sentence.split(" = ")
    pairs = [tuple(map(int, p.split(" · "))) for p in products.split(" + ")]
    assert pairs == list(zip(rows[0], rows[2], strict=True))
    assert sum(a * b for a, b in pairs) == int(result) == G[0, 2]


def test_the_clouds_have_the_mmd_that_is_printed():
    circles = elements("two_clouds", "circle")
    assert len(circles) == 40
    printed = [float(said) for *_, said in texts("two_clouds") if re.fullmatch(r"\d\.\d+", said)]
    for case in (0, 1):
        points = [number(e, "cx", "cy") for e in circles[20 * case : 20 * case + 20]]
        y, x = torch.tensor(points).div(36).view(2, 10, 2).mT[..., None].split(1)  # 36 px a unit
        within_x, within_y, between, mmd2 = printed[4 * case : 4 * case + 4]
        assert round(within_x + within_y - between, 3) == mmd2
        kernel = nst.kernels.GaussianPairs(bandwidth=1.0)
        assert nst.kernels.mmd2(x, y, kernel).item() == pytest.approx(mmd2, abs=2e-3)
    assert printed[3] > 100 * printed[7]


def as_python(formula):
    """A drawn formula as an assignment, its indices as keys."""
    formula = formula.replace("−", "-").replace("←", "=")
    formula = re.sub(r"([αρsy])(k-[12m])", r"\1['\2']", formula)
    formula = re.sub(r"([\])]) ([sy]\[)", r"\1 * \2", formula)
    return re.sub(r"T([qr])\b", r" @ \1", formula)


def test_the_two_loops_as_drawn_give_the_step_of_lbfgs():
    """The formulas are run in the order of the arrows: down on the left, up on the right."""
    g, s, y = torch.randn(3, 3, 7, generator=torch.Generator().manual_seed(0)).double()
    y = s + 0.3 * y  # so that y·s > 0
    method = LBFGS()
    method.pairs.extend((a, b, 1 / (a @ b)) for a, b in zip(s, y, strict=True))  # oldest first
    keys = ["k-m", "k-2", "k-1"]
    space = {"q": g[0], "α": {}, "s": dict(zip(keys, s, strict=True)),
             "y": dict(zip(keys, y, strict=True)),
             "ρ": {k: 1 / (a @ b) for k, a, b in zip(keys, s, y, strict=True)}}  # fmt: skip
    lines = texts("two_loop")
    left = sorted((y, said) for x, y, said in lines if x < 200 and re.match("[αq]", said))
    right = sorted((y, said) for x, y, said in lines if x > 480 and re.match("[βr]", said))
    down, boxes = [said for _, said in left], zip(right[::2], right[1::2], strict=True)
    up = [said for box in reversed(list(boxes)) for _, said in box]
    assert len(down) == len(up) == 6
    said = [said for *_, said in lines]
    assert "turn:  r ← γ q" in said
    assert "γ = sTy / yTy  of the newest pair" in said
    for formula in down:
        exec(as_python(formula), space)
    space["r"] = space["q"] * (s[2] @ y[2]) / (y[2] @ y[2])
    for formula in up:
        exec(as_python(formula), space)
    torch.testing.assert_close(space["r"], method.direction(g[0]))
    assert "step:  −r = −H g" in said


def test_the_tiles_are_those_of_the_package():
    said = " ".join(said for *_, said in texts("tiles"))
    width, height, count = map(int, re.search(r"of (\d+) × (\d+) pixels in (\d+)", said).groups())
    (tile,) = map(int, re.search(r"tile (\d+) × \1", said).groups())
    windows = split_into_windows((height, width), tile, ["relu4_2", *STYLE_LAYERS])
    assert len(windows) == count
    blocks = {w.block[0].stop - w.block[0].start for w in windows}
    block, corner = map(int, re.search(r"block (\d+) × \1 .*?(\d+) × \2", said).groups())
    assert {block, corner} == blocks
    margin, cells, side = map(int, re.search(r"margin (\d+) .*: (\d+) × (\d+)", said).groups())
    assert {margin} == {w.margin for w in windows}
    assert cells * side == margin
    assert f"{block}² / {tile}² = {(block / tile) ** 2:.2f}" in said
    assert block == tile + 2 * margin


def test_blocks_of_tiles_are_drawn_to_scale():
    picture, inner, own, last, _, *_ = elements("tiles", "rect")
    scale = number(picture, "width") / 2048
    left, top = number(picture, "x", "y")
    windows = split_into_windows((1536, 2048), 512, STYLE_LAYERS)
    for element, parts in (
        (inner, windows[5].block),
        (own, (windows[5].rows, windows[5].columns)),
        (last, windows[-1].block),
    ):
        x, y, width, height = number(element, "x", "y", "width", "height")
        rows, columns = parts
        drawn = [(x - left), (x - left + width), (y - top), (y - top + height)]
        assert [v / scale for v in drawn] == pytest.approx(
            [columns.start, columns.stop, rows.start, rows.stop], abs=0.2
        )
