"""Exercises of notebook 11: combinations, names, files that are whole, and the longest line."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from .exercise import Wrong, ask, close, exercise, expect, number


@exercise
def every_combination(answer):
    """A grid {setting: values} → a list of {setting: value}, one for each combination."""

    def combinations_of(grid: dict) -> list[dict]:
        combinations = ask(answer, grid)
        if not isinstance(combinations, list) or not all(
            isinstance(each, dict) for each in combinations
        ):
            raise Wrong("your function should return a list of dicts", "[{'steps': 3}, …]")
        return combinations

    one = combinations_of({"steps": [10, 20, 30]})
    expect(
        one == [{"steps": 10}, {"steps": 20}, {"steps": 30}],
        f"one setting with three values should give three dicts, not {one}",
        "each dict says which setting has which value: {'steps': 10}",
    )
    grid = {"kernel": ["gram", "bn"], "steps": [10, 20, 30], "seed": [0, 1]}
    several = combinations_of(grid)
    expect(
        len(several) == 12,
        f"2 × 3 × 2 values should give 12 combinations, not {len(several)}",
        "every value of one setting meets every value of the others: itertools.product",
    )
    expect(
        all(set(each) == set(grid) for each in several),
        "each combination should name all the settings of the grid",
    )
    expect(
        len({tuple(sorted(each.items(), key=str)) for each in several}) == 12,
        "some combinations come twice, so others are missing",
    )
    expect(
        all(each[name] in values for each in several for name, values in grid.items()),
        "a combination holds a value that is not in its setting's list",
        "product(*grid.values()) gives the values in the order of the settings: zip them",
    )
    expect(
        combinations_of({}) == [{}],
        "an empty grid leaves everything as it is: that is one combination, not none",
        "the product of nothing at all has one element, as 2⁰ is 1",
    )
    return "as many as the product of the lengths, and each once"


@exercise
def file_name(answer):
    """A dict of settings → the name of the file of its result."""

    def name(**settings) -> str:
        first, second = (ask(answer, dict(settings)) for _ in range(2))
        if not isinstance(first, str) or not first:
            raise Wrong(f"your name should be a string, but it is {first!r}")
        expect(
            first == second,
            "asked twice for the same settings, your function gives two names",
            "a name that counts, or tells the time, cannot be found again by the next run",
        )
        return first

    one = name(style_weight=5, kernel="gram")
    expect(
        one == name(kernel="gram", style_weight=5),
        "the order in which the settings are given changes the name",
        "sort them first: json.dumps(settings, sort_keys=True)",
    )
    others = {
        "another value": name(style_weight=50, kernel="gram"),
        "another kernel": name(style_weight=5, kernel="bn"),
        "one setting more": name(style_weight=5, kernel="gram", seed=1),
        "the values of two settings exchanged": name(style_weight="gram", kernel=5),
    }
    for what, other in others.items():
        expect(
            other != one,
            f"{what} gives the same name, so one result would replace the other",
            "names and values of all settings belong into it",
        )
    same = {f"relu{i}_1": 0.123456789 for i in range(1, 60)}
    long = [{**same, "relu60_1": last} for last in (0.1, 0.2)]
    names = [name(style_layers=layers, start="../a b:c") for layers in long]
    expect(
        all(len(each.encode()) <= 255 for each in names),
        f"settings can be long, and this name has {len(names[0].encode())} bytes; disks allow 255",
        "put a hash into the name: hashlib.sha256(text.encode()).hexdigest()[:10]",
    )
    expect(
        names[0] != names[1],
        "two long settings that differ late have the same name",
        "cut the readable part if you like, but hash the whole",
    )
    expect(
        not any(sign in each for each in [one, *names] for sign in '/\\:*?"<>|'),
        "a value put a sign into the name that folders or some disks do not take",
        "a hash of all settings has only letters and digits",
    )
    return "short, findable, and another for anything else"


@exercise
def whole_or_nothing(answer):
    """(path, pieces): write all pieces of bytes into the file `path`, or leave it as it was."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.bin")
        ask(answer, path, [b"one ", b"two"])
        expect(path.exists(), "when all pieces are there, the file should be there too")
        expect(
            path.read_bytes() == b"one two",
            f"the file should hold b'one two', not {path.read_bytes()!r}",
            "write every piece, in order, as bytes",
        )
        left = sorted(p.name for p in Path(folder).iterdir())
        expect(left == ["a.bin"], f"besides the file, your function leaves {left}")
        for before in (b"before", None):
            path.unlink()
            if before is not None:
                path.write_bytes(before)
            reached = ask(_interrupted(answer), path, _Broken())
            expect(
                reached,
                "an error in the middle of the pieces should not be hidden",
                "raise goes on by itself after finally; do not return from there",
            )
            now = path.read_bytes() if path.exists() else None
            expect(
                now == before,
                f"after an error in the middle the file should be {_said(before)}, not "
                f"{_said(now)}",
                "write into a file of another name in the same folder, then path.replace",
            )
            left = [p.name for p in Path(folder).iterdir() if p != path]
            expect(
                not left,
                f"after an error in the middle, {left} is left behind",
                "try: … finally: temporary.unlink(missing_ok=True)",
            )
            path.touch()
    return "all of it or none of it"


class _Broken:
    """Pieces that end with an error, every time."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"half of "
        raise _Interrupted


class _Interrupted(Exception):
    pass


def _interrupted(answer: Callable) -> Callable:
    """The answer; whether our own error came through."""

    def call(*arguments):
        try:
            return answer(*arguments) is ...
        except _Interrupted:
            return True

    return call


def _said(content: bytes | None) -> str:
    return "absent" if content is None else f"{content!r}"


@exercise
def makespan(answer):
    """(seconds of each task, workers) → seconds until all is done; who is free takes the next."""

    def time(seconds: list[float], workers: int) -> float:
        return number(ask(answer, list(seconds), workers), "the time")

    expect(
        close(time([3, 1, 2], 1), 6),
        f"one worker does 3 + 1 + 2 seconds, not {time([3, 1, 2], 1):g}",
    )
    expect(
        close(time([3, 1, 2], 3), 3),
        f"with a worker for each task the longest decides, 3 and not {time([3, 1, 2], 3):g}",
        "the end of the batch is the latest end of all workers",
    )
    expect(
        close(time([3, 1, 2], 50), 3) and close(time([], 2), 0),
        "more workers than tasks, or no tasks at all: some workers have nothing to do",
        "start with a list of zeros, one for each worker",
    )
    expect(
        not close(time([1, 1, 1, 6], 2), 4.5),
        "4.5 is the sum divided by the workers, but nobody can help with the last long task",
        "follow each worker: at what time is it free?",
    )
    expect(
        not close(time([4, 1, 1, 1], 2), 5),
        "taking turns is not what happens: after 1 second the second worker is free, the first not",
        "the next task goes to the worker that is free first: min(range(workers), key=…)",
    )
    expect(
        close(time([1, 1, 1, 6], 2), 7),
        f"1, 1, 1, 6 with two workers take 1 + 6 = 7, not {time([1, 1, 1, 6], 2):g}",
        "in this order: the long one is last, and starts when a worker is free, after 1 second",
    )
    expect(
        close(time([6, 1, 1, 1], 2), 6),
        f"the long one first takes 6, not {time([6, 1, 1, 1], 2):g}",
        "do not sort the tasks: they are taken in the order in which they are given",
    )
    many = [1 + 7 * i % 5 for i in range(40)]
    expect(close(time(many, 4), _greedy(many, 4)), "forty tasks on four workers take another time")
    return "the free worker takes the next, and the last one to finish decides"


def _greedy(seconds: list[float], workers: int) -> float:
    free = [0.0] * workers
    for each in seconds:
        first = min(range(workers), key=free.__getitem__)
        free[first] += each
    return max(free)
