"""The command that makes the league, at a small size."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from nst_tutorial import load_image
from nst_tutorial.league import MEASURES, load_league, measure

ROOT = Path(__file__).resolve().parents[2]
ONLY = ("gram", "colours")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("league")
    play("run", folder, "--steps", "2", "--pairs", "2")
    play("seconds", folder)
    return folder


def play(what, folder, *more):
    command = [sys.executable, "benchmarks/league.py", what, str(folder), "--size", "96"]
    done = subprocess.run(
        [*command, "--only", *ONLY, *more], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "NST_CONVOLUTIONS": "winograd"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_every_contestant_plays_every_pair_once(folder):
    made = sorted(path.relative_to(folder) for path in folder.glob("*/*.png"))
    assert [path.stem for path in made] == ["colours", "gram"] * 2
    before = {path: (folder / path).stat().st_mtime_ns for path in made}
    assert play("run", folder, "--steps", "2", "--pairs", "2") == ""  # all of them are there
    assert before == {path: (folder / path).stat().st_mtime_ns for path in made}


@pytest.mark.slow
def test_the_table_measures_all_of_them(folder, vgg):
    shown = play("table", folder, "--steps", "2", "--out", str(folder / "league.json"))
    assert all(f"| {name} |" in shown for name in ONLY)
    league = load_league(folder / "league.json")
    assert set(league.contestants) == set(ONLY)
    assert league.run["evaluations"] == 2
    assert league.run["pairs"] == 2
    medians = league.medians()
    row = league.rows_of("gram")[0]
    pair = folder / f"{row.content}-{row.style_picture}"
    content, style = (load_image(name, 96) for name in (row.content, row.style_picture))
    again = measure(content, style, load_image(pair / "gram.png"), vgg)
    assert asdict(row.measures) == pytest.approx(asdict(again), rel=1e-3)
    each = json.loads((folder / "seconds.json").read_text())["gram"]
    assert medians["gram"]["seconds"] == pytest.approx(2 * each, rel=1e-3)
    assert medians["colours"]["seconds"] == 0
    assert all(
        row[column] >= 0 for row in league.rows for column in MEASURES if column != "features"
    )
