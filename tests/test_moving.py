"""Explorers on static pages: what is stored is what Python answers, and a browser shows it."""

from __future__ import annotations

import base64
import dataclasses
import functools
import io
import json
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from browser import wait_until
from PIL import Image, ImageOps
from site_pages import need_the_runtime

from nst_tutorial import check, widgets
from nst_tutorial.league.standing import PRIOR, Vote, bradley_terry
from nst_tutorial.league.votes import pictures_to_vote_on
from nst_tutorial.texture_networks.generator import Generator
from nst_tutorial.texture_networks.painter import Painter
from nst_tutorial.widgets import Answer, Explorer
from nst_tutorial.widgets.components import Picture, PicturePicker
from nst_tutorial.widgets.explorers import controls, optimize

ROOT = Path(__file__).resolve().parents[1]
with pytest.MonkeyPatch.context() as _patch:
    _patch.syspath_prepend(ROOT / "docs")
    import moving
    from moving import answers, contents, layers, networks, quizzes, recipes, votes, walks

QUIZ = """check.quiz(
    "77",
    ...,  # 1: a) 64 × 64  b) four (4) times as many
    ...,  # 2: a) no  b) yes, a bit  c) G grows
)"""
PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">'


# --- a small explorer ------------------------------------------------------------------------


def drawn(red: int, green: int, kind: str, tick: bool) -> Image.Image:
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:10, :, 0], pixels[..., 1], pixels[:, ::2, 2] = red, green, 255 * tick
    pixels[5:15, 5:15] = {"plain": 0, "square": 200}[kind]
    return Image.fromarray(pixels)


def file_of(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def small_explorer(compares: bool = False) -> Explorer:
    """Controls of each kind; `green` does nothing while the kind is "plain"."""

    def answer(red: int, green: float, kind: str, tick: bool) -> Answer:
        picture = drawn(red, round(green), kind, tick)
        dark = file_of(ImageOps.invert(picture), "PNG")
        shown = (Picture(file_of(picture, "PNG"), dark), Picture(file_of(picture, "JPEG")))
        shown = shown if tick or compares else shown[:1]
        return Answer(shown, f"<b>{kind}</b>: red {red}, green {green:.1f}")

    knobs = {
        "red": controls.steps_of([0, 40, 250], 40, "red", "a tip"),
        "green": controls.span_of(0, 200, 25, 100, "green", ""),
        "kind": controls.choice(["plain", "square"], "square", "", ""),
        "tick": controls.tick(True, "stripes", ""),
    }
    knobs["kind"].observe(
        lambda change: setattr(knobs["green"], "disabled", change["new"] == "plain"), "value"
    )
    return Explorer("a small explorer", knobs, answer, ("48%", "48%"), compares=compares)


SMALL = answers.Recipe(small_explorer, every={"green": 4})


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    answers.write_answers(SMALL, folder)
    return folder


def pixels(picture: bytes | Path) -> np.ndarray:
    with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture) as image:
        return np.asarray(image.convert("RGB"), int)


def test_every_stored_answer_is_that_of_the_explorer(small):
    stored, explorer = json.loads((small / "explorer.json").read_text()), small_explorer()
    assert stored["sparse"] == {"green": [0, 4, 8]}
    assert stored["off"] == {"green": ["kind", [0]]}
    reds, kinds = [0, 40, 250], ["plain", "square"]
    wanted = [*product(range(3), (0, 4, 8), [1], range(2)), *product(range(3), [4], [0], range(2))]
    assert set(stored["answers"]) == {",".join(map(str, marks)) for marks in wanted}
    for red, green, kind, tick in wanted:
        words, *numbers = stored["answers"][f"{red},{green},{kind},{tick}"]
        answer = explorer.answer(reds[red], 25.0 * green, kinds[kind], bool(tick))
        assert words == answer.words
        assert len(numbers) == len(answer.pictures)
        for number, picture in zip(numbers, answer.pictures, strict=True):
            light, width, height, dark = stored["pictures"][number]
            assert (width, height) == (30, 20)
            assert (pixels(small / light) == pixels(picture.light)).all()
            assert bool(dark) == bool(picture.dark)
            if dark:
                assert (pixels(small / dark) == 255 - pixels(picture.light)).all()
    used = {file for light, _, _, dark in stored["pictures"] for file in (light, dark) if file}
    assert used | {"explorer.json"} == {path.name for path in small.iterdir()}


def test_controls_are_read_off_the_widgets(small):
    controls = json.loads((small / "explorer.json").read_text())["controls"]
    kinds = {each["name"]: (each["kind"], each["index"], each["labels"]) for each in controls}
    assert kinds == {
        "red": ("slider", 1, ["0", "40", "250"]),
        "green": ("slider", 4, [f"{25 * i}.00" for i in range(9)]),
        "kind": ("choice", 1, ["plain", "square"]),
        "tick": ("tick", 1, ["no", "yes"]),
    }
    assert {each["name"]: each["tip"] for each in controls if each["tip"]} == {"red": "a tip"}
    picker = PicturePicker("picture", ["a", "b"], "b", look=lambda name: b"")
    assert answers.control_of("picture", picker) == answers.Control(
        "picture", "pictures", "picture", "", ("a", "b"), ("a", "b"), 1
    )
    with pytest.raises(TypeError, match="title: no page shows a Text"):
        answers.control_of("title", ipywidgets.Text())


def test_what_a_choice_makes_idle_is_stored_once():
    red, kind = (
        answers.control_of(name, small_explorer().controls[name]) for name in ("red", "kind")
    )
    stored = list(answers.combinations([red, kind], {"red": ["kind", [0]]}, {}))
    assert stored == [(0, 1), (1, 0), (1, 1), (2, 1)]


def test_a_large_drawing_is_nearly_the_same(tmp_path):
    rough = torch.rand(200, 200, 3, generator=torch.Generator().manual_seed(0))
    smooth = F.avg_pool2d(rough.permute(2, 0, 1)[None], 9, 1, 4)[0].permute(1, 2, 0)
    drawing = file_of(Image.fromarray((255 * smooth).byte().numpy()), "PNG")
    pictures = answers.Pictures(tmp_path)
    assert pictures.add(Picture(drawing)) == pictures.add(Picture(drawing)) == 0
    ((name, *_, dark),) = pictures.files
    assert dark == ""
    assert (tmp_path / name).stat().st_size < len(drawing) / 3
    apart = np.abs(pixels(tmp_path / name) - pixels(drawing))
    assert 0 < apart.mean() < 4


def test_a_drawing_without_paper_keeps_none(tmp_path):
    ink = Image.new("RGBA", (9, 9), (0, 0, 0, 0))
    ink.paste((200, 200, 200, 255), (3, 3, 6, 6))
    pictures = answers.Pictures(tmp_path)
    pictures.add(Picture(file_of(ink.convert("RGB"), "PNG"), file_of(ink, "PNG")))
    ((_, width, height, dark),) = pictures.files
    with Image.open(tmp_path / dark) as stored:
        opacity = np.asarray(stored.convert("RGBA"))[..., 3]
    assert (opacity == np.asarray(ink)[..., 3]).all()
    assert (width, height) == (9, 9)


# --- contents --------------------------------------------------------------------------------


def sources(stem: str) -> list[str]:
    notebook = json.loads((ROOT / "notebooks" / f"{stem}.ipynb").read_text())
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def test_each_snippet_has_one_cell():
    for stem, places in moving.NAMES.items():
        for text, name in places:
            holding = [source for source in sources(stem) if text in source]
            assert len(holding) == 1, (stem, text)
            assert name in moving.TITLES or name == contents.PREDICTIONS


def test_every_explorer_of_the_notebooks_is_on_the_pages():
    called = {
        (path.stem, explorer)
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for source in sources(path.stem)
        for explorer in re.findall(r"widgets\.(\w+_explorer)\(", source)
    }
    placed = {
        (stem, re.search(r"widgets\.(\w+_explorer)", text).group(1))
        for stem, places in moving.NAMES.items()
        for text, _ in places
        if "_explorer(" in text
    }
    assert placed == called
    assert {each for each in widgets.__all__ if each.endswith("_explorer")} == {
        explorer for _, explorer in placed
    }
    written = set(contents.WRITERS)
    assert set(moving.PLAY) < written
    assert written - set(moving.PLAY) == {"networks", "runtime"}


def test_a_snippet_finds_the_scripts_from_any_depth():
    page = moving.snippet("gram", depth=2)
    assert 'src="../../moving/moving.js"' in page
    assert 'href="../../moving/moving.css"' in page
    assert 'data-explorer="gram"' in page
    assert "predictions.js" in moving.snippet("predictions")
    with pytest.raises(KeyError):
        moving.snippet("no_such")


def test_what_the_painter_needs_is_loaded_with_a_page_that_begins_with_it(tmp_path):
    contents.write_page(tmp_path)
    named = contents.scripts_of("painter.js")
    assert set(named) > {"painter.js", "networks.js", "controls.js", "step_slider.js"}
    page = moving.preloads(depth=1)
    for name in named:
        imports = re.findall(r"^import\b", (tmp_path / name).read_text(), re.MULTILINE)
        found = contents.IMPORT.findall((tmp_path / name).read_text())
        assert len(found) == len(imports), name
        assert set(found) <= set(named)
        assert f'rel="modulepreload" href="../moving/{name}"' in page
    assert 'new Worker("../moving/worker.js"' in page
    assert f'name: "{next(iter(networks.painters()))}"' in page
    assert not re.search("MOVING|NETWORK", page)
    assert moving.PLAY[0] == contents.FIRST


def test_the_page_has_the_components_of_the_notebooks(tmp_path):
    contents.write_page(tmp_path)
    components = ROOT / "nst_tutorial" / "widgets" / "components"
    for name in contents.COMPONENTS:
        assert (tmp_path / f"{name}.js").read_text() == (components / f"{name}.js").read_text()
    rules = (tmp_path / "moving.css").read_text()
    for name in ("shared", *contents.COMPONENTS):
        assert rules.count((components / f"{name}.css").read_text()) == 1


# --- quizzes ---------------------------------------------------------------------------------


def test_a_quiz_is_read_off_its_cell(tmp_path):
    assert quizzes.number_of(QUIZ) == "77"
    assert quizzes.questions(QUIZ) == [
        [("a", "64 × 64"), ("b", "four (4) times as many")],
        [("a", "no"), ("b", "yes, a bit"), ("c", "G grows")],
    ]
    quizzes.write_quiz(QUIZ, "bc", tmp_path)
    rows = json.loads((tmp_path / "explorer.json").read_text())["questions"]
    assert rows[1]["right"] == quizzes.digest("77", 2, "c")
    assert len({quizzes.digest("77", i, x) for i in (1, 2) for x in "abc"}) == 6
    with pytest.raises(ValueError, match="quiz 77, question 1: 'c' is none of its choices"):
        quizzes.write_quiz(QUIZ, "cc", tmp_path)
    with pytest.raises(ValueError, match="quiz 77: 2 questions, but 3 answers"):
        quizzes.write_quiz(QUIZ, "abc", tmp_path)


@pytest.mark.parametrize("name", contents.QUIZZES)
def test_every_quiz_of_the_notebooks_can_be_answered(name, tmp_path):
    from nst_tutorial.check.quizzes import LETTERS  # there where a notebook has a quiz

    source = contents.QUIZZES[name]
    quizzes.write_quiz(source, LETTERS[quizzes.number_of(source)], tmp_path)
    asked = json.loads((tmp_path / "explorer.json").read_text())["questions"]
    assert len(asked) == 5
    assert all(len(each["choices"]) >= 2 for each in asked)


# --- networks --------------------------------------------------------------------------------


def test_the_painter_of_the_starry_night_comes_first(monkeypatch):
    monkeypatch.setattr(networks, "bundled_painters", lambda: {"repaint_a": 0, networks.FIRST: 0})
    assert networks.painters() == {networks.FIRST: "Starry night", "repaint_a": "A"}
    monkeypatch.setattr(networks, "bundled_painters", lambda: {"repaint_a": 0})
    assert list(networks.painters()) == [networks.FALLBACK, "repaint_a"]


@pytest.mark.parametrize("stylizes", [False, True])
def test_the_graph_of_a_generator_has_a_strength_for_each_scale(stylizes):
    network = Generator(scales=3, width=2, stylizes=stylizes)
    graph = networks.graph_for(network, (20, 28))
    assert graph.names[-1] == "strengths"
    noise, strengths = graph.example[:3], graph.example[-1]
    with torch.no_grad():
        ours = graph.network(*graph.example)
    content = graph.example[-2] if stylizes else None
    theirs = network.sample(noise=noise, content=content, strengths=strengths.tolist())
    assert torch.allclose(ours, theirs, atol=1e-5)
    with torch.no_grad():
        others = graph.network(*graph.example[:-1], strengths.flip(0))
    assert not torch.allclose(ours, others, atol=1e-3)


def test_a_runtime_that_cannot_be_fetched_says_what_to_do(tmp_path, monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError("npm")

    monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(networks.subprocess, "run", missing)
    message = r"onnxruntime-web 1\.30\.0 is needed once, from npm, .*\(npm\): install Node\.js"
    with pytest.raises(RuntimeError, match=message):
        networks.write_runtime(tmp_path)


def test_a_sheet_holds_each_map_from_zero_to_its_peak(tmp_path):
    features = torch.rand(40, 5, 7, generator=torch.Generator().manual_seed(0))
    features[3] = 0.0
    layers.write_sheet(features, tmp_path / "a.webp", 1)
    sheet = pixels(tmp_path / "a.webp")[..., 0]
    assert sheet.shape == (10, 7 * layers.ACROSS)
    for channel, f in enumerate(features):
        row, column = divmod(channel, layers.ACROSS)
        stored = sheet[5 * row : 5 * row + 5, 7 * column : 7 * column + 7] / 255
        wanted = f / f.max().clamp(min=1e-30)
        assert np.abs(stored - wanted.numpy()).max() <= 0.5 / layers.STEPS + 0.5 / 255


# --- in a browser ----------------------------------------------------------------------------


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, and nothing else."""

    extensions_map = {  # noqa: RUF012  (the class of the standard library has it so)
        **SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory, small):
    """A folder with the scripts and the small explorer, and its address."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "moving").mkdir()
    contents.write_page(folder / "moving")
    (folder / "moving" / "gram").symlink_to(small)  # any name that there is a snippet for
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def visit(chromium, site):
    """Open a page with some HTML; nothing but this server may be asked, nothing may be wrong.

    `before` is called with the page when it is still empty.
    """
    folder, address = site
    faults, pages = [], []

    def open_page(body: str, before=lambda page: None, **options):
        (folder / "page.html").write_text(f"{PAGE}<title>A page</title><main>{body}</main></html>")
        page = chromium.new_page(**options)
        pages.append(page)
        page.on("console", lambda m: m.type in ("error", "warning") and faults.append(m.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request",
            lambda r: r.url.startswith((address, "data:", "blob:")) or faults.append(r.url),
        )
        before(page)
        page.goto(f"{address}/page.html")
        return page

    yield open_page
    for page in pages:
        page.close()
    assert not faults


def settled(page, name: str, seconds: float = 120):
    page.wait_for_selector(f"[data-explorer={name}][data-ready]", timeout=1000 * seconds)
    return page.locator(f"[data-explorer={name}]")


def move(page, place, act) -> None:
    """Do something that makes the explorer show another answer, and wait for that."""
    before = place.get_attribute("data-shown")
    act()
    wait_until(lambda: place.get_attribute("data-shown") != before, "another answer", 300)


def on_page(place, explorer: Explorer, index: int) -> np.ndarray:
    """A picture of an explorer: the first two may be compared, the others are on canvases."""
    if not explorer.compares:
        return on_canvas(place, index)
    if index > 1:
        return on_canvas(place, index - 2)
    image = place.locator((".nst-before", ".nst-after")[index])
    data = image.evaluate(
        """async image => Array.from(new Uint8Array(
            await (await fetch(image.src)).arrayBuffer()))"""
    )
    return pixels(bytes(data))


def on_canvas(place, index: int = 0) -> np.ndarray:
    address = place.locator("canvas").nth(index).evaluate("canvas => canvas.toDataURL('image/png')")
    return pixels(base64.b64decode(address.partition(",")[2]))


@pytest.mark.browser
def test_keys_and_mouse_move_an_explorer_to_pythons_pictures(visit):
    page = visit(moving.snippet("gram"))
    place, python = settled(page, "gram"), small_explorer()

    def same(red: int, green: float, kind: str = "square", tick: bool = True) -> None:
        answer = python.answer(red, green, kind, tick)
        assert place.locator(".nst-words").inner_html() == answer.words
        assert place.locator("canvas:visible").count() == len(answer.pictures)
        for i, picture in enumerate(answer.pictures):
            apart = np.abs(on_canvas(place, i) - pixels(picture.light))
            assert apart.max() <= 2 * i  # the 2nd: JPEG

    same(40, 100)
    place.get_by_role("slider", name="red").focus()
    move(page, place, lambda: page.keyboard.press("ArrowRight"))
    same(250, 100)
    green = place.get_by_role("slider", name="green")
    box = green.bounding_box()
    move(page, place, lambda: page.mouse.click(box["x"] + box["width"] - 2, box["y"] + 8))
    same(250, 200)
    move(page, place, lambda: place.get_by_role("checkbox", name="stripes").click())
    same(250, 200, tick=False)
    move(page, place, lambda: place.get_by_role("combobox").select_option("plain"))
    assert green.is_disabled()
    same(250, 100, "plain", tick=False)  # what is switched off does not count
    names = place.locator("canvas:visible").evaluate_all("all => all.map(c => c.ariaLabel)")
    assert names == ["a small explorer, picture 1; red: 250, : plain, stripes: no"]


@pytest.mark.browser
def test_between_two_stored_answers_the_page_blends(visit):
    page = visit(moving.snippet("gram"))
    place = settled(page, "gram")
    place.get_by_role("slider", name="green").focus()
    move(page, place, lambda: page.keyboard.press("ArrowRight"))  # 125: a quarter of the way
    both = [pixels(small_explorer().answer(40, green, "square", True).pictures[0].light)
            for green in (100.0, 200.0)]  # fmt: skip
    blend = 0.75 * both[0] + 0.25 * both[1]
    assert np.abs(on_canvas(place) - blend).max() <= 1.5
    said = place.locator(".nst-words").inner_text()
    assert said == "square: red 40, green 125.0 (between stored answers)"


@pytest.mark.browser
def test_a_dark_page_shows_dark_drawings_and_follows_its_theme(visit):
    page = visit(
        "<style>html[data-theme=dark] { --pst-color-text-base: #ddd }</style>"
        + moving.snippet("gram")
    )
    place = settled(page, "gram")
    picture = small_explorer().answer(40, 100.0, "square", True).pictures[0]
    assert (on_canvas(place) == pixels(picture.light)).all()
    move(page, place, lambda: page.evaluate("document.documentElement.dataset.theme = 'dark'"))
    assert (on_canvas(place) == pixels(picture.dark)).all()
    move(page, place, lambda: page.evaluate("document.documentElement.dataset.theme = 'light'"))
    assert (on_canvas(place) == pixels(picture.light)).all()


@pytest.mark.browser
def test_two_pictures_are_compared_by_the_notebooks_component(visit, site, tmp_path):
    folder, _ = site
    explorer = small_explorer(compares=True)
    answers.write_answers(answers.Recipe(lambda: explorer, every={"green": 4}), tmp_path)
    (folder / "moving" / "look").symlink_to(tmp_path)
    page = visit(moving.snippet("look"))
    place = settled(page, "look")
    divider = place.get_by_role("slider", name="How much is shown as it was before")
    assert divider.get_attribute("aria-valuenow") == "50"
    divider.focus()
    page.keyboard.press("Home")
    red = place.get_by_role("slider", name="red")
    red.focus()
    move(page, place, lambda: page.keyboard.press("ArrowRight"))
    for i, picture in enumerate(explorer.answer(250, 100.0, "square", True).pictures):
        assert np.abs(on_page(place, explorer, i) - pixels(picture.light)).max() <= 2 * i, i
    assert divider.get_attribute("aria-valuenow") == "0"  # where it was left
    assert place.locator("canvas:visible").count() == 0


@pytest.mark.browser
def test_nothing_is_loaded_before_an_explorer_comes_into_view(visit):
    page = visit('<div style="height: 5000px"></div>' + moving.snippet("gram"))
    page.wait_for_load_state("networkidle")
    loaded = "() => performance.getEntriesByType('resource').map(entry => entry.name)"
    assert not [name for name in page.evaluate(loaded) if "gram/" in name]
    page.locator("[data-explorer=gram]").scroll_into_view_if_needed()
    settled(page, "gram")
    assert [name for name in page.evaluate(loaded) if "gram/explorer.json" in name]


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_an_explorer_fits_its_page(visit, width, scheme):
    page = visit(
        moving.snippet("gram"), viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    settled(page, "gram")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    small = page.locator("select, input[type=range], input[type=checkbox]").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().height)"
    )
    assert min(small) >= 16


@pytest.mark.browser
def test_a_quiz_is_judged_in_the_page(visit, site):
    folder, _ = site
    place = folder / "moving" / "kernel"
    place.mkdir(exist_ok=True)
    quizzes.write_quiz(QUIZ, "bc", place)
    page = visit(moving.snippet("kernel"))
    quiz = settled(page, "kernel")
    first, second = (quiz.get_by_role("group", name=f"Question {i}") for i in (1, 2))
    first.get_by_role("radio", name="a) 64 × 64").click()
    wait_until(lambda: "not right" in first.inner_text(), "it is judged", 10)
    page.keyboard.press("ArrowDown")
    wait_until(lambda: "✔ right" in first.inner_text(), "it is right", 10)
    second.get_by_role("radio", name="c) G grows").click()
    wait_until(lambda: "2 of 2 right" in quiz.inner_text(), "all are right", 10)
    second.get_by_role("radio", name="a) no").click()
    wait_until(lambda: "1 of 2 right" in quiz.inner_text(), "one is taken back", 10)


PAIRS = {
    "skewed_pair": [
        ([1, 2], [1, 3]), ([1, 1], [1, 1]), ([0, 2], [-1, 3]), ([1, 2, 3], [1, 2, 3]),
        ([-1, -1, 2], [1, 1, -2]), ([-1e-3, -1e-3, 2e-3], [1e-3, 1e-3, -2e-3]), ([1], [1, 2]),
        ([123456, 3], [1e-6, 0]),
    ],
    "blind_spot": [
        ([[1, 2]], [[1, 2]]), ([[1, 2], [0, 1]], [[3, 2], [0, 1]]), ([[1, 2]], [[-1, -2]]),
        ([[1, 2]], [[1, -2]]), ([[1, 2], [3, 4]], [[-1, -2], [3, 4]]),
    ],
}  # fmt: skip


@pytest.mark.browser
def test_the_page_judges_numbers_as_python(visit, capsys):
    """The same verdict, hint and numbers; a hint for another shape may be shorter."""
    page = visit("")
    for rule, pairs in PAIRS.items():
        for x, y in pairs:
            said = page.evaluate(
                "([rule, x, y]) => import('/moving/rules.js').then(m => m.judge(rule, x, y).said)",
                [rule, x, y],
            )
            getattr(check, rule)(x, y)
            ours = capsys.readouterr().out.splitlines()[0]
            assert ours.startswith(said) if "list of at least" in said else ours == said


@pytest.mark.browser
def test_an_exercise_is_answered_in_the_page(visit, site):
    folder, _ = site
    place = folder / "moving" / "blind_spot"
    place.mkdir()
    quizzes.write_exercise("blind_spot", place)
    page = visit(moving.snippet("blind_spot"))
    shown = settled(page, "blind_spot")
    shown.get_by_role("button", name="Judge").click()
    assert "two lists are wanted" in shown.inner_text()
    for name, value in {"x": "[[1, 2]]", "y": "[1, 2]"}.items():
        shown.get_by_role("textbox", name=name).fill(value)
    page.keyboard.press("Enter")
    assert "y should be a list of points" in shown.inner_text()
    page.keyboard.press("Enter")
    assert "a plainer hint: one row a point, two channels" in shown.inner_text()
    shown.get_by_role("textbox", name="y").fill("[-1, -2], [-1, -2]")
    page.keyboard.press("Enter")
    assert "✔ right: the Gram matrix takes them for one and the same" in shown.inner_text()


@pytest.mark.browser
def test_a_prediction_is_kept_and_stands_beside_the_answer(visit):
    body = """<blockquote><p><strong>Predict.</strong> How much?</p></blockquote>
        <details><summary>Answer</summary><p>Four.</p></details>
        <blockquote><p><strong>Predict.</strong> And then?</p></blockquote>
        <blockquote><p>A remark.</p></blockquote>"""
    page = visit(body + moving.snippet("predictions"))
    boxes = page.get_by_role("textbox", name="Your prediction")
    page.wait_for_selector("textarea")
    assert boxes.count() == 2
    assert page.get_by_role("button", name="Compare with the answer").count() == 1
    boxes.first.fill("Five <b>!")
    page.get_by_role("button", name="Compare with the answer").click()
    assert "You predicted: Five <b>!" in page.locator("details[open]").inner_text()
    page.reload()
    page.wait_for_selector("textarea")
    assert boxes.first.input_value() == "Five <b>!"


@pytest.mark.browser
def test_the_page_draws_the_numbers_of_pytorch(visit):
    page = visit("")
    for seed in (0, 77):
        draw = f"import('/moving/random.js').then(m => Array.from(m.generator({seed})(1500)))"
        wanted = torch.rand(1500, generator=torch.Generator().manual_seed(seed))
        assert torch.equal(torch.tensor(page.evaluate(draw)), wanted)


@pytest.mark.browser
@pytest.mark.parametrize("shape", [(7, 9), (13, 31), (40, 20)])
def test_the_page_resizes_as_pytorch(visit, shape):
    image = torch.rand(1, 3, 21, 26, generator=torch.Generator().manual_seed(0))
    page = visit("")
    resized = page.evaluate(
        """([flat, from, to]) => import('/moving/resize.js')
            .then(m => Array.from(m.resize(Float32Array.from(flat), from, to)))""",
        [image.flatten().tolist(), [21, 26], list(shape)],
    )
    wanted = F.interpolate(image, size=shape, mode="bicubic", antialias=True)
    assert torch.allclose(torch.tensor(resized).view_as(wanted), wanted, atol=1e-5)


@pytest.mark.browser
def test_votes_make_the_ranking_of_python(visit, site):
    cast = [("a", "b", "a"), ("b", "c", None), ("c", "a", "a"), ("d", "a", "d"), ("b", "c", "c")]
    page = visit("")
    rows = page.evaluate(
        """([votes, prior]) => import('/moving/standing.js').then((m) => m.ranking(
            votes.map(([first, second, winner]) => ({ first, second, winner })), prior))""",
        [cast, PRIOR],
    )
    ranks = bradley_terry(Vote(*vote) for vote in cast)
    assert [(row["name"], row["seen"]) for row in rows] == [(r.name, r.votes) for r in ranks]
    for row, rank in zip(rows, ranks, strict=True):
        assert row["strength"] == pytest.approx(rank.strength, abs=1e-8)
        assert row["error"] == pytest.approx(rank.error, abs=1e-8)


@pytest.mark.browser
def test_votes_are_blind_until_the_ranking(visit, site):
    folder, _ = site
    place = folder / "moving" / "votes"
    place.mkdir()
    votes.write_votes(place)
    page = visit(moving.snippet("votes"))
    shown = settled(page, "votes")
    names = {path.stem for paths in pictures_to_vote_on().values() for path in paths}
    assert not [name for name in names if name in shown.inner_html()]
    for side in ("The left one", "Cannot say", "The right one"):
        move(page, shown, shown.get_by_role("button", name=side).click)
    assert "Votes so far: 3" in shown.inner_text()
    shown.get_by_role("button", name="Show the ranking").click()
    assert shown.get_by_role("button", name="Cannot say").is_disabled()
    ranked = shown.locator("tbody tr td:nth-child(2)").all_inner_texts()
    assert set(ranked) <= names
    assert len(ranked) >= 2


# --- the explorers of the course -------------------------------------------------------------


def thin(recipe: answers.Recipe) -> answers.Recipe:
    """The same with three marks of each slider, and of the choices all but the last."""
    names = recipe.make().controls
    return dataclasses.replace(recipe, every=dict.fromkeys(names, 1000))


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", recipes.RECIPES)
def test_an_explorer_of_the_course_moves_without_python(visit, site, name):
    folder, _ = site
    recipe = thin(recipes.RECIPES[name])
    place = folder / "moving" / name
    if place.is_symlink():
        place.unlink()
    place.mkdir(exist_ok=True)
    answers.write_answers(recipe, place)
    page = visit(moving.snippet(name))
    shown, python = settled(page, name), recipe.make()
    slider = shown.locator("input[type=range]:enabled").first
    slider.focus()
    move(page, shown, lambda: page.keyboard.press("End"))
    label = shown.locator(".nst-knob-slider label").first.inner_text()
    moved = next(w for w in python.controls.values() if w.description == label)
    control = answers.control_of("moved", moved)
    python.waiting = True
    moved.value = control.values[-1]
    answer = python.answer(**{k: control.value for k, control in python.controls.items()})
    assert shown.locator(".nst-words").inner_text() == text_of(answer.words)
    for i, picture in enumerate(answer.pictures):
        apart = np.abs(on_page(shown, python, i) - pixels(picture.light))
        assert apart.mean() < 2, i


def text_of(words: str) -> str:
    return re.sub(r"<br>", "\n", re.sub(r"</?b>", "", words)).replace("\n\n", "\n")


@pytest.mark.slow
@pytest.mark.browser
def test_the_walks_are_those_of_python(visit, site):
    folder, _ = site
    place = folder / "moving" / "optimizer"
    place.mkdir()
    walks.write_walks(place)
    page = visit(moving.snippet("optimizer"))
    shown = settled(page, "optimizer")
    length = shown.get_by_role("slider", name="step length")
    length.focus()
    move(page, shown, lambda: page.keyboard.press("ArrowLeft"))
    settings = {"method": "L-BFGS", "history": 20, "walls": optimize.FREE, "valley": "slanting"}
    for name, rate in (("now", 0.5), ("before", 1.0)):
        path, losses = optimize.walk(length=rate, **settings)
        drawn = points(shown, f".nst-walk[data-walk={name}]")
        assert np.abs(drawn - path.numpy()).max() < 1e-5
        curve = points(shown, f".nst-loss[data-walk={name}]")
        floored = np.log10(np.maximum(losses, walks.FLOOR))
        assert np.allclose(curve[:, 1], floored, atol=1e-4)
        assert (curve[:, 0] == np.arange(1, len(losses) + 1)).all()
    path, losses = optimize.walk(length=0.5, **settings)
    told = optimize.told_of({"length": 0.5, **settings}, path, losses)
    assert shown.locator(".nst-words").inner_html() == told
    move(page, shown, lambda: shown.get_by_role("combobox", name="method").select_option("Adam"))
    assert shown.get_by_role("slider", name="history").is_disabled()
    assert "Adam, step 0.5" in shown.locator(".nst-words").inner_text()


def points(place, selector: str) -> np.ndarray:
    text = place.locator(selector).get_attribute("points")
    return np.array([[float(x) for x in pair.split(",")] for pair in text.split()])


@pytest.mark.slow
@pytest.mark.browser
def test_the_layer_explorer_shows_the_networks_features(visit, site, vgg):
    import matplotlib

    from nst_tutorial import load_image

    folder, _ = site
    place = folder / "moving" / "layer"
    place.mkdir()
    layers.write_layers(place)
    page = visit(moving.snippet("layer"))
    shown = settled(page, "layer")
    layer = shown.get_by_role("slider", name="layer")
    layer.focus()
    for _ in range(8):
        move(page, shown, lambda: page.keyboard.press("ArrowRight"))
    channels = shown.get_by_role("combobox", name="channels")
    move(page, shown, lambda: channels.select_option("by number"))
    slider = shown.get_by_role("slider", name="channel", exact=True)
    slider.focus()
    move(page, shown, lambda: page.keyboard.press("End"))
    for picture in layers.PICTURES:
        chosen = shown.get_by_role("radio", name=picture.replace("_", " "))
        if picture != layers.PICTURES[0]:
            move(page, shown, chosen.click)
        with torch.no_grad():
            f = vgg(load_image(picture, layers.SIZE), ["relu4_1"])["relu4_1"][0, 511]
        said = shown.locator(".nst-words").inner_text()
        row, column = divmod(int(f.argmax()), f.shape[1])
        assert said.startswith(f"relu4_1, channel 511: {f.shape[1]} × {f.shape[0]} places, 8 px")
        assert f"strongest, {float(f.max()):.3g}, in row {row}, column {column}." in said
        drawn = on_canvas(shown, 1)
        scale = drawn.shape[0] // f.shape[0]
        stored = np.round((f / f.max()).numpy() * layers.STEPS) / layers.STEPS
        colors = matplotlib.colormaps["cividis"](np.uint8(np.round(255 * stored)), bytes=True)
        apart = np.abs(
            drawn[scale // 2 :: scale, scale // 2 :: scale] - colors[..., :3].astype(int)
        )
        assert (apart.max(axis=2) > 1).mean() < 0.01  # a value halfway between two steps
        assert apart.max() < 2 * 255 / layers.STEPS


@pytest.fixture(scope="module")
def running(site) -> Path:
    """The site with the runtime and the networks, and both places where they run."""
    folder, _ = site
    need_the_runtime(folder / "tried")
    parts = {
        "runtime": networks.write_runtime, "networks": networks.write_networks,
        "painter": networks.write_painter, "generator": networks.write_generator,
    }  # fmt: skip
    for name, write in parts.items():
        (folder / "moving" / name).mkdir()
        write(folder / "moving" / name)
    return folder


@pytest.mark.slow
@pytest.mark.browser
def test_a_photograph_is_dropped_and_painted_as_by_python(visit, running, tmp_path):
    page = visit(moving.snippet("painter"))
    place = settled(page, "painter")
    wait_until(lambda: place.get_attribute("data-shown"), "a first painting", 120)
    with Image.open(ROOT / "images" / "content" / "temple.jpg") as photograph:
        photograph.resize((320, 200)).save(tmp_path / "mine.png")
    drop = """async ([selector, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], 'mine.png', {type: 'image/png'}));
        const event = new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true});
        document.querySelector(selector).dispatchEvent(event);
    }"""
    data = list((tmp_path / "mine.png").read_bytes())
    move(page, place, lambda: page.evaluate(drop, [".nst-picker", data]))
    assert "256 × 160 pixels, painted on this computer" in place.inner_text()
    before, after = (shown(place, part) for part in ("before", "after"))
    network = networks.load_network(next(iter(networks.painters())), device="cpu")
    content = torch.from_numpy(before / 255).float().permute(2, 0, 1)[None]
    paint = network.repaint if isinstance(network, Painter) else network.sample
    wanted = paint(content=content)[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(after - wanted).max() <= 2
    assert np.abs(after - before).mean() > 5
    with page.expect_download() as download:
        place.get_by_role("button", name="Download the picture as PNG").click()
    assert (pixels(Path(download.value.path())) == after).all()
    place.get_by_role("slider", name="before").focus()
    page.keyboard.press("End")
    assert place.get_by_role("slider", name="before").get_attribute("aria-valuenow") == "100"
    bad = [*b"no picture"]
    page.evaluate(drop, [".nst-picker", bad])
    refused = "is no picture that this browser can read"
    wait_until(lambda: refused in place.inner_text(), "it says so")


def large_files(heard: list[str]) -> list[str]:
    """What was loaded of the runtime's machine code and of networks: names, sorted."""
    names = [address.rpartition("/")[2] for address in heard]
    return sorted(name for name in names if name.endswith((".wasm.gz", ".onnx.gz")))


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("at_the_top", [False, True])
def test_the_painter_paints_before_it_is_asked(visit, running, at_the_top):
    heard: list[str] = []
    body = moving.preloads() * at_the_top + moving.snippet("painter")
    page = visit(body, lambda page: page.on("request", lambda request: heard.append(request.url)))
    network = f"{next(iter(networks.painters()))}.onnx.gz"
    wanted = sorted([f"{networks.NEEDED[1]}.gz", network])

    def are_heard() -> bool:
        page.wait_for_timeout(100)  # while it waits, Playwright hears
        return large_files(heard) == wanted

    wait_until(are_heard, "both files", 120)
    place = settled(page, "painter")
    wait_until(lambda: place.get_attribute("data-shown") == "1", "a first painting", 120)
    move(page, place, place.get_by_role("button", name="Paint").click)
    assert large_files(heard) == wanted  # each once


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("connection", [{"saveData": True}, {"effectiveType": "2g"}])
def test_who_saves_data_loads_a_network_when_a_picture_is_asked_for(visit, running, connection):
    heard: list[str] = []

    def before(page) -> None:
        page.on("request", lambda request: heard.append(request.url))
        value = f"{{ value: {json.dumps(connection)} }}"
        page.add_init_script(f"Object.defineProperty(navigator, 'connection', {value})")

    page = visit(moving.preloads() + moving.snippet("painter"), before)
    place = settled(page, "painter")
    page.wait_for_timeout(1000)
    assert not [address for address in heard if "worker.js" in address or "/runtime/" in address]
    assert place.get_attribute("data-shown") is None
    paths = (
        f"runtime/{networks.NEEDED[0]}",
        f"runtime/{networks.NEEDED[1]}.gz",
        f"networks/{next(iter(networks.painters()))}.onnx.gz",
    )
    size = sum((running / "moving" / path).stat().st_size for path in paths) / 1e6
    assert f"{size:.1f} MB are loaded once" in place.inner_text()
    move(page, place, place.get_by_role("button", name="Paint").click)
    assert len(large_files(heard)) == 2


def shown(place, part: str) -> np.ndarray:
    """The picture in a part of the comparison."""
    data = place.locator(f"img.nst-{part}").evaluate(
        """async image => Array.from(
            new Uint8Array(await (await fetch(image.src)).arrayBuffer()))"""
    )
    return pixels(bytes(data))


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", ["tissue_stain", "starry_night_painter"])
def test_a_texture_network_paints_as_in_python(visit, running, name):
    from nst_tutorial import load_generator, load_image

    page = visit(moving.snippet("generator"))
    place = settled(page, "generator")
    if name != place.get_by_role("combobox").input_value():
        choose = functools.partial(place.get_by_role("combobox").select_option, label=name)
        move(page, place, choose)
    scale, seed = (place.get_by_role("slider", name=n) for n in ("coarsest scale", "seed"))
    seed.focus()
    move(page, place, lambda: page.keyboard.press("ArrowRight"))
    scale.focus()
    move(page, place, lambda: page.keyboard.press("Home"))
    network = load_generator(name, device="cpu")
    content = load_image("temple", 256) if network.design["stylizes"] else None
    strengths = [0.0] + [1.0] * (network.design["scales"] - 1)
    wanted = network.sample(192, 1, content=content, strengths=strengths)
    apart = np.abs(on_canvas(place) - 255 * wanted[0].permute(1, 2, 0).numpy())
    assert apart.max() <= (6 if content is not None else 2)  # a content of 8 bits
    move(page, place, lambda: place.get_by_role("checkbox").click())
    assert on_canvas(place).shape == (2 * wanted.shape[2], 2 * wanted.shape[3], 3)
    move(page, place, lambda: place.get_by_role("button", name="all scales to 1").click())
    assert scale.get_attribute("aria-valuetext") == "1.00"
