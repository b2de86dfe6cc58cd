"""The script of the race over equal ranges, on tiny pictures."""

import importlib
import json
import math
from pathlib import Path

import pytest
from runs import TINY

from nst_tutorial.vgg.network import VGG19

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        yield importlib.import_module("race")


def test_both_methods_have_a_factor_of_ten_of_rates(script):
    for rates in script.RATES.values():
        assert max(rates) / min(rates) == pytest.approx(10)
        assert len(rates) == 3


def test_every_run_is_compared_with_the_best_on_its_pair(script):
    model = VGG19("random", channels=TINY, device="cpu", pooling="average")
    runs = script.race(model, "cat", "tissue_stain", size=32, steps=3)
    assert [(run.method, run.rate) for run in runs] == [
        (method, rate) for method, rates in script.RATES.items() for rate in rates
    ]
    assert min(run.lowest for run in runs) == 1
    assert len({run.lowest for run in runs}) > 2


@pytest.mark.parametrize(
    ("late", "lost"), [(0.5, False), (1.0, False), (1.1, True), (math.nan, True), (math.inf, True)]
)
def test_lost_is_what_does_not_come_back(script, late, lost):
    overshoot = [1.0, 50.0, *[0.5] * (script.SETTLED - 2)]  # early, it is none
    assert not script.is_lost(overshoot)
    assert script.is_lost([*overshoot, late]) == lost


def test_the_command_prints_the_table_and_keeps_the_record(script, tmp_path, monkeypatch, capsys):
    model = VGG19("random", channels=TINY, device="cpu", pooling="average")
    monkeypatch.setattr(script, "choose_model", lambda *_: model)
    out = tmp_path / "race.json"
    script.main(["--size", "32", "--steps", "2", "--out", str(out)])
    kept = json.loads(out.read_text())
    assert (kept["size"], kept["steps"]) == (32, 2)
    assert len(kept["runs"]) == 18
    table = script.table([script.Run(**run) for run in kept["runs"]])
    assert capsys.readouterr().out == f"{table}\n"
