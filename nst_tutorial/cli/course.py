"""The notebooks of the course and their pictures, laid out in a folder of the reader's own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from ..images.catalog import FOLDERS, bundled_paths
from ..storage.atomic import check_can_write, replacing

NOTEBOOKS = ("[0-9][0-9]*_*.ipynb", "studio.ipynb")  # no scratch notebooks
SHOWN = {"diagrams": "*.svg", "framed": "*.jpg"}  # beside the folders of the pictures
DOCUMENTS = ("teaching.md", "faq.md")
SOLUTION = "<details><summary>Solution"  # a cell that begins so holds one


@dataclass
class Layout:
    """What `lay_out` did, file by file."""

    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)  # were there, and are not as ours


def notebooks_folder() -> Path:
    """Where the notebooks of the course lie: inside an installed wheel, or in a checkout.

    Raises
    ------
    FileNotFoundError
        Neither; the message says what to do.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "data" / "notebooks", package.parent / "notebooks"):
        if (folder / "00_quickstart.ipynb").is_file():
            return folder
    raise FileNotFoundError(
        f"{package / 'data' / 'notebooks'}: the notebooks are missing; install nst_tutorial again"
    )


def course_files() -> dict[Path, Path]:
    """Return place in the layout → file: notebooks, their list, documents, and the pictures."""
    folder = notebooks_folder()
    files = {Path(p.name): p for pattern in NOTEBOOKS for p in sorted(folder.glob(pattern))}
    files[Path("README.md")] = folder / "README.md"
    files |= {Path("docs", name): folder.parent / "docs" / name for name in DOCUMENTS}
    pictures = {Path("images", path.parent.name, path.name): path for path in bundled_paths()}
    images = bundled_paths()[0].parents[1]
    shown = [p for name, kind in SHOWN.items() for p in sorted((images / name).glob(kind))]
    beside = {Path("images", p.relative_to(images)): p for p in (images / "CREDITS.md", *shown)}
    return {**files, **pictures, **beside}


def lay_out(
    folder: str | Path,
    *,
    overwrite: bool = False,
    solutions: bool = True,
    pages: bool = False,
) -> Layout:
    """Copy the course into a folder: the notebooks, and beside them `images` with the pictures.

    Started there, Jupyter finds all of it, and a picture put into `images/content` or
    `images/style` gets its name. A file that is there and differs, as a notebook in which somebody
    has worked, is kept unless `overwrite`. Each file is complete or not there. Without `solutions`
    those of the exercises are left out. With `pages` there is an HTML page beside each notebook.

    Raises
    ------
    NotADirectoryError
        `folder` is a file.
    OSError
        The folder cannot be made or written to, the disk is full.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder}: is a file; name a folder, which need not exist")
    layout = Layout()
    for kind in (*FOLDERS, *SHOWN):
        check_can_write(folder / "images" / kind / "any")
    check_can_write(folder / "docs" / "any")
    for place, source in course_files().items():
        content = source.read_bytes()
        if place.suffix == ".ipynb" and not solutions:
            content = without_solutions(content)
        if place.suffix == ".ipynb":
            content = with_images_beside(content)
        if place.parent.name == "docs":
            content = with_links_of_the_layout(content)
        _put(folder / place, content, overwrite, layout)
        if place.suffix == ".ipynb" and pages:
            from .pages import as_page

            page = as_page(content, place.stem)
            _put(folder / place.with_suffix(".html"), page, overwrite, layout)
    return layout


def _put(path: Path, content: bytes, overwrite: bool, layout: Layout) -> None:
    """Write a file, unless it is there as it should be, or is not and may not be replaced."""
    if path.is_file() and path.read_bytes() == content:
        return
    if path.exists() and not overwrite:
        layout.kept.append(path)
        return
    with replacing(path, overwrite=overwrite) as file:
        file.write(content)
    layout.written.append(path)


def without_solutions(notebook: bytes) -> bytes:
    """The same notebook file without the cells that hold an exercise's solution."""
    content = json.loads(notebook)
    cells = content["cells"]
    content["cells"] = [cell for cell in cells if not "".join(cell["source"]).startswith(SOLUTION)]
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def with_images_beside(notebook: bytes) -> bytes:
    """The same notebook file with links to `images` in its folder, not beside its folder."""
    return notebook.replace(b"](../images/", b"](images/")


def with_links_of_the_layout(document: bytes) -> bytes:
    """The same document with links to where the notebooks lie; what is not there is no link."""
    text = document.decode().replace("](../notebooks/", "](../")
    return re.sub(r"\[([^\]]*)\]\(\.\./(?:benchmarks/|README)[^)]*\)", r"\1", text).encode()
