import json
import os
import random
import signal
import subprocess
import time
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from folders import names_in
from objectives import START, Stuck
from runs import COMMAND, begin
from safetensors import safe_open
from safetensors.torch import load_file

from nst_tutorial.images.reading import load_image
from nst_tutorial.optimize import checkpoint as module
from nst_tutorial.optimize.loop import minimize
from nst_tutorial.settings import BEFORE
from nst_tutorial.storage import tensor_files
from nst_tutorial.transfer.style_transfer import stylize


@pytest.mark.parametrize(
    ("method", "kills"),
    [
        ("lbfgs", 2),
        pytest.param("lbfgs", 10, marks=pytest.mark.slow),
        pytest.param("adam", 2, marks=pytest.mark.slow),
    ],
)
def test_killed_at_random_moments_the_picture_is_the_same(tmp_path, method, kills):
    begin(tmp_path, "whole", method).communicate()
    dice = random.Random(1)
    starts = []
    parts = (tmp_path, "parts", method, tmp_path / "notes")
    for _ in range(kills):
        process = begin(*parts)
        lines = [process.stdout.readline() for _ in range(dice.randint(3, 9))]
        time.sleep(dice.uniform(0, 0.05))  # somewhere between two evaluations, or in one
        process.kill()
        starts.append(lines[0])
        process.communicate()
        if process.returncode == 0:  # it was faster
            (tmp_path / "notes").unlink()
    process = begin(*parts)
    starts += process.communicate()[0].split()[:1]
    assert process.returncode == 0
    whole, history = torch.load(tmp_path / "whole")
    again, history_again = torch.load(tmp_path / "parts")
    assert torch.equal(whole, again)
    assert history_again == history
    assert max(map(int, starts)) > 10  # it did not simply begin anew each time


@pytest.fixture
def half(tiny, pair, tmp_path):
    """A run stopped by its callback after 7 of 14 evaluations, and how to go on with it."""
    path = tmp_path / "run.safetensors"
    options = {"model": tiny, "steps": 14, "checkpoint": path, "checkpoint_every": 3}
    stopped = stylize(*pair, callback=lambda p: p.evaluation == 7, **options)
    assert stopped.stopped == "callback"
    return path, options


def test_it_goes_on_where_it_was(tiny, pair, half):
    path, options = half
    seen = []
    found = stylize(*pair, callback=lambda p: seen.append(p.evaluation), **options)
    assert seen == list(range(8, 15))  # the seventh, at which it was stopped, was noted too
    whole = stylize(*pair, model=tiny, steps=14)
    assert torch.equal(found.image, whole.image)
    assert [r["total"] for r in found.history] == [r["total"] for r in whole.history]
    seconds = [r["seconds"] for r in found.history]
    assert seconds == sorted(seconds)
    assert path.exists()
    again = stylize(*pair, callback=lambda p: seen.append("no"), **options)  # nothing is left to do
    assert torch.equal(again.image, whole.image)
    assert "no" not in seen


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"style_weight": 3.0}, "style_weight was 6.5 and is 3.0 now"),
        ({"steps": 15}, "steps was 14 and is 15 now"),
        ({"seed": 5}, "seed was 0 and is 5 now"),
        ({"kernel": "bn"}, "kernel was"),
        ({"style_layers": {"relu1_1": 1.0}}, "style_layers was"),
        ({"preset": "gatys2016-code"}, "was"),
        ({"start": "noise"}, "start was 'content' and is 'noise' now"),
    ],
)
def test_another_run_is_refused_by_name(pair, half, change, words):
    path, options = half
    before = path.read_bytes()
    with pytest.raises(ValueError, match="checkpoint of another run") as raised:
        stylize(*pair, **{**options, **change})
    assert words in str(raised.value)
    assert str(path) in str(raised.value)
    assert path.read_bytes() == before


def test_other_pictures_are_refused_by_name(pair, half):
    _, options = half
    content, style = pair
    with pytest.raises(ValueError, match="content picture was"):
        stylize(content * 0.99, style, **options)
    with pytest.raises(ValueError, match="style picture was"):
        stylize(content, style.flip(2), **options)


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", None])
def test_damaged_files_are_refused(pair, half, damage):
    path, options = half
    path.write_bytes(path.read_bytes()[:-100] if damage is None else damage)
    with pytest.raises(ValueError, match="run.safetensors: not a checkpoint, or damaged"):
        stylize(*pair, **options)


def test_other_safetensors_are_refused(pair, tiny, tmp_path):
    from safetensors.torch import save_file

    save_file({"x": torch.ones(2)}, tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match="not a checkpoint of this version"):
        stylize(*pair, model=tiny, steps=2, checkpoint=tmp_path / "weights.safetensors")


def test_a_folder_that_cannot_be_written_is_named_before_any_work(pair, tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        stylize(*pair, model=tiny, steps=2, checkpoint=tmp_path / "file" / "run")
    with pytest.raises(OSError, match=str(tmp_path)):
        stylize(*pair, model=tiny, steps=2, checkpoint=tmp_path)


def test_a_full_disk_keeps_the_note_before(pair, half, monkeypatch):
    """The write fails in the middle: what was there is still there, and still good."""
    path, options = half
    before = path.read_bytes()

    replacing = tensor_files.replacing

    @contextmanager
    def full(path, **options):
        with replacing(path, **options) as file:
            file.write(b"half of it")
            yield file
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tensor_files, "replacing", full)
        with pytest.raises(OSError, match="No space left"):
            stylize(*pair, **options)
    assert path.read_bytes() == before
    assert names_in(path.parent) == ["run.safetensors"]
    assert len(stylize(*pair, **options).history) == 14


def test_the_file_that_reaches_the_disk_is_the_one_that_stays(pair, half, monkeypatch):
    """Synced before it is renamed, with the rights of any new file, and nothing beside it."""
    path, options = half
    synced, sync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda d: synced.append(os.fstat(d).st_ino) or sync(d))
    stylize(*pair, **options)
    assert path.stat().st_ino == synced[-1]
    (path.parent / "new").touch()
    assert path.stat().st_mode == (path.parent / "new").stat().st_mode
    assert names_in(path.parent) == ["new", "run.safetensors"]


def test_files_of_tensors_are_what_safetensors_reads(tmp_path):
    from safetensors import safe_open

    path = tmp_path / "a"
    tensors = {
        "flags": torch.tensor([True, False, True]),
        "half": torch.rand(3, 5).to(torch.bfloat16),
        "steps": torch.tensor(7),
        "none": torch.zeros(0, 3),
        "turned": torch.rand(4, 3).T,
        "double": torch.rand(2, 3, 1).double(),
    }
    tensor_files.write_tensors(path, tensors, {"format": "F 1", "note": "Öl ×"})
    with safe_open(path, framework="pt") as file:
        assert file.metadata()["note"] == "Öl ×"
        assert set(file.keys()) == set(tensors)
        for name, tensor in tensors.items():
            found = file.get_tensor(name)
            assert found.dtype == tensor.dtype
            assert torch.equal(found, tensor)
    header, again = tensor_files.read_tensors(path, "F 1", "thing")
    assert header["format"] == "F 1"
    assert all(torch.equal(again[name], tensors[name]) for name in tensors)
    with pytest.raises(FileExistsError):
        tensor_files.write_tensors(path, {}, {}, overwrite=False)
    plain = torch.rand(5)
    seen = np.frombuffer(tensor_files._bytes_of(plain), np.uint8)
    assert seen.ctypes.data == plain.data_ptr()  # gigabytes are not copied


def test_a_state_goes_through_a_file_bit_for_bit(tmp_path, tiny, pair):
    """Also what L-BFGS remembers when two names mean one tensor."""
    from nst_tutorial.losses.objective import Objective
    from nst_tutorial.losses.terms import OutOfRange

    kept = {}
    objective = Objective(tiny, {"range": OutOfRange()}, {"range": 1.0})

    def keep(state, ends):
        module.save(tmp_path / "s", state, {"a": [1, 2]}, {"b": 1})
        kept["state"] = state

    minimize(objective, 3 * pair[0] - 1, steps=5, keep=keep)
    found = module.load(tmp_path / "s", {"b": 1})
    one, two = kept["state"], found.state
    assert found.record == {"a": [1, 2]}
    assert (one.evaluation, one.first, one.mark) == (two.evaluation, two.first, two.mark)
    assert torch.equal(one.z, two.z)
    assert all(torch.equal(a, b) for a, b in zip(one.best[1:], two.best[1:], strict=True))
    for a, b in zip(one.method.pairs, two.method.pairs, strict=True):
        assert all(torch.equal(p, q) for p, q in zip(a, b, strict=True))
    assert json.dumps(one.method.state()[1]) == json.dumps(two.method.state()[1])


@pytest.mark.parametrize("stop", [1, 2, 7, 9])  # of 9 at the coarser scale, and 5 at the finer
def test_an_average_goes_on_bit_for_bit(tiny, tmp_path, stop):
    content, style = torch.rand(2, 1, 3, 400, 48, generator=torch.Generator().manual_seed(0))
    pair = content.double(), style.double()
    options = {"model": tiny, "steps": 14, "method": "adam", "average": 0.8}
    notes = {"checkpoint": tmp_path / "notes", "checkpoint_every": 1}
    whole = stylize(*pair, **options)
    stylize(*pair, callback=lambda p: p.evaluation == stop, **options, **notes)
    again = stylize(*pair, **options, **notes)
    assert torch.equal(again.image, whole.image)
    assert [r["total"] for r in again.history] == [r["total"] for r in whole.history]
    finished = stylize(*pair, **options, **notes)
    assert torch.equal(finished.image, whole.image)
    with pytest.raises(ValueError, match=r"average was 0.8 and is 0.0 now"):
        stylize(*pair, **{**options, "average": 0.0}, **notes)


def test_an_average_that_has_ended_has_nothing_to_go_on_with():
    kept = []
    options = {"steps": 500, "method": "adam", "average": 0.9}
    first = minimize(Stuck(falls=3), START, keep=lambda s, ends: kept.append(s), **options)
    again = minimize(Stuck(falls=3), START, resume=kept[-1], **options)
    assert (again.stopped, again.history) == ("no improvement", [])
    assert torch.equal(again.image, first.image)


def test_a_checkpoint_without_later_settings_means_what_was_done_then(pair, half, tiny):
    path, options = half
    tensors = load_file(path)
    with safe_open(path, "pt") as file:
        header = file.metadata()
    identity, state = json.loads(header["identity"]), json.loads(header["state"])
    for name in BEFORE:
        del identity[name]
    for name in ("decay", "averaged", "finished"):
        del state[name]
    header |= {"identity": json.dumps(identity), "state": json.dumps(state)}
    tensor_files.write_tensors(path, tensors, header)
    then = {**options, **BEFORE}
    with pytest.raises(ValueError, match=r"scale_factor was 2.0 and is 1.5 now"):
        stylize(*pair, **{**then, "scale_factor": 1.5})
    found = stylize(*pair, **then)
    assert torch.equal(found.image, stylize(*pair, model=tiny, steps=14, **BEFORE).image)


def test_the_command_line_goes_on_after_ctrl_c(tmp_path):
    """Ended by Ctrl-C, run again with the same arguments: the same picture as in one go."""
    arguments = [*COMMAND, "stylize", "temple", "starry_night", "--size", "64", "--steps", "40",
                 "--device", "cpu"]  # fmt: skip
    notes = ["--checkpoint", str(tmp_path / "notes")]
    process = subprocess.Popen(
        [*arguments, *notes, "--out", str(tmp_path / "early.png")],
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if line.startswith("12/40"):
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert (tmp_path / "notes").exists()
    for extra, name in ((notes, "parts.png"), ([], "whole.png")):
        subprocess.run([*arguments, *extra, "--out", str(tmp_path / name)], check=True)
    assert torch.equal(load_image(tmp_path / "parts.png"), load_image(tmp_path / "whole.png"))
    assert not (tmp_path / "notes").exists()  # done, so nobody needs it


def test_ctrl_c_while_a_resumed_run_is_set_up_gives_the_best_so_far(pair, half, monkeypatch):
    _, options = half

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("nst_tutorial.transfer.scene.make_objective", interrupted)
        found = stylize(*pair, **options)
    assert found.stopped == "interrupted"
    assert len(found.history) == 7
    assert (found.image - pair[0].clamp(0, 1)).abs().max() > 0.02


def test_another_network_of_the_same_name_is_refused(pair, half):
    from nst_tutorial.vgg.network import VGG19

    _, options = half
    other = VGG19("random", channels=(4, 6, 8, 8, 8), device="cpu", pooling="average", seed=3)
    with pytest.raises(ValueError, match="network was"):
        stylize(*pair, **{**options, "model": other.double()})


def test_a_run_that_ended_has_nothing_to_go_on_with(tiny, pair):
    """Also when it ended because nothing got better."""
    kept = []
    first = minimize(Stuck(falls=3), START, steps=500, keep=lambda state, ends: kept.append(state))
    assert first.stopped == "no improvement"
    again = minimize(Stuck(falls=3), START, steps=500, resume=kept[-1])
    assert again.stopped == "no improvement"
    assert again.history == []
    assert torch.equal(again.image, first.image)
