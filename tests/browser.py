"""What the tests marked `browser` share: a Chromium, JupyterLab on a copy of the notebooks.

`conftest` takes in the fixtures `chromium` and `lab`; the functions are imported from here.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
SHOTS = ROOT / "results" / "screenshots"  # not under version control; to be looked at
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
LAB_SETTINGS = {
    # A cell that is out of sight is on the page all the same
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


def find_chromium() -> str | None:
    """The browser to use: $CHROMIUM, or the first of NAMES that is installed."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for path in map(shutil.which, NAMES) if path), None)


@pytest.fixture(scope="module")
def chromium():
    """A browser without a window, for the tests of one module.

    Playwright holds an event loop while it runs; it is ended with the module, so that other tests
    in the same process find none.
    """
    executable = find_chromium()
    if executable is None:
        pytest.skip(
            f"NOT TESTED in a browser: none of {', '.join(NAMES)} is installed, and CHROMIUM names "
            "no other"
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield browser
        browser.close()


# --- servers ---------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(
    command: Sequence[str], ready: str, log: Path, environment: Mapping[str, str], seconds=90
) -> Iterator[subprocess.Popen]:
    """Run a server until the block ends; enter it when the address `ready` answers."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command), stdout=output, stderr=subprocess.STDOUT,
            env={**os.environ, **environment}, cwd=log.parent,
        )  # fmt: skip
        try:
            wait_until(lambda: _answers(ready, process, log), f"{command} answers", seconds)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(address: str, process: subprocess.Popen, log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(
            f"the server ended with {process.returncode}:\n{log.read_text()[-3000:]}"
        )
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Ask again and again until it is so; a TimeoutError that says what did not happen."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.2)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab and the folder it shows."""

    url: str
    token: str
    folder: Path

    def address(self, name: str) -> str:
        """Of one notebook of the folder, alone on its page."""
        return f"{self.url}/doc/tree/{name}?token={self.token}"


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> Iterator[Lab]:
    """JupyterLab on a copy of the notebooks, in fast mode, with nothing of the user's settings."""
    if find_chromium() is None:
        pytest.skip("NOT TESTED in a browser: no Chromium is installed")
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    folder.mkdir()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(path, folder)
    for name, value in LAB_SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(value))
    port, token = free_port(), secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}"
    environment = {
        "NST_FAST": "1",
        "NST_CACHE": str(home / "cache"),
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser"),
        *("--allow-root", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.root_dir={folder}", "--ServerApp.ip=127.0.0.1"),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with serving(command, f"{url}/api/status?token={token}", home / "log.txt", environment):
        yield Lab(url, token, folder)


# --- notebooks -------------------------------------------------------------------------------


def excerpt(lab: Lab, notebook: str, wanted: Callable[[str], bool]) -> str:
    """A notebook of the first code cell of another and those whose source is wanted; its name."""
    whole = nbformat.read(lab.folder / notebook, as_version=4)
    code = [cell for cell in whole.cells if cell.cell_type == "code"]
    whole.cells = [code[0], *(cell for cell in code[1:] if wanted(cell.source))]
    assert len(whole.cells) > 1, f"{notebook} has no such cell"
    for cell in whole.cells:
        cell.outputs, cell.execution_count = [], None
    name = f"excerpt_{notebook}"
    nbformat.write(whole, lab.folder / name)
    return name


def open_notebook(chromium, lab: Lab, name: str):
    """A page with a notebook of the lab whose kernel is ready."""
    page = chromium.new_page(viewport={"width": 1200, "height": 1400})
    page.goto(lab.address(name))
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
    page.wait_for_function(
        """() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel
                 ?.status === 'idle'""",
        timeout=120_000,
    )
    return page


def run_all(page, seconds: float = 120) -> None:
    """Run all cells and wait for the last; an AssertionError with what a failing cell said."""
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    ran = """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')]
                   .every(p => /\\[\\d+\\]/.test(p.innerText))"""
    failed = ".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']"
    error = ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']"
    page.wait_for_function(
        f'() => ({ran})() || document.querySelector("{error}")', timeout=1000 * seconds
    )
    said = [page.locator(error).nth(i).inner_text() for i in range(page.locator(error).count())]
    assert not said, (said, page.locator(failed).all_inner_texts())


def picture(page, index: int = 0) -> str:
    """The bytes of the nth picture that an explorer shows, as text."""
    return page.evaluate(
        """async (index) => {
            const shown = [...document.querySelectorAll('.nst-seen img')];
            const image = shown.filter(each => each.checkVisibility())[index];
            const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
            return Array.from(bytes).join(',');
        }""",
        index,
    )


def change_theme(page, name: str) -> None:
    """Choose a theme of JupyterLab, "JupyterLab Dark" for one, and wait until the page has it."""
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", name)
    page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=name)
    page.wait_for_timeout(500)  # the style sheet is drawn


def serious_faults(page, selector: str | None = None) -> list[tuple[str, list[str]]]:
    """What axe calls a serious or critical fault of accessibility, on a page or a part of it."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        (fault["id"], [node["html"][:160] for node in fault["nodes"][:3]])
        for fault in Axe().run(page, selector).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def screenshot(page, name: str) -> Path:
    """Write what the page shows under `results`, to be looked at."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / f"{name}.png"))
    return SHOTS / f"{name}.png"
