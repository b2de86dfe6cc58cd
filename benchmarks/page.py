"""Seconds from opening the site's page of explorers to the first painting made in it.

    python docs/build.py
    python benchmarks/page.py [--rounds 5]

A browser without a cache opens docs/_build/docs/play.html, served from this machine, whose painter
repaints its first photograph as soon as it can; after that a photograph is dropped on it. Both are
reduced to 256 pixels. Three times, in the median of the rounds: until the painter is ready; until
the first painting is shown; and from the drop to its painting. Needs Chromium and Playwright.
"""

from __future__ import annotations

import argparse
import base64
import functools
import http.server
import shutil
import statistics
import threading
import time
from pathlib import Path

from peers import headline

ROOT = Path(__file__).resolve().parents[1]
SITE, PAGE = ROOT / "docs" / "_build", "docs/play.html"
PHOTOGRAPH = ROOT / "images" / "content" / "temple.jpg"
PLACE = "[data-explorer=painter]"
DROP = """async ([selector, bytes]) => {
    const data = new DataTransfer();
    const photograph = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
    data.items.add(new File([photograph], 'mine.jpg', {type: 'image/jpeg'}));
    const event = new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true});
    document.querySelector(selector).dispatchEvent(event);
}"""
CHANGED = """([selector, before]) =>
    document.querySelector(selector).getAttribute('data-shown') !== before"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of requests."""


def seconds_of_a_round(browser, address: str) -> tuple[float, float, float]:
    """Seconds to the painter, to its first painting, and from the drop to its painting."""
    bytes_ = base64.b64encode(PHOTOGRAPH.read_bytes()).decode()  # a list takes a second to be sent
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    begin = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(f"{PLACE}[data-ready]")
    ready = time.perf_counter()
    page.wait_for_selector(f"{PLACE}[data-shown]")
    first = time.perf_counter()
    before = page.locator(PLACE).get_attribute("data-shown")
    dropped = time.perf_counter()
    page.evaluate(DROP, [f"{PLACE} .nst-picker", bytes_])
    page.wait_for_function(CHANGED, arg=[PLACE, before])
    painted = time.perf_counter()
    page.close()
    return ready - begin, first - begin, painted - dropped


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    if not (SITE / PAGE).is_file():
        parser.error(f"{SITE / PAGE} is not there: python docs/build.py makes it")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    handler = functools.partial(Quiet, directory=str(SITE))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/{PAGE}"
    print(headline())
    rows = []
    with sync_playwright() as playwright:
        for _ in range(rounds):
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"]
            )
            rows.append(seconds_of_a_round(browser, address))
            browser.close()
    ready, first, painted = (statistics.median(column) for column in zip(*rows, strict=True))
    print(
        f"the painter is ready after {ready:.2f} s, its first painting shown after {first:.2f} s;"
    )
    print(f"a photograph that is then dropped is painted {painted:.2f} s later")
    server.shutdown()


if __name__ == "__main__":
    main()
