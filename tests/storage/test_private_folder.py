"""What visitors upload does not outlive the process that holds it, however that ends."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from folders import names_in

from nst_tutorial.storage import private_folder
from nst_tutorial.storage.private_folder import FILES, PREFIX, PrivateFolder, remove_abandoned

HOLDER = """
import sys
from nst_tutorial.storage.private_folder import PrivateFolder
folder = PrivateFolder()
(folder.path / "upload.png").write_text("a picture")
print(folder.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_it_is_gone_with_its_object(temporary):
    folder = PrivateFolder()
    (folder.path / "upload.png").write_text("a picture")
    assert folder.path.stat().st_mode & 0o077 == 0
    assert folder.path.parent.stat().st_mode & 0o077 == 0
    assert remove_abandoned() == []  # somebody holds it
    del folder
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(temporary):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as holder:  # fmt: skip
        left = Path(holder.stdout.readline().strip())
        assert left.parent.parent == temporary
        mine = PrivateFolder()  # looks for abandoned ones
        assert names_in(left) == ["upload.png"]
        holder.kill()
        holder.wait()
    assert names_in(left) == ["upload.png"]
    other = PrivateFolder()
    assert sorted(temporary.iterdir()) == sorted({mine.path.parent, other.path.parent})


def test_nothing_else_is_removed(temporary):
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.png").write_text("a picture")
    (temporary / f"{PREFIX}link").symlink_to(elsewhere)
    (temporary / f"{PREFIX}file").write_text("no folder")
    (temporary / "nst-other").mkdir()
    assert remove_abandoned() == []
    assert (elsewhere / "mine.png").exists()
    assert len(list(temporary.iterdir())) == 4


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners of folders")
def test_folders_of_other_users_are_left(temporary, monkeypatch):
    (temporary / f"{PREFIX}other" / FILES).mkdir(parents=True)
    user = os.getuid()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: user + 1)
        assert remove_abandoned() == []
    assert remove_abandoned() == [temporary / f"{PREFIX}other"]


def test_a_new_folder_is_not_taken_for_abandoned(temporary, monkeypatch):
    """Between its making and its locking nobody can tell that it is in use."""
    lock, removed = private_folder._lock, []

    def late(folder):
        monkeypatch.setattr(private_folder, "_lock", lock)
        removed.extend(remove_abandoned())
        return lock(folder)

    monkeypatch.setattr(private_folder, "_lock", late)
    folder = PrivateFolder()
    assert removed == []
    assert list(temporary.iterdir()) == [folder.path.parent]


def test_many_at_once_disturb_nobody(temporary):
    folders, wrong = [], []

    def work():
        for _ in range(20):
            try:
                folder = PrivateFolder()
                (folder.path / "upload.png").write_text("a picture")
                folders.append(folder)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert all((folder.path / "upload.png").exists() for folder in folders)
    assert len(list(temporary.glob(f"{PREFIX}*/{FILES}/upload.png"))) == 160
