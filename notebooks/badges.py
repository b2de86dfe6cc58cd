"""Rewrite the badges and install lines of all notebooks and the README.

    python notebooks/badges.py            # as `repository` in pyproject.toml says
    python notebooks/badges.py --check    # only say which files are not as it says

With `repository = ""` there are no badges, and the install line names the package alone.
"""

import json
import re
import sys
from pathlib import Path
from urllib.parse import quote

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

COLAB = "https://colab.research.google.com"
BINDER = "https://mybinder.org"
BADGES = re.compile(r"\n\n\[!\[Open this notebook in Google Colab\].*")
INSTALL = re.compile(r"^(\s*%pip install --quiet ).*$", flags=re.M)
BLOCK = re.compile(r"(<!-- repository -->\n).*?(<!-- end of repository -->)", flags=re.S)


def badges(repository: str, branch: str, notebook: str) -> str:
    """One line: the two pictures that open a notebook elsewhere."""
    place = f"{repository}/blob/{branch}/notebooks/{notebook}"
    lab = f"{repository}/{branch}?labpath={quote(f'notebooks/{notebook}', safe='')}"
    return (
        f"[![Open this notebook in Google Colab]({COLAB}/assets/colab-badge.svg)]"
        f"({COLAB}/github/{place}) "
        f"[![Open this notebook on Binder]({BINDER}/badge_logo.svg)]({BINDER}/v2/gh/{lab})"
    )


def source(repository: str, branch: str) -> str:
    """What pip is told to install."""
    return f"git+https://github.com/{repository}@{branch}" if repository else "nst_tutorial"


def rewritten_notebook(text: str, name: str, repository: str, branch: str) -> str:
    """The text of a notebook file as it should be."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            new = INSTALL.sub(rf"\g<1>{source(repository, branch)}", "".join(cell["source"]))
            cell["source"] = new.splitlines(keepends=True)
    opening = notebook["cells"][0]
    new = BADGES.sub("", "".join(opening["source"]))
    if repository:
        before, previous, after = new.partition("\n\n*Previous*")
        new = f"{before}\n\n{badges(repository, branch, name)}{previous}{after}"
    opening["source"] = new.splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def rewritten_readme(text: str, repository: str, branch: str) -> str:
    """The text of the README as it should be: a block between two marks."""
    block = ""
    if repository:
        folder = repository.partition("/")[2]
        clone = f"```\ngit clone https://github.com/{repository} && cd {folder}\n```\n"
        install = f"```\npip install {source(repository, branch)}\n```\n"
        block = (
            f"{badges(repository, branch, '00_quickstart.ipynb')}\n\n"
            f"With the course:\n\n{clone}\nor the package alone:\n\n{install}"
        )
    return BLOCK.sub(lambda found: found[1] + block + found[2], text)


def main(root: Path, check: bool = False) -> list[Path]:
    """Rewrite what differs under `root`, or with `check` only return it."""
    setting = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["nst_tutorial"]
    repository, branch = setting["repository"], setting["branch"]
    if repository and not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise SystemExit(f"pyproject.toml: repository must be owner/name, got {repository!r}")
    new = {}
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        new[path] = rewritten_notebook(path.read_text("utf-8"), path.name, repository, branch)
    readme = root / "README.md"
    new[readme] = rewritten_readme(readme.read_text("utf-8"), repository, branch)
    changed = [path for path, text in new.items() if path.read_text("utf-8") != text]
    if not check:
        for path in changed:
            path.write_text(new[path], "utf-8")
    return changed


if __name__ == "__main__":
    check = "--check" in sys.argv[1:]
    differing = main(Path(__file__).resolve().parent.parent, check)
    for path in differing:
        print(f"{'differs' if check else 'rewritten'}: {path.name}")
    sys.exit(bool(differing and check))
