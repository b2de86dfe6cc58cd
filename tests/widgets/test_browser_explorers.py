"""Every explorer in JupyterLab, in a real browser, moved by keyboard."""

import json
import re
from pathlib import Path

import pytest
from browser import excerpt, open_notebook, picture, run_all, screenshot, wait_until

CALL = re.compile(r"widgets\.(\w+_explorer)\(")
NOTEBOOKS = {
    explorer: path.name
    for path in sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
    for explorer in CALL.findall(path.read_text())
}
QUICK = ("layer_explorer", "gram_explorer", "optimizer_explorer")
# Everything in the explorer that a hand can move, in the order of the Tab key
MOVABLE = ".jp-OutputArea-output .noUi-handle, .jp-OutputArea-output select:not([disabled]), " + (
    ".jp-OutputArea-output input[type=checkbox]"
)

pytestmark = pytest.mark.browser


def test_every_explorer_has_its_notebook():
    from nst_tutorial import widgets

    explorers = {name for name in widgets.__all__ if name.endswith("_explorer")}
    assert set(NOTEBOOKS) == explorers


@pytest.fixture(
    scope="module",
    params=[
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NOTEBOOKS
    ],
)
def page(request, chromium, lab):
    explorer, name = request.param, NOTEBOOKS[request.param]
    wanted = re.compile(rf"widgets\.{explorer}\(").search
    cells = wanted if name < "08" else up_to(wanted)
    page = open_notebook(chromium, lab, excerpt(lab, name, cells))
    run_all(page, seconds=300)
    page.wait_for_selector(".widget-image", timeout=60_000)
    wait_until(lambda: "working" not in words(page), "the first answer")
    yield page
    page.close()


def up_to(wanted):
    """All cells until the first that is wanted: what an explorer shows comes from those before.

    Cells of other explorers are left out: the page is to hold one.
    """
    found = []

    def take(source: str) -> bool:
        if found or (CALL.search(source) and not wanted(source)):
            return False
        found.extend([source] if wanted(source) else [])
        return True

    return take


def words(page) -> str:
    """What the explorer says, but for how long it took."""
    said = page.locator(".jp-OutputArea-output .widget-html-content").first.inner_text()
    return re.sub(r"\d+ ms", "", said)


def test_a_slider_moves_by_keyboard_and_the_picture_changes(page, request):
    name = request.node.callspec.params["page"]
    screenshot(page, f"{name}_before")
    before, said = all_pictures(page), words(page)
    assert "cannot be shown" not in said
    slider = page.locator(".jp-OutputArea-output .noUi-handle:visible").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    wait_until(lambda: all_pictures(page) != before, "the picture changes", 30)
    wait_until(lambda: "working" not in words(page), "the answer")
    screenshot(page, f"{name}_after")
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: words(page) == said, "it says what it said before", 30)


def test_the_tab_key_reaches_every_control_and_each_has_a_label(page):
    movable = page.locator(MOVABLE)
    names = [movable.nth(i).evaluate("e => e.outerHTML") for i in range(movable.count())]
    assert names
    movable.first.focus()
    reached = set()
    for _ in range(3 * len(names)):
        reached.add(page.evaluate("() => document.activeElement.outerHTML"))
        page.keyboard.press("Tab")
    missed = [json.dumps(name[:200]) for name in names if name not in reached]
    assert not missed
    unlabelled = movable.evaluate_all(
        """handles => handles.filter(handle => {
            const labels = handle.closest('.widget-inline-hbox').querySelectorAll('label, span');
            return ![...labels].some(label => label.innerText.trim());
        }).map(handle => handle.outerHTML)"""
    )
    assert not unlabelled


def all_pictures(page) -> list[str]:
    count = page.locator(".widget-image:visible").count()
    return [picture(page, i) for i in range(count)]
