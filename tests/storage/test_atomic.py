"""Full disks, read-only folders, files that vanish, two runs in one folder."""

import errno
import os
import re
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
import torch
from folders import mounted, names_in, skip_loudly
from runs import COMMAND, QUICK, begin, quick

from nst_tutorial.images import decoding
from nst_tutorial.images.reading import check_can_save, load_image, load_settings, save_image
from nst_tutorial.storage.atomic import (
    check_can_write,
    check_distinct,
    replacing,
    save_under_free_name,
    shortened,
)

NOISE = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))


def cli(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300, **options
    )


def fill(folder, leave: int):
    """Write zeros until only `leave` bytes are free."""
    free = os.statvfs(folder)
    with (folder / "filler").open("wb") as file:
        file.write(bytes(free.f_bavail * free.f_frsize - leave))


# --- a full disk -------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff"])
def test_a_full_disk_keeps_what_is_there(tmp_path, suffix):
    with mounted(tmp_path / "disk", "size=256k") as disk:
        path = save_image(torch.zeros(1, 3, 32, 32), disk / f"out.{suffix}", {"made": "before"})
        before = path.read_bytes()
        fill(disk, leave=4096)
        with pytest.raises(OSError, match="No space left on device") as raised:
            save_image(NOISE, path)
        assert raised.value.filename == str(path)
        assert path.read_bytes() == before
        assert names_in(disk) == ["filler", path.name]


def test_a_limit_on_file_sizes_keeps_what_is_there(tmp_path):
    """The same without a mount: the system refuses to write beyond 20 kB."""
    pytest.importorskip("resource")
    script = textwrap.dedent("""
        import resource, sys
        import torch
        from nst_tutorial.images import save_image
        path = save_image(torch.zeros(1, 3, 32, 32), sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        try:
            save_image(torch.rand(1, 3, 128, 128), path)
        except OSError as error:
            print(error.strerror, error.filename)
    """)
    path = tmp_path / "out.png"
    found = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True)
    assert found.stdout == f"File too large {path}\n", found.stderr
    assert names_in(tmp_path) == ["out.png"]
    assert load_image(path).max() == 0


def test_on_a_full_disk_a_result_goes_elsewhere(tmp_path):
    (tmp_path / "spare").mkdir()
    with mounted(tmp_path / "disk", "size=64k") as disk:
        fill(disk, leave=0)
        found = cli("stylize", "temple", "starry_night", *QUICK, "--out", disk / "out.png",
                    env={**os.environ, "TMPDIR": str(tmp_path / "spare")})  # fmt: skip
        assert names_in(disk) == ["filler"]
    assert found.returncode == 1, found.stderr
    assert "out.png could not be written (No space left on device)" in found.stderr
    assert "Traceback" not in found.stderr
    assert str(tmp_path / "spare" / "nst_result.png") in found.stdout
    assert load_image(tmp_path / "spare" / "nst_result.png").shape == (1, 3, 43, 64)


def test_a_checkpoint_outlives_a_full_disk(tmp_path, tiny, pair):
    """The disk fills up in the middle of a run; with room again, the run goes on from its note."""
    whole = quick(pair, tiny)
    with mounted(tmp_path / "disk", "size=700k") as disk:
        options = {"checkpoint": disk / "run", "checkpoint_every": 1}
        with pytest.raises(OSError, match="run") as raised:
            quick(pair, tiny, **options)
        assert "o space left" in str(raised.value)
        assert names_in(disk) == ["run"]
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        seen = []
        again = quick(pair, tiny, callback=lambda p: seen.append(p.evaluation), **options)
    assert seen[0] > 1
    assert torch.equal(again.image, whole.image)


# --- a folder that cannot be written ------------------------------------------------------------


@pytest.fixture(params=["mount", "/proc"])
def read_only(request, tmp_path):
    """Root may write in any folder, whatever its rights; but not here."""
    if request.param == "/proc":
        if not Path("/proc/self").exists():
            skip_loudly("no /proc here")
        yield Path("/proc")
        return
    with mounted(tmp_path / "disk", "size=256k") as disk:
        save_image(torch.zeros(1, 3, 32, 32), disk / "old.png")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        yield disk


def test_a_read_only_folder_is_refused_before_any_work(read_only, tiny, pair, tmp_path):
    with pytest.raises(OSError, match=f"cannot write in the folder {read_only}"):
        check_can_save(read_only / "out.png")
    with pytest.raises(OSError, match="out.png"):
        save_image(NOISE, read_only / "out.png")
    calls = []
    with pytest.raises(OSError, match=str(read_only)):
        quick(pair, tiny, checkpoint=read_only / "run", callback=calls.append)
    assert calls == []
    found = cli("stylize", "temple", "starry_night", *QUICK, "--out", read_only / "out.png")
    assert found.returncode == 2
    assert re.fullmatch(rf"nst: cannot write in the folder {read_only} \(.*\)\n", found.stderr)


def test_the_pictures_of_a_read_only_folder_can_be_read(tmp_path):
    with mounted(tmp_path / "disk", "size=256k") as disk:
        save_image(NOISE, disk / "old.png", {"a": 1})
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert load_image(disk / "old.png", 32).shape == (1, 3, 32, 32)
        assert load_settings(disk / "old.png") == {"a": 1}


# --- files that come and go ---------------------------------------------------------------------


def test_gone_between_a_look_and_the_reading(tmp_path, monkeypatch, scene):
    scene.save(tmp_path / "a.png")
    really_open = Path.open

    def late(self, *arguments):
        self.unlink()
        return really_open(self, *arguments)

    monkeypatch.setattr(decoding.Path, "open", late)
    with pytest.raises(FileNotFoundError, match="a.png: it was there a moment ago"):
        load_image(tmp_path / "a.png")


def test_a_picture_that_comes_and_goes_is_read_or_missing(tmp_path, scene):
    scene.save(tmp_path / "kept.png")
    path, stop = tmp_path / "a.png", threading.Event()

    def flicker():
        while not stop.is_set():
            path.hardlink_to(tmp_path / "kept.png")
            path.unlink()

    thread = threading.Thread(target=flicker)
    thread.start()
    outcomes = set()
    try:
        for _ in range(400):
            try:
                outcomes.add(tuple(load_image(path).shape))
            except FileNotFoundError as error:
                assert "a.png" in str(error)  # noqa: PT017
                outcomes.add("missing")
    finally:
        stop.set()
        thread.join()
    assert outcomes <= {(1, 3, 24, 40), "missing"}
    assert "missing" in outcomes


# --- two runs at once ---------------------------------------------------------------------------

DELIVER = textwrap.dedent("""
    import sys
    from pathlib import Path
    import torch
    from nst_tutorial.optimize import Result
    from nst_tutorial.cli.terminal import deliver
    folder, who = sys.argv[1:]
    print("ready", flush=True)
    sys.stdin.readline()
    for i in range(12):
        result = Result(torch.zeros(1, 3, 16, 16), settings={"who": f"{who} {i}"})
        deliver(result, Path(folder, "out.png"), {})
""")


def test_three_runs_at_once_lose_no_picture(tmp_path):
    """All want the same name at the same moment; each picture gets a name of its own."""
    command = [sys.executable, "-c", DELIVER, str(tmp_path)]
    runs = [
        subprocess.Popen([*command, who], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for who in "abc"
    ]
    for run in runs:
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        run.stdin.write("go\n")
        run.stdin.flush()
    for run in runs:
        run.communicate(timeout=600)
        assert run.returncode == 0
    expected = ["out.png", *(f"out-{n}.png" for n in range(2, 37))]
    assert names_in(tmp_path) == sorted(expected)
    made = {load_settings(tmp_path / name)["who"] for name in expected}
    assert made == {f"{who} {i}" for who in "abc" for i in range(12)}


@pytest.mark.slow
def test_two_runs_with_one_checkpoint_end_with_the_same_picture(tmp_path):
    arguments = ("lbfgs", tmp_path / "notes")
    runs = [begin(tmp_path, name, *arguments) for name in ("one", "two")]
    for run in runs:
        run.communicate(timeout=600)
        assert run.returncode == 0
    begin(tmp_path, "alone", "lbfgs").communicate()
    pictures = [torch.load(tmp_path / name)[0] for name in ("one", "two", "alone")]
    assert torch.equal(pictures[0], pictures[2])
    assert torch.equal(pictures[1], pictures[2])
    assert not list(tmp_path.glob(".nst-*"))


def test_readers_see_the_old_file_or_the_new_one(tmp_path):
    """While a file is replaced again and again, nobody ever sees a part of it."""
    path, stop = tmp_path / "file", threading.Event()
    path.write_bytes(bytes(100_000))

    def write():
        n = 0
        while not stop.is_set():
            n = n % 250 + 1
            with replacing(path) as file:
                for _ in range(10):
                    file.write(bytes([n]) * 10_000)

    thread = threading.Thread(target=write)
    thread.start()
    seen = set()
    try:
        for _ in range(300):
            content = path.read_bytes()
            assert len(content) == 100_000
            assert len(set(content)) == 1
            seen.add(content[0])
    finally:
        stop.set()
        thread.join()
    assert len(seen) > 1
    assert names_in(tmp_path) == ["file"]


# --- links, and one file under two names -------------------------------------------------------


def test_a_link_in_a_circle_is_refused_before_any_work(tmp_path):
    a, b = tmp_path / "a.png", tmp_path / "b.png"
    a.symlink_to(b)
    b.symlink_to(a)
    for use in (check_can_write, lambda path: replacing(path).__enter__()):
        for path in (a, a / "below.png"):
            with pytest.raises(OSError, match="a symbolic link that leads back to it") as caught:
                use(path)
            assert caught.value.filename == str(path)
    assert names_in(tmp_path) == ["a.png", "b.png"]


def test_through_a_link_the_file_that_it_stands_for_is_written(tmp_path):
    link, far = tmp_path / "link.png", tmp_path / "far" / "file.png"
    link.symlink_to(far)
    assert check_can_write(link) == link
    assert names_in(tmp_path / "far") == []  # the link's folder would not have been enough
    with replacing(link, overwrite=False) as file:
        file.write(b"new")
    assert far.read_bytes() == b"new"
    assert link.is_symlink()


def test_one_file_under_two_names_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo, other = Path("photo.png"), Path("other.png")
    photo.touch()
    other.touch()
    Path("link.png").symlink_to(photo)
    Path("hard.png").hardlink_to(photo)
    for name in ("photo.png", "./photo.png", "link.png", "hard.png", tmp_path / "photo.png"):
        with pytest.raises(ValueError, match="^--out and CONTENT are one file, .*; give them two "):
            check_distinct({"--out": name, "--checkpoint": None}, {"CONTENT": photo})
    with pytest.raises(ValueError, match="^--out and --checkpoint are one file, new.png;"):
        check_distinct({"--out": "new.png", "--checkpoint": tmp_path / "new.png"})
    check_distinct({"--out": "new.png", "--checkpoint": other}, {"CONTENT": photo, "STYLE": photo})


def test_several_at_once_get_names_of_their_own(tmp_path):
    """All four meet between the check of the name and the writing."""
    meeting, saved = threading.Barrier(4), []

    def save(path, overwrite):
        if path.name == "a.png":
            meeting.wait()
        with replacing(path, overwrite=overwrite) as file:
            file.write(path.name.encode())
        return path

    threads = [
        threading.Thread(
            target=lambda: saved.append(save_under_free_name(save, tmp_path / "a.png"))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = ["a-2.png", "a-3.png", "a-4.png", "a.png"]
    assert sorted(path.name for path in saved) == names
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {n: n for n in names}


def test_a_number_that_was_given_is_counted_on(tmp_path):
    def save(path, overwrite):
        with replacing(path, overwrite=overwrite):
            return path

    for name in ("a.png", "a-2.png", "b-2.png", "-3.png"):
        (tmp_path / name).touch()
    for wanted, name in (("a-2", "a-3"), ("a", "a-4"), ("b-2", "b-2-2"), ("-3", "-3-2")):
        assert save_under_free_name(save, tmp_path / f"{wanted}.png").stem == name


def test_one_gets_the_name_where_there_are_no_links(tmp_path, monkeypatch):
    """Also if somebody else takes it at the last moment."""

    def no_links(*arguments):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    path = tmp_path / "a.png"
    with replacing(path, overwrite=False) as file:
        file.write(b"first")
    with pytest.raises(FileExistsError), replacing(path, overwrite=False) as file:
        file.write(b"second")
    assert path.read_bytes() == b"first"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("letter", ["a", "ä", "猫"])
def test_long_names_are_shortened_and_remain_different(tmp_path, letter):
    names = [shortened(letter * 245 + end + ".png") for end in ("1", "2")]
    assert len(set(names)) == 2
    for name in names:
        assert name.startswith(letter * 50)
        assert name.endswith(".png")
        assert 220 <= len(name.encode()) <= 230
        (tmp_path / name).write_bytes(b"")
    assert shortened("short.png") == "short.png"
    assert shortened("x" * 226 + ".png") == "x" * 226 + ".png"
    assert shortened(names[0]) == names[0]
