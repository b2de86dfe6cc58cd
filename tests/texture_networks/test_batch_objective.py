import math

import pytest
import torch
from tensors import relative

from nst_tutorial.texture_networks.generator import Generator
from nst_tutorial.texture_networks.objective import (
    BatchObjective,
    nearness,
    style_distance,
    training_settings,
)
from nst_tutorial.transfer.builder import make_objective
from nst_tutorial.transfer.textures import synthesize_texture

LAYERS = ("relu1_1", "relu2_1", "relu3_1")


def pictures(count, size=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, size, size, generator=generator).double()


def settings(stylizes=False, kernel="gram", **options):
    return training_settings(options, kernel, LAYERS, stylizes, 1)


def plainly(model, style, images, contents, options, diversity):
    """The loss of a batch, written out, for autograd."""
    total = 0.0
    for i in range(len(images)):
        content = None if contents is None else contents[i : i + 1]
        objective = make_objective(model, content, style, options)
        values = objective.values(images[i : i + 1])
        total = total + sum(objective.term_weights[n] * v for n, v in values.items()) / len(images)
    return total + diversity * nearness(images)


@pytest.mark.parametrize(
    "kernel",
    [
        "gram",
        "bn",
        "wasserstein",
        "central_moments",
        "autocorrelation",
        "sliced_wasserstein",
        "nearest_neighbours",
    ],
)
@pytest.mark.parametrize("stylizes", [False, True])
def test_the_gradient_of_every_weight_is_that_of_autograd(tiny, kernel, stylizes):
    generator = Generator(width=2, scales=3, stylizes=stylizes).double()
    style, contents = pictures(1, 40, 1), pictures(2, 32, 2) if stylizes else None
    options = settings(stylizes, kernel)
    noise = generator.draw(32, count=2)
    images = generator(noise, contents)
    found = BatchObjective(tiny, style, options, 0.3).value_and_gradient(images, contents)
    images.backward(found.gradient)
    ours = [parameter.grad.clone() for parameter in generator.parameters()]
    generator.zero_grad()
    total = plainly(tiny, style, generator(noise, contents), contents, options, 0.3)
    total.backward()
    assert found.total == pytest.approx(float(total), rel=1e-6)
    theirs = torch.cat([parameter.grad.flatten() for parameter in generator.parameters()])
    assert relative(torch.cat([g.flatten() for g in ours]), theirs) < 1e-5


def test_total_is_the_weighted_sum_of_the_terms(tiny):
    objective = BatchObjective(tiny, pictures(1), settings(True), 0.5)
    found = objective.value_and_gradient(pictures(3), pictures(3, seed=1))
    total = sum(objective.term_weights[name] * value for name, value in found.terms.items())
    assert found.total == pytest.approx(total)
    assert {"content relu4_2", "style relu1_1", "nearness", "out of range"} <= set(found.terms)


def test_nearness_by_hand():
    """Grey 0, 0.1 and 0.5: the nearest neighbours are 0.1, 0.1 and 0.4 away."""
    images = torch.tensor([0.0, 0.1, 0.5]).double().view(3, 1, 1, 1).expand(3, 3, 4, 4)
    wanted = -(2 * math.log(0.1) + math.log(0.4)) / 3
    assert float(nearness(images)) == pytest.approx(wanted, abs=1e-5)


def test_nearness_pushes_apart_and_is_finite_for_equal_pictures():
    images = pictures(3, 4).requires_grad_()
    assert torch.autograd.gradcheck(nearness, images)
    (gradient,) = torch.autograd.grad(nearness(images), images)
    assert float(nearness(images - 0.1 * gradient)) < float(nearness(images))
    equal = pictures(1, 4).repeat(3, 1, 1, 1).requires_grad_()
    (gradient,) = torch.autograd.grad(nearness(equal), equal)
    assert gradient.isfinite().all()


def test_style_distance(tiny):
    style = pictures(1, 40)
    assert style_distance(style, style, layers=LAYERS, model=tiny) == pytest.approx(0, abs=1e-12)
    other = pictures(1, 48, 5) * 0.3
    weights = {"relu1_1": 0.5, "relu3_1": 2.0}
    objective = make_objective(tiny, None, style, settings())
    wanted = sum(w * float(objective.values(other)[f"style {n}"]) for n, w in weights.items())
    assert style_distance(other, style, layers=weights, model=tiny) == pytest.approx(wanted)


def test_style_distance_is_what_a_texture_synthesis_minimises(tiny):
    style = pictures(1, 40)
    run = synthesize_texture(style, 32, model=tiny, steps=1)
    total = sum(
        run.term_weights[n] * run.history[0][n] for n in run.term_weights if n[:5] == "style"
    )
    from nst_tutorial.transfer.textures import noise

    start = noise((32, 32), 0, style)
    assert 15 * style_distance(start, style, model=tiny) == pytest.approx(total)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 3}, "unknown option 'steps'; there are vgg_weights"),
        ({"content_layers": {"relu4_2": 1.0}}, "content_layers mean nothing without contents"),
        ({"style_weight": -1}, "style_weight must be finite and ≥ 0"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        training_settings(options, "gram", None, False, 1)


def test_layers_by_name_or_weight():
    assert training_settings({}, "gram", "relu1_1", False, 1).style_layers == {"relu1_1": 1.0}
    with pytest.raises(ValueError, match="unknown layer 'relu9_9'"):
        training_settings({}, "gram", ["relu9_9"], False, 1)
