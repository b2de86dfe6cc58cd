"""What is asked for, on its one way through a run."""

import gc
import warnings
import weakref
from pathlib import Path

import pytest
import torch
from runs import quick

from nst_tutorial.optimize import NOTHING_BETTER
from nst_tutorial.presets import Settings
from nst_tutorial.tiling.engine import Engine
from nst_tutorial.transfer import (
    make_objective,
    reconstruct,
    scene,
    stylize,
    synthesize_texture,
    trade_off,
)
from nst_tutorial.vgg.network import VGG19

TINY = (4, 6, 8, 8, 8)


def test_a_tileable_texture_from_a_style_larger_than_itself():
    """A picture that continues on its opposite side cannot be cut at every size."""
    model = VGG19("random", channels=TINY, device="cpu", padding="circular")
    style = torch.rand(1, 3, 60, 60)
    result = synthesize_texture(style, (40, 40), tileable=True, model=model, steps=2)
    assert result.image.shape == (1, 3, 40, 40)


def test_no_graph_leaves_with_the_result(pair, tiny):
    content, style = pair
    result = quick((content.clone().requires_grad_(), style), tiny, steps=1, color="luminance")
    assert not result.image.requires_grad


def test_styles_of_which_nothing_is_wanted_are_in_the_record(pair, tiny):
    content, style = pair
    other = torch.rand(1, 3, 48, 40).to(style)
    result = stylize(content, [style, other], style_mix=[1, 0], model=tiny, steps=1)
    assert result.settings["style_size"] == [list(style.shape[2:]), [48, 40]]


def test_warnings_point_at_the_line_that_calls_us(pair, tiny):
    content, style = pair
    mask = torch.ones(1, 1, 20, 20)
    mask[..., :9] = 0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        stylize(content, style, model=tiny, steps=1, history=3, content_masks=mask)
    said = {str(w.message).split(" has ")[0]: Path(w.filename).name for w in caught}
    assert said == {
        "history is now called lbfgs_pairs": "test_request.py",
        "content mask": "test_request.py",
    }


def test_an_unknown_option_is_refused_whatever_its_value(pair, tiny):
    for run in (stylize, trade_off):
        with pytest.raises(TypeError, match="unknown option 'stpes'; did you mean steps"):
            run(*pair, model=tiny, stpes=None)
    with pytest.raises(TypeError, match="unknown option 'stpes'; did you mean steps"):
        trade_off(*pair, [1.0], model=tiny, stpes=9)
    with pytest.raises(TypeError, match="unknown option 'stpes'"):
        synthesize_texture(pair[1], 32, model=tiny, stpes=None)


def test_weights_may_be_a_path():
    assert Settings(vgg_weights=Path("a") / "b.pth").vgg_weights == str(Path("a") / "b.pth")
    with pytest.raises(ValueError, match="vgg_weights must be a name or a file, got 3"):
        Settings(vgg_weights=3)


def test_a_reconstruction_has_nothing_to_balance(pair, tiny):
    result = reconstruct(pair[0], "relu2_1", model=tiny, steps=1, balance="gradient")
    assert result.gradient_norms == {}


def test_balance_works_in_inference_mode():
    model = VGG19("random", channels=TINY, device="cpu")
    pictures = torch.rand(2, 1, 3, 40, 40)
    with torch.inference_mode():
        inside = stylize(*pictures, model=model, steps=2, balance="gradient")
    outside = stylize(*pictures, model=model, steps=2, balance="gradient")
    assert torch.equal(inside.image, outside.image)
    assert inside.gradient_norms == outside.gradient_norms


def test_an_objective_alone_works_in_inference_mode():
    model = VGG19("random", channels=TINY, device="cpu")
    content, style = torch.rand(2, 1, 3, 40, 40)
    objective = make_objective(model, content, style, Settings())
    outside = objective.value_and_gradient(style)
    with torch.inference_mode():
        inside = objective.value_and_gradient(style.clone())
    assert torch.equal(inside.gradient, outside.gradient)


def test_the_coarser_objective_is_gone_before_the_finer_is_made(monkeypatch):
    made = []

    class Counted(Engine):
        def __init__(self, *arguments):
            gc.collect()
            made.append([engine() is not None for engine, _ in self.seen])
            super().__init__(*arguments)
            self.seen.append((weakref.ref(self), arguments))

        seen: list = []  # noqa: RUF012

    monkeypatch.setattr(scene, "Engine", Counted)
    model = VGG19("random", channels=TINY, device="cpu")
    content, style = torch.rand(2, 1, 3, 400, 48, generator=torch.Generator().manual_seed(0))
    stylize(content, style, model=model, steps=4)
    assert made == [[], [False]]


def test_only_a_run_in_which_no_scale_improved_says_so(tmp_path):
    model = VGG19("random", channels=TINY, device="cpu")
    content, style = torch.rand(2, 1, 3, 400, 48, generator=torch.Generator().manual_seed(0))
    options = {"model": model, "steps": 9, "learning_rate": 1e9}
    stuck = stylize(content, style, **options)
    assert stuck.stopped == NOTHING_BETTER
    assert len({row["size"] for row in stuck.history}) == 2
    path = tmp_path / "run"
    stylize(content, style, checkpoint=path, checkpoint_every=1,
            callback=lambda p: p.evaluation == 8, **options)  # fmt: skip
    resumed = stylize(content, style, checkpoint=path, checkpoint_every=1, **options)
    assert resumed.stopped == stuck.stopped
    assert stylize(content, style, model=model, kernel="gram", steps=9).stopped is None
