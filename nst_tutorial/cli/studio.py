"""`nst studio`: the studio as a web page, on this computer only."""

from __future__ import annotations

import re
import socket
from typing import Annotated

from .options import flag, option
from .terminal import out, plain_errors

HOST = "127.0.0.1"


def free_port(port: int) -> int:
    """The port if nobody uses it, for 0 any; a ValueError if it is taken or cannot be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise ValueError(
                f"port {port} cannot be used ({error}); give another --port, or 0 for any"
            ) from error
        return probe.getsockname()[1]


def check_host_names(names: list[str]) -> list[str]:
    """The names as they stand in a Host header; a ValueError if one is no name but an address."""
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", name):
            raise ValueError(
                f"--host-name {name}: a name like studio.example.org is needed, without http:// "
                "and without a port"
            )
    return names


def studio(
    port: Annotated[int, option("NUMBER", "Where to listen; 0: any port that is free.")] = 8866,
    browser: Annotated[bool, flag("Open it in the browser.", "--browser/--no-browser")] = True,
    pages: Annotated[
        int, option("COUNT", "Most pages open at a time; each takes about 1 GB of memory.", min=1)
    ] = 4,
    host_name: Annotated[
        list[str] | None,
        option("NAME", "Another name of this server, as of a proxy before it; may be repeated."),
    ] = None,
) -> None:
    """Open the studio as a web page: pictures, knobs, a live view. Ctrl-C ends it.

    It can be reached from this computer only, by the names 127.0.0.1 and localhost. Each page has
    a process of its own, so nobody sees the pictures of another page; it ends soon after the page
    is closed. Nothing is written here, results are downloaded.
    """
    with plain_errors("interrupted"):
        from .course import notebooks_folder

        names = check_host_names(host_name or [])
        path, port = notebooks_folder() / "studio.ipynb", free_port(port)
    out.print(f"The studio is at http://{HOST}:{port}/ (Ctrl-C ends it)", soft_wrap=True)
    from .web.server import serve

    serve(path, port, browser=browser, pages=pages, names=names)
