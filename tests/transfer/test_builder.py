"""Several styles, their sizes and regions: from pictures to an objective and a record."""

import json
import math
from dataclasses import replace

import pytest
import torch
from runs import quick
from tensors import box, disc

from nst_tutorial.images.color import luminance
from nst_tutorial.images.resizing import resize
from nst_tutorial.kernels.registry import KERNELS
from nst_tutorial.losses.objective import Objective
from nst_tutorial.presets import PRESETS
from nst_tutorial.transfer.builder import make_objective
from nst_tutorial.transfer.pareto import trade_off
from nst_tutorial.transfer.style_transfer import stylize
from nst_tutorial.transfer.styles import StyleSource, style_sources

DEFAULT = PRESETS["gram"]
LAYERS = tuple(DEFAULT.style_layers)

# --- several styles --------------------------------------------------------------------------


@pytest.mark.parametrize("mix", [[1, 0], [0, 5.0]])
def test_one_and_zero_are_one_style_alone(pair, tiny, mix):
    content, style = pair
    styles = [style, style.flip(1)[..., :20]]
    found = quick((content, styles), tiny, style_mix=mix)
    alone = quick((content, styles[mix.index(0) - 1]), tiny)
    assert torch.equal(found.image, alone.image)
    assert [row["total"] for row in found.history] == [row["total"] for row in alone.history]
    masks = [disc(40, 36), 1 - disc(40, 36)]
    found = quick((content, styles), tiny, style_mix=mix, content_masks=masks)
    alone = quick((content, styles[mix.index(0) - 1]), tiny,
                  content_masks=masks[mix.index(0) - 1])  # fmt: skip
    assert torch.equal(found.image, alone.image)


def test_the_same_style_twice_is_that_style(pair, tiny):
    content, style = pair
    one = make_objective(tiny, content, style, DEFAULT).value_and_gradient(content.flip(2))
    sources = style_sources(content, [style, style], DEFAULT)
    two = make_objective(tiny, content, sources, DEFAULT).value_and_gradient(content.flip(2))
    assert two.total == pytest.approx(one.total)
    torch.testing.assert_close(two.gradient, one.gradient)


def test_a_mix_of_gram_matrices_pulls_towards_their_mean(pair, tiny):
    """Σ aᵢ ‖G - Aᵢ‖² = ‖G - Σ aᵢ Aᵢ‖² + a constant, if Σ aᵢ = 1."""
    content, style = pair
    settings = replace(DEFAULT, style_normalization="sum", range_weight=0.0, style_mix=[1, 3])
    sources = style_sources(content, [style, style.flip(1) ** 2], settings)
    assert [s.share for s in sources] == [0.25, 0.75]
    mixed = make_objective(tiny, None, sources, settings)
    x = content.flip(2)
    one = make_objective(tiny, None, sources[:1], settings)
    mean = {}
    for layer in LAYERS:
        A, B = (mixed.terms[f"style {i} {layer}"].target for i in (1, 2))
        mean[f"style 1 {layer}"] = replace(one.terms[f"style 1 {layer}"], target=(A + 3 * B) / 4)
    weights = {name: 4 * weight for name, weight in one.term_weights.items()}
    towards = Objective(tiny, mean, weights).value_and_gradient(x).gradient
    torch.testing.assert_close(mixed.value_and_gradient(x).gradient, towards)


def test_style_scale_is_relative_to_the_content_whatever_its_size():
    picture = torch.rand(1, 3, 300, 400)
    source = StyleSource(picture, scale=0.5)
    for side in (64, 128, 256, 700):
        beside = source.beside((side // 2, side))
        assert max(beside.picture.shape[2:]) == side // 2
        assert beside.picture.shape[2] == pytest.approx(side // 2 * 3 / 4, abs=1)
    assert max(source.beside((500, 1000)).picture.shape[2:]) == 400  # never enlarged


def test_a_scale_for_each_style(pair, tiny):
    content, style = pair
    large = resize(style, 96).clamp(0, 1)
    styles = [large, large.flip(1)]
    found = quick((content, styles), tiny, style_scale=[0.8, 2.0])
    by_hand = quick((content, [resize(large, 32), resize(styles[1], 80)]), tiny,
                    style_scale=[1.0, 2.0], strokes="both")  # fmt: skip
    assert (found.image - by_hand.image).abs().max() < 1e-4
    assert found.settings["style_scale"] == [0.8, 2.0]
    with pytest.raises(ValueError, match="style_scale must be a number, or 2, one for each style"):
        quick((content, styles), tiny, style_scale=[1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="style_scale must be a number above 0, got -1"):
        quick((content, styles), tiny, style_scale=[1.0, -1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"style_mix": [0, 0]}, r"style_mix must hold a number above 0, got \[0, 0\]"),
        ({"style_mix": [1.0]}, "style_mix must hold as many numbers as there are styles, 2"),
        ({"style_mix": 0.5}, "style_mix must hold numbers; got 0.5"),
        ({"style_mix": [1, -1]}, "a number in style_mix must be finite and ≥ 0, got -1"),
        ({"style_mix": [1, math.nan]}, "a number in style_mix must be finite and ≥ 0, got nan"),
        ({"style_mix": [1, "2"]}, "a number in style_mix must be finite and ≥ 0, got '2'"),
    ],
)
def test_bad_mixes_are_named(pair, tiny, options, message):
    with pytest.raises(ValueError, match=message):
        quick((pair[0], [pair[1], pair[1]]), tiny, **options)


def test_bad_styles_are_named_by_their_number(pair, tiny):
    content, style = pair
    with pytest.raises(ValueError, match="style 2 must be a picture"):
        quick((content, [style, style[0]]), tiny)
    with pytest.raises(ValueError, match="style must be a picture, or a sequence of at least one"):
        quick((content, []), tiny)
    with pytest.raises(ValueError, match="style_mix must hold a number above 0"):
        quick(pair, tiny, style_mix=[0.0])


# --- the whole -------------------------------------------------------------------------------


def test_the_record_says_how_much_of_what_and_where(pair, tiny, tmp_path):
    content, style = pair
    mask = disc(40, 36)
    styles = (style, style.flip(1)[..., :20])
    found = quick((content, styles), tiny, style_mix=(1, 3), content_masks=(mask, None))
    record = found.settings
    assert json.loads(json.dumps(record)) == record
    assert record["style_mix"] == [0.25, 0.75]
    assert record["style_size"] == [[48, 33], [48, 20]]
    assert set(record["masks"]) == {"style 1 content mask"}
    area = float(mask.mean())
    assert record["style_shares"]["style 1"] == pytest.approx(area / (area + 3))
    other = quick((content, styles), tiny, style_mix=(1, 3), content_masks=(1 - mask, None))
    assert other.settings["masks"] != record["masks"]
    assert "masks" not in quick(pair, tiny).settings


def test_checkpoints_know_all_styles_and_masks(pair, tiny, tmp_path):
    content, style = pair
    mask = disc(40, 36)
    run = {"style": [style, style.flip(1)], "content_masks": [mask, 1 - mask],
           "style_mix": [1.0, 2.0], "color": "style"}  # fmt: skip
    options = {"model": tiny, "steps": 14, "checkpoint": tmp_path / "run", "checkpoint_every": 3}
    stylize(content, callback=lambda p: p.evaluation == 7, **run, **options)
    for change, words in (
        ({"style": [style, style.flip(2)]}, "style 2 picture was"),
        ({"content_masks": [disc(40, 36, x=0.2), 1 - mask]}, "masks was"),
        ({"content_masks": None}, "masks was"),
        ({"style_mix": [1.0, 1.0]}, "style_mix was"),
        ({"color": "match"}, "color was 'style' and is 'match' now"),
    ):
        with pytest.raises(ValueError, match="checkpoint of another run") as raised:
            stylize(content, **{**run, **change}, **options)
        assert words in str(raised.value)
    found = stylize(content, **run, **options)
    whole = stylize(content, model=tiny, steps=14, **run)
    assert torch.equal(found.image, whole.image)


def test_tiled_masked_and_mixed_runs_end_alike(tiny):
    content = torch.rand(1, 3, 120, 150, generator=torch.Generator().manual_seed(0)).double()
    styles = [content.flip(1)[..., :90], content.flip(2) ** 2]
    masks = [disc(120, 150), 1 - disc(120, 150)]
    options = {"model": tiny, "steps": 10, "content_masks": masks, "color": "match"}
    whole, parts = (stylize(content, styles, tile=t, **options) for t in ("whole", 64))
    torch.testing.assert_close(parts.image, whole.image, rtol=0, atol=1e-5)


PAIRS = {"name": "gaussian", "estimator": "pairs"}


@pytest.mark.parametrize("balance", ["weights", "gradient"])
@pytest.mark.parametrize("kernel", [*sorted(KERNELS), PAIRS], ids=str)
def test_flat_pictures_and_small_regions_never_give_nan(tiny, kernel, balance):
    flat = torch.full((1, 3, 64, 64), 0.5).double()
    options = {"content_masks": [box(64, 64, (0, 32), (0, 32)), disc(64, 64, x=0.5, y=0.5)],
               "style_layers": {"relu1_1": 1.0, "relu3_1": 1.0}}  # fmt: skip
    found = quick((flat, [flat, 0 * flat]), tiny, kernel=kernel, balance=balance, **options)
    assert found.image.isfinite().all()
    assert all(math.isfinite(row["total"]) for row in found.history)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bool])
def test_masks_of_other_types(pair, tiny, dtype):
    mask = (disc(40, 36) > 0.5).to(dtype)
    content = pair[0].to(dtype) if dtype == torch.float16 else pair[0]
    one = quick((content, pair[1]), tiny, content_masks=mask)
    two = quick((content, pair[1]), tiny, content_masks=mask.double())
    assert torch.equal(one.image, two.image)


def test_cleaning_comes_before_the_colors_are_put_back(pair, tiny):
    """With several styles too: what is cleaned is the grey picture, so the chroma is untouched."""
    content, style = 0.4 + 0.2 * pair[0], pair[1]
    options = {"color": "luminance", "denoise": {"method": "bilateral", "strength": 5.0}}
    styles, masks = [style, style.flip(1)], [disc(40, 36), 1 - disc(40, 36)]
    found = quick((content, styles), tiny, content_masks=masks, **options).image
    without = quick((content, styles), tiny, content_masks=masks, color="luminance").image
    assert not torch.equal(found, without)
    for image in (found, without):
        chroma, wanted = image - luminance(image), content - luminance(content)
        inside = (image > 1e-6).all(1) & (image < 1 - 1e-6).all(1)
        assert inside.double().mean() > 0.9
        assert (chroma - wanted).abs().amax(1)[inside].max() < 1e-6


def test_the_front_of_several_styles_in_regions(pair, tiny, tmp_path):
    content, style = pair
    mask = disc(40, 36)
    options = {"model": tiny, "steps": 5, "folder": tmp_path, "style_mix": [1.0, 2.0]}
    styles, masks = [style, style.flip(1)], [mask, 1 - mask]
    points = trade_off(content, styles, [1.0, 30.0], content_masks=masks, **options)
    assert points[0].style_loss > points[1].style_loss > 0
    trade_off(content, styles, [1.0, 30.0], content_masks=masks, **options)
    assert len(list(tmp_path.iterdir())) == 2  # both were found
    trade_off(content, styles, [1.0], content_masks=masks[::-1], **options)
    trade_off(content, styles[::-1], [1.0], content_masks=masks, **options)
    assert len(list(tmp_path.iterdir())) == 4
    (alone,) = trade_off(content, [style], [1.0], model=tiny, steps=5)
    (plain,) = trade_off(content, style, [1.0], model=tiny, steps=5)
    assert alone.style_loss == plain.style_loss
