"""`nst studio` and the options of the command line that it shows."""

import importlib
import socket
import subprocess
import sys

import pytest
from runs import QUICK

from nst_tutorial.cli import app
from nst_tutorial.cli.course import notebooks_folder
from nst_tutorial.cli.options import layers_from

web = importlib.import_module("nst_tutorial.cli.studio")  # the package's name is the command


def test_the_web_page_is_for_this_computer_and_its_one_notebook(monkeypatch):
    served = {}
    monkeypatch.setattr(
        "nst_tutorial.cli.web.server.StudioServer.launch_instance",
        lambda argv, **options: served.update(options, argv=argv),
    )
    web.studio(port=0, browser=False, pages=3, host_name=["studio.example"])
    path, config = notebooks_folder() / "studio.ipynb", served["config"]
    assert path.is_file()
    assert (served["argv"], served["root_dir"]) == ([str(path)], str(path.parent))
    assert served["names"] == ["127.0.0.1", "localhost", "studio.example"]
    voila, page = config.Voila, config.VoilaConfiguration
    assert (voila.ip, voila.port_retries, voila.open_browser) == ("127.0.0.1", 0, False)
    assert (voila.port > 0, voila.config_file_paths) == (True, [])
    assert (page.file_denylist, page.show_tracebacks) == ([".*"], False)
    assert config.PageKernels.most == 3


@pytest.mark.parametrize("name", ["http://studio.example", "studio.example:80", "a/b", "", "*"])
def test_host_names_are_names(capsys, name):
    with pytest.raises(SystemExit) as ended:
        app(["studio", "--no-browser", "--host-name", name])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert f"--host-name {name}: a name like studio.example.org is needed" in told


@pytest.mark.slow
def test_the_server_needs_no_torch():
    """It would take another 500 MB."""
    program = "import sys, nst_tutorial.cli.web.server; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_a_port_that_is_taken_is_told(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            app(["studio", "--port", str(port), "--no-browser"])
    assert ended.value.code == 2
    assert f"port {port} cannot be used" in capsys.readouterr().err
    assert web.free_port(0) > 0


def test_the_notebook_is_in_the_wheel():
    text = (notebooks_folder().parent / "pyproject.toml").read_text()
    assert '"notebooks/studio.ipynb" = "nst_tutorial/data/notebooks/studio.ipynb"' in text


@pytest.mark.parametrize(
    ("given", "layers"),
    [
        (None, None),
        ("relu1_1", {"relu1_1": 1.0}),
        ("relu1_1=0.5, relu2_1=2", {"relu1_1": 0.5, "relu2_1": 2.0}),
    ],
)
def test_layers_of_the_command_line(given, layers):
    assert layers_from("--style-layers", given) == layers


def test_layers_that_are_none(capsys):
    for given, message in (
        ("relu1_1=much", "--style-layers: 'much' is no weight for relu1_1"),
        ("relu9_9", "relu9_9"),
    ):
        with pytest.raises(SystemExit) as ended:
            app(["stylize", "cat", "tissue_stain", *QUICK, "--style-layers", given])
        assert ended.value.code == 2
        assert message in capsys.readouterr().err
