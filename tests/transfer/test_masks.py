"""Masks at the layers of the network, and statistics inside them."""

import math
import warnings
from dataclasses import replace

import pytest
import torch
from PIL import Image
from runs import quick
from tensors import box, disc, features, ones, relative

from nst_tutorial.images.color import color_statistics
from nst_tutorial.images.reading import save_image
from nst_tutorial.images.resizing import resize, resize_mask
from nst_tutorial.kernels.autocorrelation import Autocorrelation
from nst_tutorial.kernels.central_moments import CentralMoments
from nst_tutorial.kernels.gaussian import Gaussian
from nst_tutorial.kernels.moments import BatchNormStatistics, Gram, Linear, Polynomial, Wasserstein
from nst_tutorial.kernels.nearest_neighbours import NearestNeighbours
from nst_tutorial.kernels.pairs import GaussianPairs
from nst_tutorial.kernels.sliced_wasserstein import SlicedWasserstein
from nst_tutorial.presets import PRESETS
from nst_tutorial.tiling.engine import Engine
from nst_tutorial.transfer.builder import make_objective
from nst_tutorial.transfer.masks import at_layer, check_mask, load_mask, shares
from nst_tutorial.transfer.styles import StyleSource, matched, style_sources
from nst_tutorial.vgg.layers import reach, stride

DEFAULT = PRESETS["default"]
LAYERS = tuple(DEFAULT.style_layers)


# --- masks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("size", [(64, 80), (67, 93)])
def test_a_mask_at_a_layer_is_the_mean_over_the_pixels_of_each_position(tiny, layer, size):
    mask = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(0)).double()
    found = at_layer(mask, layer)
    assert found.shape[2:] == tiny(torch.rand(1, 3, *size).double(), [layer])[layer].shape[2:]
    s = stride(layer)
    for i, j in ((0, 0), (found.shape[2] - 1, found.shape[3] - 1), (1, 2)):
        block = mask[..., i * s : (i + 1) * s, j * s : (j + 1) * s]
        assert found[0, 0, i, j] == pytest.approx(float(block.mean()))


def test_masks_stay_in_range_and_keep_their_mean_when_resized():
    mask = box(64, 96, (0, 31), (17, 60))
    for shape in ((32, 48), (21, 31), (128, 192)):
        small = resize_mask(mask, shape)
        assert small.shape[2:] == shape
        assert 0 <= small.min() <= small.max() <= 1
        assert float(small.mean()) == pytest.approx(float(mask.mean()), abs=0.01)
    torch.testing.assert_close(resize_mask(ones(9, 7), (5, 6)), ones(5, 6))


def test_masks_from_files(tmp_path):
    grey = box(40, 60, (5, 20), (10, 30)).float().expand(-1, 3, -1, -1)
    path = save_image(grey, tmp_path / "mask.png")
    assert torch.equal(load_mask(path), grey[:, :1])
    assert load_mask(path, 30).shape == (1, 1, 20, 30)
    assert load_mask(path, 90, enlarge=False).shape == (1, 1, 40, 60)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("hidden", [0, 255])
def test_what_is_transparent_in_a_mask_does_not_count(tmp_path, mode, hidden):
    """White paint on a layer that is transparent elsewhere, whatever colour is hidden there."""
    layer = Image.new("RGBA", (40, 30), (hidden, hidden, hidden, 0))
    layer.paste((255, 255, 255, 255), (0, 0, 10, 30))
    layer.paste((255, 255, 255, 128), (10, 0, 20, 30))
    layer.convert(mode).save(tmp_path / "mask.png")
    mask = load_mask(tmp_path / "mask.png")
    assert (mask[..., :10] == 1).all()
    assert (mask[..., 20:] == 0).all()
    if mode != "P":
        torch.testing.assert_close(mask[..., 10:20], torch.full((1, 1, 30, 10), 128 / 255))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([255, 255], "this mask is white everywhere, so every pixel counts"),
        ([0, 1], "this mask is black, or nearly so: its brightest pixel is 1 of 255, and white "
                 "counts; if it holds 0 and 1, multiply by 255"),
        ([0, 0], "this mask is black, or nearly so: its brightest pixel is 0 of 255"),
        ([0, 20], "this mask is black, or nearly so: its brightest pixel is 20 of 255"),
        ([0, 40], None),
        ([250, 255], None),
    ],
)  # fmt: skip
def test_masks_that_were_hardly_meant_are_said(tmp_path, values, message):
    picture = Image.new("L", (40, 30), values[0])
    picture.paste(values[1], (0, 0, 20, 30))
    picture.save(tmp_path / "mask.png")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mask = load_mask(tmp_path / "mask.png")
    assert mask.flatten().unique().tolist() == pytest.approx(sorted({v / 255 for v in values}))
    texts = [str(warning.message) for warning in caught]
    expected = [] if message is None else [f"{tmp_path / 'mask.png'}: {message}"]
    assert len(texts) == len(expected)
    assert all(text.startswith(start) for text, start in zip(texts, expected, strict=True))
    assert all(warning.filename == __file__ for warning in caught)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.zeros(1, 1, 40, 36), "content mask is empty: no pixel counts"),
        (torch.full((1, 1, 40, 36), 1e-7), "content mask is empty"),
        (torch.zeros(1, 1, 40, 36, dtype=torch.bool), "content mask is empty"),
        (torch.zeros(1, 1, 0, 36), "content mask is empty"),
        (ones(40, 36) * 1.2, "content mask must have values in 0..1, got 1.2 to 1.2"),
        (ones(40, 36) - 1.2, "values in 0..1, got -0.2 to -0.2"),
        (ones(40, 36) * math.nan, "content mask has values that are not finite"),
        (ones(40, 36)[0, 0], r"content mask must be a mask \(1, 1, H, W\); got \(40, 36\)"),
        (torch.ones(1, 3, 40, 36), r"must be a mask \(1, 1, H, W\); got \(1, 3, 40, 36\)"),
        (torch.ones(1, 1, 40, 36, dtype=torch.uint8), "must hold floating point numbers in 0..1"),
        ("sky.png", "must be a mask .* got str"),
        ([None, None], "content masks: there must be one for each style; got 2 for 1"),
    ],
)
def test_bad_masks_are_named(pair, tiny, mask, message):
    with pytest.raises(ValueError, match=message):
        quick(pair, tiny, content_masks=mask)


def test_a_bad_mask_among_several_is_named_by_its_number(pair, tiny):
    content, style = pair
    with pytest.raises(ValueError, match="style mask 2 is empty"):
        quick((content, [style, style]), tiny, style_masks=[None, torch.zeros(1, 1, 48, 33)])
    with pytest.raises(ValueError, match="style masks: there must be one .* got 1 for 2"):
        quick((content, [style, style]), tiny, style_masks=ones(48, 33))
    check_mask("mask", torch.ones(1, 1, 2, 2, dtype=torch.bool))


def test_a_mask_of_another_size_is_resized_with_a_notice(pair, tiny):
    mask = disc(40, 36)
    with pytest.warns(UserWarning, match="content mask has 72×80 pixels and its picture 36×40"):
        found = quick(pair, tiny, content_masks=resize_mask(mask, (80, 72)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exact = quick(pair, tiny, content_masks=mask)
    assert (found.image - exact.image).abs().mean() < 0.02
    assert (found.image - quick(pair, tiny).image).abs().mean() > 0.02


def test_a_mask_that_no_position_of_a_layer_sees_is_refused(tiny):
    """The poolings lose the last rows: of 75 pixels relu3_1 sees 72."""
    content = torch.rand(1, 3, 75, 75).double()
    mask = box(75, 75, (72, 75), (0, 75))
    with pytest.raises(ValueError, match="is left of the content mask at relu3_1, 18×18"):
        quick((content, content), tiny, content_masks=mask)
    with pytest.raises(ValueError, match="too little is left of the style mask"):
        quick((content, content), tiny, style_masks=mask)
    tiny_region = box(75, 75, (20, 23), (20, 23))  # under half of any position of relu3_1
    with pytest.raises(ValueError, match="too little is left of the content mask at relu3_1"):
        quick((content, content), tiny, content_masks=tiny_region, kernel=Gaussian(pairs=20))
    assert quick((content, content), tiny, content_masks=tiny_region).image.isfinite().all()


# --- statistics ------------------------------------------------------------------------------

KERNELS = [Gram(), Linear(), Polynomial(2, 1.5), BatchNormStatistics(), Wasserstein(),
           Gaussian(0.3), GaussianPairs(0.3, pairs=100), CentralMoments(),
           Autocorrelation(2), SlicedWasserstein(), NearestNeighbours()]  # fmt: skip


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_any_kernel_takes_its_statistic_inside(kernel):
    """Zeros and ones: as if only the positions inside were there."""
    F = features(1, 5, 12, 10)
    mask = box(12, 10, (3, 9), (2, 8))
    inside = F[..., 3:9, 2:8]
    found, expected = kernel.statistic(F, mask), kernel.statistic(inside)
    assert float(kernel.distance(found, expected)) == pytest.approx(0, abs=1e-12)
    assert abs(float(kernel.distance(found, kernel.statistic(F)))) > 1e-6


def test_the_guided_gram_matrix_by_hand():
    F, T = features(1, 3, 4, 5), torch.rand(1, 1, 4, 5).double()
    expected = sum(
        T[0, 0, i, j] * torch.outer(F[0, :, i, j], F[0, :, i, j])
        for i in range(4)
        for j in range(5)
    )
    expected = expected / T.sum()
    torch.testing.assert_close(Gram().statistic(F, T)[0], expected)


def test_ones_are_no_mask_exactly(pair, tiny):
    content, style = pair
    plain = quick(pair, tiny)
    masked = quick(pair, tiny, content_masks=ones(40, 36), style_masks=ones(48, 33))
    assert torch.equal(masked.image, plain.image)
    totals = [[row["total"] for row in found.history] for found in (masked, plain)]
    assert totals[0] == totals[1]
    with warnings.catch_warnings():  # ones of any size
        warnings.simplefilter("error")
        masked = quick(pair, tiny, content_masks=ones(30, 30))
    assert torch.equal(masked.image, plain.image)
    # And what goes through the arithmetic of masks agrees up to rounding.
    sources = [
        StyleSource(style, content_mask=c, style_mask=s)
        for c, s in ((None, None), (ones(40, 36), ones(48, 33)))
    ]
    x = content.flip(2)
    one, two = (
        Engine(make_objective(tiny, content, [source], DEFAULT)).value_and_gradient(x)
        for source in sources
    )
    assert two.total == pytest.approx(one.total, rel=1e-12)
    assert relative(two.gradient, one.gradient) < 1e-10


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_the_gradient_vanishes_outside_what_the_masks_can_see(tiny, kernel):
    """Two disjoint regions: exactly zero beyond the receptive field of their union."""
    size, layers = (160, 176), {"relu1_1": 0.5, "relu3_1": 0.5}
    x = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0)).double()
    masks = [box(*size, (0, 48), (0, 32)), box(*size, (96, 160), (112, 144))]
    styles = [torch.rand(1, 3, 90, 80).double(), torch.rand(1, 3, 70, 64).double() ** 2]
    settings = replace(DEFAULT, style_layers=layers, kernel=kernel, range_weight=0.0)
    sources = style_sources(x, styles, settings, masks)
    gradient = make_objective(tiny, None, sources, settings).value_and_gradient(x).gradient
    beyond = reach("relu3_1") + stride("relu3_1")
    seen = torch.zeros(1, 1, *size, dtype=torch.bool)
    for (top, bottom), (left, right) in (((0, 48), (0, 32)), ((96, 160), (112, 144))):
        rows, columns = (slice(max(0, a - beyond), b + beyond) for a, b in
                         ((top, bottom), (left, right)))  # fmt: skip
        seen[..., rows, columns] = True
    outside = gradient[(~seen).expand_as(gradient)]
    assert outside.numel() > 5000
    assert (outside == 0).all()
    assert all(gradient[m.expand_as(gradient) == 1].abs().mean() > 0 for m in masks)


def test_outside_the_mask_the_content_stays(tiny):
    content = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0)).double()
    content = resize(resize(content, 16), 128).clamp(0, 1)
    style = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(1)).double() ** 3
    mask = box(128, 128, (0, 128), (0, 48))
    found = quick((content, style), tiny, content_masks=mask, steps=30, style_weight=1e4,
                  parametrization="pixel")  # fmt: skip
    change = (found.image - content).abs().mean(dim=1)[0]
    assert change[:, :48].mean() > 10 * change[:, 96:].mean()
    assert change[:, :48].mean() > 0.02


def test_a_style_is_taken_from_inside_its_mask(pair, tiny):
    """A style whose outside is changed gives the same statistics where nothing sees the change."""
    style = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(3)).double()
    other = style.clone()
    other[..., 60:] = 0.1
    mask = box(96, 96, (0, 96), (0, 32))
    layers = {"relu1_1": 1.0, "relu2_1": 1.0}
    options = {"style_layers": layers, "coarse_to_fine": False, "style_scale": 96 / 40}
    one, two = (quick((pair[0], s), tiny, style_masks=mask, **options).image
                for s in (style, other))  # fmt: skip
    assert torch.equal(one, two)
    assert not torch.equal(one, quick((pair[0], style), tiny, **options).image)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("tile", [64, 96])
def test_tiles_give_the_same_with_masks_and_several_styles(tiny, kernel, tile):
    content = torch.rand(1, 3, 150, 197, generator=torch.Generator().manual_seed(0)).double()
    styles = [content[..., :130].flip(1) ** 2, content[..., 20:, :].flip(3)]
    settings = replace(DEFAULT, kernel=kernel, style_mix=[1.0, 2.0])
    if isinstance(kernel, GaussianPairs):
        settings = replace(settings, style_layers=dict.fromkeys(LAYERS[:3], 1.0))
    masks = [disc(150, 197, x=-0.4), 1 - disc(150, 197, x=-0.4)]
    style_masks = [disc(150, 130), None]
    sources = [s.beside((150, 197))
               for s in style_sources(content, styles, settings, masks, style_masks)]  # fmt: skip
    x = content.flip(2)
    plain = make_objective(tiny, content, sources, settings)
    in_tiles = make_objective(tiny, content, sources, settings, tile)  # targets in tiles as well
    expected = plain.value_and_gradient(x)
    for found in (Engine(plain, tile), Engine(in_tiles, tile)):
        found = found.value_and_gradient(x)
        assert found.total == pytest.approx(expected.total, rel=1e-10)
        assert relative(found.gradient, expected.gradient) < 1e-10


# --- how much of each ---


def test_shares():
    left, right = box(4, 8, (0, 4), (0, 2)), box(4, 8, (0, 4), (2, 8))
    assert shares([0.25, 0.75], [None, None]) == [0.25, 0.75]
    assert shares([0.5, 0.5], [left, right]) == pytest.approx([0.25, 0.75])  # as much a pixel
    assert shares([1.0], [left]) == pytest.approx([0.25])  # whatever the region
    assert shares([0.5, 0.5], [ones(4, 8), ones(4, 8)]) == pytest.approx([0.5, 0.5])
    assert shares([0.5, 0.5], [None, left]) == pytest.approx([0.8, 0.2])
    assert shares([0.8, 0.2], [left, right]) == pytest.approx([0.8 / 1.4, 0.6 / 1.4])
    assert shares([1.0, 0.0], [left, right]) == pytest.approx([0.25, 0.0])


def test_a_pixel_is_pulled_as_hard_in_a_region_as_in_a_whole_picture(tiny):
    """A picture and its repetition: half of it masked pulls each pixel as the half alone does."""
    tile = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)).double()
    x, style = tile.repeat(1, 1, 1, 3), tile.flip(1) ** 2
    settings = replace(DEFAULT, style_layers={"relu1_1": 1.0}, range_weight=0.0)
    (everywhere,) = style_sources(x, style, settings)
    (left,) = style_sources(x, style, settings, box(64, 192, (0, 64), (0, 64)))
    assert left.share == pytest.approx(1 / 3)
    whole, part = (
        make_objective(tiny, None, [source], settings).value_and_gradient(x).gradient[..., 8:56]
        for source in (everywhere, left)
    )
    assert relative(part, whole) < 0.05  # the seams of the repetition apart


def test_a_start_in_the_colours_of_the_styles(picture):
    """Each region gets its own style's mean and covariance; what is in none stays as it is."""
    other = torch.rand(1, 3, 48, 33, generator=torch.Generator().manual_seed(7)).double()
    dark, light = 0.1 + 0.2 * other, 0.6 + 0.2 * other
    content = 0.3 + 0.4 * picture
    up, down = box(40, 36, (0, 12), (0, 36)), box(40, 36, (28, 40), (0, 36))
    sources = [StyleSource(dark, content_mask=up), StyleSource(light, content_mask=down)]
    start = matched(content, sources, DEFAULT)
    assert torch.equal(start[:, :, 12:28], content[:, :, 12:28])
    for mask, style in ((up, dark), (down, light)):
        for ours, theirs in zip(
            color_statistics(start, mask), color_statistics(style), strict=True
        ):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_where_styles_meet_the_start_is_their_mean_by_shares(picture):
    styles = [torch.full((1, 3, 20, 20), value).double() for value in (0.2, 0.6)]
    sources = [StyleSource(style, share) for style, share in zip(styles, (0.75, 0.25), strict=True)]
    start = matched(picture, sources, DEFAULT)
    torch.testing.assert_close(start, torch.full_like(start, 0.3), rtol=0, atol=1e-3)
