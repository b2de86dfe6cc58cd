"""One setting, one command: badges and install lines of all notebooks and the README."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(root / "notebooks" / "badges.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path) -> Path:
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def publish(root: Path, repository: str) -> None:
    path = root / "pyproject.toml"
    text, setting = path.read_text(), f'repository = "{repository}"'
    path.write_text(re.sub(r'^repository = ".*"', setting, text, flags=re.M))


def contents(root: Path) -> dict[str, str]:
    files = [root / "README.md", *(root / "notebooks").glob("*.ipynb")]
    return {path.name: path.read_text() for path in files}


def test_the_repository_is_as_its_setting_says():
    found = run(ROOT, "--check")
    assert found.returncode == 0, found.stdout


def test_a_new_owner_is_written_everywhere_and_taken_back(copy):
    publish(copy, "")
    run(copy)
    bare = contents(copy)
    publish(copy, "someone/some-course")
    assert run(copy, "--check").returncode == 1
    assert contents(copy) == bare  # --check writes nothing
    found = run(copy)
    assert found.returncode == 0, found.stderr
    published = contents(copy)
    assert sorted(found.stdout.split()) == sorted([*published, *["rewritten:"] * len(published)])
    for name, text in published.items():
        assert text != bare[name]
        if name == "README.md":
            assert "\npip install git+https://github.com/someone/some-course@main\n" in text
            clone = "git clone https://github.com/someone/some-course && cd some-course"
            assert f"\n{clone}\n" in text
            assert "00_quickstart.ipynb)" in text
            continue
        cells = json.loads(text)["cells"]
        opening = "".join(cells[0]["source"])
        links = re.findall(r"\]\((https[^)]*(?:colab|mybinder)[^)]*)\)", opening)
        at = "someone/some-course"
        assert [link for link in links if "badge" not in link] == [
            f"https://colab.research.google.com/github/{at}/blob/main/notebooks/{name}",
            f"https://mybinder.org/v2/gh/{at}/main?labpath=notebooks%2F{name}",
        ]
        code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        installs = re.findall(r"^\s*%pip install.*$", code, flags=re.M)
        assert len(installs) == 1, name
        assert installs[0].endswith("git+https://github.com/someone/some-course@main")
    assert run(copy).stdout == ""  # nothing is left to do
    assert contents(copy) == published
    publish(copy, "other/name")
    run(copy)
    assert all("someone/some-course" not in text for text in contents(copy).values())
    publish(copy, "")
    run(copy)
    assert contents(copy) == bare


def test_a_name_that_is_none_is_refused(copy):
    publish(copy, "https://github.com/someone")
    found = run(copy)
    assert found.returncode == 1
    assert "repository must be owner/name" in found.stderr
