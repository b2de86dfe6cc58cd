"""The pieces that the site is made of: links, notebooks, docstrings, the front, the contents."""

import base64
import html
import importlib
import io
import re
import sys
import types
from pathlib import Path

import nbformat
import numpy as np
import pytest
from browser import ROOT
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

sys.path.append(str(ROOT / "docs"))  # last: `docs/build.py` is not the package `build`
docstrings, front, reference = (
    importlib.import_module(f"book.{name}") for name in ("docstrings", "front", "reference")
)
gallery, links, notebooks, stage = (
    importlib.import_module(f"book.{name}") for name in ("gallery", "links", "notebooks", "stage")
)
README = (ROOT / "README.md").read_text()
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.fixture
def tree(tmp_path):
    """A small repository: two texts that are pages, a script and a picture that are none."""
    for name in ("README.md", "docs/faq.md", "benchmarks/speed.py", "images/cat.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def links_of(root, repository=""):
    return links.Links(root, {"README.md": "index.md", "docs/faq.md": "docs/faq.md"}, repository)


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("[start](../README.md#two-commands)", "[start](../index.md#two-commands)"),
        ("[below](#colours)", "[below](#colours)"),
        ("[far](https://a.example/b.md)", "[far](https://a.example/b.md)"),
        ("see [the script](../benchmarks/speed.py).", "see the script."),
        ("![a cat](../images/cat.jpg)", "![a cat](../images/cat.jpg)"),
        ("[![run it](https://a.example/b.svg)](https://a.example)", "[run it](https://a.example)"),
        ("`[x](nowhere.md)`", "`[x](nowhere.md)`"),
        ("```\n[x](nowhere.md)\n```\n[y](faq.md)", "```\n[x](nowhere.md)\n```\n[y](faq.md)"),
        ("*[a](faq.md)* and [b](../README.md)", "*[a](faq.md)* and [b](../index.md)"),
    ],
)
def test_a_link_leads_to_a_page_or_is_words(tree, text, rewritten):
    assert links_of(tree).rewrite(text, "docs/faq.md") == rewritten


def test_where_the_repository_is_published_its_files_are_linked(tree):
    published = links_of(tree, "who/what")
    script = published.rewrite("[s](../benchmarks/speed.py)", "docs/faq.md")
    folder = published.rewrite("[f](../benchmarks)", "docs/faq.md")
    assert script == "[s](https://github.com/who/what/blob/main/benchmarks/speed.py)"
    assert folder == "[f](https://github.com/who/what/tree/main/benchmarks)"
    assert published.rewrite("[faq](docs/faq.md)", "README.md") == "[faq](docs/faq.md)"


def test_pictures_that_are_shown_are_remembered_and_no_others(tree):
    shown = links_of(tree)
    shown.rewrite("![a](images/cat.jpg) [b](benchmarks/speed.py)", "README.md")
    assert shown.pictures == {"images/cat.jpg"}


def test_a_link_to_nowhere_is_refused(tree):
    message = r"^docs/faq.md: the link to gone.md leads to no file$"
    with pytest.raises(ValueError, match=message):
        links_of(tree).rewrite("[x](gone.md)", "docs/faq.md")
    with pytest.raises(ValueError, match="leads to no file"):
        links_of(tree).rewrite("[x](../../outside.md)", "docs/faq.md")


# --- notebooks -------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path):
    """A notebook with a set-up, a figure and a widget; its path, the figure's bytes, its text."""
    buffer = io.BytesIO()
    Image.new("RGB", (7, 5), "teal").save(buffer, "PNG")
    alt = 'two "clouds" & a ring'
    figure = nbformat.v4.new_output(
        "display_data",
        {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": alt},
        metadata={"image/png": {"alt": alt}},
    )
    widget = nbformat.v4.new_output(
        "display_data", {notebooks.WIDGET: {"model_id": "1"}, "text/plain": "(the explorer)"}
    )
    cells = [
        nbformat.v4.new_markdown_cell("# Title\n\n[start](../README.md)"),
        nbformat.v4.new_code_cell("import nst\n%pip install nst"),
        nbformat.v4.new_code_cell("draw()", outputs=[figure]),
        nbformat.v4.new_code_cell("nst.explore()", outputs=[widget]),
    ]
    path = tmp_path / "notebooks" / "03_small.ipynb"
    path.parent.mkdir()
    (tmp_path / "README.md").write_text("")
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"widgets": {"a": 1}}), path)
    return path, buffer.getvalue(), alt


def page_of(path, explorers=(), snippet=None):
    root = path.parent.parent
    place = "notebooks/03_small.ipynb"
    known = links.Links(root, {"README.md": "index.md", place: place})
    return notebooks.page_of(path, place, known, root / "figures", explorers, snippet)


def test_figures_become_files_with_their_texts(small):
    path, content, alt = small
    before = path.read_bytes()
    (output,) = page_of(path).cells[2].outputs
    assert set(output.data) == {"text/html", "text/plain"}
    source = re.search(r'src="\.\./figures/([^"]+)"', output.data["text/html"])[1]
    pictures = (path.parent.parent / "figures" / source, io.BytesIO(content))
    shown, stored = (Image.open(picture).convert("RGBA").tobytes() for picture in pictures)
    assert shown == stored
    assert 'width="7" height="5"' in output.data["text/html"]
    (shown,) = re.findall(r'alt="([^"]*)"', output.data["text/html"])
    assert html.unescape(shown) == alt
    assert path.read_bytes() == before


def test_a_notebook_is_readable_without_a_kernel(small):
    page = page_of(small[0])
    assert page.cells[0].source.startswith("# Title\n\n[start](../index.md)\n\n<p")
    assert page.cells[1].metadata["tags"] == ["hide-input"]
    assert [cell.metadata.get("tags") for cell in page.cells[2:]] == [None, None]
    (output,) = page.cells[3].outputs
    assert output.data == {"text/plain": "(the explorer)"}
    assert "widgets" not in page.metadata


def test_an_explorer_that_moves_takes_the_place_of_the_widget(small):
    page = page_of(small[0], [("nst.explore(", "ring")], lambda name: f"<b>{name}</b>")
    (output,) = page.cells[3].outputs
    assert output.data["text/html"] == "<b>ring</b>"


def test_what_is_downloaded_has_the_same_cells_and_no_outputs(small):
    stored, lean = nbformat.read(small[0], as_version=4), notebooks.to_run(small[0])
    assert [cell.source for cell in lean.cells] == [cell.source for cell in stored.cells]
    assert all(cell.outputs == [] for cell in lean.cells if cell.cell_type == "code")
    nbformat.validate(lean)


@pytest.mark.parametrize(("text", "count"), [("nst", 2), ("nowhere", 0)])
def test_an_explorer_belongs_to_one_cell(small, text, count):
    message = f"^notebooks/03_small.ipynb: {count} code cells contain '{text}'; one must$"
    with pytest.raises(ValueError, match=message):
        page_of(small[0], [(text, "ring")], str)


# --- docstrings ------------------------------------------------------------------------------


def test_set_off_lines_become_literal_blocks():
    text = "Such that\n\n    |x|² = 1,\n    y   = 2,\n\nwhere |x| is large."
    expected = "Such that\n\n::\n\n    |x|² = 1,\n    y   = 2,\n\nwhere \\|x| is large."
    assert docstrings.as_restructured_text(text.split("\n")) == expected.split("\n")


def test_parameters_are_no_literal_blocks():
    lines = ["Parameters", "----------", "x", "    A picture.", "", "    Large."]
    assert docstrings.as_restructured_text(lines) == lines


@given(st.lists(st.sampled_from(["", "word", "a b", ">>> f(|x|)", "  deep"]), max_size=8))
def test_nothing_is_lost_from_a_docstring(lines):
    text = docstrings.as_restructured_text(lines)
    kept = [line for line in text if line.strip() and line.strip() != "::"]
    assert kept == [line for line in lines if line.strip()]


# --- the front, the contents, the reference --------------------------------------------------


def test_the_front_has_every_chapter_and_its_time():
    assert [chapter.stem for chapter in front.chapters(README)] == LESSONS
    times = front.reading_times((ROOT / "notebooks" / "README.md").read_text())
    assert set(LESSONS) <= set(times)
    assert all(re.fullmatch(r"\d+ minutes?", times[stem]) for stem in LESSONS)


def test_the_front_says_what_the_readme_says(tmp_path):
    known = links.Links(ROOT, stage.pages_of(ROOT))
    page = front.front(known, "CONTENTS", {"cat": 160, "woodcut_waves": 180})
    assert "@@" not in page
    assert page.endswith("CONTENTS\n")
    assert page.count("<li>") == len(LESSONS)
    for command in re.findall(r"^python3 -m venv.*$", README, flags=re.M):
        assert command in page
    assert "](README.md" not in page
    assert page.count('class="door"') == 3


def test_a_heading_that_the_readme_has_lost_is_named():
    with pytest.raises(ValueError, match="README.md has no heading '## Measured'"):
        front.section(README.replace("## Measured", "## Timed"), "Measured")
    with pytest.raises(ValueError, match="there is no table 'look"):
        front.doors("")


PAINTED = {
    "painter_meadow": "repaint_woodcut_waves images/photos/autumn_meadow",
    "painter_mountain": "repaint_starry_night images/photos/mountain_path",
}


def test_every_picture_of_the_gallery_has_its_command():
    """Between two pictures, but for the piece of one, stands a block that makes the first."""
    text = (ROOT / "docs" / "gallery.md").read_text()
    sheets = re.findall(r"^def (\w+)\(\)", (ROOT / "images" / "make_gallery.py").read_text(), re.M)
    pictures = re.findall(r"!\[[^\]]*\]\(\.\./images/gallery/(\w+)\.\w+\)", text)
    assert len(pictures) >= 13
    for name in pictures:
        photograph = name.removeprefix("large_").removesuffix("_piece")
        command = rf"nst stylize images/photos/(\w+_)?{photograph}"
        if name in PAINTED:
            command = re.escape(f"nst apply {PAINTED[name]}")
        if name == "temple_starry_night":
            command = "nst stylize temple starry_night"
        if name in sheets:
            command = re.escape(f"python images/make_gallery.py {name}\n")
        assert re.search(rf"^```\n{command}", text, flags=re.M), name


@pytest.fixture
def painting(tmp_path):
    """A repository with one large noisy picture, which hardly compresses; its folder."""
    folder = tmp_path / "images" / "gallery"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 256, (600, 1440, 3), np.uint8)
    Image.fromarray(noise).save(folder / "noise.jpg", quality=30)
    return tmp_path


def test_the_gallery_shows_small_pictures_that_lead_to_the_whole_ones(painting, tmp_path):
    extra = tmp_path / "extra"
    text = gallery.with_thumbnails(
        'Before\n\n![a "b" & c](../images/gallery/noise.jpg)\n\nAfter', painting, extra
    )
    assert text == (
        'Before\n\n<p><a href="../images/gallery/noise.jpg"><img class="figure" width="720" '
        'height="300" loading="lazy" src="../images/gallery/small/noise.webp" '
        'alt="a &quot;b&quot; &amp; c"></a></p>\n\nAfter'
    )
    small, whole = (extra / "images/gallery" / name for name in ("small/noise.webp", "noise.jpg"))
    assert small.stat().st_size <= gallery.LARGEST < whole.stat().st_size
    assert Image.open(small).size == (720, 300)
    assert whole.read_bytes() == (painting / "images" / "gallery" / "noise.jpg").read_bytes()


def test_a_picture_that_stays_too_large_is_named(painting, tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "LARGEST", 2000)
    with pytest.raises(ValueError, match=r"noise.jpg: no WebP 720 pixels wide is below 2000 bytes"):
        gallery.write_thumbnail(painting / "images" / "gallery" / "noise.jpg", tmp_path / "a.webp")
    with pytest.raises(ValueError, match="the gallery has no pictures"):
        gallery.with_thumbnails("words", painting, tmp_path)


def test_a_small_picture_is_not_enlarged(tmp_path):
    Image.new("RGB", (90, 40)).save(tmp_path / "a.png")
    assert gallery.write_thumbnail(tmp_path / "a.png", tmp_path / "a.webp") == (90, 40)


@pytest.mark.slow
def test_no_picture_of_the_gallery_is_left_large(tmp_path):
    text = (ROOT / "docs" / "gallery.md").read_text()
    shown = gallery.with_thumbnails(text, ROOT, tmp_path)
    assert "![" not in shown
    small = list((tmp_path / "images" / "gallery" / "small").iterdir())
    assert len(small) == text.count("![")
    assert max(path.stat().st_size for path in small) <= gallery.LARGEST


def test_every_page_has_one_place_in_the_contents():
    known = links.Links(ROOT, stage.pages_of(ROOT))
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    listed = [page for pages in stage.parts(known, paths).values() for page in pages]
    assert len(listed) == len(set(listed))
    pages = {target.rpartition(".")[0] for target in known.pages.values()}
    assert set(listed) == pages - {"index"} | {"reference/index"}


def test_the_reference_has_every_room_and_every_public_name():
    plan = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {room.name: room for room in reference.rooms(plan)}
    package = ROOT / "nst_tutorial"
    expected = {p.stem for p in package.iterdir() if p.is_dir() or p.suffix == ".py"}
    without = {"__init__", "__main__", "__pycache__", *reference.WITHOUT}
    assert set(rooms) == expected - without
    page = reference.page_of(rooms["kernels"], {"03": "03_style_gram"})
    kernels = importlib.import_module("nst_tutorial.kernels")
    for name in kernels.__all__:
        assert re.search(rf"^\.\. .*\b{name}$", page, flags=re.M), name
    assert ":doc:`03 </notebooks/03_style_gram>`" in page
    assert rooms["settings"].purpose.startswith("`Settings`, ")  # its part of a row for four


def test_a_module_without_a_list_exports_what_it_defines():
    module = types.ModuleType("room")
    exec("import re\nfrom pathlib import Path\ndef paint(): ...\ndef _help(): ...", vars(module))
    assert reference.public_names(module) == ["paint"]


def test_the_page_of_explorers_holds_them_all():
    moving = types.SimpleNamespace(
        PLAY=("a", "b"),
        TITLES={"a": "First", "b": "Second"},
        snippet=lambda name, depth: f"<{name}{depth}>",
    )
    page = stage._with_explorers(f"# Play\n\n{stage.EXPLORERS}\n", moving)
    assert re.findall(r"<\w\d>|## \w+", page) == ["## First", "<a1>", "## Second", "<b1>"]
    with pytest.raises(ValueError, match="docs/play.md has no line"):
        stage._with_explorers("# Play", moving)
    assert stage.EXPLORERS in (ROOT / "docs" / "play.md").read_text()


def test_nothing_under_version_control_has_a_name_of_python_itself():
    """`docs/build.py` puts its folder first on the path."""
    for path in Path(ROOT / "docs").iterdir():
        assert path.stem not in sys.stdlib_module_names
