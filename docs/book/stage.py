"""Lay out the source of the book: every page in its place, every link leading somewhere."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import nbformat

from . import assets, reference
from .front import contents, front
from .gallery import with_thumbnails
from .links import Links
from .notebooks import page_of, to_run

EXPLORERS = "<!-- explorers -->"  # in docs/play.md: all of them, one after the other
HEAD = "head.html"  # of the page of all explorers: what stands first in it
NAMES = {"README.md": "index.md", "notebooks/README.md": "notebooks/index.md",
         "benchmarks/README.md": "benchmarks/index.md"}  # fmt: skip
OTHERS = ("CHANGELOG.md", "CONTRIBUTING.md", "images/CREDITS.md")
# Caption → pages; texts in `docs` that none of them names stand under the last
PARTS = {
    "Play and look": ("docs/play", "docs/gallery"),
    "Use": ("docs/commands", "docs/faq", "docs/speed", "benchmarks/index"),
    "Teach": ("docs/teaching",),
    "Reference": ("reference/index",),
    "About": ("docs/architecture", "CONTRIBUTING", "CHANGELOG", "images/CREDITS"),
}


@dataclass(frozen=True)
class Staged:
    """Folders: what Sphinx reads, and what it takes over into the site as it is."""

    source: Path
    extra: Path


def stage(
    root: Path, folder: Path, moving: ModuleType, repository: str = "", branch: str = "main"
) -> Staged:
    """Write the source of the whole site below `folder`, which is emptied first.

    Parameters
    ----------
    root: the repository.
    moving: the explorers that move without Python: `export`, `snippet`, `preloads`,
        `TITLES`, `NAMES`, `PLAY`.
    repository, branch: where files that are no pages can be seen, or "".
    """
    if folder.exists():
        shutil.rmtree(folder)
    staged = Staged(folder / "source", folder / "extra")
    staged.source.mkdir(parents=True)
    staged.extra.mkdir()
    links = Links(root, pages_of(root), repository, branch)
    notebooks = sorted((root / "notebooks").glob("*.ipynb"))
    for path in notebooks:
        _stage_notebook(path, links, staged, moving)
    for place, target in links.pages.items():
        if place.endswith(".md") and place != "README.md":
            text = links.rewrite((root / place).read_text("utf-8"), place)
            if place == "docs/play.md":
                text = _with_explorers(text, moving)
                _write(folder / HEAD, moving.preloads(depth=1))
            if place == "docs/gallery.md":
                text = with_thumbnails(text, root, staged.extra)
            _write(staged.source / target, text)
    heights = assets.pictures_of_the_front(root, staged.extra / "front")
    titles = {path.stem.partition("_")[0]: path.stem for path in notebooks}
    _write(staged.source / "index.md", front(links, contents(parts(links, notebooks)), heights))
    reference.write(root, staged.source / "reference", titles)
    for picture in links.pictures:
        (staged.source / picture).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / picture, staged.source / picture)
    assets.mathjax(staged.extra / "mathjax")
    (staged.source / "static").mkdir()
    shutil.copy(Path(__file__).with_name("style.css"), staged.source / "static" / "book.css")
    assets.icon(root, staged.source / "static" / "icon.png")
    moving.export(staged.extra)
    return staged


def pages_of(root: Path) -> dict[str, str]:
    """The texts that become pages, by their path in the repository, and their place in the book."""
    folders = [*(root / "docs").glob("*.md"), *(root / "notebooks").glob("*.ipynb")]
    places = [*NAMES, *OTHERS, *(path.relative_to(root).as_posix() for path in folders)]
    return {place: NAMES.get(place, place) for place in sorted(places)}


def parts(links: Links, notebooks: Sequence[Path]) -> dict[str, list[str]]:
    """The table of contents: every page has a place in it."""
    course = ["notebooks/index", *(f"notebooks/{path.stem}" for path in notebooks)]
    tables = {"The course": course} | {caption: list(pages) for caption, pages in PARTS.items()}
    listed = {"index", *(page for pages in tables.values() for page in pages)}
    every = {target.rpartition(".")[0] for target in links.pages.values()}
    tables["About"] += sorted(every - listed)
    return tables


def _stage_notebook(path: Path, links: Links, staged: Staged, moving: ModuleType) -> None:
    place = path.relative_to(links.root).as_posix()
    explorers = moving.NAMES.get(path.stem, ())
    figures = staged.extra / "figures"
    notebook = page_of(
        path, place, links, figures, explorers, lambda name: moving.snippet(name, depth=1)
    )
    _write(staged.source / place, nbformat.writes(notebook))
    _write(staged.extra / place, nbformat.writes(to_run(path)))


def _with_explorers(text: str, moving: ModuleType) -> str:
    """The page of all explorers."""
    if EXPLORERS not in text:
        raise ValueError(f"docs/play.md has no line {EXPLORERS}")
    blocks = [
        f"## {moving.TITLES[name]}\n\n{_raw(moving.snippet(name, depth=1))}" for name in moving.PLAY
    ]
    return text.replace(EXPLORERS, "\n\n".join(blocks))


def _raw(text: str) -> str:
    return f"```````{{raw}} html\n{text}\n```````"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
