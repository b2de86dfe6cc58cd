"""Seconds from opening the site's page of explorers to the first painting made in it.

    python docs/build.py
    python benchmarks/page.py [--rounds 5]

A browser without a cache opens docs/_build/docs/play.html, served from this machine; when the
painter there is ready, a photograph is dropped on it, which is reduced to 256 pixels. Three times,
in the median of the rounds: until the painter is ready; until the painting is shown; and, on a page
that has rested for two seconds before the photograph is dropped, from there to the painting. Each
time is that of a browser of its own. Needs Chromium and Playwright.
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
REST = 2.0  # seconds
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


def seconds_of_a_round(browser, address: str, rest: float = 0.0) -> tuple[float, float, float]:
    """Seconds to the painter, to the painting, and from the drop to the painting."""
    bytes_ = base64.b64encode(PHOTOGRAPH.read_bytes()).decode()  # a list takes a second to be sent
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    begin = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(f"{PLACE}[data-ready]")
    ready = time.perf_counter()
    page.wait_for_timeout(1000 * rest)
    before = page.locator(PLACE).get_attribute("data-shown")
    dropped = time.perf_counter()
    page.evaluate(DROP, [f"{PLACE} .nst-picker", bytes_])
    page.wait_for_function(CHANGED, arg=[PLACE, before])
    painted = time.perf_counter()
    page.close()
    return ready - begin, painted - begin, painted - dropped


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
    at_once, rested = [], []
    with sync_playwright() as playwright:
        for _ in range(rounds):
            for rows, rest in ((at_once, 0.0), (rested, REST)):
                browser = playwright.chromium.launch(
                    executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"]
                )
                rows.append(seconds_of_a_round(browser, address, rest))
                browser.close()
    ready, painted, _ = (statistics.median(column) for column in zip(*at_once, strict=True))
    *_, from_the_drop = (statistics.median(column) for column in zip(*rested, strict=True))
    print(f"the painter is ready after {ready:.2f} s, the painting is there after {painted:.2f} s;")
    print(f"on a page that has rested for {REST:.0f} s, {from_the_drop:.2f} s after the drop")
    server.shutdown()


if __name__ == "__main__":
    main()
