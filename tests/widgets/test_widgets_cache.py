import copy
import subprocess
import sys

import numpy as np
import platformdirs
import pytest
import torch

from nst_tutorial.storage.cache import cache_folder
from nst_tutorial.vgg.network import VGG19
from nst_tutorial.widgets.explorers import cache
from nst_tutorial.widgets.explorers.cache import remembered


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE", str(tmp_path))
    return tmp_path


class Counter:
    """Makes an array, and counts how often it was asked."""

    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1
        return {"value": np.arange(3) * self.count}


def test_made_once_for_the_same_settings(kept):
    make = Counter()
    first = remembered("thing", {"a": 1, "b": [2, 3]}, make)
    again = remembered("thing", {"b": [2, 3], "a": 1}, make)
    assert make.count == 1
    assert np.array_equal(first["value"], again["value"])
    other = remembered("thing", {"a": 2, "b": [2, 3]}, make)
    assert make.count == 2
    assert not np.array_equal(first["value"], other["value"])
    assert sorted(path.suffix for path in kept.iterdir()) == [".npz", ".npz"]  # nothing half-made


def test_another_version_or_another_source_is_made_anew(kept, monkeypatch):
    make = Counter()
    remembered("thing", {}, make)
    monkeypatch.setattr(cache, "__version__", "99")
    remembered("thing", {}, make)
    monkeypatch.setattr(cache, "SOURCE", "changed")
    remembered("thing", {}, make)
    assert make.count == 3


def test_a_damaged_file_is_made_anew(kept):
    make = Counter()
    remembered("thing", {}, make)
    (path,) = kept.iterdir()
    for damage in (path.read_bytes()[:-40], b"", b"no zip file"):
        path.write_bytes(damage)
        before = make.count
        remembered("thing", {}, make)
        assert make.count == before + 1
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(b"NUMPY") + 130] ^= 1  # one bit of the numbers themselves
    path.write_bytes(damaged)
    remembered("thing", {}, make)
    assert make.count == 5


def test_what_is_bundled_comes_first(kept, tmp_path, monkeypatch):
    bundled = tmp_path / "bundled"
    bundled.mkdir()
    monkeypatch.setattr(cache, "BUNDLED", bundled)
    cache.write(cache.bundled_path("thing", {"a": 1}), {"value": np.array([7])})
    make = Counter()
    assert remembered("thing", {"a": 1}, make)["value"] == [7]
    assert make.count == 0


def test_a_folder_that_cannot_be_written_to_costs_time_and_says_so(tmp_path, monkeypatch):
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    monkeypatch.setenv("NST_CACHE", str(blocked))
    make = Counter()
    for count in (1, 2):
        with pytest.warns(UserWarning, match=r"nothing can be kept in .*a file.*NST_CACHE"):
            remembered("thing", {}, make)
        assert make.count == count


def test_the_oldest_go_when_there_is_too_much(kept, monkeypatch):
    import os

    for i in range(4):
        remembered("thing", {"i": i}, Counter())
        for path in kept.iterdir():  # a clock too coarse for this test
            os.utime(path, (path.stat().st_mtime - 10, path.stat().st_mtime - 10))
    size = next(kept.iterdir()).stat().st_size
    monkeypatch.setattr(cache, "MOST_BYTES", 2.5 * size)
    remembered("thing", {"i": 4}, Counter())
    assert len(list(kept.iterdir())) == 2
    for i, times in ((4, 0), (3, 0), (0, 1)):
        make = Counter()
        remembered("thing", {"i": i}, make)
        assert make.count == times


def test_the_folder_can_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    monkeypatch.delenv("NST_CACHE")
    assert cache_folder() == platformdirs.user_cache_path("nst_tutorial", appauthor=False)
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache_folder() == tmp_path / "nst_tutorial"


def test_keys_know_pictures_by_content_and_networks_by_weights(tmp_path, scene):
    for name in ("a.png", "b.png"):
        scene.save(tmp_path / name)
    assert cache.picture_key(tmp_path / "a.png") == cache.picture_key(tmp_path / "b.png")
    scene.rotate(90).save(tmp_path / "b.png")
    assert cache.picture_key(tmp_path / "a.png") != cache.picture_key(tmp_path / "b.png")
    small = {"channels": (2, 2, 2, 2, 2), "device": "cpu"}
    one, two = (cache.model_key(VGG19("random", seed=seed, **small)) for seed in (0, 1))
    assert one != two
    assert one == cache.model_key(VGG19("random", seed=0, **small))
    average = cache.model_key(VGG19("random", pooling="average", **small))
    assert average != one
    replicate = cache.model_key(VGG19("random", edges="replicate", **small))
    assert replicate not in (one, average)


def test_every_room_of_the_package_counts(tmp_path):
    """An exercise may change any of it, and must not be answered with what was made before."""
    assert (cache.PACKAGE / "kernels" / "moments.py").is_file()
    for room in ("kernels", "widgets"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "a.py").write_text("1")
    before = cache._source(tmp_path)
    (tmp_path / "kernels" / "a.py").write_text("2")
    assert cache._source(tmp_path) != before


def test_a_source_that_is_edited_later_is_not_the_one_that_answers(kept):
    """The modules are loaded; what stands in their files by now makes nothing."""
    edit = "cache.Path.read_bytes = lambda path: b'edited'"
    for then in ("pass", edit):
        script = (
            f"from nst_tutorial.widgets.explorers import cache; {then}; "
            "cache.remembered('thing', {}, dict)"
        )
        subprocess.run([sys.executable, "-c", script], check=True)
    assert len(list(kept.iterdir())) == 1


def test_a_given_network_is_known_by_its_weights(vgg):
    """What is bundled was made with the original ones; changed in place, they are others."""
    assert cache.model_key(vgg) == cache.model_key(None)
    changed = copy.deepcopy(vgg)
    assert cache.model_key(changed) == cache.model_key(None)
    changed.conv3_1_weight.mul_(1.01)
    assert cache.model_key(changed) != cache.model_key(None)
    changed.conv3_1_weight = vgg.conv3_1_weight
    assert cache.model_key(changed) == cache.model_key(None)


def test_a_packed_picture_keeps_its_fine_colour():
    g = torch.Generator().manual_seed(0)
    image = 0.5 + 0.2 * torch.randn(1, 3, 24, 40, generator=g)
    from nst_tutorial.widgets.explorers.content import unpacked

    back = unpacked(cache.compressed(image))
    assert back.shape == image.shape
    tint = (image - image.mean(dim=1, keepdim=True)).clamp(-0.4, 0.4)
    error = (back - image.clamp(0, 1)).square().mean().sqrt()
    assert error < 0.5 * tint.square().mean().sqrt()  # with colour at half the size: most of it
