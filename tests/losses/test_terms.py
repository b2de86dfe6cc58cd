import math

import pytest
import torch

from nst_tutorial.kernels.moments import Gram, gram_matrix
from nst_tutorial.losses.factors import (
    CONTENT_NORMALIZATIONS,
    STYLE_NORMALIZATIONS,
    content_factor,
    style_factor,
)
from nst_tutorial.losses.objective import Objective
from nst_tutorial.losses.terms import Content, Grain, OutOfRange, Style, TotalVariation
from nst_tutorial.noise.level import noise_level
from nst_tutorial.presets import PRESETS
from nst_tutorial.transfer.builder import make_objective


def test_the_paper_written_out(tiny, pair):
    """Gatys et al. 2016, equations 1, 3, 4, 5 and 7, with sums over indices, sizes alike."""
    content, _ = pair
    style = torch.rand(content.shape, generator=torch.Generator().manual_seed(8)).double()
    settings = PRESETS["gatys2016"]
    x = torch.rand(content.shape, generator=torch.Generator().manual_seed(9)).double()
    found = make_objective(tiny, content, style, settings).value_and_gradient(x)

    F, P = (tiny(image, ["relu4_2"])["relu4_2"] for image in (x, content))
    total = 1e-3 * 0.5 * ((F - P) ** 2).sum()
    for layer in ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"):
        F, A = (tiny(image, [layer])[layer].flatten(2)[0] for image in (x, style))
        N, M = F.shape
        E = ((F @ F.T - A @ A.T) ** 2).sum() / (4 * N**2 * M**2)
        torch.testing.assert_close(torch.tensor(found.terms[f"style {layer}"]).double(), E)
        total = total + E / 5
    assert math.isclose(found.total, float(total), rel_tol=1e-6)


def test_the_authors_code_written_out(tiny, pair):
    content, style = pair
    x = content.flip(3)
    found = make_objective(tiny, content, style, PRESETS["gatys2016-code"]).value_and_gradient(x)
    mse = torch.nn.functional.mse_loss
    total = mse(*(tiny(image, ["relu4_2"])["relu4_2"] for image in (x, content)))
    for layer in ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"):
        G, A = (gram_matrix(tiny(image, [layer])[layer]) for image in (x, style))
        total = total + 1e3 / G.shape[1] ** 2 * mse(G, A)
    assert math.isclose(found.total, float(total), rel_tol=1e-6)


def test_relative_losses_are_1_for_a_picture_without_features(tiny, pair):
    P = tiny(pair[0], ["relu4_2"])["relu4_2"]
    content = Content("relu4_2", P, content_factor("relative", P))
    assert math.isclose(content.value({"relu4_2": 0 * P}, pair[0]), 1, rel_tol=1e-12)
    A = gram_matrix(P)
    style = Style("relu4_2", Gram(), A, style_factor("relative", Gram(), A, P.shape))
    assert math.isclose(style.value({"relu4_2": 0 * P}, pair[0]), 1, rel_tol=1e-12)
    assert style.value({"relu4_2": P}, pair[0]) == 0


def test_relative_losses_do_not_depend_on_the_scale_of_a_layer(tiny, pair):
    """What rescaling the network would mend, the relative losses do not see in the first place."""
    x, y = (tiny(image, ["relu4_2"])["relu4_2"] for image in pair)
    for scale in (1e-3, 1e3):
        P, A = scale * y, gram_matrix(scale * y)
        style = Style("relu4_2", Gram(), A, style_factor("relative", Gram(), A, P.shape))
        one = Style("relu4_2", Gram(), gram_matrix(y), 1 / float(gram_matrix(y).square().sum()))
        assert math.isclose(
            style.value({"relu4_2": scale * x}, None), one.value({"relu4_2": x}, None)
        )
        assert content_factor("relative", P) * scale**2 == pytest.approx(
            content_factor("relative", y)
        )


def test_total_and_gradient_are_those_of_the_weighted_sum(tiny, pair):
    content, style = pair
    objective = make_objective(tiny, content, style, PRESETS["default"])
    objective = Objective(
        tiny,
        {**objective.terms, "total variation": TotalVariation()},
        {**objective.term_weights, "total variation": 0.7},
    )
    x = (content.flip(2) * 1.3 - 0.1).clone()
    found = objective.value_and_gradient(x)
    assert found.terms["out of range"] > 0
    total = sum(objective.term_weights[name] * value for name, value in found.terms.items())
    assert math.isclose(found.total, total, rel_tol=1e-6)
    direction = torch.randn(x.shape, generator=torch.Generator().manual_seed(4)).double()
    h = 1e-6
    ahead, behind = (objective.values(x + s * h * direction) for s in (1, -1))
    slope = sum(objective.term_weights[n] * (ahead[n] - behind[n]) / (2 * h) for n in ahead)
    assert math.isclose(float((found.gradient * direction).sum()), float(slope), rel_tol=1e-5)


def test_the_image_handed_in_is_left_alone(tiny, pair):
    x = pair[0].clone()
    make_objective(tiny, *pair, PRESETS["default"]).value_and_gradient(x)
    assert torch.equal(x, pair[0])
    assert not x.requires_grad
    assert x.grad is None


def test_total_variation_of_a_step():
    image = torch.zeros(1, 3, 10, 10)
    image[..., 5:] = 0.5
    assert math.isclose(TotalVariation().value({}, image), 0.5 / 9, rel_tol=1e-6)


def test_grain_is_the_masked_mean_square_of_what_a_binomial_mean_leaves():
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 5, 6, generator=generator).double()
    mask = torch.rand(1, 1, 5, 6, generator=generator).double()
    binomial = torch.tensor([[1, 2, 1], [2, 4, 2], [1, 2, 1]]).double() / 16
    total = 0.0
    for k in range(3):
        for i in range(1, 4):
            for j in range(1, 5):
                mean = float((binomial * image[0, k, i - 1 : i + 2, j - 1 : j + 2]).sum())
                total += float(mask[0, 0, i, j]) * (float(image[0, k, i, j]) - mean) ** 2
    expected = total / (3 * 5 * 6) / (41 / 64)
    assert math.isclose(Grain(mask).value({}, image), expected, rel_tol=1e-12)


def test_grain_is_the_variance_of_white_noise_and_sees_stripes_but_no_ramps():
    ones, generator = torch.ones(1, 1, 200, 300).double(), torch.Generator().manual_seed(0)
    noisy = 0.02 * torch.randn(1, 3, 200, 300, generator=generator).double()
    assert math.isclose(Grain(ones).value({}, noisy), 0.02**2, rel_tol=0.04)
    down = torch.linspace(0, 1, 200).double()[:, None].expand(1, 3, 200, 300)
    assert Grain(ones).value({}, down) < 1e-12
    for axis in (2, 3):  # where `noise_level` finds none
        stripes = 0.02 * (-1.0) ** torch.arange(noisy.shape[axis]).double()
        stripes = stripes.view(-1, 1) if axis == 2 else stripes
        stripes = stripes.expand(noisy.shape)
        assert noise_level(stripes) == 0
        assert Grain(ones).value({}, stripes) > 0.02**2


def test_grain_pulls_at_nothing_but_its_mask_and_the_neighbours():
    mask = torch.zeros(1, 1, 12, 12).double()
    mask[..., 3:8, 4:9] = 1
    image = torch.rand(1, 3, 12, 12).double().requires_grad_()
    Grain(mask).value({}, image).backward()
    pulled = image.grad.abs().amax(dim=1) > 0
    assert pulled[0, 2:9, 3:10].all()
    assert int(pulled.sum()) == 7 * 7


def test_out_of_range():
    image = torch.tensor([[-0.5, 0.0], [1.0, 1.25]]).expand(1, 3, 2, 2)
    assert math.isclose(OutOfRange().value({}, image), (0.25 + 0.0625) / 4, rel_tol=1e-6)


def test_black_and_flat_pictures_give_finite_losses(tiny):
    for value in (0.0, 0.5, 1.0):
        flat = torch.full((1, 3, 32, 32), value).double()
        found = make_objective(tiny, flat, flat, PRESETS["default"]).value_and_gradient(flat * 0.9)
        assert math.isfinite(found.total)
        assert found.gradient.isfinite().all()
    zero = torch.zeros(1, 8, 2, 2)
    assert content_factor("relative", zero) == 1 / zero.numel()
    assert style_factor("relative", Gram(), gram_matrix(zero), zero.shape) == 1


def test_bad_values_are_named(tiny, picture):
    P = tiny(picture, ["relu1_1"])["relu1_1"]
    term = {"content": Content("relu1_1", P, 1.0)}
    with pytest.raises(ValueError, match="weight of content must be finite and ≥ 0, got -1"):
        Objective(tiny, term, {"content": -1})
    with pytest.raises(ValueError, match="at least one weight must be above 0"):
        Objective(tiny, term, {"content": 0})
    with pytest.raises(ValueError, match=r"terms \['content'\] and weights \[\] differ"):
        Objective(tiny, term, {})
    with pytest.raises(ValueError, match="unknown normalization 'none' of the content loss"):
        content_factor("none", P)
    with pytest.raises(ValueError, match="unknown normalization 'none' of the style loss"):
        style_factor("none", Gram(), gram_matrix(P), P.shape)
    for name in CONTENT_NORMALIZATIONS:
        assert content_factor(name, P) > 0
    for name in STYLE_NORMALIZATIONS:
        assert style_factor(name, Gram(), gram_matrix(P), P.shape) > 0
