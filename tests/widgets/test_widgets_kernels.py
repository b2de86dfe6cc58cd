import re

import pytest
import torch

from nst_tutorial.kernels.mmd import mmd2
from nst_tutorial.kernels.moments import Polynomial
from nst_tutorial.kernels.random_features import GaussianFeatures
from nst_tutorial.widgets import kernel_explorer
from nst_tutorial.widgets.explorers import precompute
from nst_tutorial.widgets.explorers.cache import _read, bundled_path
from nst_tutorial.widgets.explorers.content import unpacked
from nst_tutorial.widgets.explorers.kernels import (
    DEALS,
    as_features,
    clouds,
    described,
    kernel_for,
    permutation_test,
)


@pytest.fixture
def explorer(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE", str(tmp_path))
    return kernel_explorer("starry_night", 96, tiny, side=32, steps=3)


def found(explorer):
    assert explorer.error is None, explorer.words.value
    return float(re.search(r"MMD² = (.*?)</b>", explorer.words.value)[1])


def sees(explorer):
    return "it sees a difference" in explorer.words.value


def pick(explorer, **values):
    for name, value in values.items():
        explorer.controls[name].value = value
    return found(explorer)


def test_the_quick_permutation_test_is_mmd2_of_dealt_points():
    x, y = clouds()["moved"]
    kernel = Polynomial(2, 1.5)
    both, g = torch.cat([x, y]), torch.Generator().manual_seed(0)
    quick = permutation_test(x, y, kernel, deals=5)
    for value in quick:
        order = torch.randperm(len(both), generator=g)
        dealt = torch.zeros(len(both), 2, dtype=torch.float64)
        dealt[:] = both
        first, second = order < len(x), order >= len(x)
        slow = mmd2(as_features(dealt[first]), as_features(dealt[second]), kernel)
        assert float(value) == pytest.approx(float(slow), rel=1e-9, abs=1e-12)
    assert len(permutation_test(x, y, kernel)) == DEALS


def test_what_each_kernel_sees(explorer):
    pick(explorer, pair="ring", kind="polynomial", degree=2)
    assert not sees(explorer)  # the same two moments
    pick(explorer, kind="gaussian", bandwidth=0.3)
    assert sees(explorer)
    pick(explorer, pair="sign turned", kind="polynomial", degree=2, offset=0.0)
    assert not sees(explorer)  # a aᵀ does not know the sign
    pick(explorer, offset=1.0)
    assert sees(explorer)
    pick(explorer, pair="leaning", degree=1)
    assert not sees(explorer)
    pick(explorer, degree=2, offset=0.0)
    assert sees(explorer)
    pick(explorer, pair="same source")
    assert not sees(explorer)


def test_mmd2_by_the_definition(explorer):
    for degree in (1, 2, 3):
        value = pick(explorer, pair="wider", kind="polynomial", degree=degree, offset=1.0)
        x, y = clouds()["wider"]
        c = float(y.square().sum(dim=1).mean())
        k = lambda a, b, d=degree, c=c: ((a @ b.T + c) ** d).mean()  # noqa: E731
        expected = k(x, x) + k(y, y) - 2 * k(x, y)
        assert value == pytest.approx(float(expected), rel=0.01)


def test_an_offset_matters_to_degree_two_and_not_to_degree_one(explorer):
    one = pick(explorer, pair="moved", degree=1, offset=0.1)
    pictures = [picture.light for picture in explorer.pictures]
    assert pick(explorer, offset=10.0) == one
    assert [picture.light for picture in explorer.pictures] == pictures
    two = pick(explorer, degree=2)
    assert two != one
    assert pick(explorer, offset=0.1) < two


def test_beyond_degree_two_there_is_a_matrix_and_no_texture(explorer):
    pick(explorer, degree=2)
    assert len(explorer.pictures) == 3
    pick(explorer, degree=4)
    assert "No texture" in explorer.words.value
    assert len(explorer.pictures) == 2


def test_the_pair_has_no_say_in_the_texture_and_the_kernel_has(explorer):
    pick(explorer, pair="moved", kind="polynomial", degree=2, offset=0.0)
    matrix, gram = explorer.pictures[1].light, explorer.pictures[2].light
    pick(explorer, pair="wider")
    assert explorer.pictures[1].light != matrix
    assert explorer.pictures[2].light == gram
    pick(explorer, degree=1)
    assert explorer.pictures[2].light != gram


def test_only_what_matters_can_be_moved(explorer):
    names = ("degree", "offset", "bandwidth")
    pick(explorer, kind="gaussian")
    assert [explorer.controls[n].disabled for n in names] == [True, True, False]
    pick(explorer, kind="polynomial")
    assert [explorer.controls[n].disabled for n in names] == [False, False, True]


def test_offsets_and_bandwidths_have_no_unit():
    x, y = (as_features(points) for points in clouds()["wider"])
    for degree in (1, 2, 3):
        each = described("polynomial", degree, 1.0, 1.0)
        small = float(mmd2(x, y, kernel_for(y, **each)))
        large = float(mmd2(10 * x, 10 * y, kernel_for(10 * y, **each)))
        assert large == pytest.approx(10 ** (2 * degree) * small)
    each = described("gaussian", 2, 0.0, 0.3)
    kernels = [kernel_for(scale * y, **each) for scale in (1, 10)]
    assert isinstance(kernels[0], GaussianFeatures)
    assert float(mmd2(x, y, kernels[0])) == pytest.approx(
        float(mmd2(10 * x, 10 * y, kernels[1])), rel=1e-6
    )


@pytest.mark.slow
@pytest.mark.parametrize("bandwidth", [1.0, 3.0])
def test_the_bundled_textures_of_the_gaussian_are_what_this_code_makes(bandwidth):
    """Their names hold the bandwidth, and not by which estimator they were painted."""
    key, make = next((key, make) for _, key, make in precompute.textures()
                     if key.get("bandwidth") == bandwidth)  # fmt: skip
    stored, fresh = unpacked(_read(bundled_path("kernel_texture", key))["image"]), make()["image"]
    assert float((stored - unpacked(fresh)).square().mean().sqrt()) < 0.05


def test_a_picture_that_is_not_there():
    with pytest.raises(FileNotFoundError, match="no such picture"):
        kernel_explorer("no_such_style")
