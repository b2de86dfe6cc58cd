"""The built site, read by a machine and in a browser. It is built once, which takes a minute."""

import functools
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from browser import ROOT, screenshot, serious_faults, wait_until
from site_pages import broken_links, listen, need_the_runtime, pages_of, served

from nst_tutorial.cli.pages import IMAGES, WIDGET

pytestmark = pytest.mark.slow

MEGABYTES = 60
FIRST_PAGE = 1_000_000  # bytes that are transferred, also for the gallery
WIDTHS = (390, 800, 1280)
TESTED = ("index.html", "notebooks/03_style_gram.html", "docs/faq.html", "reference/kernels.html")
MOVING = ("docs/play.html", "docs/gallery.html")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The folder of the site, built as a reader would build it."""
    for name in ("sphinx", "myst_nb", "sphinx_book_theme", "axe_playwright_python"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f'NOT TESTED: {name} is not installed; pip install -e ".[test,docs]"')
    need_the_runtime(tmp_path_factory.mktemp("runtime"))
    folder = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, str(ROOT / "docs" / "build.py"), "--to", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return pages_of(site)


@pytest.fixture(scope="module")
def server(site):
    with served(site) as state:
        yield state


@pytest.fixture
def address(server) -> str:
    return server.url


def visit(chromium, url, width=1280, dark=False):
    """A page that has come to rest, and what was heard of it."""
    page = chromium.new_page(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    heard = listen(page)
    page.goto(url, wait_until="networkidle")
    return page, heard


def test_every_link_leads_somewhere(site, pages):
    assert broken_links(site, pages) == []
    assert sum(len(page.links) for page in pages.values()) > 1000


def test_nothing_is_loaded_from_elsewhere(pages):
    for name, page in pages.items():
        assert [a for a in page.loads if re.match(r"(https?:)?//", a)] == [], name


def test_every_picture_has_a_text(pages):
    """Every figure of a notebook is on its page; a widget's still may have given way."""
    for name, page in pages.items():
        assert all(picture.get("alt") for picture in page.pictures), name
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        outputs = [o for c in json.loads(path.read_text())["cells"] for o in c.get("outputs", ())]
        pictures = [o for o in outputs if any(m in IMAGES for m in o.get("data", {}))]
        stills = [o for o in pictures if WIDGET in o["data"]]
        shown = [p for p in pages[f"notebooks/{path.stem}.html"].pictures
                 if p.get("class") == "figure"]  # fmt: skip
        assert len(pictures) - len(stills) <= len(shown) <= len(pictures), path.name


def test_no_plumbing_is_in_sight(site):
    """No widget's address, and what installs the package is folded in."""
    for path in sorted((site / "notebooks").glob("*_*.html")):
        text = path.read_text("utf-8")
        assert "application/vnd.jupyter.widget" not in text, path.name
        before = text.partition("pip</span> install")[0]
        assert len(before) < len(text), path.name
        assert before.rfind("<details") > before.rfind("</details>"), path.name


def test_the_site_is_small(site):
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    assert size < MEGABYTES * 1e6


@pytest.mark.browser
def test_pages_are_quiet_and_ask_no_one(chromium, address, pages):
    page = chromium.new_page()
    heard = listen(page)
    for name in pages:
        page.goto(f"{address}/{name}", wait_until="load")
        page.wait_for_timeout(200)  # what scripts ask for when they begin
        assert heard.outside() == [], name
        assert heard.failures == [], name
        assert heard.complaints == [], name
    page.close()


@pytest.mark.browser
def test_the_first_page_is_quickly_there(chromium, server):
    before = server.sent
    page, heard = visit(chromium, f"{server.url}/index.html")
    assert 100_000 < server.sent - before < FIRST_PAGE, heard.requests
    assert not [address for address in heard.requests if "/moving/" in address]
    page.close()


@pytest.mark.browser
def test_the_page_of_explorers_loads_the_painters_network_at_once(chromium, address):
    page, heard = visit(chromium, f"{address}/docs/play.html")

    def loaded(ending: str) -> int:
        page.wait_for_timeout(100)  # while it waits, Playwright hears
        return sum(each.endswith(ending) for each in heard.requests)

    for ending in (".wasm.gz", ".onnx.gz"):
        wait_until(functools.partial(loaded, ending), ending)
        assert loaded(ending) == 1
    assert heard.outside() == []
    assert heard.complaints == []
    page.close()


@pytest.mark.browser
def test_the_gallery_is_quickly_there_and_nothing_moves(chromium, server):
    before = server.sent
    page, heard = visit(chromium, f"{server.url}/docs/gallery.html")
    assert server.sent - before < FIRST_PAGE, heard.requests
    pictures = page.locator("article img.figure")
    high = page.evaluate("document.documentElement.scrollHeight")
    for i in range(pictures.count()):
        pictures.nth(i).scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.querySelectorAll('article img.figure')].every(image => image.naturalWidth)"
    )
    assert page.evaluate("document.documentElement.scrollHeight") == high
    assert not [address for address in heard.requests if re.search(r"gallery/\w+\.jpg", address)]
    page.close()


@pytest.mark.browser
def test_mathematics_is_set(chromium, address):
    page, _ = visit(chromium, f"{address}/notebooks/03_style_gram.html")
    page.wait_for_selector("mjx-container")
    assert page.locator("mjx-container").count() > 50
    assert page.locator("mjx-merror").count() == 0
    assert page.evaluate("document.fonts.check('16px MJXTEX')")
    page.close()


@pytest.mark.browser
def test_the_search_finds_the_chapter(chromium, address):
    page, heard = visit(chromium, f"{address}/search.html?q=Frobenius")
    page.wait_for_selector("#search-results ul.search li a")
    links = [a.get_attribute("href") for a in page.locator("ul.search li a").all()]
    assert any("03_style_gram" in link for link in links)
    assert heard.outside() == []
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", [*TESTED, *MOVING])
def test_no_serious_fault_of_accessibility(chromium, address, name, dark):
    page, _ = visit(chromium, f"{address}/{name}", dark=dark)
    if name == "docs/play.html":
        for explorer in page.locator(".nst-moving").all():
            explorer.scroll_into_view_if_needed()
        page.wait_for_function(
            "document.querySelectorAll('.nst-moving:not([data-ready])').length === 0",
            timeout=60_000,
        )
    assert serious_faults(page) == []
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_its_window(chromium, address, width, dark):
    """Screenshots, to be looked at, lie under `results/screenshots`."""
    for name in (*TESTED, *MOVING):
        page, _ = visit(chromium, f"{address}/{name}", width, dark)
        wide = page.evaluate("document.documentElement.scrollWidth")
        theme = "dark" if dark else "light"
        screenshot(page, f"site_{name.replace('/', '_')}_{width}_{theme}")
        assert wide <= width, name
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        page.close()
