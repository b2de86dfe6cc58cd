"""The table of a batch, and claims on files."""

import codecs
import multiprocessing
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from folders import names_in

from nst_tutorial.batch import manifest
from nst_tutorial.batch.manifest import read_manifest, write_manifest
from nst_tutorial.storage.atomic import claimed


def row(name, **more):
    return {"file": f"{name}.png", "status": "done", "content": "42", "style": "b.jpg", **more}


ROWS = [
    row("a", kernel={"name": "bn"}, steps=3, total_loss=0.25, coarse_to_fine=True),
    row("b", kernel="gram", steps=30, seconds=1.5, note="5,\n\"six\" 'é'"),
    row("c", status="failed", error="17"),
]


def test_what_is_written_is_read(tmp_path):
    path = write_manifest(tmp_path, ROWS)
    assert names_in(tmp_path) == ["manifest.csv"]
    assert read_manifest(tmp_path) == ROWS
    header = path.read_text().splitlines()[0].split(",")
    assert header[:4] == ["file", "status", "content", "style"]
    assert header[-1] == "error"


def test_rows_of_other_batches_stay(tmp_path):
    write_manifest(tmp_path, ROWS)
    write_manifest(tmp_path, [row("d", size=64)])
    write_manifest(tmp_path, [row("a", steps=3, total_loss=0.125)])
    found = {r["file"]: r for r in read_manifest(tmp_path)}
    assert sorted(found) == ["a.png", "b.png", "c.png", "d.png"]
    assert found["a.png"]["total_loss"] == 0.125
    assert found["b.png"] == ROWS[1]


def test_a_failure_is_forgotten_when_the_same_is_asked_again(tmp_path):
    asked = {"steps": 3, "kernel": {"name": "bn"}}
    write_manifest(tmp_path, [row("bad1", **asked, status="failed", error="damaged"), *ROWS])
    write_manifest(tmp_path, [row("good", **asked, seconds=1.0)])  # mended, so another name
    assert [r["file"] for r in read_manifest(tmp_path)] == ["a.png", "b.png", "c.png", "good.png"]
    # but a failure of one run does not hide what another has made
    write_manifest(tmp_path, [row("good", **asked, status="failed", error="full")])
    assert read_manifest(tmp_path)[-1]["status"] == "done"


@pytest.mark.parametrize("text", ["", "name,age\nx,3\n", "\x00\x00", "file;status;content\n"])
def test_the_table_of_somebody_else_is_left_alone(tmp_path, text):
    path = tmp_path / "manifest.csv"
    path.write_text(text)
    for use in (read_manifest, lambda folder: write_manifest(folder, ROWS)):
        with pytest.raises(ValueError, match=r"manifest\.csv: not the manifest of a batch"):
            use(tmp_path)
    assert path.read_text() == text


def test_what_a_spreadsheet_leaves_behind(tmp_path):
    path = write_manifest(tmp_path, ROWS)
    text = path.read_text()
    empty = "," * text.splitlines()[0].count(",") + "\n"
    path.write_text(text + 2 * empty)
    assert read_manifest(tmp_path) == ROWS
    write_manifest(tmp_path, [row("d", size=64)])
    assert len(read_manifest(tmp_path)) == 4


def test_a_table_saved_with_a_byte_order_mark(tmp_path):
    """As Excel writes "CSV UTF-8"."""
    path = write_manifest(tmp_path, ROWS)
    path.write_bytes(codecs.BOM_UTF8 + path.read_bytes().replace(b"\n", b"\r\n"))
    assert [r["file"] for r in read_manifest(tmp_path)] == ["a.png", "b.png", "c.png"]
    assert read_manifest(tmp_path)[0] == ROWS[0]
    write_manifest(tmp_path, [row("d", size=64)])
    assert len(read_manifest(tmp_path)) == 4
    assert path.read_bytes().startswith(b"file,status,")


def test_what_is_not_utf_8_is_spelt_out(tmp_path):
    write_manifest(tmp_path, [row("a", weights="caf\udce9.pth")])
    assert read_manifest(tmp_path) == [row("a", weights="caf\\udce9.pth")]


@pytest.mark.parametrize(
    ("cells", "missing"), [(",done,x.jpg", "file"), ("x.png,,x.jpg", "status")]
)
def test_a_row_without_file_or_status_is_refused(tmp_path, cells, missing):
    path = write_manifest(tmp_path, ROWS)
    text = path.read_text() + cells + "\n"
    path.write_text(text)
    line = text.count("\n")
    message = rf"manifest\.csv: not the manifest of a batch \(line {line} has no {missing}\)"
    for use in (read_manifest, lambda folder: write_manifest(folder, ROWS)):
        with pytest.raises(ValueError, match=message):
            use(tmp_path)
    assert path.read_text() == text


def test_writing_beside_another_process_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "PATIENCE", 0.1)
    with claimed(tmp_path / "manifest.csv") as mine:
        assert mine
        with pytest.warns(
            UserWarning, match=r"manifest\.csv: another process has kept it for 0.1 s"
        ):
            write_manifest(tmp_path, ROWS)
    assert read_manifest(tmp_path) == ROWS


def _add(folder, name):
    for i in range(15):
        write_manifest(folder, [row(f"{name}{i:02}")])


def test_several_processes_lose_no_row(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_add, args=(tmp_path, name)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert len(read_manifest(tmp_path)) == 45
    assert names_in(tmp_path) == ["manifest.csv"]


# --- claims ----------------------------------------------------------------------------------


def test_a_claim_excludes_everybody_else(tmp_path):
    path = tmp_path / "a.png"
    with claimed(path) as first:
        with claimed(path) as second, claimed(tmp_path / "b.png") as other:
            assert (first, second, other) == (True, False, True)
        with claimed(path) as still:
            assert not still  # the loser has not let go of the winner's
    with claimed(path) as again:
        assert again
    assert names_in(tmp_path) == []


def test_a_claim_holds_against_threads_and_never_twice(tmp_path):
    inside, most = 0, 0

    def work():
        nonlocal inside, most
        for _ in range(300):
            with claimed(tmp_path / "a") as mine:
                if mine:
                    inside += 1
                    most = max(most, inside)
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


HOLD = """
import sys, time
from nst_tutorial.storage.atomic import claimed
with claimed(sys.argv[1]) as mine:
    print(mine, flush=True)
    time.sleep(60)
"""


def test_a_claim_dies_with_its_holder(tmp_path):
    path = Path(tmp_path, "a.png")
    holder = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "True\n"
    with claimed(path) as mine:
        assert not mine
    holder.kill()
    holder.wait()
    with claimed(path) as mine:
        assert mine
