"""The course as a stranger gets it: a wheel in a fresh environment, as on Colab, and no checkout.

The environment borrows the large packages (torch, …) from this one. What is its own: the wheel,
ipywidgets 7, and a stub of `google.colab`.
"""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import sysconfig
import textwrap
import warnings
import zipfile
from pathlib import Path

import pytest
from folders import names_in, skip_loudly

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXECUTED = ("00_quickstart.ipynb", "01_features.ipynb")
OLD_WIDGETS = ["ipywidgets<8", "jupyterlab_widgets<2", "widgetsnbextension<4", "ipython_genutils"]
NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|Temporary failure in name resolution|ProxyError|"
    r"Network is unreachable|ConnectTimeout|No matching distribution found|Connection refused"
)

pytestmark = pytest.mark.slow


def run(*command, **options) -> str:
    """Output of a command that has to succeed; the test is skipped if it lacks the internet."""
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=900, **options
    )
    said = done.stdout + done.stderr
    if done.returncode and NO_NETWORK.search(said):
        skip_loudly(f"the wheel is not tested, no package index can be reached: {said[-300:]}")
    assert done.returncode == 0, said[-5000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Made as for a release: the source archive, and the wheel from that."""
    folder = tmp_path_factory.mktemp("dist")
    isolation = ["--no-isolation"] if importlib.util.find_spec("hatchling") else []
    run(sys.executable, "-m", "build", *isolation, "--outdir", folder, ROOT)
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_what_the_course_needs_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
    package = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "nst_tutorial").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    done = subprocess.run(["git", "ls-files", "images", "notebooks", "docs"], cwd=ROOT,
                          capture_output=True, text=True)  # fmt: skip
    if done.returncode:
        skip_loudly("not a checkout of git, so what belongs into the wheel is not known")
    files = [Path(name) for name in done.stdout.splitlines()]
    files = [
        path for path in files
        if path.parent.name in ("content", "style", "diagrams", "framed") or path.suffix == ".ipynb"
        or path.name in ("CREDITS.md", "teaching.md", "faq.md")
        or path == Path("notebooks/README.md")
    ]  # fmt: skip
    assert names == package | {f"nst_tutorial/data/{path}" for path in files}
    for folder in ("images/style", "networks", "notebooks"):
        assert any(name.startswith(f"nst_tutorial/data/{folder}/") for name in names)
    assert wheel.stat().st_size < 30e6


STUB = textwrap.dedent("""
    # What runs on Colab can import this; nothing of ours may need more of it.
    from types import ModuleType
    output, files = ModuleType("google.colab.output"), ModuleType("google.colab.files")
    output.enable_custom_widget_manager = lambda: None
    files.upload = dict
""")

EXECUTE = textwrap.dedent("""
    import sys
    import nbformat
    from nbclient import NotebookClient
    path, result = sys.argv[1:]
    notebook = nbformat.read(path, 4)
    notebook.cells.append(nbformat.v4.new_code_cell(
        "import json, sys, ipywidgets, nst_tutorial, torch\\n"
        "json.dumps([ipywidgets.__version__, nst_tutorial.__file__, torch.__file__, "
        "'google.colab' in sys.modules, sys.executable])"
    ))
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    nbformat.write(notebook, result)
""")


@pytest.fixture(scope="module")
def stranger(wheel, tmp_path_factory) -> Path:
    """A folder with `env`, the environment, and `course`, the notebooks from the wheel."""
    folder = tmp_path_factory.mktemp("stranger")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "env")
    python = folder / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps",
           "--ignore-installed", "--no-warn-script-location"]  # fmt: skip
    run(*pip, wheel, *OLD_WIDGETS)
    own = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    borrowed = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (own / "zz_borrowed.pth").write_text("\n".join(borrowed) + "\n")  # after its own packages
    (own / "google" / "colab").mkdir(parents=True)
    (own / "google" / "colab" / "__init__.py").write_text(STUB)
    (own / "zz_colab.pth").write_text("import google.colab\n")  # there from the start, as on Colab
    kernel = folder / "env" / "share" / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    arguments = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    described = {"argv": arguments, "display_name": "Python 3", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(described))
    run(folder / "env" / "bin" / "nst", "notebooks", "course", cwd=folder, env=clean())
    return folder


def offline() -> list[str]:
    """The beginning of a command that shall see no network but itself; [] where that needs root."""
    prefix = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    try:
        possible = subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        possible = False
    if not possible:
        warnings.warn("the notebooks are not tested offline: no unshare here", stacklevel=2)
    return prefix if possible else []


def clean() -> dict[str, str]:
    """This process's environment, without what would lead back to the checkout."""
    hidden = ("PYTHONPATH", "MPLBACKEND", "VIRTUAL_ENV")
    return {k: v for k, v in os.environ.items() if k not in hidden} | {"NST_FAST": "1"}


def test_the_course_is_laid_out_from_the_wheel(stranger):
    laid_out = {path.name for path in (stranger / "course").glob("*.ipynb")}
    assert laid_out == {path.name for path in NOTEBOOKS}
    images = names_in(stranger / "course" / "images")
    assert images == ["CREDITS.md", "content", "diagrams", "framed", "style"]


@pytest.mark.parametrize("name", EXECUTED)
def test_notebooks_run_without_checkout_and_internet_on_old_widgets(stranger, name):
    python = stranger / "env" / "bin" / "python"
    result = stranger / f"executed_{name}"
    course = stranger / "course"
    run(*offline(), python, "-c", EXECUTE, course / name, result, cwd=course, env=clean())
    cells = json.loads(result.read_text())["cells"]
    said = cells[-1]["outputs"][0]["data"]["text/plain"]
    widgets, package, torch, colab, executable = json.loads(ast.literal_eval("".join(said)))
    assert widgets.startswith("7.")
    assert package.startswith(str(stranger / "env"))
    assert not torch.startswith(str(stranger / "env"))
    assert colab
    assert executable.startswith(str(stranger / "env"))
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert sum("image/png" in o.get("data", {}) or "image/jpeg" in o.get("data", {})
               for o in outputs) >= 2  # fmt: skip
