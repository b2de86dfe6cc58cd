"""What a reader of the repository relies on: files that agree with each other."""

import ast
import doctest
import importlib
import importlib.util
import json
import operator
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")
TOML = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = TOML["project"]
PACKAGE = ROOT / "nst_tutorial"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LESSONS = [path for path in NOTEBOOKS if path.stem[0].isdigit()]  # the others are tools

COMPARED = "nbval-check-output"  # the tag of cells whose output nbval compares with what is stored

PARTS = (
    *("*You will learn*", "*You need*", "*Time*", "*Next*", "> **Predict.**"),
    *("common misconception", "## What you have learnt", "## Exercises", "## Further reading"),
)

# The name on conda-forge where it differs from that on PyPI
CONDA = {
    "torch": "pytorch",
    "matplotlib": "matplotlib-base",
    "build": "python-build",
    "dask": "dask-core",
}


def requirements() -> set[str]:
    extras = [line for group in PROJECT["optional-dependencies"].values() for line in group]
    wanted = {f"python{PROJECT['requires-python']}", *PROJECT["dependencies"], *extras}
    return {line for line in wanted if not line.startswith("nst_tutorial")}


def test_environment_yml_holds_what_pyproject_wants():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    conda = set(conda) - {"pip"}
    assert environment["channels"] == ["conda-forge"]
    assert "--editable ." in pip["pip"]
    only_pip = set(pip["pip"]) - {"--editable ."}
    wanted = requirements()
    assert only_pip <= wanted
    renamed = {
        re.sub(r"^[\w-]+", lambda m: CONDA.get(m[0], m[0]), line) for line in wanted - only_pip
    }
    assert conda == renamed


def test_every_line_of_environment_yml_says_what_it_is_for():
    lines = (ROOT / "environment.yml").read_text().split("dependencies:\n")[1].splitlines()
    for line in lines:
        assert " # " in line or line.strip() == "- pip:", line


def test_lower_bounds_only():
    for line in requirements():
        assert re.fullmatch(r"[\w-]+>=[\d.]+", line), line


def test_the_readme_is_true():
    readme = (ROOT / "README.md").read_text()
    for link in re.findall(r"\]\(([^)#]+)\)", readme):
        assert link.startswith("http") or (ROOT / link).exists(), link
    images = re.findall(r"<img ([^>]*)>", readme)
    assert len(images) >= 3 + len(LESSONS)
    for image in images:
        about = dict(re.findall(r'(\w+)="([^"]*)"', image))
        assert (ROOT / about["src"]).is_file(), image
        assert len(about["alt"]) > 15, image
    assert "@@" not in readme
    for block in re.findall(r"```python\n(.*?)```", readme, flags=re.S):
        compile(block, "README.md", "exec")


def test_the_readmes_pictures_are_quickly_loaded():
    assert (ROOT / "images" / "gallery" / "run.webp").stat().st_size < 1.5e6
    thumbnails = sorted((ROOT / "images" / "thumbnails").iterdir())
    assert [path.stem for path in thumbnails] == [path.stem for path in LESSONS]
    assert all(path.stat().st_size < 25e3 for path in thumbnails)


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)
def test_a_thumbnail_can_be_cut_out_of_each_notebook(path):
    spec = importlib.util.spec_from_file_location("thumbnails", ROOT / "images/make_thumbnails.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    cut = script.thumbnail(path.stem)
    assert cut.size == script.SIZE
    grey = cut.convert("L").getextrema()
    assert grey[1] - grey[0] > 100  # a picture, and not an empty corner


def rooms_in_the_plan() -> list[str]:
    """Packages and modules in the first columns of `docs/architecture.md`, from the ground up."""
    plan = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| *(\d*) *\| ([^|]*) \|", plan, flags=re.M)
    return re.findall(r"`(\w+)/?`", " ".join(names for _, names in rows))


def test_the_plan_of_the_house_names_every_room():
    rooms = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    named = rooms_in_the_plan()
    assert set(named) == rooms - {"__init__", "__main__", "__pycache__"}
    assert len(named) == len(set(named))


def test_the_contract_has_the_floors_of_the_plan():
    """The same rooms, and none above one that the plan has below it."""
    (contract,) = TOML["tool"]["importlinter"]["contracts"]
    floors = [re.findall(r"\w+", layer) for layer in reversed(contract["layers"])]
    height = {room: floor for floor, rooms in enumerate(floors) for room in rooms}
    plan = (ROOT / "docs" / "architecture.md").read_text()
    planned = [
        (int(floor), room)
        for floor, names in re.findall(r"^\| *(\d+) *\| ([^|]*) \|", plan, flags=re.M)
        for room in re.findall(r"`(\w+)/?`", names)
    ]
    assert {room for _, room in planned} == set(height)
    for low, below in planned:
        for high, above in planned:
            assert low >= high or height[below] < height[above], (below, above)


def test_tests_mirror_the_rooms():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert folders == rooms


def test_browsers_and_workers_are_started_one_at_a_time():
    source = ast.parse((ROOT / "conftest.py").read_text())
    assigned = [node for node in source.body if isinstance(node, ast.Assign)]
    (named,) = (node.value for node in assigned if node.targets[0].id == "WHOLE_MACHINE")
    files = {ROOT / name for name in ast.literal_eval(named)}
    assert all(path.is_file() for path in files)
    mark = re.compile(r"^(pytestmark = |@)pytest\.mark\.(browser|cluster)$", flags=re.M)
    marked = {path for path in (ROOT / "tests").rglob("*.py") if mark.search(path.read_text())}
    assert marked
    assert marked <= files


def test_data_holds_no_code():
    data = PACKAGE / "data"
    rooms = {path.name for path in data.iterdir()}
    assert rooms == {"decoders", "networks", "painters", "explorers", "league", "records"}
    suffixes = {path.suffix for path in data.rglob("*") if path.is_file()}
    assert suffixes <= {".safetensors", ".npz", ".json", ".jpg", ".webp"}


DOCS = sorted((ROOT / "docs").glob("*.md"))
TEXTS = [*DOCS, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "notebooks" / "README.md"]


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_links_of_the_texts_lead_somewhere(path):
    text = path.read_text()
    for link in re.findall(r"\]\(([^)]+)\)", text):
        target, _, anchor = link.partition("#")
        if target.startswith("http"):
            assert re.fullmatch(r"https://[\w.-]+/\S*", link), link
            continue
        found = path.parent / target if target else path
        assert found.exists(), link
        headings = re.findall(r"^#+ (.*)$", found.read_text(), flags=re.M) if anchor else []
        slugs = [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings]
        assert not anchor or anchor in slugs, link


def test_commands_and_options_in_the_texts_exist():
    import typer

    from nst_tutorial.cli import app

    commands = typer.main.get_command(app).commands
    known = {name: {o for p in c.params for o in p.opts + p.secondary_opts}
             for name, c in commands.items()}  # fmt: skip
    found = set()
    for path in TEXTS:
        blocks = r"^ *```(\w*)\n(.*?)^ *```$"  # one in Python, too: its end is no other's beginning
        text = path.read_text()
        code = [code for language, code in re.findall(blocks, text, re.S | re.M) if not language]
        spans = re.findall(r"`(nst [^`\n]+)`", re.sub(blocks, "", text, flags=re.S | re.M))
        code = "\n".join([*code, *spans])
        for command, rest in re.findall(r"(?:^|[ /])nst ([a-z][\w-]*)([^#\n]*)", code, flags=re.M):
            options = set(re.findall(r"--[\w-]+", rest)) - {"--help"}
            assert command in known, (path.name, command)
            missing = options - known[command]
            assert not missing, (path.name, command, missing)
            found.add(command)
    assert found == set(known)


def test_python_in_the_texts_compiles():
    for path in TEXTS:
        for block in re.findall(r"```python\n(.*?)```", path.read_text(), flags=re.S):
            compile(block, path.name, "exec")


def test_the_teaching_guide_quotes_hints_that_the_checks_give():
    """Else a teacher would look for words that no student ever sees."""
    sources = [p.read_text() for p in (PACKAGE / "check").glob("*.py")]
    strings = {
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    guide = (ROOT / "docs" / "teaching.md").read_text()
    quoted = re.findall(r'^\| "([^"]+)" \|', guide, flags=re.M)
    assert len(quoted) > 40
    for hint in (text.replace("\\|", "|") for text in quoted):
        assert any(hint in string for string in strings), hint


def test_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_importing_the_package_loads_neither_torch_nor_jupyter_nor_dask():
    script = (
        "import sys, nst_tutorial, nst_tutorial.cli; "
        "print([m for m in ('torch', 'IPython', 'ipywidgets', 'dask', 'matplotlib') "
        "if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found


def in_the_stub() -> set[str]:
    imports = ast.walk(ast.parse((PACKAGE / "__init__.pyi").read_text()))
    return {name.asname for node in imports if isinstance(node, ast.ImportFrom)
            for name in node.names}  # fmt: skip


def test_every_public_name_is_there():
    import nst_tutorial

    assert set(nst_tutorial.__all__) == in_the_stub()
    for name in nst_tutorial.__all__:
        assert getattr(nst_tutorial, name) is not None
    assert callable(nst_tutorial.stylize)
    with pytest.raises(AttributeError, match="attribute stilize"):
        nst_tutorial.stilize  # noqa: B018


def test_no_file_bears_the_name_of_what_its_room_exports():
    """Else the name would be one or the other, by the order of imports."""
    for room in sorted(path.parent for path in PACKAGE.glob("*/__init__.py")):
        package = importlib.import_module(f"nst_tutorial.{room.name}")
        files = {path.stem for path in room.iterdir()} & set(getattr(package, "__all__", ()))
        for name in files:  # rooms that load late export their files, too
            assert isinstance(getattr(package, name), ModuleType), f"{room.name}/{name}"


EXAMPLES = (
    *("load_image", "resize", "match_color", "gram_matrix", "kernels.mmd2", "VGG19", "minimize"),
    *("synthesize_texture", "reconstruct", "noise_level", "denoise", "plan", "style_distance"),
    *("Generator.sample", "sweep", "stylize"),
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_main_functions_have_an_example(name):
    """What it prints is compared by pytest's --doctest-modules."""
    import nst_tutorial

    function = operator.attrgetter(name)(nst_tutorial)
    assert doctest.DocTestParser().get_examples(function.__doc__)
    assert {"--doctest-modules"} <= set(TOML["tool"]["pytest"]["ini_options"]["addopts"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebooks_are_fit_to_be_read(path):
    assert path.stat().st_size < 2e6
    notebook = json.loads(path.read_text())
    cells = notebook["cells"]
    code = [c for c in cells if c["cell_type"] == "code"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    for part in PARTS if path in LESSONS else ():
        assert part in text, part
    lengths = sorted(len("".join(c["source"]).splitlines()) for c in code)
    assert lengths[len(lengths) // 2] <= 5 or path not in LESSONS
    assert lengths[int(0.9 * (len(lengths) - 1))] <= 15
    assert "@@" not in text  # something still to be written
    assert lengths[-1] <= 30
    words = len(re.findall(r"\w+", text))
    assert words / sum(lengths) >= 4
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("http") or (path.parent / link).exists(), link
    for cell in code:
        assert cell["execution_count"] is not None
        if COMPARED in cell["metadata"].get("tags", ()):  # nbval compares only what is stored
            assert cell["outputs"]
        for output in cell["outputs"]:
            assert output["output_type"] != "error"
            shown = json.dumps({k: v for k, v in output.items() if k != "data"})
            shown += json.dumps(output.get("data", {}).get("text/plain", ""))
            assert not re.search(r"/(home|root|tmp|work|Users)/", shown)
            page = "".join(output.get("data", {}).get("text/html", ""))
            assert "data:image" not in page, "stored from JupyterLab; take `jupyter execute`"
            for mime in ("image/png", "image/jpeg"):
                if mime in output.get("data", {}):
                    assert len(output["metadata"][mime]["alt"]) > 10


def test_all_notebooks_but_the_studio_are_lessons():
    assert [path.stem for path in NOTEBOOKS if path not in LESSONS] == ["studio"]


def test_some_cells_are_compared_with_what_is_stored():
    marked = [path for path in NOTEBOOKS if f'"{COMPARED}"' in path.read_text()]
    assert len(marked) >= 5


def test_the_list_of_notebooks_names_them_all():
    listed = re.findall(r"\]\((\w+\.ipynb)\)", (ROOT / "notebooks" / "README.md").read_text())
    assert listed == [path.name for path in NOTEBOOKS]
