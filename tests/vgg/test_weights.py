"""Weights and checkpoints from strangers: never run, never half-believed."""

import ast
import io
import os
import pickle
import random
import subprocess
import zipfile
from pathlib import Path

import pytest
import torch
from runs import COMMAND, TINY, quick
from safetensors.torch import save_file

import nst_tutorial
from nst_tutorial.vgg.layers import CONVOLUTIONS, LAYERS
from nst_tutorial.vgg.network import VGG19
from nst_tutorial.vgg.weights import _from_palette

PACKAGE = Path(nst_tutorial.__file__).parent


class Bomb:
    """Unpickled, it makes a folder: as harmless as a proof can be."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def bombs(folder: Path) -> dict[str, Path]:
    """Files that would run code if they were unpickled, in every wrapping torch can open."""
    trace = folder / "executed"
    state = {"features.0.weight": torch.zeros(1), "extra": Bomb(trace)}
    (folder / "plain.pth").write_bytes(pickle.dumps(Bomb(trace)))
    (folder / "plain2.pth").write_bytes(pickle.dumps(Bomb(trace), protocol=2))
    torch.save(state, folder / "zip.pth")
    torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(state, folder / "palette.bin")
    (folder / "named.safetensors").write_bytes((folder / "zip.pth").read_bytes())
    return {path.name: path for path in sorted(folder.iterdir())}


def test_the_bombs_are_live(tmp_path):
    """Else the next tests would prove nothing."""
    for name, path in bombs(tmp_path).items():
        if name in ("plain.pth", "plain2.pth"):
            pickle.loads(path.read_bytes())
        else:
            torch.load(io.BytesIO(path.read_bytes()), weights_only=False)
        (tmp_path / "executed").rmdir()


def test_pickle_bombs_as_weights_are_refused_and_not_run(tmp_path):
    for name, path in bombs(tmp_path).items():
        with pytest.raises(ValueError, match=f"{name}: cannot be read as weights"):
            VGG19(path, device="cpu")
        assert not (tmp_path / "executed").exists()
    found = subprocess.run(
        [*COMMAND, "stylize", "temple", "starry_night", "--weights", str(tmp_path / "zip.pth"),
         "--out", str(tmp_path / "out.png")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert found.returncode == 2
    assert "zip.pth: cannot be read as weights" in found.stderr
    assert not (tmp_path / "executed").exists()


def test_pickle_bombs_as_checkpoints_are_refused_and_not_run(tmp_path, tiny, pair):
    for path in bombs(tmp_path).values():
        before = path.read_bytes()
        with pytest.raises(ValueError, match="not a checkpoint, or damaged"):
            quick(pair, tiny, checkpoint=path)
        assert path.read_bytes() == before
        assert not (tmp_path / "executed").exists()


def test_pickle_bombs_as_generators_are_refused_and_not_run(tmp_path):
    from nst_tutorial.texture_networks.files import load_generator

    for path in bombs(tmp_path).values():
        with pytest.raises(ValueError, match=f"{path.name}: not a generator, or damaged"):
            load_generator(path, device="cpu")
        assert not (tmp_path / "executed").exists()


def test_nothing_in_the_package_unpickles():
    """torch.load only with weights_only=True, np.load never with pickles, and none of the rest."""
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            where = f"{path.name}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                assert not forbidden & {alias.name.split(".")[0] for alias in node.names}, where
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in forbidden, where
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            given = {k.arg: ast.unparse(k.value) for k in node.keywords}
            if called in ("torch.load", "load_state_dict_from_url") or "get_state_dict" in called:
                assert given.get("weights_only") == "True", where
            assert called not in ("eval", "exec", "torch.jit.load", "torch.hub.load"), where
            assert given.get("allow_pickle", "False") == "False", where


# --- damaged -----------------------------------------------------------------------------------


def state_dict() -> dict[str, torch.Tensor]:
    model = VGG19("random", channels=TINY, device="cpu")
    names = {name: f"features.{LAYERS.index(name)}" for name in CONVOLUTIONS}
    return {
        f"{key}.{part}": getattr(model, f"{name}_{part}").contiguous()
        for name, key in names.items()
        for part in ("weight", "bias")
    }


@pytest.mark.parametrize("value", ["text", 3, None, [1.0], {"a": 1}, torch.zeros(0), 1j])
@pytest.mark.parametrize("key", ["features.0.weight", "features.34.bias"])
def test_values_that_are_no_weights_are_named(tmp_path, key, value):
    torch.save({**state_dict(), key: value}, tmp_path / "odd.pth")
    with pytest.raises(ValueError, match="odd.pth: "):
        VGG19(tmp_path / "odd.pth", channels=TINY, device="cpu")


@pytest.mark.parametrize("table", ["text", torch.zeros(256), torch.zeros(0), torch.zeros(256, 2)])
def test_palettes_that_are_none_are_named(tmp_path, table):
    content = {}
    for name in CONVOLUTIONS:
        key = f"block{name[4]}_conv{name[6]}"
        content |= {f"{key}_W_table": table, f"{key}_W_q": torch.zeros(3, dtype=torch.uint8),
                    f"{key}_b": torch.zeros(3)}  # fmt: skip
    torch.save(content, tmp_path / "odd.bin")
    with pytest.raises(ValueError, match="odd.bin: "):
        VGG19(tmp_path / "odd.bin", device="cpu")


def damaged(data: bytes, dice: random.Random) -> bytes:
    if dice.random() < 0.3:
        return data[: dice.randrange(len(data))]
    copy = bytearray(data)
    for _ in range(dice.choice([1, 3, 30])):
        copy[dice.randrange(len(data) if dice.random() < 0.5 else 300)] ^= 1 << dice.randrange(8)
    return bytes(copy)


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_damaged_weights_are_refused_or_finite(tmp_path, suffix):
    path = tmp_path / f"weights.{suffix}"
    if suffix == "pth":
        torch.save(state_dict(), path)
    else:
        save_file(state_dict(), path)
    good, refused = path.read_bytes(), 0
    for seed in range(150):
        path.write_bytes(damaged(good, random.Random(seed)))
        try:
            model = VGG19(path, channels=TINY, device="cpu")
            assert all(torch.isfinite(b).all() for b in model.buffers())
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017
            refused += 1
    assert refused > 50


def test_a_zip_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.pth"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "hello")
    with pytest.raises(ValueError, match="other.pth: cannot be read as weights"):
        VGG19(path, device="cpu")


def test_a_damaged_checkpoint_is_always_noticed(tmp_path, tiny, pair):
    """Any byte that changes, anywhere: it is refused by name, and never becomes a picture."""
    path = tmp_path / "run"
    options = {"checkpoint": path, "checkpoint_every": 2}
    quick(pair, tiny, callback=lambda p: p.evaluation == 5, **options)
    good = path.read_bytes()
    for seed in range(200):
        bad = damaged(good, random.Random(seed))
        if bad == good:
            continue
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=r"run(: not| is) a checkpoint"):
            quick(pair, tiny, **options)
        assert path.read_bytes() == bad
    path.write_bytes(good)
    assert len(quick(pair, tiny, **options).history) == 12


def test_a_checkpoint_with_honest_checksums_and_nonsense_inside_is_refused(tmp_path, tiny, pair):
    from safetensors import safe_open

    from nst_tutorial.storage.tensor_files import _checksum

    path = tmp_path / "run"
    quick(pair, tiny, callback=lambda p: p.evaluation == 5, checkpoint=path, checkpoint_every=2)
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    for name in ("names", "state"):
        for text in ("[]", "{}", "null", "{", '{"z": "nowhere"}'):
            forged = {**header, name: text}
            forged["checksum"] = _checksum(tensors, forged)
            save_file(tensors, path, metadata=forged)
            with pytest.raises(ValueError, match="run: not a checkpoint, or damaged"):
                quick(pair, tiny, checkpoint=path)


def unable(size):
    def load(*_, **__):
        raise RuntimeError(f"DefaultCPUAllocator: can't allocate memory: you tried to allocate "
                           f"{size} bytes. Error code 12 (Cannot allocate memory)")  # fmt: skip

    return load


def test_too_little_memory_is_not_blamed_on_the_weights(tmp_path, monkeypatch):
    """But a file that wants more than its own size for one tensor is damaged."""
    file = tmp_path / "weights.pth"
    file.write_bytes(bytes(1000))
    monkeypatch.setattr(torch, "load", unable(1000))
    with pytest.raises(RuntimeError, match="allocate memory"):
        VGG19(file, device="cpu")
    monkeypatch.setattr(torch, "load", unable(2**60))
    with pytest.raises(ValueError, match="weights.pth: cannot be read as weights"):
        VGG19(file, device="cpu")


def test_too_little_memory_for_the_tensors_of_a_palette(monkeypatch):
    class Scarce(dict):
        __getitem__ = unable(5)

    with pytest.raises(RuntimeError, match="allocate memory"):
        _from_palette(Scarce(), "weights.bin")
