"""`nst batch`: pictures, table, contact sheets, and grids that cannot be used."""

import os
import subprocess
import sys

import pytest
from batches import GRID, TINY, command
from PIL import Image
from runs import COMMAND

from nst_tutorial import load_settings, plots
from nst_tutorial.batch import RECORD
from nst_tutorial.cli.batch import MOST_ON_A_SHEET, _on_sheets, _sheet_as_jpeg, read_grid


def called(arguments):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=300)


def test_the_command(tmp_path):
    out = tmp_path / "out"
    arguments = command(out, GRID)
    (tmp_path / "contents" / "bad.png").write_bytes(b"x")
    found = called(arguments)
    assert found.returncode == 1
    assert found.stderr.count("nst: bad.png in starry_night.png: ") == 2
    assert "2 made, 0 there before, 2 failed; the table is" in found.stdout.replace("\n", " ")
    assert Image.open(out / "contact_sheet.jpg").size[0] > 250
    (tmp_path / "contents" / "bad.png").unlink()
    found = called(arguments)
    assert found.returncode == 0
    assert "0 made, 2 there before, 0 failed" in found.stdout.replace("\n", " ")


def test_ctrl_c_during_the_contact_sheet_tells_the_truth(tmp_path, capsys, monkeypatch):
    from nst_tutorial import cli

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(plots, "contact_sheet", interrupted)
    with pytest.raises(SystemExit) as ended:
        cli.app(command(tmp_path / "out", TINY)[len(COMMAND) :])
    assert ended.value.code == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "nst: interrupted; the same command goes on from here"


def test_a_contact_sheet_that_cannot_be_made_is_a_warning(tmp_path, monkeypatch, capsys):
    from nst_tutorial import cli

    def too_large(rows, folder):
        raise OSError("encoder error -2 when writing image file")

    monkeypatch.setattr(plots, "contact_sheet", too_large)
    with pytest.raises(SystemExit) as ended:
        cli.app(command(tmp_path / "out", TINY)[len(COMMAND) :])
    assert ended.value.code == 0
    said = capsys.readouterr().err
    assert "contact_sheet.jpg cannot be made (encoder error -2 when writing image file)" in said


@pytest.mark.parametrize(("pairs", "settings"), [(1, 1000), (3, 500), (50, 20), (900, 1)])
def test_no_sheet_is_too_large_and_none_is_left_out(pairs, settings):
    rows = [
        {"content": f"{i}.jpg", "style": "s.jpg", "file": f"{i}_{j}.png"}
        for j in range(settings)
        for i in range(pairs)
    ]
    sheets = list(_on_sheets(rows))
    assert max(map(len, sheets)) <= MOST_ON_A_SHEET
    assert sorted(r["file"] for sheet in sheets for r in sheet) == sorted(r["file"] for r in rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"steps": [1], "steps": [2]}', "not a grid (a setting is there twice)"),
        ("{'steps': [1]}", "grid.json: not a grid (Expecting property name"),
        ('{"stepz": [1]}', "unknown setting 'stepz' in the grid; there are size, preset, seed,"),
        ("[3]", "the grid must map settings to lists of values"),
        ("\udcff", "grid.json: not a grid ("),
        (None, "grid.json: No such file"),
    ],
)
def test_grid_files_that_cannot_be_used(tmp_path, text, message, capsys, monkeypatch):
    from nst_tutorial import cli

    arguments = command(tmp_path / "out", GRID)[len(COMMAND) :]
    path = tmp_path / "grid.json"
    path.unlink()
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SystemExit) as ended:
        cli.app(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_grid_files_as_other_programs_save_them(tmp_path, encoding):
    path = tmp_path / "grid.json"
    path.write_bytes('{"weights": ["é.pth"], "steps": [3]}'.encode(encoding))
    assert read_grid(path) == {"weights": ["é.pth"], "steps": [3]}


def test_grid_files_that_would_fill_the_memory(tmp_path, monkeypatch):
    path = tmp_path / "grid.json"
    path.write_text("[" * 100_000)
    with pytest.raises(ValueError, match=r"grid\.json: not a grid \(lists within lists"):
        read_grid(path)
    with path.open("wb") as file:
        file.truncate(3_000_000_000)
    with pytest.raises(ValueError, match=r"grid\.json: not a grid \(3000 MB\)"):
        read_grid(path)


def test_a_contact_sheet_says_what_it_is(tmp_path):
    """So that it is not repainted where results go to the folder of the pictures."""
    rows = [{"file": "a.png", "status": "failed", "content": "a", "style": "b", "error": "c"}]
    (tmp_path / "sheet.jpg").write_bytes(_sheet_as_jpeg(rows, tmp_path))
    assert load_settings(tmp_path / "sheet.jpg") == {RECORD: "contact sheet"}


@pytest.mark.skipif(os.name == "nt", reason="names of any bytes")
def test_no_name_reaches_the_terminal_as_it_is(tmp_path, capsys):
    from nst_tutorial import cli

    out = tmp_path / os.fsdecode(b"out\xff")
    arguments = command(out, TINY)[len(COMMAND) :]
    (tmp_path / "contents" / os.fsdecode(b"bad\xe9\x1b[2J.png")).write_bytes(b"x")
    with pytest.raises(SystemExit) as ended:
        cli.app(arguments)
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert "nst: bad\\udce9\\x1b[2J.png in starry_night.png: " in said.err
    assert "out\\udcff/manifest.csv" in said.out
    assert "\x1b" not in said.out + said.err


def test_a_batch_here_needs_no_dask(tmp_path):
    script = (
        "import sys, nst_tutorial as nst; "
        f"nst.sweep('temple', 'tissue_stain', {TINY}, {str(tmp_path)!r}, progress=False); "
        "print('dask' in sys.modules or 'distributed' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.stdout == "False\n", found.stderr
