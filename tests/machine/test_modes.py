"""Under torch's inference mode and another default type everything is as ever."""

import pytest
import torch
from objectives import Quadratic

from nst_tutorial import kernels, optimize, transfer, vgg
from nst_tutorial.machine import leaving_inference_mode


def test_what_comes_from_inference_mode_can_take_part_in_a_gradient():
    @leaving_inference_mode
    def slope(x, others, *, factor):
        x = x.requires_grad_()
        total = (factor["a"] * x * others[0]).square().sum()
        return torch.autograd.grad(total, x)[0]

    with torch.inference_mode():
        x, other, factor = torch.full((3,), 2.0), torch.full((3,), 3.0), torch.full((3,), 5.0)
        assert slope(x, [other], factor={"a": factor}).tolist() == [2 * 2.0 * 15**2] * 3
        assert torch.is_inference_mode_enabled()
    plain = torch.zeros(3)
    assert leaving_inference_mode(lambda t: t)(plain) is plain  # nothing is copied needlessly


def everything(objective):
    """Pictures, features, statistics and runs; Winograd's way included."""
    generator = torch.Generator().manual_seed(0)
    content = torch.rand(1, 3, 48, 40, generator=generator, dtype=torch.float32)
    style = torch.rand(1, 3, 40, 40, generator=generator, dtype=torch.float32)
    model = vgg.VGG19("random", channels=(32,) * 5, device="cpu")
    features = model(content, ["relu2_1"])["relu2_1"]
    results = [features, kernels.gram_matrix(features)]
    pairs = {"name": "gaussian", "estimator": "pairs"}
    for name in ("bn", "wasserstein", "gaussian", pairs, "central_moments", "autocorrelation",
                 "sliced_wasserstein", "nearest_neighbours"):  # fmt: skip
        kernel, other = kernels.fit(name, model(style, ["relu2_1"])["relu2_1"])
        results.append(kernel.distance(kernel.statistic(features), other))
    start = torch.full((1, 3, 16, 13), 0.5, dtype=torch.float32)
    results.append(optimize.minimize(objective, start, steps=4).image)
    layers = {"relu1_1": 1.0, "relu2_1": 1.0}
    result = transfer.stylize(content, style, model=model, steps=3, style_layers=layers)
    return [*results, result.image]


@pytest.mark.parametrize("mode", ["inference", "float64"])
def test_everything_is_as_ever(mode):
    objective = Quadratic()  # it draws numbers of the default type
    expected = everything(objective)
    if mode == "inference":
        with torch.inference_mode():
            found = everything(objective)
    else:
        torch.set_default_dtype(torch.float64)
        try:
            found = everything(objective)
        finally:
            torch.set_default_dtype(torch.float32)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
    everything(objective)  # nothing that was kept spoils what comes after


def test_a_network_made_in_inference_mode_serves_gradients_later(picture):
    def slope(model):
        x = picture.float().requires_grad_()
        model(x, ["relu3_1"])["relu3_1"].sum().backward()
        return x.grad

    options = {"channels": (32,) * 5, "device": "cpu"}
    with torch.inference_mode():
        model = vgg.VGG19("random", **options)
        model(picture.float(), ["relu3_1"])
    assert torch.equal(slope(model), slope(vgg.VGG19("random", **options)))
