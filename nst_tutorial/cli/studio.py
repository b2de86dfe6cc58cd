"""`nst studio`: the studio as a web page, on this computer only."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated

import typer

from .terminal import out, plain_errors

HOST = "127.0.0.1"
MESSAGE = 32_000_000  # bytes of one message from the page: room for an upload
IDLE = 900  # seconds after which a kernel without a page is ended


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


def arguments(path: Path, port: int, browser: bool) -> list[str]:
    """Of Voilà: one notebook, no other file, no code from outside, nobody from another machine."""
    options = {
        "Voila.ip": HOST,
        "Voila.port": port,
        "Voila.port_retries": 0,
        "Voila.open_browser": browser,
        "Voila.root_dir": path.parent,
        "Voila.log_level": "WARN",
        "VoilaConfiguration.file_denylist": ".*",
        "VoilaConfiguration.strip_sources": True,
        "VoilaConfiguration.show_tracebacks": False,
        "VoilaConfiguration.allow_template_override": "NO",
        "VoilaConfiguration.allow_theme_override": "NO",
        "MappingKernelManager.root_dir": Path.cwd(),  # so images/content here are found
        "MappingKernelManager.cull_idle_timeout": IDLE,
        "MappingKernelManager.cull_interval": 60,
    }
    return [str(path), *(f"--{name}={value}" for name, value in options.items())]


def studio(
    port: Annotated[int, typer.Option(help="Where to listen; 0: any port that is free.")] = 8866,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open it in the browser.")
    ] = True,
) -> None:
    """Open the studio as a web page: pictures, knobs, a live view. Ctrl-C ends it.

    It can be reached from this computer only. Each page has a process of its own, so nobody sees
    the pictures of another page; nothing is written here, results are downloaded.
    """
    with plain_errors("interrupted"):
        from .course import notebooks_folder

        path, port = notebooks_folder() / "studio.ipynb", free_port(port)
    out.print(f"The studio is at http://{HOST}:{port}/ (Ctrl-C ends it)", soft_wrap=True)
    from voila.app import Voila

    room = {"websocket_max_message_size": MESSAGE}
    Voila.launch_instance(arguments(path, port, browser), tornado_settings=room)
