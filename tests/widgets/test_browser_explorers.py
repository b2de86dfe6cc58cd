"""Every explorer in JupyterLab, in a real browser, moved by keyboard."""

import json
import re
from pathlib import Path

import pytest
from browser import (
    change_theme,
    excerpt,
    open_notebook,
    picture,
    run_all,
    screenshot,
    serious_faults,
    wait_until,
)

CALL = re.compile(r"widgets\.(\w+_explorer)\(")
NOTEBOOKS = {
    explorer: path.name
    for path in sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
    for explorer in CALL.findall(path.read_text())
}
QUICK = ("gram_explorer",)
# Everything in the explorer that a hand can move, in the order of the Tab key
MOVABLE = ", ".join(
    f".nst-explorer {control}"
    for control in (
        *(".nst-knobs input:not([disabled])", ".nst-knobs select:not([disabled])"),
        *("[role=radio][aria-checked=true]", ".nst-divider:not([hidden])"),
    )
)
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

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
    page.wait_for_selector(".nst-seen img[src]", timeout=60_000)
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
    said = page.locator(".nst-explorer > .widget-html:visible").inner_text()
    return re.sub(r"\d+ ms", "", said)


def test_a_slider_moves_by_keyboard_and_the_picture_changes(page, request):
    name = request.node.callspec.params["page"]
    screenshot(page, f"{name}_before")
    before, said = all_pictures(page), words(page)
    assert "cannot be shown" not in said
    slider = page.locator(".nst-knobs input[type=range]:enabled").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    wait_until(lambda: all_pictures(page) != before, "the picture changes", 30)
    wait_until(lambda: "working" not in words(page), "the answer")
    screenshot(page, f"{name}_after")
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: words(page) == said, "it says what it said before", 30)


def test_the_tab_key_reaches_every_control_and_each_has_a_name(page):
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
    nameless = movable.evaluate_all(
        """all => all.filter(node => ![...(node.labels ?? [])].some(label => label.innerText.trim())
            && !node.getAttribute('aria-label') && !node.innerText.trim()
        ).map(node => node.outerHTML)"""
    )
    assert not nameless


def test_names_and_controls_stand_in_columns(page):
    """The marks of all sliders and lists of one column begin at one place."""
    starts = page.locator(".nst-knobs input[type=range], .nst-knobs select").evaluate_all(
        """all => all.map(node => [
            Math.round(node.closest('.nst-knobs > *').getBoundingClientRect().left),
            Math.round(node.getBoundingClientRect().left)])"""
    )
    assert starts
    apart = {start - left for left, start in starts}
    assert max(apart) - min(apart) <= 4  # a native slider has a margin of its own


def test_ticks_stand_at_the_height_of_their_neighbours(page):
    """The box and its name have the middle of the row, in which sliders and lists stand, too."""
    apart = page.locator(".nst-knobs input[type=checkbox]").evaluate_all(
        """all => all.flatMap(box => {
            const middle = (what) => {
                const { top, bottom } = what.getBoundingClientRect();
                return (top + bottom) / 2;
            };
            const name = document.createRange();
            name.selectNodeContents(box.nextElementSibling);
            const row = middle(box.closest('.nst-knobs > *'));
            return [middle(box) - row, middle(name) - row];
        })"""
    )
    assert all(abs(each) <= 1 for each in apart), apart


def test_drawings_follow_the_theme_and_nothing_serious_is_wrong(page, request):
    """Screenshots, to be looked at, lie under `results/screenshots`."""
    name = request.node.callspec.params["page"]
    has_drawings = page.locator(".nst-row:visible img").count() > 0
    change_theme(page, THEMES["light"])  # the lab keeps what the notebook before has chosen
    light = all_pictures(page)
    for theme, wanted in THEMES.items():
        change_theme(page, wanted)
        if theme == "dark" and has_drawings and name in ("balance_explorer", "optimizer_explorer"):
            wait_until(lambda: all_pictures(page) != light, "drawings for a dark page", 30)
        screenshot(page, f"{name}_{theme}")
        assert serious_faults(page, ".nst-explorer") == [], theme


def all_pictures(page) -> list[str]:
    count = page.locator(".nst-seen img:visible").count()
    return [picture(page, i) for i in range(count)]
