"""What is printed: in any encoding, to a terminal or pipe that is gone, in panels."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from folders import names_in
from runs import COMMAND, QUICK, start_in_a_terminal

from nst_tutorial import cli
from nst_tutorial.checks import printable
from nst_tutorial.cli import console
from nst_tutorial.images.catalog import find_image
from nst_tutorial.images.reading import load_image

NAMES = [command.name or command.callback.__name__ for command in cli.app.registered_commands]
COMMANDS = [name.replace("_", "-") for name in NAMES]


def shown(monkeypatch, encoding, *arguments):
    """What a command prints to standard output and errors of this encoding, and its exit code."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    monkeypatch.setattr(sys, "argv", ["nst", *arguments])
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as ended:
        cli.main()
    for stream in streams:
        stream.flush()
    return [stream.buffer.getvalue().decode(encoding) for stream in streams] + [ended.value.code]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "utf-8"])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_in_any_encoding(monkeypatch, command, encoding):
    out, err, code = shown(monkeypatch, encoding, *command.split(), "--help")
    assert (err, code) == ("", 0)
    assert "--help" in out
    assert ("╭" in out) == (encoding == "utf-8")
    for wart in ("no-overwrite", "(default)", "None", "[default: ]", "default: default"):
        assert wart not in out


def test_help_where_windows_redirects_it():
    process = subprocess.run(
        [*COMMAND, "texture", "--help"], capture_output=True, check=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
    )  # fmt: skip
    assert process.stderr == b""
    assert "(a\xb7b + c)\xb2" in process.stdout.decode("cp1252")


def test_what_an_encoding_lacks_is_spelt(monkeypatch, tmp_path):
    arguments = ["stylize", "temple", "starry_night", *QUICK, "--steps", "-1"]
    for encoding, sign in (("utf-8", "≥"), ("cp1252", ">="), ("ascii", ">=")):
        _, err, code = shown(monkeypatch, encoding, *arguments)
        assert (err, code) == (f"nst: steps must be a whole number {sign} 0, got -1\n", 2)
    name = str(tmp_path / "\u732b\xe9.png")  # a cat, in Japanese
    _, err, _ = shown(monkeypatch, "cp1252", "stylize", name, "starry_night")
    assert err.startswith(f"nst: {tmp_path}/\\u732b\xe9.png: no such picture")
    out, _, code = shown(monkeypatch, "cp1252", "presets", "default")
    assert code == 0
    assert "starry" not in out
    assert "relu4_2" in out


def test_control_characters_are_spelt_out():
    for text, spelt in (
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("\x9b\x00\r", r"\x9b\x00\r"),
        ("\u202eb\u2066", r"\u202eb\u2066"),
        ("\udcff", r"\udcff"),
    ):
        assert printable(text) == spelt
    for text in ("a\u202fb", "é", "猫", "👩\u200d🎨", "العربية"):
        assert printable(text) == text


def test_the_panels_of_stylize(monkeypatch):
    out, _, _ = shown(monkeypatch, "utf-8", "stylize", "--help")
    assert re.findall(r"╭─ (.*?) ─", out) == [
        "Arguments", "Everyday", "Several styles, and masks", "Colour and noise", "What style is",
        "Optimiser", "Machine and memory", "The file",
    ]  # fmt: skip
    everyday = out.split("╭─ Everyday")[1].split("╰")[0]
    for part in ("--out", "-o", "FILE", "--size", "-s", "PIXELS", "--help", "[default: 512]"):
        assert part in everyday
    examples = re.findall(r"^ nst stylize (\S+) (\S+)", out, re.MULTILINE)
    assert examples == [("photo.jpg", "starry_night")] * 2 + [("temple", "starry_night")]
    assert find_image(re.search(r"--also (\S+)", out)[1], "style").is_file()


def test_the_groups_of_commands(monkeypatch):
    out, _, _ = shown(monkeypatch, "utf-8", "-h")
    assert re.findall(r"╭─ (.*?) ─", out) == [
        "Options", "Make a picture", "Learn", "Make many", "Train networks",
        "Look at the machine",
    ]  # fmt: skip
    assert all(re.search(rf"│ {command} ", out) for command in COMMANDS)
    assert shown(monkeypatch, "utf-8", "-V") == shown(monkeypatch, "utf-8", "--version")


class Gone(io.StringIO):
    """A stream whose reader has gone."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def write(self, text):
        raise OSError(self.number, "nobody reads")


@pytest.mark.parametrize("number", [5, 32], ids=["closed terminal", "broken pipe"])
def test_nobody_who_listens_is_no_error(monkeypatch, number):
    monkeypatch.setattr(sys, "stdout", Gone(number))
    monkeypatch.setattr(sys, "stderr", Gone(number))
    console.out.print("the picture is x.png")
    console.complain("something")


def test_a_full_disk_under_standard_output_is_one(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Gone(28))
    monkeypatch.setattr(sys, "stderr", Gone(28))
    console.complain("something")
    with pytest.raises(OSError, match="nobody reads"):
        console.out.print("the picture is x.png")


def test_a_run_whose_log_is_read_no_more_goes_on(tmp_path):
    """As `nst stylize … 2>&1 | head -1` ends it: the picture is written."""
    process = subprocess.Popen(
        [*COMMAND, "stylize", "temple", "starry_night", *QUICK, "--steps", "20", "--out",
         str(tmp_path / "a.png")],
        stderr=subprocess.STDOUT, stdout=subprocess.PIPE, bufsize=0,
    )  # fmt: skip
    assert process.stdout.readline() == b"temple.jpg in the style of starry_night.jpg, 64 px\n"
    process.stdout.close()
    assert process.wait(120) == 0
    assert load_image(tmp_path / "a.png").shape[3] == 64


@pytest.mark.skipif(not hasattr(__import__("signal"), "SIGHUP"), reason="no SIGHUP")
def test_a_closed_terminal_keeps_the_picture(tmp_path):
    process, terminal = start_in_a_terminal(tmp_path / "out.png")
    terminal.close()  # the system sends SIGHUP to all that runs in it
    assert process.wait(60) == 129
    assert names_in(tmp_path) == ["out.png"]
    image = load_image(tmp_path / "out.png")
    assert (image - load_image("temple", 64)).abs().mean() > 0.005  # not the start


def test_nothing_is_said_before_it_is_checked(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    for wrong in (["--tile", "7"], ["--memory", "-1"], ["--device", "x"], ["--checkpoint", "file"]):
        out, err, code = shown(
            monkeypatch, "utf-8", "stylize", "temple", "starry_night", *QUICK[:4], *wrong
        )
        assert (out, code) == ("", 2)
        assert err.startswith("nst: ")
        assert err.count("\n") == 1
    out, err, code = shown(monkeypatch, "utf-8", "texture", "starry_night", "--steps", "-1")
    assert (out, err, code) == ("", "nst: steps must be a whole number ≥ 0, got -1\n", 2)
