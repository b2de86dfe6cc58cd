"""Build the course as a static site.

    pip install -e ".[docs]"
    python docs/build.py                 # into docs/_build; open index.html there, or
    python -m http.server --directory docs/_build

Notebooks are not executed: they are shown with the outputs that are stored in them. Mathematics,
fonts and scripts come from the installed packages; onnxruntime-web, in which networks run in the
page, is taken from npm once. The explorers' answers are computed the first time, in some ten
minutes, and kept; after that a build takes a minute or two and needs no network.
"""

import argparse
import shutil
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
MEGABYTES = 60  # what the whole site may take
# What no page asks for: for those who write the theme, and the script that its fonts replace
UNREAD = ("_static/**/*.map", "_static/*webpack-macros.html", "_static/scripts/fontawesome.js*")


def build(target: Path) -> Path:
    """Write the site below `target`, which is emptied first; its first page.

    Raises
    ------
    SystemExit
        Sphinx finds a fault, or the site is too large.
    """
    sys.path[:0] = [str(DOCS), str(ROOT)]  # the package of this checkout, wherever it is installed
    import moving
    from book.stage import stage
    from sphinx.cmd.build import build_main

    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["tool"]["nst_tutorial"]
    folder = ROOT / "build" / "site"
    staged = stage(ROOT, folder, moving, project["repository"], project["branch"])
    options = ["-W", "--keep-going", "-q", "-b", "html", "-c", str(DOCS), "-d", f"{folder}/trees"]
    if build_main([*options, str(staged.source), str(folder / "html")]):
        raise SystemExit("the site is not as it should be; Sphinx says above what is wrong")
    if target.exists():
        shutil.rmtree(target)
    shutil.move(folder / "html", target)  # not built there: MyST-NB leaves a folder beside it
    for pattern in UNREAD:
        for path in target.glob(pattern):
            path.unlink()
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) / 1e6
    if size > MEGABYTES:
        raise SystemExit(f"{target}: {size:.0f} MB, and {MEGABYTES} at most were wanted")
    print(f"{target / 'index.html'}: {size:.0f} MB")
    return target / "index.html"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--to", type=Path, default=DOCS / "_build", help="the folder of the site")
    build(parser.parse_args().to.resolve())
