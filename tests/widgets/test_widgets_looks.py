import numpy as np
import pytest
import torch

from nst_tutorial.images.color import luminance
from nst_tutorial.images.reading import load_image
from nst_tutorial.looks.grid import roughness
from nst_tutorial.looks.look import Look
from nst_tutorial.noise.level import flat_regions
from nst_tutorial.widgets import look_explorer
from nst_tutorial.widgets.explorers import looks, precompute
from nst_tutorial.widgets.explorers.cache import bundled_path
from nst_tutorial.widgets.explorers.content import unpacked

SMALL = {"pair": list(looks.PAIR), "size": 48, "seed": 0}


def white(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).double()


@pytest.fixture(scope="module")
def explorer():
    explorer = look_explorer()
    assert explorer.error is None, explorer.words.value
    return explorer


def test_the_laplacian_is_zero_on_slopes():
    rows, columns = torch.meshgrid(torch.arange(6.0), torch.arange(7.0), indexing="ij")
    assert not looks.laplacian((2 * rows - 3 * columns + 1)[None, None]).any()
    dot = torch.zeros(1, 1, 5, 5)
    dot[0, 0, 2, 2] = 1
    assert looks.laplacian(dot)[0, 0].tolist() == [[0, 1, 0], [1, -4, 1], [0, 1, 0]]


def test_grain_of_white_noise_is_its_standard_deviation():
    """Of grey noise of three levels, and only where the mask says so."""
    image = 0.5 + 3 / 255 * white(1, 1, 200, 200).expand(-1, 3, -1, -1)
    image[..., 100:] *= 7
    flat = torch.zeros(1, 1, 200, 200, dtype=torch.bool)
    flat[..., :98] = True
    assert looks.grain(image, flat) == pytest.approx(3, rel=0.03)


def test_edges_agree_with_their_own_at_any_contrast():
    picture = white(1, 3, 30, 40).sigmoid()
    assert looks.edge_correlation(0.3 * picture + 0.2, picture) == pytest.approx(1)
    assert looks.edge_correlation(1 - picture, picture) == pytest.approx(-1)
    assert abs(looks.edge_correlation(picture.roll(3, dims=3), picture)) < 0.1


def test_everything_that_the_notebook_shows_is_bundled():
    jobs = list(looks.jobs())
    assert len(jobs) == 1 + len(looks.SMOOTHNESS) * len(looks.REGIONS)
    assert all(bundled_path(name, settings).exists() for name, settings, _ in jobs), (
        "run python -m nst_tutorial.widgets.explorers.precompute"
    )
    named = {bundled_path(name, settings) for name, settings, _ in precompute.jobs()}
    assert {bundled_path(name, settings) for name, settings, _ in jobs} <= named


def test_stored_looks_are_smoother_where_smoothness_weighs_more():
    for regions in looks.REGIONS:
        rough = [float(roughness(looks.fitted_look(s, regions).grid)) for s in looks.SMOOTHNESS]
        assert rough == sorted(rough, reverse=True)
        assert rough[0] > 100 * rough[-1]


def test_the_stored_painting_has_its_pictures_and_totals():
    pictures, totals = looks.painting()
    assert tuple(pictures) == looks.MARKS
    assert len(totals) == looks.PAINTING["steps"]
    content = load_image(looks.PAIR[0], looks.PAINTING["size"])
    assert all(picture.shape == content.shape for picture in pictures.values())
    assert totals[-1] == min(totals[looks.MARKS[0] - 1 :])


def test_the_command_fits_a_look(tiny):
    settings = {**SMALL, "mode": "photo", "smoothness": 30.0, "steps": 6, "style_weight": 4.0}
    arrays = looks.fit(settings, tiny)
    assert len(arrays["totals"]) == 6
    assert min(arrays["totals"]) < arrays["totals"][0]
    content = load_image(looks.PAIR[0], 48)
    expected = looks.run(settings, tiny).apply(content)
    assert torch.equal(looks.as_look(arrays).apply(content).clamp(0, 1), expected)


def test_the_command_paints_and_keeps_pictures_on_the_way(tiny, monkeypatch):
    monkeypatch.setattr(looks, "MARKS", (2, 4))
    settings = {**SMALL, "steps": 4, "preset": "gram"}
    arrays = looks.paint(settings, tiny)
    assert set(arrays) == {"image 2", "image 4", "totals"}
    kept = unpacked(arrays["image 4"])
    assert (kept - looks.run(settings, tiny).image).abs().mean() < 2 / 255  # a JPEG of it
    assert not np.array_equal(arrays["image 2"], arrays["image 4"])


def test_no_strength_is_the_photograph(explorer):
    content = load_image(looks.PAIR[0], looks.SHOWN)
    own = looks.grain(content, flat_regions(content))
    explorer.set(strength=0.0)
    assert f"{own:.2f} grey levels (the photograph: {own:.2f}); edges r = 1.00" in (
        explorer.words.value
    )
    left, right = (
        unpacked(np.frombuffer(picture.light, np.uint8)) for picture in explorer.pictures
    )
    assert (left - right).abs().mean() < 1 / 255


def test_each_control_changes_the_picture(explorer):
    explorer.set(strength=1.0, smoothness=300.0, regions="everywhere")
    seen = {explorer.pictures[1].light}
    changes = {"strength": 0.5, "smoothness": 3.0, "regions": "two, matched"}
    for count, (name, value) in enumerate(changes.items(), 2):
        explorer.controls[name].value = value
        seen.add(explorer.pictures[1].light)
        assert len(seen) == count, name
    assert explorer.error is None


def test_strength_is_linear_in_the_maps(explorer):
    """Half way to the look every colour is half way."""
    content = load_image(looks.PAIR[0], 64)
    look = looks.fitted_look(300.0, "everywhere")
    assert isinstance(look, Look)
    half = (content + look.apply(content)) / 2
    torch.testing.assert_close(look.apply(content, 0.5), half, rtol=0, atol=1e-5)
    assert float((luminance(half) - luminance(content)).abs().mean()) > 0.01


def test_every_control_is_labelled(explorer):
    assert list(explorer.controls) == ["strength", "smoothness", "regions"]
    assert all(control.description for control in explorer.controls.values())
    assert "kernel" in repr(explorer)
