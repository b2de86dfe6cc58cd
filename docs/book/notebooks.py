"""A notebook as a page of the site: as it is committed, and fit to be read without a kernel."""

from __future__ import annotations

import base64
import hashlib
import html
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from PIL import Image

from nst_tutorial.cli.pages import WIDGET, readable

from .links import Links

SUFFIXES = {"image/png": ".webp", "image/jpeg": ".jpg"}
SETUP = "%pip install"  # the first cell: it imports, or installs, the package
Explorer = tuple[str, str]  # what the code of a cell contains, and the name of an explorer


def page_of(
    path: Path,
    place: str,
    links: Links,
    figures: Path,
    explorers: Sequence[Explorer] = (),
    snippet: Callable[[str], str] | None = None,
) -> NotebookNode:
    """The notebook to show: pictures as files in `figures`, explorers that move.

    `place` is the notebook's path in the repository. Below the code cell that an explorer belongs
    to stands its snippet of HTML, in place of the widget's sentence.

    Raises
    ------
    ValueError
        An explorer belongs to no cell, or to several.
    """
    notebook = nbformat.read(path, as_version=4)
    for text, name in explorers:
        if snippet is None:
            raise ValueError(f"{place}: there is no snippet for {name}")
        _insert(notebook, place, text, snippet(name))
    readable(notebook, lambda alt, mime, data: _as_file(alt, mime, data, figures, place))
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "markdown":
            cell.source = links.rewrite(cell.source, place)
        elif SETUP in cell.source:
            cell.metadata["tags"] = [*cell.metadata.get("tags", ()), "hide-input"]
    notebook.cells[0].source += f"\n\n{_download(path.name)}"
    return notebook


def to_run(path: Path) -> NotebookNode:
    """The notebook to be downloaded: the same cells, without what they once gave."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _insert(notebook: NotebookNode, place: str, text: str, page: str) -> None:
    cells = [c for c in notebook.cells if c.cell_type == "code" and text in c.source]
    if len(cells) != 1:
        raise ValueError(f"{place}: {len(cells)} code cells contain {text!r}; one must")
    (cell,) = cells
    kept = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
    moving = nbformat.v4.new_output("display_data", {"text/html": page, "text/plain": text})
    cell.outputs = [*kept, moving]


def _as_file(alt: str, mime: str, data: str, figures: Path, place: str) -> str:
    """Write the picture once, and return the tag that shows it; it is loaded when it is near."""
    content = base64.b64decode(data)
    name = f"{Path(place).stem}-{hashlib.sha256(content).hexdigest()[:12]}{SUFFIXES[mime]}"
    figures.mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(content)) as picture:
        width, height = picture.size
        if mime == "image/png":  # the same pixels, in fewer bytes
            picture.save(figures / name, "WebP", lossless=True, exact=True)
        else:
            (figures / name).write_bytes(content)
    return (
        f'<img class="figure" alt="{html.escape(alt)}" src="../figures/{name}" '
        f'width="{width}" height="{height}" loading="lazy">'
    )


def _download(name: str) -> str:
    return (
        f'<p class="to-run">To run it: <a href="{name}" download>download this notebook</a>, and '
        f'<a href="../index.html#two-commands">install the course</a>.</p>'
    )
