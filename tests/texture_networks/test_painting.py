"""Training a painter: gradients, the content weight, budgets, going on."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from nst_tutorial.learning.stream import PictureStream
from nst_tutorial.texture_networks.objective import BatchObjective
from nst_tutorial.texture_networks.painter import Painter
from nst_tutorial.texture_networks.painting import (
    balanced_content_weight,
    painter_settings,
    train_painter,
)

LAYERS = ("relu1_1", "relu2_1")
CONTENT = {"content_layers": {"relu2_1": 1.0}}


@pytest.fixture(scope="module")
def stripes():
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    wave = torch.sin((x + y) / 2)
    return torch.stack([0.5 + 0.3 * wave, 0.4 + 0.2 * wave, 0.6 - 0.3 * wave])[None].double()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder, numbers = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for i in range(4):
        coarse = numbers.uniform(0, 255, (5, 5, 3)).astype(np.uint8)
        Image.fromarray(coarse).resize((64, 56), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    return folder


@pytest.fixture
def photographs(folder):
    return PictureStream(folder, 32, sides=(40, 64))


def small(**options):
    return Painter(**{"width": 6, "blocks": 1, **options})


def train(painter, style, photographs, tiny, **options):
    return train_painter(
        painter, style, photographs, model=tiny,
        **{"layers": LAYERS, "steps": 6, "batch": 2, **CONTENT, **options},
    )  # fmt: skip


@pytest.mark.parametrize("kernel", [None, "gram", "bn", "wasserstein", "gaussian"])
def test_any_kernel(stripes, photographs, tiny, kernel):
    learnt = train(small(), stripes, photographs, tiny, kernel=kernel, steps=40,
                   learning_rate=0.01)  # fmt: skip
    totals = [row["total"] for row in learnt.history]
    assert all(map(math.isfinite, totals))
    assert sum(totals[-5:]) < 0.6 * sum(totals[:5])


def test_unseen_photographs_get_the_style_and_keep_their_content(stripes, photographs, tiny):
    painter = small()
    train(painter, stripes, photographs, tiny, steps=80, learning_rate=0.01, decay=0.9,
          content_share=3.0)  # fmt: skip
    unseen = photographs.batch(4, np.random.default_rng(999)).double()
    objective = BatchObjective(tiny, stripes, painter_settings(None, LAYERS, CONTENT))

    def sums(images):
        terms = objective.value_and_gradient(images, unseen).terms
        kinds = ("style", "content")
        return [sum(v for n, v in terms.items() if n.startswith(kind)) for kind in kinds]

    with torch.no_grad():
        painted = painter(unseen)
    (style, content), (untouched, _) = sums(painted), sums(unseen)
    _, of_others = sums(painted.roll(1, dims=0))
    assert style < 0.5 * untouched
    assert content < 0.8 * of_others  # nearer to its own photograph than to another


def test_resumed_is_uninterrupted(tmp_path, stripes, photographs, tiny):
    whole, path = small(), tmp_path / "run.training"
    train(whole, stripes, photographs, tiny)

    def kill(progress):
        if progress.evaluation == 5:
            raise MemoryError

    with pytest.raises(MemoryError):
        train(small(), stripes, photographs, tiny, checkpoint=path, checkpoint_every=2,
              callback=kill)  # fmt: skip
    again = small()
    train(again, stripes, photographs, tiny, checkpoint=path)
    for a, b in zip(whole.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert again.settings["steps"] == whole.settings["steps"] == 6
    assert again.settings["content_weight"] == whole.settings["content_weight"]
    with pytest.raises(ValueError, match="is a checkpoint of another run: batch was 2 and is 3"):
        train(small(), stripes, photographs, tiny, checkpoint=path, batch=3)


def test_the_budget_includes_the_preparations(stripes, photographs, tiny):
    class Clock:
        now = 0.0

        def __call__(self):
            self.now += 1.0  # each look at it takes a second
            return self.now

    learnt = train(small(), stripes, photographs, tiny, steps=None, minutes=0.5, clock=Clock())
    assert 28 <= learnt.seconds <= 31


def test_the_content_weight_balances_the_gradients(stripes, photographs, tiny):
    """With it the norms are in the ratio asked for, whatever the other weights are."""
    contents = photographs.batch(1, np.random.default_rng(0)).double()
    settings = painter_settings("gram", LAYERS, CONTENT)
    weight = balanced_content_weight(tiny, stripes, settings, contents, 0.3)
    again = balanced_content_weight(tiny, stripes, settings, contents, 0.6)
    assert again == pytest.approx(2 * weight)
    heavier = painter_settings("gram", LAYERS, {**CONTENT, "style_weight": 150.0})
    assert balanced_content_weight(tiny, stripes, heavier, contents, 0.3) == pytest.approx(
        10 * weight
    )
    # By hand, with autograd through the terms
    from nst_tutorial.transfer.builder import make_objective
    from nst_tutorial.transfer.scene import uniform_noise

    objective = make_objective(tiny, contents, stripes, settings)
    norms = []
    for kind, start in (("style", contents), ("content", uniform_noise((32, 32), 0, contents))):
        x = start.clone().requires_grad_()
        values = objective.values(x)
        total = sum(
            objective.term_weights[name] * value
            for name, value in values.items()
            if name.startswith(kind)
        )
        norms.append(float(torch.autograd.grad(total, x)[0].norm()))
    assert weight * norms[1] / norms[0] == pytest.approx(0.3, rel=1e-6)


def test_a_style_that_is_the_photograph_has_no_balance(tiny):
    grey = torch.full((1, 3, 32, 32), 0.5).double()
    settings = painter_settings("gram", LAYERS, CONTENT)
    with pytest.raises(ValueError, match="a gradient is 0: give content_weight"):
        balanced_content_weight(tiny, grey, settings, grey, 0.1)


def test_the_record(stripes, photographs, tiny):
    painter = small()
    train(painter, stripes, photographs, tiny, steps=2, content_weight=3.0)
    record = painter.settings
    assert record["content_weight"] == 3.0
    assert record["photographs"] == 4
    assert (record["steps"], record["size"], record["batch"]) == (2, 32, 2)
    assert "parametrization" not in record


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": None}, "a training needs a budget"),
        ({"minutes": 0}, "minutes must be a number above 0"),
        ({"batch": 0}, "batch must be a whole number ≥ 1"),
        ({"kernel": "grem"}, "unknown kernel 'grem'"),
        ({"content_share": 0}, "content_share must be a number above 0"),
        ({"learning_rate": -1}, "learning_rate must be a number above 0"),
        ({"layers": ["relu9_1"]}, "relu9_1"),
    ],
)
def test_values_that_cannot_be(stripes, photographs, tiny, options, message):
    with pytest.raises(ValueError, match=message):
        train(small(), stripes, photographs, tiny, **options)
