"""What the tests of the built site share: a server, its pages and links, a browser that listens."""

from __future__ import annotations

import functools
import gzip
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from browser import ROOT

LOADING = {"img": ("src", "srcset"), "script": ("src",), "source": ("src", "srcset"),
           "link": ("href",), "iframe": ("src",), "video": ("src", "poster")}  # fmt: skip


TEXTS = ("text/", "application/javascript", "application/json", "image/svg")


class Page(HTMLParser):
    """Of one page: the links, what it loads, the names of its places, pictures without a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.places: set[str] = set()
        self.pictures: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.places |= {value for key in ("id", "name") if (value := values.get(key))}
        if tag == "a" and values.get("href"):
            self.links.add(values["href"])
        if not (tag == "link" and values.get("rel") in ("canonical", "index", "search")):
            self.loads |= {v for key in LOADING.get(tag, ()) if (v := values.get(key))}
        if tag == "img":
            self.pictures.append(values)


def pages_of(site: Path) -> dict[str, Page]:
    """Every page of the site by its path."""
    paths = sorted(site.rglob("*.html"))
    return {p.relative_to(site).as_posix(): Page(p.read_text("utf-8")) for p in paths}


def broken_links(site: Path, pages: dict[str, Page]) -> list[tuple[str, str]]:
    """(page, link) of every link inside the site, and of all it loads, that leads nowhere."""
    broken = []
    for name, page in pages.items():
        for link in page.links | page.loads:
            if urlsplit(link).scheme:
                continue
            path, anchor = urldefrag(urljoin(f"http://site/{name}", link))
            target = unquote(urlsplit(path).path).lstrip("/") or "index.html"
            is_broken = not (site / target).is_file()
            if not is_broken and anchor and target in pages and link in page.links:
                is_broken = unquote(anchor) not in pages[target].places
            if is_broken:
                broken.append((name, link))
    return broken


@dataclass
class Served:
    """The address of a site on this machine, and how many bytes it has sent.

    Texts are counted as large as they are compressed, which every host does that serves such sites.
    """

    url: str
    sent: int = 0


@contextmanager
def served(site: Path) -> Iterator[Served]:
    """Serve a folder until the block ends."""

    class Counting(http.server.SimpleHTTPRequestHandler):
        def copyfile(self, source, outputfile) -> None:
            content = source.read()
            is_text = self.guess_type(urlsplit(self.path).path).startswith(TEXTS)
            state.sent += len(gzip.compress(content) if is_text else content)
            outputfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    handler = functools.partial(Counting, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        state = Served(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Heard:
    """What a page asked for and complained about."""

    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def outside(self) -> list[str]:
        """Requests that would leave this machine."""
        near = ("http://127.0.0.1:", "data:", "blob:")
        return [address for address in self.requests if not address.startswith(near)]


def listen(page) -> Heard:
    """Note every request, failure and complaint of a browser's page from now on."""
    heard = Heard()

    def note(response) -> None:
        if response.status >= 400:
            heard.failures.append(f"{response.status} {response.url}")

    def fail(request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the test itself has gone to the next page
            heard.failures.append(f"{request.failure} {request.url}")

    page.on("request", lambda request: heard.requests.append(request.url))
    page.on("response", note)
    page.on("requestfailed", fail)
    page.on("pageerror", lambda error: heard.complaints.append(str(error)))
    page.on(
        "console",
        lambda message: message.type == "error" and heard.complaints.append(message.text),
    )
    return heard


def need_the_runtime(folder: Path) -> None:
    """Skip the test, and say so, where the runtime of the networks cannot be fetched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        from moving.networks import write_runtime
    folder.mkdir(exist_ok=True)
    try:
        write_runtime(folder)
    except RuntimeError as error:
        pytest.skip(f"NOT TESTED: {error}")
