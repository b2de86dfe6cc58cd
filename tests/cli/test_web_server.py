"""The studio's server, asked as browsers and attackers ask.

A small notebook stands for the studio: a page needs a second and 60 MB, not ten and 1 GB.
"""

import asyncio
import json
import os
import re
import signal
import sys
import time
import urllib.parse
import uuid
from contextlib import asynccontextmanager, closing
from http.client import HTTPConnection

import nbformat
import psutil
import pytest
from browser import ROOT, free_port, serving, wait_until
from messages import frame
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from nst_tutorial.cli.web.visitors import PROTOCOL
from nst_tutorial.storage.private_folder import PREFIX

pytestmark = pytest.mark.slow
PAGES = 2
PROGRAM = """
import resource, sys
from pathlib import Path
from nst_tutorial.cli.web import page_kernels, server

resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))  # bytes, should an attack succeed
page_kernels.PageKernels.alone.default_value = 2.0  # seconds, so that no test waits long
page_kernels.PageKernels.patience.default_value = 4.0
server.SILENT = 3
server.serve(Path(sys.argv[1]), int(sys.argv[2]), pages=int(sys.argv[3]), names=["studio.example"])
"""
CELL = """
import os, threading, time, ipywidgets
from nst_tutorial.storage.private_folder import PrivateFolder
folder = PrivateFolder()
(folder.path / "upload.png").write_bytes(b"a visitor's picture")
text = ipywidgets.Text("here")
def compute():
    while True:
        text.value = str(time.monotonic())
        time.sleep(0.2)
if os.environ["QUERY_STRING"] == "computing":
    threading.Thread(target=compute, daemon=True).start()
text
"""


class Server:
    """One that runs: its process, its port, and what can be asked of it."""

    def __init__(self, process, port, temporary):
        self.process, self.port, self.temporary = process, port, temporary

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(self, path="/", method="GET", body=None, **headers):
        """(status, headers, text) of one request; in the names of headers _ stands for -."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def open_page(self, path="/"):
        """(kernel's id, token) of a new page."""
        status, headers, text = self.ask(path)
        assert status == 200, text
        token = re.search("_xsrf=([^;]+)", " ".join(headers.get_all("Set-Cookie")))[1]
        return re.search('"kernelId": "([^"]+)"', text)[1], token

    def end(self, kernel, token):
        """As the page does it when it is left."""
        return self.ask(
            f"/voila/api/shutdown/{kernel}",
            "POST",
            urllib.parse.urlencode({"_xsrf": token}),
            Cookie=f"_xsrf={token}",
            Content_Type="application/x-www-form-urlencoded",
            Origin=f"http://{self.host}",
        )[0]

    def kernels(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if child.status() != psutil.STATUS_ZOMBIE]

    def memory(self) -> int:
        return psutil.Process(self.process.pid).memory_info().rss

    def uploads(self) -> list[str]:
        return [str(path) for path in self.temporary.glob(f"{PREFIX}*/*/upload.png")]

    @asynccontextmanager
    async def connected(self, kernel, **options):
        """The connection of a page to its kernel."""
        options = {"subprotocols": [PROTOCOL], **options}
        url = f"ws://{self.host}/api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"
        headers = options.pop("headers", {})
        socket = await websocket_connect(HTTPRequest(url, headers=headers), **options)
        try:
            yield socket
        finally:
            socket.close()


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Start a server in a folder that may be used again; a context."""
    home = tmp_path_factory.mktemp("server")
    cell = nbformat.v4.new_code_cell(CELL)
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": spec})
    nbformat.write(notebook, home / "small.ipynb")
    settings = {"Voila": {"base_url": "/elsewhere/"}}  # of somebody whose folder is looked at
    (home / "voila.json").write_text(json.dumps(settings))
    temporary = home / "temporary"
    temporary.mkdir()

    def started():
        port = free_port()
        command = [sys.executable, "-c", PROGRAM, str(home / "small.ipynb"), str(port), str(PAGES)]
        environment = {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
        ready = f"http://127.0.0.1:{port}/voila/static/voila.js"
        return port, temporary, serving(command, ready, home / "log.txt", environment, 120)

    return started


@pytest.fixture(scope="module")
def running(start):
    port, temporary, serving = start()
    with serving as process:
        yield Server(process, port, temporary)


@pytest.fixture
def server(running):
    """The module's server, without pages before and after."""
    yield running
    wait_until(lambda: not running.kernels(), "all kernels have ended", 60)


def ask_kernel_info(session: str) -> bytes:
    header = {
        "msg_id": "1", "msg_type": "kernel_info_request", "username": "", "session": session,
        "version": "5.3", "date": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return frame(json.dumps(header).encode(), b"{}", b"{}", b"{}")


async def answers(socket, sent: bytes) -> bool:
    """Whether the kernel answers through a connection."""
    await socket.write_message(sent, binary=True)
    for _ in range(50):
        message = await asyncio.wait_for(socket.read_message(), 20)
        if message is None:
            return False
        if b"kernel_info_reply" in message:
            return True
    return False


# --- who is let in ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/voila/static/voila.js", "/api/kernels/0-0-0-0-0"])
def test_other_names_are_refused(server, path):
    for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1.evil.example"):
        status, _, text = server.ask(path, Host=host)
        assert (status, "does not go by the name in the address" in text) == (403, True)
        assert host not in text
    assert server.kernels() == []


def test_names_that_were_told_are_known(server):
    for host in (server.host, f"localhost:{server.port}", "studio.example"):
        assert server.ask("/voila/static/voila.js", Host=host)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "image"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Referer": "http://evil.example/"},
    ],
)
def test_no_kernel_for_another_site(server, headers):
    for number in range(3):
        status, answered, text = server.ask(f"/?{number}", **headers)
        assert status == 403
        assert '<a href="/" target="_top">Open the studio</a>' in text
        assert "frame-ancestors 'none'" in answered["Content-Security-Policy"]
    assert server.kernels() == []


def test_another_site_ends_no_kernel(server):
    kernel, token = server.open_page()
    path, cookie = f"/voila/api/shutdown/{kernel}", f"_xsrf={token}"
    body = urllib.parse.urlencode({"_xsrf": token})
    assert server.ask(path, "POST", body, Cookie=cookie, Origin="http://evil.example")[0] == 403
    assert server.ask(path, "POST", "", Cookie=cookie, Origin=f"http://{server.host}")[0] == 403
    assert server.ask(f"/api/kernels/{kernel}", "DELETE", Cookie=cookie)[0] == 403
    assert len(server.kernels()) == 1
    assert server.end(kernel, token) == 204


# --- the connection --------------------------------------------------------------------------


def test_only_the_new_protocol_is_spoken(server):
    """The older one made the server fill its memory as soon as a message came back."""
    kernel, token = server.open_page()

    async def tried(**options) -> int:
        try:
            async with server.connected(kernel, **options):
                return 101
        except HTTPClientError as error:
            return error.code

    async def all_tried():
        assert await tried(subprotocols=None) == 400
        assert await tried(subprotocols=["v2", "x"]) == 400
        for headers in (
            {"Host": "evil.example"},
            {"Origin": "http://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            assert await tried(headers=headers) == 403
        assert await tried() == 101

    asyncio.run(all_tried())
    assert server.end(kernel, token) == 204


@pytest.mark.parametrize(
    "sent",
    [
        b'{"header": {"msg_type": "comm_info_request"}, "channel": "shell"}',
        b"\xff" * 8,
        (2**40).to_bytes(8, "little") + bytes(64),
    ],
)
def test_what_is_no_message_closes_the_connection(server, sent):
    kernel, token = server.open_page()
    before = server.memory()

    async def tried():
        async with server.connected(kernel) as socket:
            await socket.write_message(sent, binary=True)
            while await asyncio.wait_for(socket.read_message(), 10) is not None:
                pass
            assert (socket.close_code, socket.close_reason) == (1002, "no message of the protocol")
        async with server.connected(kernel) as socket:  # another is served
            assert await answers(socket, ask_kernel_info("b"))

    asyncio.run(tried())
    assert server.memory() - before < 30e6
    assert server.end(kernel, token) == 204


# --- kernels ---------------------------------------------------------------------------------


def test_a_page_that_is_left_ends_its_kernel(server):
    for _ in range(PAGES + 1):  # as if it were loaded anew
        kernel, token = server.open_page()
        assert len(server.uploads()) == 1
        assert server.end(kernel, token) == 204
        assert (server.kernels(), server.uploads()) == ([], [])


def test_pages_are_limited_in_words(server):
    """Also those that are asked for at once."""

    async def together():
        asks = [asyncio.to_thread(server.ask) for _ in range(PAGES + 3)]
        return await asyncio.gather(*asks)

    answered = asyncio.run(together())
    assert sorted(status for status, _, _ in answered) == [200] * PAGES + [503] * 3
    assert len(server.kernels()) == PAGES
    text = next(text for status, _, text in answered if status == 503)
    assert f"There are {PAGES} pages of the studio open already" in text
    assert "https://" not in text


def test_a_page_that_is_gone_ends_its_kernel(server):
    """Also one that computes: it is never idle."""
    kernel, _ = server.open_page("/?computing")

    async def come_and_go():
        async with server.connected(kernel) as first:
            async with server.connected(kernel):
                pass
            assert await answers(first, ask_kernel_info("a"))
            await asyncio.sleep(3)  # longer than a kernel is left alone
            assert await answers(first, ask_kernel_info("b"))

    asyncio.run(come_and_go())
    begin = time.monotonic()
    assert len(server.kernels()) == 1
    wait_until(lambda: not server.kernels(), "the kernel has ended", 20)
    assert time.monotonic() - begin >= 1
    assert server.uploads() == []


def test_a_page_that_never_connects_ends_its_kernel(server):
    server.open_page()
    wait_until(lambda: not server.kernels(), "the kernel has ended", 40)


# --- what is sent, and what is left ----------------------------------------------------------


def test_nothing_comes_from_another_server(server):
    status, headers, text = server.ask()
    assert status == 200
    assert "/voila/static/voila.js" in text
    elsewhere = r"""(?:src|href|import|url)\s*[=(]\s*["']?(?:https?:)?//[^"' )]+"""
    assert re.findall(elsewhere, text) == []
    parts = headers["Content-Security-Policy"].split(";")
    policy = dict(part.strip().split(" ", 1) for part in parts)
    assert policy["default-src"] == "'self'"
    for name, sources in policy.items():
        assert "http" not in sources, name
    assert policy["script-src"].split() == ["'self'", "'unsafe-inline'", "'unsafe-eval'", "blob:"]


def test_no_setting_is_taken_from_the_folder(server):
    assert (server.temporary.parent / "voila.json").exists()
    assert server.ask("/elsewhere/")[0] != 200
    assert server.ask("/voila/static/voila.js")[0] == 200


def test_what_a_killed_server_left_is_removed_by_the_next(start):
    port, temporary, first = start()
    with first as process:
        Server(process, port, temporary).open_page()
        kernels = psutil.Process(process.pid).children()
        left = list(temporary.glob(f"{PREFIX}*"))
        assert len(left) >= 1
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        psutil.wait_procs(kernels, 20)  # they see by themselves that it is gone
    assert left[0].exists()
    port, temporary, second = start()
    with second:
        assert not any(folder.exists() for folder in left)
