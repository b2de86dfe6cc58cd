"""Who may ask the studio's server for something, and what may come through the connection."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.httputil import HTTPServerRequest, split_host_and_port
from tornado.routing import Matcher
from tornado.web import HTTPError, RequestHandler

PROTOCOL = "v1.kernel.websocket.jupyter.org"
FEWEST_PARTS = 6  # of a message: where channel, four dictionaries and the end lie
MOST_PARTS = 256
FOREIGN_NAME = (
    "This server does not go by the name in the address. Open it by the address that it printed; "
    "if the name is right, start it with nst studio --host-name NAME."
)
FOREIGN_SITE = "Another web page asked for this one. The studio opens for you alone:"


# --- requests --------------------------------------------------------------------------------


def is_known_host(host: str, names: Collection[str]) -> bool:
    """Whether a Host header is one of the names, with any port.

    A page of another site can have its name point here (DNS rebinding). The browser then takes this
    server for that site's; that the name is a wrong one shows in this header alone.
    """
    return split_host_and_port(host.lower())[0] in names


def is_from_another_site(headers: Mapping[str, str]) -> bool:
    """Whether it was another web page that had the browser ask.

    Browsers say so in Sec-Fetch-Site, if they trust the connection (on 127.0.0.1 they do); else
    Origin or Referer names the page, if anything does.
    """
    if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return True
    pages = (headers.get(name) for name in ("Origin", "Referer"))
    host = headers.get("Host", "").lower()
    return any(page is not None and _host_of(page) != host for page in pages)


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:  # no address at all
        return ""


class Unwelcome(Matcher):
    """Of tornado's routes: every request that is not to be answered, whatever it asks for."""

    def __init__(self, names: Collection[str]):
        self.names = frozenset(name.lower() for name in names)

    def match(self, request: HTTPServerRequest) -> dict | None:
        headers = request.headers
        if not is_known_host(headers.get("Host", ""), self.names):
            return {"target_kwargs": {"message": FOREIGN_NAME}}
        if is_from_another_site(headers):
            return {"target_kwargs": {"message": FOREIGN_SITE, "again": "/"}}
        return None


class Refusal(RequestHandler):
    """Says in words why there is no answer."""

    def initialize(self, message: str, again: str = "") -> None:
        self.message, self.again = message, again

    def prepare(self) -> None:
        page = self.settings["voila_jinja2_env"].get_template("error.html")
        self.set_status(403)
        self.set_header(
            "Content-Security-Policy", self.settings["headers"]["Content-Security-Policy"]
        )
        self.finish(page.render(message=self.message, again=self.again))


# --- messages --------------------------------------------------------------------------------


def is_message(frame: object) -> bool:
    """Whether bytes are a message of the protocol: a number of offsets, the offsets, the parts.

    Jupyter's server takes the number at its word, and takes 8 bytes for each into a list even where
    there are none; it copies parts that overlap once each.
    """
    if not isinstance(frame, bytes):
        return False
    number = int.from_bytes(frame[:8], "little")
    if not FEWEST_PARTS <= number <= MOST_PARTS:
        return False
    starts = range(8, 8 * (number + 1), 8)
    offsets = [int.from_bytes(frame[start : start + 8], "little") for start in starts]
    return (
        8 * (number + 1) <= offsets[0] and offsets == sorted(offsets) and offsets[-1] <= len(frame)
    )


class PageConnection(ZMQChannelsWebsocketConnection):
    """The connection between a page and its kernel, in the one protocol that Voilà can read.

    Without that, messages go to the page in an older format. Voilà reads these too as if they were
    in the new one: eight bytes of text as a number of offsets, for which it fills the memory.
    """

    async def prepare(self) -> None:
        offered = self.websocket_handler.request.headers.get("Sec-WebSocket-Protocol", "")
        if PROTOCOL not in [name.strip() for name in offered.split(",")]:
            raise HTTPError(400, f"the connection needs the subprotocol {PROTOCOL}")
        await super().prepare()

    def handle_incoming_message(self, incoming_msg: str) -> None:
        if is_message(incoming_msg):
            super().handle_incoming_message(incoming_msg)
        else:
            self.log.warning("A page sent what is no message; its connection is closed")
            self.websocket_handler.close(1002, "no message of the protocol")
