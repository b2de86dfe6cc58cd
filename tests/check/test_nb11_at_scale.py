import hashlib
import json
import random
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest

from nst_tutorial import check
from nst_tutorial.check.exercise import NOT_YET, RIGHT


def every(grid):
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def pairs_only(grid):
    return [
        dict(zip(grid, values, strict=True)) for values in zip(*grid.values(), strict=False)
    ] or [{}]


def turned_round(grid):
    values = product(*list(grid.values())[::-1])
    return [dict(zip(grid, each, strict=True)) for each in values]


def by_hash(settings):
    text = json.dumps(settings, sort_keys=True)
    return f"{hashlib.sha256(text.encode()).hexdigest()[:10]}.png"


def by_text(settings):
    return "_".join(f"{k}={v}" for k, v in sorted(settings.items())) + ".png"


def whole(path, pieces):
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def joined(path, pieces):
    """All pieces first: right too."""
    path.write_bytes(b"".join(pieces))


def straight(path, pieces):
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)


def litters(path, pieces):
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        for piece in pieces:
            file.write(piece)
    temporary.replace(path)


def hides(path, pieces):
    with suppress(Exception):
        whole(path, pieces)


def removes(path, pieces):
    path.unlink(missing_ok=True)
    whole(path, pieces)


def greedy(seconds, workers):
    free = [0.0] * workers
    for each in seconds:
        free[free.index(min(free))] += each
    return max(free)


def turns(seconds, workers):
    return max(sum(seconds[i::workers]) for i in range(workers))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("every_combination", every),
        ("every_combination", lambda grid: every(grid)[::-1][::-1]),
        ("file_name", by_hash),
        ("file_name", lambda settings: by_text(settings)[:0] + by_hash(settings)),
        ("whole_or_nothing", whole),
        ("whole_or_nothing", joined),
        ("makespan", greedy),
    ],
)
def test_right_answers(capsys, name, answer):
    getattr(check, name)(answer)
    assert capsys.readouterr().out.startswith(RIGHT)


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("every_combination", lambda grid: list(product(*grid.values())), "a list of dicts"),
        ("every_combination", pairs_only, "should give 12 combinations, not 2"),
        ("every_combination", turned_round,
         "a value that is not in its setting's list"),
        ("every_combination", lambda g: every(g) if g else [], "one combination, not none"),
        ("every_combination", lambda g: [{k: v} for k in g for v in g[k]], "12 combinations, n"),
        ("every_combination", lambda g: every(g)[:1] * len(every(g)) if len(g) > 1 else every(g),
         "some combinations come twice"),
        ("file_name", lambda s: "result.png", "another value gives the same name"),
        ("file_name", by_text, "disks allow 255"),
        ("file_name", lambda s: by_text(s)[:200], "differ late have the same name"),
        ("file_name", lambda s: by_text(s)[:40] + by_hash(s), "a sign into the name"),
        ("file_name", lambda s: f"{random.random()}.png", "two names"),
        ("file_name", lambda s: f"{hashlib.sha256(str(s).encode()).hexdigest()}.png",
         "the order in which"),
        ("file_name", lambda s: f"{sorted(map(str, s.values()))}.png", "exchanged gives the same"),
        ("file_name", lambda s: 3, "should be a string"),
        ("whole_or_nothing", straight, "after an error in the middle the file should be b'before'"),
        ("whole_or_nothing", litters, "is left behind"),
        ("whole_or_nothing", hides, "should not be hidden"),
        ("whole_or_nothing", removes, "should be b'before', not absent"),
        ("whole_or_nothing", lambda path, pieces: None, "the file should be there too"),
        ("whole_or_nothing", lambda path, pieces: path.write_bytes(list(pieces)[-1]) and None,
         "should hold b'one two', not b'two'"),
        ("makespan", lambda s, n: sum(s) / n, "the longest decides"),
        ("makespan", lambda s, n: max([sum(s) / n, *s]), "7, not 6"),
        ("makespan", turns, "taking turns is not what happens"),
        ("makespan", lambda s, n: greedy(sorted(s)[::-1], n), "7, not 6"),
        ("makespan", lambda s, n: sum(s), "the longest decides"),
        ("makespan", lambda s, n: max(s) if n > 1 else sum(s), "cannot be judged"),
    ],
)  # fmt: skip
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    getattr(check, name)(answer)
    assert hint in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("every_combination", 1), ("file_name", 1), ("whole_or_nothing", 2), ("makespan", 2)],
)
def test_stubs_are_not_yet(capsys, name, arguments):
    stubs = {1: lambda a: ..., 2: lambda a, b: ...}
    getattr(check, name)(stubs[arguments])
    assert capsys.readouterr().out == f"{NOT_YET}\n"


def test_the_package_writes_and_names_as_the_exercises_ask(capsys):
    from nst_tutorial.batch.tasks import combinations
    from nst_tutorial.storage.atomic import replacing

    def write(path, pieces):
        with replacing(Path(path)) as file:
            for piece in pieces:
                file.write(piece)

    check.whole_or_nothing(write)
    assert capsys.readouterr().out.startswith(RIGHT)
    grid = {"steps": [1, 2], "seed": [3]}
    assert combinations(grid) == every(grid)
