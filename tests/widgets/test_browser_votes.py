"""Blind votes in JupyterLab, in a real browser."""

import pytest
from browser import excerpt, open_notebook, run_all, screenshot, wait_until

NAME = "12_beyond_gram.ipynb"

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def page(chromium, lab):
    page = open_notebook(chromium, lab, excerpt(lab, NAME, lambda source: "BlindVotes" in source))
    run_all(page, seconds=120)
    page.wait_for_selector(".nst-row img", timeout=60_000)
    yield page
    page.close()


def output(page) -> str:
    return page.locator(".jp-OutputArea-output").last.inner_text()


def sources(page) -> list[str]:
    return [image.get_attribute("src") for image in page.locator(".nst-row img").all()]


def test_two_pictures_stand_side_by_side_and_clicks_are_votes(page):
    left, right = (image.bounding_box() for image in page.locator(".nst-row img").all())
    assert left["width"] > 150
    assert left["x"] + left["width"] <= right["x"] + 1
    assert abs(left["y"] - right["y"]) < 2
    for count, name in enumerate(("The left one", "The right one", "Cannot say"), start=1):
        before = sources(page)
        page.get_by_role("button", name=name).click()
        wait_until(lambda count=count: f"Votes so far: {count}" in output(page), "the vote")
        wait_until(lambda before=before: sources(page) != before, "the next two pictures")
    screenshot(page, "votes")


def test_the_ranking_ends_the_voting(page):
    page.get_by_role("button", name="Show the ranking").click()
    wait_until(lambda: "preferred to the average" in output(page), "the ranking")
    assert page.get_by_role("button", name="The left one").is_disabled()
    screenshot(page, "votes-ranking")
