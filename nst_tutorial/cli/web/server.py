"""The studio as a web page: what Voilà is told, and the little that it has no option for."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode
from tornado.routing import Rule
from tornado.web import RequestHandler
from traitlets import List, Unicode
from traitlets.config import Config
from voila.app import Voila

from ...storage.private_folder import remove_abandoned
from .page_kernels import PageKernels
from .visitors import PageConnection, Refusal, Unwelcome

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
MESSAGE = 32_000_000  # bytes of one message from the page: room for an upload
SILENT = 30  # seconds after which a kernel is ended whose page never connected
TEMPLATE = Path(__file__).with_name("template")
POLICY = "; ".join(
    [  # for the browser: nothing from anywhere else, not even if a template asked for it
        "default-src 'self'",
        # Voilà's page needs both; anywidget runs what it was sent by the kernel, which is a blob
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


def configuration(port: int, browser: bool, pages: int) -> Config:
    """Of Voilà: one notebook, no other file, no code from outside, nobody from another machine."""
    return Config(
        {
            "Voila": {
                "ip": HOST,
                "port": port,
                "port_retries": 0,
                "open_browser": browser,
                "log_level": "WARN",
                "config_file_paths": [],  # a `voila.py` in the folder here would be run
                "kernel_websocket_connection_class": PageConnection,
                "tornado_settings": {
                    "websocket_max_message_size": MESSAGE,
                    "headers": {"Content-Security-Policy": POLICY},
                },
            },
            "VoilaConfiguration": {
                "file_denylist": [".*"],
                "strip_sources": True,
                "show_tracebacks": False,
                "allow_template_override": "NO",
                "allow_theme_override": "NO",
                "multi_kernel_manager_class": PageKernels,
                "prelaunch_hook": give_token,
            },
            "PageKernels": {
                "root_dir": str(Path.cwd()),  # so images/content here are found
                "most": pages,
                "cull_idle_timeout": SILENT,
                "cull_interval": 10,
            },
        }
    )


def give_token(handler: RequestHandler, notebook: NotebookNode, cwd: str) -> None:
    """Let the page end its kernel.

    When it is left, it sends the token of its cookie `_xsrf`, without which nobody may end one; but
    Voilà sets no such cookie. tornado does as soon as somebody reads the token.
    """
    assert handler.xsrf_token


class StudioServer(Voila):
    """Voilà with a door: it answers to its names alone, and to no page of another site."""

    names = List(Unicode(), help="Of this server, as they stand in the address.")

    def setup_template_dirs(self) -> None:
        """Our template before Voilà's, whose directories are fixed."""
        super().setup_template_dirs()
        self.template_paths.insert(0, str(TEMPLATE))

    def init_handlers(self) -> list:
        return [Rule(Unwelcome(self.names), Refusal), *super().init_handlers()]

    def launch_browser(self) -> None:
        """Open the address itself. Voilà would open a file that leads there: another site."""
        threading.Thread(target=webbrowser.open, args=(self.connection_url,), daemon=True).start()


def serve(
    notebook: Path, port: int, *, browser: bool = False, pages: int = 4, names: Sequence[str] = ()
) -> None:
    """Show a notebook as a web page until Ctrl-C or SIGTERM.

    Parameters
    ----------
    notebook
        Its path.
    port
        Of 127.0.0.1, which nobody else may use.
    browser
        Open it in the browser.
    pages
        The most that may be open at a time.
    names
        Of this server besides 127.0.0.1 and localhost, where it is reached through a proxy.
    """
    remove_abandoned()
    try:
        StudioServer.launch_instance(
            [str(notebook)],
            config=configuration(port, browser, pages),
            root_dir=str(notebook.parent),
            names=[*NAMES, *names],
        )
    finally:
        remove_abandoned()
