"""Two thousand damaged pictures, and some made to do harm: each loads or is refused, soon.

Every file is a good one of some format, damaged by dice with a fixed seed, so `mutant(n)` is the
same file everywhere. They are read in processes of their own, which may not take much memory.
"""

import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
import torch
from corpus import BOMBS, HEIGHT, KINDS, WIDTH, kinds, mutant, original

from nst_tutorial.images.reading import load_image, load_settings, save_image

FILES, PROCESSES = 2000, 2
SECONDS, BYTES = 2.0, 500_000_000  # of processor time and memory, for each file


def outcome(path: Path) -> str:
    """ "loaded" or "refused"; anything else is a fault of ours."""
    result = "loaded"
    try:
        image = load_image(path, 64)
        if image.dtype != torch.float32 or image.shape[:2] != (1, 3) or max(image.shape) != 64:
            return f"a tensor {tuple(image.shape)} of {image.dtype}"
        if not (torch.isfinite(image).all() and image.min() >= 0 and image.max() <= 1):
            return "values outside 0..1"
    except (ValueError, OSError) as error:
        result = "refused"
        if str(path) not in str(error):
            return f"an error that does not name the file: {error!r}"
    try:
        load_settings(path)
    except (ValueError, OSError) as error:
        if str(path) not in str(error):
            return f"load_settings: an error that does not name the file: {error!r}"
    return result


def is_expected(warning: warnings.WarningMessage, path: Path) -> bool:
    """Ours names the file; Pillow's own is of broken metadata, never of a large picture."""
    pillow = Path(warning.filename).parent.name == "PIL" and warning.category is UserWarning
    return pillow or str(path) in str(warning.message)


def work(folder: str, first: int, last: int) -> None:
    """Read the files of these numbers, and print how it went, one line each."""
    import resource

    torch.set_num_threads(1)
    load_image("temple", 64)  # what is loaded only once is loaded
    save_image(torch.zeros(1, 3, 64, 64), Path(folder, f"{first}.png"))
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + BYTES, now + BYTES))
    for number in range(first, last):
        if number < FILES:
            name, data = mutant(number)
            path = Path(folder, name)
            path.write_bytes(data)
        else:
            path = Path(folder, f"bomb-{list(BOMBS)[number - FILES]}")
        print(json.dumps([path.name, "died"]), flush=True)
        begin = time.process_time()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                found = outcome(path)
            except BaseException as error:
                found = f"crashed: {error!r}"
        seconds = time.process_time() - begin
        strange = [str(w.message) for w in caught if not is_expected(w, path)]
        if strange:
            found = f"a warning that is not ours: {strange}"
        if seconds > SECONDS:
            found = f"took {seconds:.1f} s"
        print(json.dumps([path.name, found]), flush=True)
        path.unlink()


def outcomes(folder: Path, ranges: list[tuple[int, int]]) -> dict[str, str]:
    """Name of the file → what became of it; a process for each range of numbers."""
    pytest.importorskip("resource")
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    script = "import sys, test_corpus; test_corpus.work(sys.argv[1], *map(int, sys.argv[2:]))"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(folder), str(a), str(b)],
            cwd=Path(__file__).parent, env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for a, b in ranges
    ]  # fmt: skip
    lines = [line for p in processes for line in p.communicate(timeout=500)[0].splitlines()]
    return dict(map(json.loads, lines))


@pytest.fixture(scope="module")
def damaged(tmp_path_factory) -> dict[str, str]:
    each = FILES // PROCESSES
    ranges = [(i * each, (i + 1) * each) for i in range(PROCESSES)]
    return outcomes(tmp_path_factory.mktemp("corpus"), ranges)


@pytest.mark.parametrize("kind", KINDS)
def test_the_originals_are_good(tmp_path, kind):
    if kind not in kinds():
        pytest.skip(f"this Pillow cannot write {kind}")
    (tmp_path / "good").write_bytes(original(kind))
    image = load_image(tmp_path / "good")
    assert sorted(image.shape[2:]) == [HEIGHT, WIDTH]
    assert image.std() > 0.1


@pytest.mark.slow
def test_every_damaged_picture_loads_or_is_refused(damaged):
    faults = {name: found for name, found in damaged.items() if found not in ("loaded", "refused")}
    assert not faults
    assert len(damaged) == FILES


@pytest.mark.slow
def test_the_damage_is_of_every_degree(damaged):
    """Else the corpus would show nothing: some of each kind and damage load, some do not."""
    found = [(*name.split("-", 1)[1].rsplit("-", 1), outcome)
             for name, outcome in damaged.items()]  # fmt: skip
    for what in (0, 1):
        for group in {f[what] for f in found}:
            results = {f[2] for f in found if f[what] == group}
            assert "refused" in results or group == "more_behind_it", group
            assert "loaded" in results or group == "truncate", group
    assert 400 < sum(f[2] == "refused" for f in found) < 1700


def test_a_few_damaged_pictures_load_or_are_refused(tmp_path):
    few = outcomes(tmp_path, [(0, 60)])
    assert len(few) == 60
    assert set(few.values()) == {"loaded", "refused"}


def test_bombs_are_refused(tmp_path):
    for name, make in BOMBS.items():
        (tmp_path / f"bomb-{name}").write_bytes(make())
    bombs = outcomes(tmp_path, [(FILES, FILES + len(BOMBS))])
    assert bombs == {f"bomb-{name}": "refused" for name in BOMBS}
