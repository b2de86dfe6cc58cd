"""The stored records, and the command that makes them: what it does when a case goes wrong."""

import importlib
import json
import math
import re
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nst_tutorial import records

ROOT = Path(__file__).resolve().parents[1]
with pytest.MonkeyPatch.context() as patch:  # the scripts have their own folder on the path
    patch.syspath_prepend(ROOT / "notebooks" / "records")
    bench, chapter03, chapter06, make, recorder = map(
        importlib.import_module, ("bench", "chapter03", "chapter06", "make", "recorder")
    )

EXPERIMENTS = {experiment.name: experiment for experiment in make.EXPERIMENTS}
STORED = records.names()
TAKES_LONG = (  # of the small ones
    *("03_textures", "04_transfers", "04_wasserstein", "06_climb", "06_memory"),
    "10_normalizations",
)


def plain(value):
    """As it comes back from a file: lists for tuples."""
    return json.loads(json.dumps(value, allow_nan=False))


def kinds(rows) -> set[frozenset[str]]:
    """The columns of each kind of row, without the numbers in their names, which sizes change."""
    return {frozenset(re.sub(r"\d+", "#", column) for column in row) for row in rows}


# --- the experiments -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n in TAKES_LONG)) for n in EXPERIMENTS],
)
def test_an_experiment_runs_in_small_and_has_the_columns_of_its_record(name):
    experiment = EXPERIMENTS[name]
    case, settings = experiment.cases[0], {**experiment.settings, **experiment.small}
    kind, answer = make.measure(name, case, settings, "cpu")
    assert kind == "done", answer
    rows, pictures, _ = answer
    assert rows
    assert all({**row, **case} == row for row in plain(rows))
    assert all(0 < len(content) <= recorder.PICTURE for content in pictures.values())
    if name in STORED:
        assert kinds(rows) <= kinds(records.load(name).rows)


def test_experiments_differ_in_their_names_and_cases_in_what_they_say():
    assert len(EXPERIMENTS) == len(make.EXPERIMENTS)
    for experiment in make.EXPERIMENTS:
        said = [recorder.words(case) for case in experiment.cases]
        assert len(set(said)) == len(said), experiment.name
        assert experiment.small.keys() <= experiment.settings.keys(), experiment.name


# --- the records that there are ------------------------------------------------------------------


@pytest.mark.parametrize("name", STORED)
def test_a_record_is_that_of_its_experiment(name):
    record, experiment = records.load(name), EXPERIMENTS[name]
    assert record.name == name
    assert record.question == experiment.question
    assert record.command == f"python notebooks/records/make.py {name}"  # and not in small
    assert record.settings == plain(experiment.settings)
    assert record.missing == ()
    assert record.machine
    assert record.torch


@pytest.mark.parametrize("name", STORED)
def test_a_record_has_every_case_of_its_experiment_in_order(name):
    columns = EXPERIMENTS[name].cases[0].keys()
    of_rows = [{column: row[column] for column in columns} for row in records.load(name).rows]
    once = [case for i, case in enumerate(of_rows) if i == 0 or case != of_rows[i - 1]]
    assert once == plain(EXPERIMENTS[name].cases)


@pytest.mark.parametrize("name", STORED)
def test_a_record_holds_numbers_and_small_pictures(name):
    def refuse(constant):
        raise ValueError(f"{name}: {constant} is no number of JSON")

    json.loads((records.FOLDER / f"{name}.json").read_text("utf-8"), parse_constant=refuse)
    record = records.load(name)
    for picture in record.pictures:
        assert (record.folder / f"{picture}.webp").stat().st_size <= recorder.PICTURE, picture
        assert record.picture(picture).shape[:2] == (1, 3)


def test_the_records_together_are_small_and_nothing_lies_beside_them():
    assert not records.FOLDER.exists() or make.size_of(records.FOLDER) <= make.ALL
    for path in records.FOLDER.rglob("*"):
        assert path.suffix in (".json", ".webp") or path.name in STORED, path


PARTS = {  # settings that leave a part of the first case, its columns, and what was measured
    "02_fine_colour": ({"at": {"relu1_1": [80]}}, ("evaluations",), ("colour", "pixels")),
    "03_blocks": ({"widths": [96], "seeds": [0], "others": []}, ("what", "layer"), ("distance",)),
    "03_fields": ({"layers": ["relu1_1", "relu2_1"]}, ("layer", "at"), ("width",)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PARTS if name in STORED])
def test_a_part_of_a_record_measured_again_is_the_same(name):
    experiment, record = EXPERIMENTS[name], records.load(name)
    (settings, columns, measured), case = PARTS[name], experiment.cases[0]
    rows = experiment.measure(case, {**experiment.settings, **settings}, "cpu").rows
    assert rows
    for row in rows:
        which = {column: row[column] for column in columns}
        kept = record.where(**case, **which)[0]
        for column in measured:  # rounded to four digits, and other processors round otherwise
            assert row[column] == pytest.approx(kept[column], rel=0.02), (which, column)


# --- what the command does -----------------------------------------------------------------------


def ask(case, settings, device):
    """An experiment about nothing: its first case fails."""
    if case["number"] == 0:
        raise ValueError("no zero, please")
    picture = {f"Of {case['number']}": torch.full((1, 3, 4, 4), 0.5)}
    return bench.Outcome([{"twice": 2 * case["number"]}], picture)


@pytest.fixture
def sums(monkeypatch):
    """The experiment, known to the command, whose cases run in this process."""
    experiment = bench.Experiment(
        "sums", "How much?", {"size": 64}, {"size": 8}, bench.cases(number=(0, 1, 2)), ask
    )
    monkeypatch.setattr(make, "EXPERIMENTS", (experiment,))
    monkeypatch.setattr(make, "processes", ThreadPoolExecutor)
    return experiment


def test_a_case_that_fails_is_missing_and_stops_no_other(sums, tmp_path, capsys):
    with pytest.raises(SystemExit, match="1"):
        make.main(["sums", "--out", str(tmp_path), "--device", "cpu", "--jobs", "1"])
    record = records.load("sums", tmp_path)
    assert record.missing == ("0",)
    assert record.rows == ({"number": 1, "twice": 2}, {"number": 2, "twice": 4})
    assert record.pictures == ["of_1", "of_2"]
    said = capsys.readouterr().out
    assert "FAILED sums: 0" in said
    assert "ValueError: no zero, please" in said
    assert said.splitlines()[-1] == "sums: missing 0"


def test_rows_stand_in_the_order_of_the_cases_whichever_comes_first(sums, tmp_path):
    record = recorder.Recorder(sums, tmp_path, small=False, device="cpu")
    record.take(2, [{"number": 2, "twice": 4}], {})
    record.take(1, [{"number": 1, "twice": 2}], {})
    assert records.load("sums", tmp_path).column("number") == [1, 2]
    assert record.missing == ["0"]


def test_no_case_is_begun_when_the_time_is_over(sums, tmp_path, capsys):
    make.make([recorder.Recorder(sums, tmp_path, False, "cpu")], 1, make.Clock(minutes=-1))
    assert "no case is begun any more, 3 are left" in capsys.readouterr().out
    assert records.names(tmp_path) == []


class Dying(ThreadPoolExecutor):
    """The first process to work at case 1 dies, and with it all that were sent to its pool."""

    deaths = math.inf

    def submit(self, measure, name, case, *rest):
        if case["number"] == 1 and Dying.deaths > 0:
            Dying.deaths -= 1
            future = Future()
            future.set_exception(BrokenProcessPool("killed"))
            return future
        return super().submit(measure, name, case, *rest)


@pytest.mark.parametrize(("deaths", "missing"), [(1, ("0",)), (2, ("0", "1"))])
def test_a_case_whose_process_dies_is_tried_once_more(
    sums, tmp_path, monkeypatch, capsys, deaths, missing
):
    monkeypatch.setattr(make, "processes", Dying)
    monkeypatch.setattr(Dying, "deaths", deaths)
    record = recorder.Recorder(sums, tmp_path, small=False, device="cpu")
    make.make([record], 1, make.Clock(math.inf))
    assert records.load("sums", tmp_path).missing == missing
    assert "a process died; tried once more: sums: 1" in capsys.readouterr().out


def test_what_small_makes_never_replaces_the_records_of_the_course(sums, capsys):
    with pytest.raises(SystemExit, match="2"):
        make.main(["--small"])
    assert "say with --out where to put them" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        make.main(["sum"])
    assert "unknown: sum; there are sums" in capsys.readouterr().err


def test_the_list_says_what_is_asked_and_how_long_it_takes(sums, monkeypatch, capsys):
    monkeypatch.setattr(make, "EXPERIMENTS", (sums, replace(sums, name="long", seconds=3600)))
    make.main(["--list"])
    assert capsys.readouterr().out.splitlines() == [
        "sums: How much? (3 cases, about 1 min of one core)",
        "long: How much? (3 cases, about 3.0 h of one core)",
    ]


def test_small_takes_what_is_done_to_the_first_pair(tmp_path):
    cases = bench.cases(pair=("a", "b"), rate=(1, 2))
    experiment = bench.Experiment("e", "?", {"size": 64, "steps": 9}, {"size": 8}, cases, ask)
    record = recorder.Recorder(experiment, tmp_path, small=True, device="cpu")
    assert record.cases == [{"pair": "a", "rate": 1}, {"pair": "a", "rate": 2}]
    assert record.settings == {"size": 8, "steps": 9}


# --- what is measured ----------------------------------------------------------------------------


def test_a_run_is_as_far_from_its_end_as_its_last_quarter_brought():
    assert bench.fell([8, 6, 4, 3]) == 0.25
    assert bench.fell([8, 4, 4, 5]) == 0  # the last quarter brought nothing
    assert bench.fell([8, math.nan, 4, 2]) == 0.5
    assert bench.number(math.inf) is None
    assert bench.number(0.123456) == 0.1235


def blocks(x: torch.Tensor, width: int = 16) -> Counter:
    """How often each block of the picture occurs."""
    cut = x.unfold(2, width, width).unfold(3, width, width).permute(2, 3, 0, 1, 4, 5)
    return Counter(tuple(block.flatten().tolist()) for block in cut.flatten(0, 1))


def test_shuffled_blocks_are_the_same_pixels_at_other_places(temple):
    square = temple[..., :64, :64]
    mixed = chapter03.shuffled(square, 16, seed=0)
    assert not torch.equal(mixed, square)
    assert blocks(mixed) == blocks(square)
    assert blocks(mixed, 8) == blocks(square, 8)
    assert blocks(mixed, 32) != blocks(square, 32)
    torch.testing.assert_close(chapter03.shuffled(square, 64, seed=0), square, atol=0, rtol=0)


def test_the_effective_width_is_that_of_the_square_with_the_share():
    gradient = torch.zeros(1, 3, 21, 21)
    gradient[..., 7:14, 5:12] = 1  # 7 wide, about (10, 8)
    assert chapter03.effective_width(gradient, 1.0) == 7
    assert chapter03.effective_width(gradient, 0.5) == 5  # 25 of 49; 9 of 49 are not enough
    assert chapter03.effective_width(gradient, 8 / 49) == 3


def test_both_methods_of_the_race_have_a_factor_of_ten_of_rates():
    for rates in chapter06.RATES.values():
        assert max(rates) / min(rates) == pytest.approx(10)


@pytest.mark.parametrize(
    ("late", "lost"), [(0.5, False), (1.0, False), (1.1, True), (math.nan, True), (math.inf, True)]
)
def test_lost_is_what_does_not_come_back(late, lost):
    overshoot = [1.0, 50.0, *[0.5] * (chapter06.SETTLED - 2)]  # early, it is none
    assert not chapter06.is_lost(overshoot)
    assert chapter06.is_lost([*overshoot, late]) == lost
