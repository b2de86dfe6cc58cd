import numpy as np
import pytest
import torch

from nst_tutorial.images.reading import load_image
from nst_tutorial.presets import STYLE_LAYERS
from nst_tutorial.transfer.textures import noise, reconstruct
from nst_tutorial.widgets import inversion_explorer
from nst_tutorial.widgets.explorers.cache import compressed
from nst_tutorial.widgets.explorers.content import EVALUATIONS, LAYERS, inversion_settings, invert

COUNTS = (0, 2, 5)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE", str(tmp_path))


def test_snapshots_are_the_results_of_shorter_runs(tiny):
    found = invert("cat", 48, "relu2_1", COUNTS, tiny)
    content = load_image("cat", 48).double()
    start = noise(tuple(content.shape[2:]), 0, content)
    assert np.array_equal(found["image 0"], compressed(start))
    for n in COUNTS[1:]:
        alone = reconstruct(content, "relu2_1", seed=0, steps=n, model=tiny).image
        assert np.array_equal(found[f"image {n}"], compressed(alone))


def test_distances_are_those_of_the_features(tiny):
    found = invert("cat", 48, "relu3_1", COUNTS, tiny)
    content = load_image("cat", 48).double()
    image = reconstruct(content, "relu3_1", seed=0, steps=5, model=tiny).image
    F, P = tiny(image.double(), STYLE_LAYERS), tiny(content, STYLE_LAYERS)
    for layer in STYLE_LAYERS:
        expected = (F[layer] - P[layer]).square().sum() / P[layer].square().sum()
        assert found[layer][-1] == pytest.approx(float(expected), rel=1e-3)
    assert found["relu3_1"][-1] < found["relu3_1"][0]
    assert found["pixels"][0] == pytest.approx(
        float((noise((32, 48), 0, content).clamp(0, 1) - content).square().mean().sqrt()), rel=1e-6
    )


def test_noise_is_the_same_for_every_layer_and_the_result_is_not(tiny, kept):
    explorer = inversion_explorer("cat", 48, tiny, COUNTS)
    layer, count = explorer.controls["layer"], explorer.controls["evaluations"]
    layer.value, count.value = "relu1_1", 0
    noise_picture = explorer.pictures[1].light
    layer.value = "relu3_1"
    assert explorer.pictures[1].light == noise_picture
    count.value = 5
    third = explorer.pictures[1].light
    layer.value = "relu1_1"
    assert explorer.error is None
    assert len({noise_picture, third, explorer.pictures[1].light}) == 3


def test_a_layer_too_deep_for_the_picture_is_told_in_words(tiny, kept):
    narrow = inversion_explorer("cat", 48, tiny, COUNTS)
    assert narrow.error is None
    small = inversion_explorer("cat", 24, tiny, COUNTS)  # 24 × 16: relu5_1 still has a place
    assert small.error is None
    with pytest.raises(FileNotFoundError, match="no such picture"):
        inversion_explorer("no_such_cat")


def bundled(layer):
    from nst_tutorial.widgets.explorers.cache import _read, bundled_path

    settings = {**inversion_settings("cat", 160, None, EVALUATIONS), "layer": layer}
    return _read(bundled_path("inversion", settings))


@pytest.mark.parametrize("layer", LAYERS)
def test_the_bundled_inversions_descend(layer):
    found = bundled(layer)
    assert found is not None, "run python -m nst_tutorial.widgets.explorers.precompute"
    if layer in STYLE_LAYERS:
        own = found[layer].tolist()
        assert own == sorted(own, reverse=True)
        assert own[-1] < 0.05 < 0.5 < own[0]


def test_deeper_layers_have_forgotten_more_of_the_pixels():
    errors = [bundled(layer)["pixels"][-1] for layer in STYLE_LAYERS]
    assert errors == sorted(errors)
    told = [bundled(layer)["relu1_1"][-1] for layer in STYLE_LAYERS]
    assert told == sorted(told)


def test_the_bundled_pictures_are_what_this_code_makes():
    fresh, stored = invert("cat", 160, "relu1_1", EVALUATIONS), bundled("relu1_1")
    assert sorted(fresh) == sorted(stored)
    for name in ("pixels", *STYLE_LAYERS):
        np.testing.assert_allclose(fresh[name], stored[name], rtol=0.2, atol=1e-4)


def test_the_bundled_cat_needs_no_network(kept, monkeypatch):
    from nst_tutorial.widgets.explorers import content

    monkeypatch.setattr(content, "load_vgg19", lambda: pytest.fail("nothing is to be computed"))
    explorer = inversion_explorer()
    for layer in ("relu1_1", "relu5_1"):
        explorer.controls["layer"].value = layer
        for count in EVALUATIONS:
            explorer.controls["evaluations"].value = count
            assert explorer.error is None
            assert explorer.pictures[1].light[:2] == b"\xff\xd8"


def test_unpacked_is_a_picture():
    from nst_tutorial.widgets.explorers.content import unpacked

    image = unpacked(bundled("relu1_1")["image 60"])
    assert image.shape == load_image("cat", 160).shape
    error = (image - load_image("cat", 160)).square().mean().sqrt()
    assert float(error) == pytest.approx(bundled("relu1_1")["pixels"][-1], rel=0.2)
    assert torch.isfinite(image).all()
