import pytest
import torch
from runs import quick

from nst_tutorial.images.color import (
    GREY_LEVEL,
    color_statistics,
    grey,
    keep_luminance,
    luminance,
    match_color,
    match_luminance,
)
from nst_tutorial.images.reading import load_image
from nst_tutorial.presets import COLOR_METHODS

Y = torch.tensor([0.299, 0.587, 0.114]).double()


def luma(image):
    return torch.einsum("c,nchw->nhw", Y.to(image), image)[:, None]


def flat(*color):
    return torch.tensor(color).double().view(1, 3, 1, 1).expand(1, 3, 20, 24).contiguous()


@pytest.fixture(scope="module")
def photographs():
    return load_image("temple", 96).double(), load_image("coffee", 96).double()[..., :60, :]


# --- luminance -------------------------------------------------------------------------------


def test_luminance_is_that_of_the_painting_and_chroma_that_of_the_content(photographs):
    content, painting = photographs[0], load_image("starry_night", 96).double()
    painting = torch.nn.functional.interpolate(painting, content.shape[2:])
    found = keep_luminance(painting, content)
    assert 0 <= found.min() <= found.max() <= 1
    assert (luma(found) - luma(painting)).abs().max() < GREY_LEVEL
    chroma, wanted = found - luma(found), content - luma(content)
    fits = ((luma(painting) + wanted).clamp(0, 1) - luma(painting) - wanted).abs().amax(1) < 1e-9
    assert 0.5 < fits.double().mean() < 1  # most colours exist on a screen, some do not
    assert (chroma - wanted).abs().amax(1)[fits].max() < 1e-6
    # Where they do not: the same hue, weaker, and as strong as can be.
    length, full = chroma.norm(dim=1)[~fits], wanted.norm(dim=1)[~fits]
    along = (chroma * wanted).sum(1)[~fits]
    torch.testing.assert_close(along, length * full, rtol=1e-6, atol=1e-9)
    assert (length < full).all()
    edge = torch.minimum(found.amin(1), (1 - found).amin(1))[~fits]
    assert edge.max() < 1e-6


def test_the_content_on_itself_is_itself(photographs):
    content = photographs[0]
    torch.testing.assert_close(keep_luminance(content, content), content, rtol=0, atol=1e-6)
    torch.testing.assert_close(keep_luminance(grey(content), content), content, rtol=0, atol=1e-6)


def test_grey_colors_make_a_grey_picture(photographs):
    content, other = photographs[0], grey(photographs[0].flip(3))
    torch.testing.assert_close(keep_luminance(content, other), grey(content), rtol=0, atol=1e-6)
    torch.testing.assert_close(luminance(content), luma(content), rtol=0, atol=1e-6)


def test_pictures_of_two_sizes_have_no_common_colors(photographs):
    with pytest.raises(ValueError, match="pictures differ in size"):
        keep_luminance(*photographs)


def test_matched_luminance_has_the_mean_and_deviation_of_the_content(photographs):
    style, content = (0.4 * image + 0.3 for image in photographs)  # far from black and white
    found = match_luminance(style, content)
    assert torch.equal(found[:, 0], found[:, 2])
    for a, b in zip(color_statistics(luma(found)), color_statistics(luma(content)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    for image in (flat(0.2, 0.5, 0.7), flat(0.0, 0.0, 0.0)):
        found = match_luminance(image, content)
        assert found.std() < 1e-6  # flat stays flat
        assert abs(float(found.mean() - luma(content).mean())) < 1e-6


# --- covariance ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", COLOR_METHODS)
def test_mean_and_covariance_are_matched(photographs, method):
    for style, content in (photographs, photographs[::-1]):
        found = match_color(style, content, method)
        (mean, covariance), (wanted_mean, wanted) = map(color_statistics, (found, content))
        assert (mean - wanted_mean).abs().max() < 1e-6
        assert (covariance - wanted).abs().max() < 1e-6
        assert found.shape == style.shape


def test_statistics_are_those_of_numpy(photographs):
    pixels = photographs[0][0].flatten(1)
    mean, covariance = color_statistics(photographs[0])
    torch.testing.assert_close(mean, pixels.mean(1))
    torch.testing.assert_close(covariance, torch.cov(pixels, correction=0))
    mask = torch.zeros(1, 1, *photographs[0].shape[2:]).double()
    mask[..., 5:30, 9:40] = 1
    inside = photographs[0][..., 5:30, 9:40]
    for a, b in zip(color_statistics(photographs[0], mask), color_statistics(inside), strict=True):
        torch.testing.assert_close(a, b)


def test_the_symmetric_root_moves_colors_least(photographs):
    """And its map is symmetric: the optimal transport between two Gaussians."""
    style, content = photographs
    moved = {m: float((match_color(style, content, m) - style).square().mean())
             for m in COLOR_METHODS}  # fmt: skip
    assert moved["symmetric"] < min(moved["pca"], moved["cholesky"])
    # Optimal transport costs ‖Δμ‖² + tr(Σ_s + Σ_c - 2 (Σ_s^½ Σ_c Σ_s^½)^½).
    (mean_s, cov_s), (mean_c, cov_c) = map(color_statistics, (style, content))
    overlap = torch.linalg.eigvals(cov_s @ cov_c).real.clamp(min=0).sqrt().sum()
    least = (mean_s - mean_c).square().sum() + (cov_s + cov_c).trace() - 2 * overlap
    assert 3 * moved["symmetric"] == pytest.approx(float(least), rel=1e-6)


def test_cholesky_depends_on_the_order_of_the_channels(photographs):
    style, content = photographs
    for method, same in (("cholesky", False), ("pca", True), ("symmetric", True)):
        turned = match_color(style.flip(1), content.flip(1), method).flip(1)
        difference = (turned - match_color(style, content, method)).abs().max()
        assert (float(difference) < 1e-6) == same


@pytest.mark.parametrize("method", COLOR_METHODS)
def test_grey_and_flat_pictures(photographs, method):
    content = photographs[0]
    plain = [grey(photographs[1]), flat(0.2, 0.5, 0.7), flat(0.0, 0.0, 0.0), flat(1.0, 1.0, 1.0)]
    for style in plain:
        found = match_color(style, content, method)
        assert found.isfinite().all()
        mean, covariance = color_statistics(found)
        assert (mean - color_statistics(content)[0]).abs().max() < 1e-6
        # What is not there cannot be stretched: one direction at most, and none of a flat picture.
        rank = int((torch.linalg.eigvalsh(covariance) > 1e-9).sum())
        assert rank == (1 if style is plain[0] else 0)
        # The other way round: a grey content takes all colour away, a flat one nearly everything.
        back = match_color(content, style, method)
        assert back.isfinite().all()
        assert (color_statistics(back)[1] - color_statistics(style)[1]).abs().max() < 1e-4


def test_faint_noise_is_not_made_into_colors(photographs):
    """A grey style with rounding noise: its colours are stretched by a bounded factor."""
    noise = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0)).double()
    style = grey(photographs[0]) + 1e-4 * noise
    found = match_color(style, photographs[1])
    chroma = found - luma(found)
    reference = match_color(grey(photographs[0]), photographs[1])
    assert (chroma - (reference - luma(reference))).std() < 0.02


def test_inside_masks(photographs):
    style, content = photographs
    mask_s = torch.zeros(1, 1, *style.shape[2:]).double()
    mask_c = torch.zeros(1, 1, *content.shape[2:]).double()
    mask_s[..., 10:40, 5:50] = 1
    mask_c[..., 20:, :30] = 1
    found = match_color(style, content, "pca", mask_s, mask_c)
    for a, b in zip(
        color_statistics(found, mask_s), color_statistics(content, mask_c), strict=True
    ):
        assert (a - b).abs().max() < 1e-6


def test_an_unknown_method_is_named(photographs):
    with pytest.raises(ValueError, match="matching colours must be one of symmetric, pca, chol"):
        match_color(*photographs, "histogram")


# --- in stylize ------------------------------------------------------------------------------


def test_painted_in_luminance_the_colors_are_the_contents(pair, tiny):
    content = 0.3 + 0.4 * pair[0]
    found = quick((content, pair[1]), tiny, color="luminance", steps=20, start="noise")
    chroma, wanted = found.image - luma(found.image), (content - luma(content)).float()
    fits = ((luma(found.image) + wanted).clamp(0, 1) - luma(found.image) - wanted).abs().amax(1)
    assert (fits < 1e-6).double().mean() > 0.5
    assert (chroma - wanted).abs().amax(1)[fits < 1e-6].max() < 1e-5
    assert (luma(found.image) - luma(content)).abs().mean() > 0.02  # it was painted
    assert found.settings["color"] == "luminance"
    unchanged = quick(pair, tiny, color="luminance", steps=0).image
    torch.testing.assert_close(unchanged, pair[0], rtol=0, atol=1e-6)


def test_only_light_and_dark_count_in_luminance(pair, tiny):
    """Styles that differ in colour alone give one picture."""
    content, style = pair
    other = keep_luminance(style, 0.4 + 0.2 * style.flip(1))
    assert (other - style).abs().max() > 0.1
    one, two = (quick((content, s), tiny, color="luminance").image for s in (style, other))
    assert (one - two).abs().max() < 1e-4


def test_matched_before(pair, tiny):
    content, style = pair[0] * torch.tensor([1.0, 0.5, 0.2]).view(1, 3, 1, 1), pair[1]
    for method in COLOR_METHODS:
        given = quick((content, style), tiny, color="match", color_method=method)
        by_hand = quick((content, match_color(style, content, method).clamp(0, 1)), tiny)
        assert torch.equal(given.image, by_hand.image)
        assert (given.settings["color"], given.settings["color_method"]) == ("match", method)


@pytest.mark.parametrize("color", ["luminance", "match"])
def test_flat_and_grey_pictures_never_give_nan(pair, tiny, color):
    pictures = [pair[0], grey(pair[0]), flat(0.0, 0.0, 0.0), flat(0.3, 0.3, 0.3)]
    for content in pictures:
        for style in pictures:
            assert quick((content, style), tiny, color=color, steps=3).image.isfinite().all()


def test_unknown_values_are_named(pair, tiny):
    with pytest.raises(ValueError, match="style, luminance, match, histogram; got 'no'"):
        quick(pair, tiny, color="no")
    with pytest.raises(ValueError, match="color_method must be one of symmetric, pca, cholesky"):
        quick(pair, tiny, color_method="histogram")


# --- what is no picture ------------------------------------------------------------------------


@pytest.mark.parametrize("function", [keep_luminance, match_luminance, match_color])
def test_values_that_are_not_finite_are_named(photographs, function):
    """One NaN would spread over the whole picture, by way of mean and covariance."""
    for i, name in enumerate(("style", "content") if function is not keep_luminance else
                             ("the picture", "the picture of colours")):  # fmt: skip
        pair = [photographs[0], photographs[0].clone()]
        pair[i] = pair[i].clone()
        pair[i][0, 1, 2, 3] = float("nan")
        with pytest.raises(ValueError, match=f"^{name} has values that are not finite"):
            function(*pair)
        pair[i] = pair[i][0]
        with pytest.raises(ValueError, match=rf"^{name} must be a picture \(1, 3, H, W\); got"):
            function(*pair)


def test_masks_of_colours_that_fit_nothing(photographs):
    style, content = photographs
    with pytest.raises(ValueError, match="the mask is empty: no pixel counts"):
        match_color(style, content, "pca", torch.zeros(1, 1, *style.shape[2:]))
    with pytest.raises(ValueError, match=r"the mask \(1, 1, 3, 5\) must be of the size of its"):
        match_color(style, content, "pca", None, torch.ones(1, 1, 3, 5))
