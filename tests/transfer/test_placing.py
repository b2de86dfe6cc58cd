"""Regions and faces as settings of a run."""

import warnings

import pytest
import torch
from runs import quick
from tensors import box, relative

from nst_tutorial.images.color import match_color
from nst_tutorial.images.color_transport import transport_colors
from nst_tutorial.presets import Settings, options_from
from nst_tutorial.regions.faces import FACE_STYLE
from nst_tutorial.regions.matching import match_regions
from nst_tutorial.transfer import placing
from nst_tutorial.transfer.masks import shares
from nst_tutorial.transfer.pareto import trade_off
from nst_tutorial.transfer.placing import place_styles
from nst_tutorial.transfer.request import request_transfer
from nst_tutorial.transfer.styles import StyleSource, recolored

STEPS = {"steps": 4, "coarse_to_fine": False}


@pytest.fixture(scope="module")
def halves():
    """Two pictures, each of two textures side by side."""
    pictures = []
    for seed, border in ((0, 40), (1, 60)):
        picture = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(seed)).double()
        picture[:, 0, :, :border] *= 0.2
        picture[:, 2, :, border:] *= 0.2
        picture[..., border:] = picture[..., border:].round()
        pictures.append(picture)
    return pictures


def names_of(result):
    terms = [key for key in result.history[0] if key.startswith("style")]
    return {key.rsplit(" ", 1)[0] for key in terms}


# --- regions -------------------------------------------------------------------------------------


def test_regions_are_the_masks_of_match_regions(halves, tiny):
    content, style = halves
    found = quick(halves, tiny, regions=2, **STEPS)
    into, out_of = match_regions(content, style, 2, model=tiny)
    by_hand = quick(
        (content, [style, style]), tiny, content_masks=into, style_masks=out_of, **STEPS
    )
    assert relative(found.image, by_hand.image) < 1e-6
    assert names_of(found) == {"style region 1", "style region 2"}
    assert relative(found.image, quick(halves, tiny, **STEPS).image) > 1e-3


def test_a_region_has_its_area_of_the_style_weight(halves, tiny):
    result = quick(halves, tiny, regions=2, **STEPS)
    into, _ = match_regions(*halves, 2, model=tiny)
    expected = shares([1.0, 1.0], into)
    assert list(result.settings["style_shares"].values()) == pytest.approx(expected)
    assert sum(expected) == pytest.approx(1, abs=1e-6)


def test_several_styles_are_each_divided(halves, tiny):
    content, style = halves
    styles = [style, style.flip(3)]
    settings = Settings(regions=2, style_mix=[1, 3])
    placed = place_styles(request_transfer(content, styles, settings), tiny)
    names = [f"style {s} region {r}" for s in (1, 2) for r in (1, 2)]
    assert [source.name for source in placed.styles] == names
    parts = [source.share for source in placed.styles]
    assert sum(parts) == pytest.approx(1, abs=1e-6)
    assert sum(parts[2:]) == pytest.approx(0.75, abs=0.02)


def test_one_region_is_no_region(halves, tiny):
    plain = quick(halves, tiny, **STEPS)
    found = quick(halves, tiny, regions=1, **STEPS)
    assert torch.equal(found.image, plain.image)
    assert names_of(found) == {"style"}


def test_the_seed_of_the_run_is_that_of_its_regions(halves, tiny, monkeypatch):
    seeds = []

    def noted(*pictures, seed, **options):
        seeds.append(seed)
        return match_regions(*pictures, seed=seed, **options)

    monkeypatch.setattr(placing, "match_regions", noted)
    quick(halves, tiny, regions=2, seed=5, **STEPS)
    assert seeds == [5]


def test_regions_and_masks_contradict_each_other(halves, tiny):
    mask = box(96, 96, (0, 96), (0, 40))
    for masks in ({"content_masks": mask}, {"style_masks": mask}):
        with pytest.raises(ValueError, match="masks and regions='auto' both say where styles go"):
            quick(halves, tiny, regions="auto", **masks)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "regions must be a whole number ≥ 1, got 0"),
        ("two", "regions must be 'auto' or a whole number ≥ 1, got 'two'"),
        (True, "regions must be a whole number ≥ 1, got True"),
        (2.5, "regions must be a whole number ≥ 1, got 2.5"),
    ],
)
def test_numbers_of_regions_that_cannot_be(halves, tiny, value, message):
    with pytest.raises(ValueError, match=message):
        quick(halves, tiny, regions=value)


def test_a_record_makes_the_same_regions_again(halves, tiny):
    result = quick(halves, tiny, regions=2, **STEPS)
    assert not result.settings.get("masks")  # those are only given ones
    options = options_from(result.settings)
    assert options["regions"] == 2
    options.pop("convolutions")
    again = quick(halves, tiny, **options)
    assert torch.equal(again.image, result.image)


def test_a_run_with_regions_goes_on_from_its_checkpoint(halves, tiny, tmp_path):
    options = {**STEPS, "regions": 2, "checkpoint_every": 1}
    whole = quick(halves, tiny, **{**STEPS, "regions": 2})
    path = tmp_path / "run.nst"
    quick(halves, tiny, checkpoint=path, callback=lambda p: p.evaluation == 2, **options)
    assert torch.equal(quick(halves, tiny, checkpoint=path, **options).image, whole.image)


def test_the_trade_off_knows_the_terms_of_regions(halves, tiny):
    points = trade_off(*halves, weights=[1.0, 30.0], model=tiny, regions=2, **STEPS)
    assert all(point.style_loss > 0 for point in points)


# --- faces -------------------------------------------------------------------------------------


@pytest.fixture
def face(monkeypatch):
    """A face in the left half of every picture."""
    mask = box(96, 96, (0, 96), (0, 48))
    monkeypatch.setattr(placing, "face_mask", lambda picture: mask.to(picture))
    return mask


def placed(pictures, tiny, masks=None, **options):
    request = request_transfer(*pictures, Settings(**options), content_masks=masks)
    return place_styles(request, tiny)


def test_the_style_is_weak_in_faces(halves, tiny, face):
    (source,) = placed(halves, tiny, keep_faces=True).styles
    assert source.name == "style"
    torch.testing.assert_close(source.content_mask, 1 - (1 - FACE_STYLE) * face)
    assert source.share == pytest.approx(0.5 + FACE_STYLE / 2)
    found = quick(halves, tiny, keep_faces=True, parametrization="pixel", style_weight=1e3,
                  **STEPS)  # fmt: skip
    change = (found.image - halves[0]).abs().mean(dim=(0, 1, 2))
    assert change[:32].mean() < 0.5 * change[64:].mean()


def test_faces_are_kept_within_masks(halves, tiny, face):
    mask = box(96, 96, (0, 48), (0, 96))
    (source,) = placed(halves, tiny, masks=mask, keep_faces=True).styles
    torch.testing.assert_close(source.content_mask, mask * (1 - (1 - FACE_STYLE) * face))
    assert source.share == pytest.approx(0.5 * (0.5 + FACE_STYLE / 2))


def test_a_masked_style_counts_by_its_area_once(halves, tiny, face):
    content, style = halves
    masks = [box(96, 96, (0, 24), (0, 96)), box(96, 96, (24, 96), (0, 96))]
    found = placed((content, [style, style]), tiny, masks=masks, keep_faces=True)
    calm = 1 - (1 - FACE_STYLE) * face
    expected = shares([0.5, 0.5], [mask * calm for mask in masks])
    assert [source.share for source in found.styles] == pytest.approx(expected)


def test_faces_are_kept_within_regions(halves, tiny, face):
    plain, calm = (placed(halves, tiny, regions=2, keep_faces=keep) for keep in (False, True))
    for before, after in zip(plain.styles, calm.styles, strict=True):
        weaker = before.content_mask * (1 - (1 - FACE_STYLE) * face)
        torch.testing.assert_close(after.content_mask, weaker)


def test_a_content_without_a_face_is_told_of_and_repainted_as_ever(halves, tiny):
    with pytest.warns(UserWarning, match="keep_faces: no face is seen in the content") as caught:
        found = quick(halves, tiny, keep_faces=True, **STEPS)
    assert len(caught) == 1
    assert caught[0].filename.endswith("runs.py")
    assert torch.equal(found.image, quick(halves, tiny, **STEPS).image)


def test_a_run_that_asks_for_neither_is_left_as_it_is(halves, tiny):
    request = request_transfer(*halves, Settings())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert place_styles(request, tiny) is request


# --- color="histogram" -----------------------------------------------------------------------


def test_histogram_gives_the_style_the_colors_of_the_content(halves):
    content, style = halves
    seen, (source,) = recolored(content, [StyleSource(style)], Settings(color="histogram"))
    assert seen is content
    assert torch.equal(source.picture, transport_colors(style, content))
    for quantile in (0.1, 0.5, 0.9):
        found, wanted = (
            p[0].flatten(1).quantile(quantile, dim=1) for p in (source.picture, content)
        )
        torch.testing.assert_close(found, wanted, rtol=0, atol=0.03)
    matched = match_color(style, content).clamp(0, 1)
    assert relative(source.picture, matched) > 0.01


def test_histogram_is_per_region_with_masks(halves):
    content, style = halves
    into, out_of = box(96, 96, (0, 96), (0, 40)), box(96, 96, (0, 96), (0, 60))
    masked = StyleSource(style, content_mask=into, style_mask=out_of)
    _, (source,) = recolored(content, [masked], Settings(color="histogram"))
    assert torch.equal(source.picture, transport_colors(style, content, out_of, into))
    assert torch.equal(source.picture[..., 60:], style[..., 60:])


def test_histogram_with_regions_runs(halves, tiny):
    result = quick(halves, tiny, color="histogram", regions=2, **STEPS)
    assert result.image.isfinite().all()
    assert result.history[-1]["total"] < result.history[0]["total"]
