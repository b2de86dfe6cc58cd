import json
from dataclasses import replace

import pytest

from nst_tutorial import plots
from nst_tutorial.league import League, Measures, Row, load_league, pictures_to_vote_on


def _row(contestant, content, style, edges, seconds=1.0):
    measures = Measures(style=style, patches=0.2, edges=edges, features=0.5, grain=3.0)
    return Row(contestant, content, "waves", measures, seconds)


@pytest.fixture
def league():
    rows = (
        _row("gram", "cat", 0.10, 0.8), _row("gram", "dog", 0.12, 0.7),
        _row("linear", "cat", 0.20, 0.9), _row("linear", "dog", 0.22, 0.65),
        _row("worse", "dog", 0.32, 0.6), _row("worse", "cat", 0.30, 0.7),
    )  # fmt: skip
    names = {name: f"that is {name}" for name in ("gram", "linear", "worse")}
    return League(rows, names, {"size": 64})


def test_medians_wins_and_the_front(league):
    assert league.medians()["gram"]["style"] == pytest.approx(0.11)
    assert league.front() == ["gram", "linear"]
    assert league.wins("gram", "linear", "style") == (2, 2)
    assert league.wins("gram", "linear", "edges") == (1, 2)  # more is better
    assert league.wins("worse", "linear", "edges") == (0, 2)  # a tie is no win


def test_what_is_saved_is_loaded(league, tmp_path):
    league.save(tmp_path / "league.json")
    assert load_league(tmp_path / "league.json") == league


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda stored: stored["rows"].pop(), "not every contestant has a picture of every pair"),
        (lambda stored: stored["contestants"].pop("gram"), "'gram' is not among the contestants"),
        (lambda stored: stored["rows"][0].pop("style"), "is not a league: KeyError"),
        (lambda stored: stored.pop("run"), "is not a league: KeyError"),
        (lambda stored: stored["rows"].append(stored["rows"][0]), "or two of one pair"),
        (lambda stored: stored["rows"].clear(), "a contestant has no pictures"),
        (lambda stored: stored["rows"][0].update(grain=float("nan")), "not finite"),
        (lambda stored: stored["rows"][0].update(grain="much"), "is not a league: ValueError"),
    ],
)
def test_a_damaged_file_is_told_by_name(league, tmp_path, damage, message):
    path = tmp_path / "league.json"
    league.save(path)
    stored = json.loads(path.read_text())
    damage(stored)
    path.write_text(json.dumps(stored))
    with pytest.raises(ValueError, match=message) as told:
        load_league(path)
    assert str(path) in str(told.value)


def test_no_json_and_no_file(tmp_path):
    path = tmp_path / "league.json"
    with pytest.raises(OSError, match="league.json"):
        load_league(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="is not a league"):
        load_league(path)


def test_the_table_is_sorted_and_marks_the_best(league):
    lines = plots.league_table(league, by="edges").splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| linear", "| gram", "| worse"]
    assert "**0.11**" in lines[3]
    assert "**0.775**" in lines[2]


def test_the_figure_joins_the_front(league):
    figure = plots.league_front(league)
    points = {text.get_text(): text.xy for text in figure.axes[0].texts}
    assert points["gram"] == pytest.approx((0.75, 0.11))
    joined = figure.axes[0].get_lines()[-1]
    assert list(joined.get_xdata()) == pytest.approx([0.75, 0.775])
    assert "gram, linear" in figure.alt


def test_a_league_of_one_contestant_has_a_figure(league):
    rows = tuple(row for row in league.rows if row.contestant == "gram")
    alone = replace(league, rows=rows, contestants={"gram": ""})
    assert plots.league_front(alone).axes[0].texts[0].get_text() == "gram"


def test_the_league_that_comes_with_the_course_is_there():
    league = load_league()
    assert league.run["pairs"] == 12
    assert len(league.rows) == 12 * len(league.contestants)
    pictures = pictures_to_vote_on()
    assert {path.stem for paths in pictures.values() for path in paths} <= set(league.contestants)
    assert {len(paths) for paths in pictures.values()} == {7}
