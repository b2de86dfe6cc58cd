"""Seconds from opening the site's page of explorers to the first painting made in it.

    python docs/build.py
    python benchmarks/page.py [--rounds 5]

A browser without a cache opens docs/_build/docs/play.html, served from this machine; when the
painter there is ready, a photograph is dropped on it, which is reduced to 256 pixels. Two times, in
the median of the rounds: until the painter is ready, and until the painting is shown, with the
runtime and the network loaded in between. Each round is a browser of its own. Needs Chromium and
Playwright.
"""

from __future__ import annotations

import argparse
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
    data.items.add(new File([new Uint8Array(bytes)], 'mine.jpg', {type: 'image/jpeg'}));
    const event = new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true});
    document.querySelector(selector).dispatchEvent(event);
}"""
CHANGED = """([selector, before]) =>
    document.querySelector(selector).getAttribute('data-shown') !== before"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of requests."""


def seconds_of_a_round(browser, address: str) -> tuple[float, float]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    begin = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(f"{PLACE}[data-ready]")
    ready = time.perf_counter() - begin
    before = page.locator(PLACE).get_attribute("data-shown")
    page.evaluate(DROP, [f"{PLACE} .nst-picker", list(PHOTOGRAPH.read_bytes())])
    page.wait_for_function(CHANGED, arg=[PLACE, before])
    painted = time.perf_counter() - begin
    page.close()
    return ready, painted


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
    ready, painted = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"the painter is ready after {ready:.2f} s, the painting is there after {painted:.2f} s")
    server.shutdown()


if __name__ == "__main__":
    main()
