"""Notebooks as HTML pages, to be read where no Jupyter is."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import nbformat
from nbconvert import HTMLExporter

WIDGET = "application/vnd.jupyter.widget-view+json"
IMAGES = ("image/png", "image/jpeg")
LINK = re.compile(r"(\]\((?!https?:)[^)\s#]+)\.ipynb")


def as_tag(alt: str, mime: str, base64: str) -> str:
    """An image that holds its bytes itself."""
    return f'<img alt="{html.escape(alt)}" src="data:{mime};base64,{base64}">'


def as_page(notebook: bytes, name: str) -> bytes:
    """The HTML page of a notebook file; its pictures have their alternative texts.

    Links from notebook to notebook become links from page to page.
    """
    content = readable(nbformat.reads(notebook.decode(), as_version=4))
    for cell in content.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(r"\1.html", cell.source)
    resources = {"metadata": {"name": name}}
    page, _ = HTMLExporter().from_notebook_node(content, resources=resources)
    return page.encode()


def readable(
    content: nbformat.NotebookNode, show: Callable[[str, str, str], str] = as_tag
) -> nbformat.NotebookNode:
    """The notebook, changed in place, as it is read without a kernel.

    Templates of nbconvert and of Sphinx ignore the text in an image's metadata. HTML is taken over
    as it is, so each image becomes HTML: `show(alt, mime, base64)`. In place of a widget, which
    needs a kernel, stands its still, or the sentence that says what it is.
    """
    content.metadata.pop("widgets", None)
    for cell in content.cells:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)
            _describe(output, show)
    return content


def _describe(output: nbformat.NotebookNode, show: Callable[[str, str, str], str]) -> None:
    """Turn an output's image into HTML with its alternative text, if it has one."""
    for mime in IMAGES:
        alt = output.get("metadata", {}).get(mime, {}).get("alt")
        if alt and mime in output.get("data", {}):
            output.data["text/html"] = show(alt, mime, output.data.pop(mime).strip())
