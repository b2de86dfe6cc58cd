import math

import pytest
import torch
from runs import quick

from nst_tutorial.losses.objective import Objective
from nst_tutorial.tiling.engine import Engine
from nst_tutorial.transfer.style_transfer import stylize


def norm_of(objective, name, image):
    """The gradient norm of one weighted term, by an objective of its own."""
    alone = Objective(
        objective.model, {name: objective.terms[name]}, {name: objective.term_weights[name]}
    )
    return float(alone.value_and_gradient(image).gradient.norm())


@pytest.mark.parametrize("start", ["noise", "content"])
def test_balanced_terms_start_with_the_same_gradient_norm(pair, tiny, start, monkeypatch):
    content, _ = pair
    seen = []
    evaluate = Engine.value_and_gradient
    monkeypatch.setattr(
        Engine, "value_and_gradient", lambda o, x: seen.append((o, x)) or evaluate(o, x)
    )
    found = quick(pair, tiny, balance="gradient", start=start, steps=1)
    engine, image = seen[-1]
    objective = engine.objective
    noise = torch.rand(content.shape, generator=torch.Generator().manual_seed(0)).to(content)
    assert torch.equal(image, content if start == "content" else noise)
    norms = {name: norm_of(objective, name, image) for name in found.gradient_norms}
    if start == "content":  # its own loss has no gradient there; it gets its norm at noise
        assert norms["content relu4_2"] == 0
        norms["content relu4_2"] = norm_of(objective, "content relu4_2", noise)
    main = [norm for name, norm in norms.items() if name != "out of range"]
    assert len(main) == 6
    assert max(main) == pytest.approx(min(main), rel=1e-6)
    assert found.term_weights["content relu4_2"] == 1.0
    for name, norm in found.gradient_norms.items():
        assert norm * found.term_weights[name] == pytest.approx(norms[name], rel=1e-6, abs=1e-12)


def test_the_balance_is_that_of_the_first_scale(tiny):
    content, style = torch.rand(2, 1, 3, 400, 48).double()
    seen = {}

    def callback(progress):
        seen.setdefault(progress.size, progress.term_weights)

    stylize(content, style, model=tiny, steps=6, balance="gradient", callback=callback)
    assert len(seen) == 2
    assert len({tuple(w.items()) for w in seen.values()}) == 1


def test_weights_count_on_top_of_the_balance(pair, tiny):
    plain = quick(pair, tiny, balance="gradient", steps=1).term_weights
    double = quick(pair, tiny, balance="gradient", style_weight=2.0, steps=1).term_weights
    for name, weight in plain.items():
        assert double[name] == pytest.approx(2 * weight if name[:5] == "style" else weight)


def test_a_term_without_a_gradient_keeps_its_weight(tiny):
    flat = torch.zeros(1, 3, 32, 32).double()
    found = stylize(flat, flat, model=tiny, balance="gradient", start=flat, steps=1)
    assert all(math.isfinite(weight) for weight in found.term_weights.values())


def test_rounding_is_not_taken_for_a_gradient(temple, starry):
    """In tiles the content's own features come back rounded otherwise, and not quite the same."""
    from nst_tutorial.vgg.network import VGG19

    model = VGG19("random", channels=(32,) * 5, device="cpu", convolutions="direct")
    layers = {"relu4_2": 1.0, "relu2_2": 1.0}
    pair = temple[..., :96], starry[..., :96]
    options = {"model": model, "steps": 1, "balance": "gradient", "content_layers": layers}
    whole, parts = (stylize(*pair, tile=tile, **options) for tile in ("whole", 64))
    for name, weight in whole.term_weights.items():
        assert parts.term_weights[name] == pytest.approx(weight, rel=0.01), name
