import html
import json
import re
import subprocess
from pathlib import Path

import nbformat
import pytest
from folders import names_in
from runs import COMMAND

from nst_tutorial.cli import course, pages
from nst_tutorial.images.catalog import list_images

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def run(*arguments, **options):
    return subprocess.run(
        [*COMMAND, "notebooks", *map(str, arguments)], capture_output=True, text=True, **options
    )


def as_laid_out(path):
    """A notebook's bytes where `images` lies in its folder, not beside it."""
    return path.read_bytes().replace(b"](../images/", b"](images/")


def test_links_to_pictures_fit_the_layout():
    before = (
        b'["![a *b*](../images/diagrams/gram.svg)", "Path(\\"../images/gallery/large_fig.jpg\\")"]'
    )
    after = b'["![a *b*](images/diagrams/gram.svg)", "Path(\\"../images/gallery/large_fig.jpg\\")"]'
    assert course.with_images_beside(before) == after


def test_the_whole_course_is_laid_out(tmp_path, monkeypatch):
    found = run(tmp_path / "a" / "b")
    assert found.returncode == 0, found.stderr
    folder = tmp_path / "a" / "b"
    pictures = len(list_images("content")) + len(list_images("style"))
    pictures += len(list((ROOT / "images" / "framed").glob("*.jpg")))
    assert f"{len(NOTEBOOKS)} notebooks and {pictures} pictures written to" in found.stdout
    assert f'jupyter lab "{folder}"' in found.stdout
    assert names_in(folder) == sorted(["README.md", "docs", "images", *(p.name for p in NOTEBOOKS)])
    for path in NOTEBOOKS:
        assert (folder / path.name).read_bytes() == as_laid_out(path)
    assert names_in(folder / "docs") == ["faq.md", "teaching.md"]
    assert names_in(folder / "images") == ["CREDITS.md", "content", "diagrams", "framed", "style"]
    for kind in ("diagrams", "framed"):
        for path in (ROOT / "images" / kind).iterdir():
            assert (folder / "images" / kind / path.name).read_bytes() == path.read_bytes()
    before = {kind: set(list_images(kind)) for kind in ("content", "style")}
    monkeypatch.chdir(folder)
    for kind, names in before.items():
        here = list_images(kind)
        assert set(here) == names
        assert all(not path.is_absolute() for path in here.values())


def test_links_between_the_notebooks_still_lead_somewhere(tmp_path):
    course.lay_out(tmp_path)
    for path in tmp_path.glob("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            if cell["cell_type"] != "markdown":
                continue
            for link in re.findall(r"\]\(([^)#]+)\)", "".join(cell["source"])):
                assert link.startswith("http") or (path.parent / link).exists(), (path.name, link)
    for path in (tmp_path / "docs").glob("*.md"):
        text = path.read_text()
        assert "](../00_quickstart.ipynb)" in text or path.name == "faq.md"
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            assert link.startswith("http") or (path.parent / link).exists(), (path.name, link)


def test_work_is_never_overwritten_unasked(tmp_path):
    course.lay_out(tmp_path)
    assert course.lay_out(tmp_path) == course.Layout()  # nothing to do
    mine, gone = tmp_path / "00_quickstart.ipynb", tmp_path / "01_features.ipynb"
    mine.write_text("my answers")
    gone.unlink()
    found = run(tmp_path)
    assert found.returncode == 0
    assert mine.read_text() == "my answers"
    assert "00_quickstart.ipynb was changed and is kept (--overwrite replaces it)" in found.stderr
    assert gone.exists()
    found = run(tmp_path, "--overwrite")
    assert found.stderr == ""
    assert mine.read_bytes() == as_laid_out(NOTEBOOKS[0])


def test_without_solutions_every_stub_is_there_and_no_solution(tmp_path):
    found = run(tmp_path, "--without-solutions")
    assert found.returncode == 0, found.stderr
    removed = 0
    for path in NOTEBOOKS:
        whole = json.loads(as_laid_out(path))["cells"]
        left = json.loads((tmp_path / path.name).read_text())["cells"]
        gone = [cell for cell in whole if cell not in left]
        assert all(cell["cell_type"] == "markdown" for cell in gone)
        assert [cell for cell in whole if cell in left] == left
        assert not any("Solution</summary>" in "".join(cell["source"]) for cell in left)
        removed += len(gone)
    assert removed > 40


@pytest.fixture
def figure_cell():
    """A code cell whose output is an image with an alternative text."""
    alt = "bars & <nothing> else"
    output = nbformat.v4.new_output(
        "display_data", {"image/png": "iVBORw0KGgo=\n", "text/plain": alt},
        metadata={"image/png": {"alt": alt}},
    )  # fmt: skip
    return nbformat.v4.new_code_cell("figure", outputs=[output], execution_count=1), alt


def test_pages_have_the_alternative_texts_of_their_figures(figure_cell):
    cell, alt = figure_cell
    text = "[next](01_features.ipynb#top), [far](https://a.example/b.ipynb), [all](README.md)"
    cells = [nbformat.v4.new_markdown_cell(text), cell]
    notebook = nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode()
    page = pages.as_page(notebook, "00_quickstart").decode()
    (image,) = re.findall(r"<img[^>]*>", page)
    (shown,) = re.findall(r'alt="([^"]*)"', image)
    assert html.unescape(shown) == alt
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in image
    assert "<title>00_quickstart</title>" in page
    links = re.findall(r'href="([^"]*)"[^>]*>(?:next|far|all)<', page)
    assert links == ["01_features.html#top", "https://a.example/b.ipynb", "README.md"]


@pytest.mark.slow
def test_pages_lie_beside_the_notebooks(tmp_path, monkeypatch):
    two = dict(list(course.course_files().items())[:2])
    monkeypatch.setattr(course, "course_files", lambda: two)
    course.lay_out(tmp_path, pages=True)
    for path in two:
        page = (tmp_path / path).with_suffix(".html").read_text()
        assert "No description has been provided" not in page
        assert page.count("<img alt=") > 5
        assert "widget-view+json" not in page  # its still, or words, stand in its place
    assert course.lay_out(tmp_path, pages=True) == course.Layout()  # nothing to do


def test_a_place_that_is_none_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for folder, words in ((tmp_path / "file", "is a file"), ("/proc/course", "/proc/course")):
        found = run(folder)
        assert found.returncode == 2
        assert words in found.stderr
        assert len(found.stderr.splitlines()) == 1


def test_a_broken_installation_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "__file__", str(tmp_path / "nst_tutorial" / "cli" / "course.py"))
    with pytest.raises(FileNotFoundError, match="the notebooks are missing; install nst_tutorial"):
        course.notebooks_folder()
