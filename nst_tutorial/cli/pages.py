"""Notebooks as HTML pages, to be read where no Jupyter is."""

from __future__ import annotations

import html
import re

import nbformat
from nbconvert import HTMLExporter

WIDGET = "application/vnd.jupyter.widget-view+json"
IMAGES = ("image/png", "image/jpeg")
LINK = re.compile(r"(\]\((?!https?:)[^)\s#]+)\.ipynb")


def as_page(notebook: bytes, name: str) -> bytes:
    """The HTML page of a notebook file; its pictures have their alternative texts.

    The template of nbconvert ignores the text in an image's metadata, and writes that there is
    none. HTML is taken over as it is, so the images become HTML first. In place of a widget, which
    needs a kernel, stands its still, or the sentence that says what it is. Links from notebook to
    notebook become links from page to page.
    """
    content = nbformat.reads(notebook.decode(), as_version=4)
    content.metadata.pop("widgets", None)
    for cell in content.cells:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)
            _describe(output)
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(r"\1.html", cell.source)
    resources = {"metadata": {"name": name}}
    page, _ = HTMLExporter().from_notebook_node(content, resources=resources)
    return page.encode()


def _describe(output: nbformat.NotebookNode) -> None:
    """Turn an output's image into HTML with its alternative text, if it has one."""
    for mime in IMAGES:
        alt = output.get("metadata", {}).get(mime, {}).get("alt")
        if alt and mime in output.get("data", {}):
            source = f"data:{mime};base64,{output.data.pop(mime).strip()}"
            output.data["text/html"] = f'<img alt="{html.escape(alt)}" src="{source}">'
