import inspect
import json
import re
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from runs import TINY, quick

import nst_tutorial
from nst_tutorial import images
from nst_tutorial.kernels.gaussian import Gaussian
from nst_tutorial.kernels.registry import fit, get_kernel
from nst_tutorial.presets import BEFORE, EDGES, PRESETS, Settings, compare, get_preset, options_from
from nst_tutorial.transfer import builder
from nst_tutorial.transfer.builder import make_objective
from nst_tutorial.transfer.options import settings_from
from nst_tutorial.transfer.style_transfer import stylize
from nst_tutorial.vgg.network import VGG19


def test_defaults_of_the_signature_are_left_to_the_preset():
    parameters = inspect.signature(stylize).parameters
    for name in Settings.__dataclass_fields__:
        if name != "source":
            assert parameters[name].default is None, name
    assert parameters["preset"].default == "default"


def test_options_come_before_the_preset(pair, tiny):
    settings = quick(pair, tiny, preset="gatys2016", content_weight=0.5, steps=3).settings
    assert (settings["content_weight"], settings["steps"]) == (0.5, 3)
    assert settings["style_normalization"] == "paper"
    assert settings["preset"] == "gatys2016"
    with pytest.raises(ValueError, match="unknown preset 'gatys'; there are default, gram"):
        get_preset("gatys")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_lowers_its_loss(pair, tiny, preset):
    found = quick(pair, tiny, preset=preset, steps=25)
    assert min(r["total"] for r in found.history) < 0.7 * found.history[0]["total"]


@pytest.mark.parametrize("name", ["linear", "poly", "gaussian", "bn"])
def test_the_code_of_li_et_al_written_out(pair, tiny, name):
    """From sums over positions, as their code has them: methods and constants of its gradients."""
    content, style = pair
    settings = PRESETS[f"li2017-code-{name}"]
    size = tuple(content.shape[2:])
    style = images.resize(style, size)
    x = content.flip(3)
    objective = make_objective(tiny, content, style, settings)
    found = objective.value_and_gradient(x)
    gamma = {"bn": 1.0}.get(name, 5.0)
    F, P = (tiny(image, ["relu4_2"])["relu4_2"] for image in (x, content))
    expected = {"content relu4_2": (F - P).square().sum()}
    for layer in settings.style_layers:
        X, Y = (tiny(image, [layer])[layer].flatten(2)[0] for image in (x, style))
        C, M = X.shape
        sums = (X.sum(1) - Y.sum(1)).square().sum()
        if name == "linear":
            value = gamma * 2e3 / (2 * C * M) * sums
        elif name == "poly":
            value = gamma * 0.1 / (4 * C**2 * M) * (X @ X.T - Y @ Y.T).square().sum()
        elif name == "bn":
            mean = (X.mean(1) - Y.mean(1)).square().sum()
            deviation = [(Z.var(1, correction=0) + 1e-5).sqrt() for Z in (X, Y)]
            value = (
                gamma * 1e3 * M / (2 * C) * (mean + (deviation[0] - deviation[1]).square().sum())
            )
        else:
            kernel = objective.terms[f"style {layer}"].kernel
            (x0, x1), (y0, y1) = (
                kernel.statistic(Z.view(1, C, 1, M))[0] for Z in (X, Y)
            )  # fmt: skip
            ends = ((x0, x1, 1), (y0, y1, 1), (x0, y1, -1), (x1, y0, -1))
            rate = 1 / (2 * kernel.bandwidth**2)
            h = sum(s * torch.exp(-rate * (a - b).square().sum(1)) for a, b, s in ends)
            value = gamma * 3e14 / (2 * C * M) * h.sum() * (M / 2) / len(h)
        expected[f"style {layer}"] = value
    for term, value in expected.items():
        assert objective.term_weights[term] * found.terms[term] == pytest.approx(
            float(value), rel=1e-5
        )


def test_the_last_pass_of_kolkin_et_al_written_out(pair, tiny):
    """From all pairs of positions: the mean over one picture's of the least centred cosine."""
    content, style = pair
    settings = PRESETS["nnst"]
    x = content.flip(3)
    found = make_objective(tiny, content, style, settings).value_and_gradient(x)
    assert list(settings.style_layers) == [
        f"relu{block}_{conv}" for block, last in enumerate((2, 2, 3, 3), 1)
        for conv in range(1, last + 1)
    ]  # fmt: skip
    for layer in settings.style_layers:
        ours, theirs = (tiny(image, [layer])[layer] for image in (x, style))
        X, Y = (Z.flatten(2)[0].T for Z in (ours, theirs))
        X, Y = (F.normalize(Z - Z.mean(0), dim=1) for Z in (X, Y))
        matched = float((1 - X @ Y.T).amin(1).mean())
        bn, target = fit("bn", theirs)
        colours = float(bn.distance(bn.statistic(ours), target) / bn.magnitude(target))
        expected = (matched + 0.1 * colours) / 1.1
        assert found.terms[f"style {layer}"] == pytest.approx(expected, rel=1e-9)


def test_presets_of_the_papers_differ_from_their_code_where_they_should():
    def names(a, b):
        return {name for name, _, _ in compare(a, b)}

    assert names("gatys2016", "gatys2016-code") == {
        "source", "pooling", "rescale", "content_normalization", "style_normalization",
        "style_layers", "content_weight", "start",
    }  # fmt: skip
    assert names("li2017-poly", "li2017-code-poly") == {
        "source", "balance", "style_normalization", "content_weight", "style_weight",
    }  # fmt: skip
    assert names("li2017-linear", "li2017-poly") == {"kernel"}
    assert PRESETS["li2017-code-bn"].style_weight == 1.0
    for name, settings in PRESETS.items():
        assert name in ("default", "gram") or re.search(r"\d{4}|code", settings.source)


def test_the_code_of_galerne_et_al_written_out(pair):
    """Gram matrices weigh 1000 / n², means and deviations 10⁴; all are mean squares."""
    content, style = (image.float() for image in pair)
    settings = PRESETS["spst"]
    model = VGG19("random", device="cpu", seed=1)
    x, style = content.flip(3), images.resize(style, tuple(content.shape[2:]))
    objective = make_objective(model, content, style, settings)
    found = objective.value_and_gradient(x)
    for layer, n in zip(settings.style_layers, (64, 128, 256, 512, 512), strict=True):
        X, Y = (model(image, [layer])[layer].flatten(2)[0].double() for image in (x, style))
        grams = [Z @ Z.T / Z.shape[1] for Z in (X, Y)]
        means = [Z.mean(1) for Z in (X, Y)]
        deviations = [Z.std(1, correction=0) for Z in (X, Y)]
        of_grams = 1e3 / n**2
        of_means = of_grams * n**2 * 1000 / 100
        expected = of_grams * (grams[0] - grams[1]).square().mean() + of_means * (
            (means[0] - means[1]).square().mean() + (deviations[0] - deviations[1]).square().mean()
        )
        value = objective.term_weights[f"style {layer}"] * found.terms[f"style {layer}"]
        assert value == pytest.approx(float(expected), rel=1e-3), layer
    F, P = (model(image, ["relu4_2"])["relu4_2"] for image in (x, content))
    value = objective.term_weights["content relu4_2"] * found.terms["content relu4_2"]
    assert value == pytest.approx(float((F - P).square().mean()), rel=1e-4)


def test_presets_share_nothing_that_can_be_changed():
    layers = [settings.style_layers for settings in PRESETS.values()]
    assert len({id(each) for each in layers}) == len(PRESETS)


def test_presets_print_themselves():
    text = str(PRESETS["gatys2016"])
    assert "10.1109/CVPR.2016.265" in text
    assert len(text.splitlines()) == len(Settings.__dataclass_fields__)


def test_a_picture_can_be_made_again_from_its_record(pair, tiny):
    first = quick(pair, tiny, kernel="bn", start="noise", seed=8, balance="gradient")
    again = stylize(*pair, model=tiny, **options_from(first.settings))
    assert torch.equal(first.image, again.image)
    assert first.settings["vgg_weights"] == "random"  # the network that was used
    assert first.settings["version"] == nst_tutorial.__version__


@pytest.mark.parametrize("preset", ["default", "crowsonkb"])
def test_a_record_without_later_settings_means_what_was_done_then(pair, tiny, preset):
    record = quick(pair, tiny, steps=2).settings
    old = {name: value for name, value in record.items() if name not in BEFORE}
    options = options_from(old)
    grid = {"grid_size": 16, "grid_depth": 8, "smoothness": 300.0, "guide": "luminance"}
    places = {"regions": None, "keep_faces": False, "begin_at": None, "settle": 0.0}
    places |= {"strokes": "both", "style_mix_fine": None}
    then = {"edges": "zeros", "average": 0.0, "scale_factor": 2.0, **grid, **places}
    assert {name: options[name] for name in then} == then == BEFORE
    settings = quick(pair, tiny, preset=preset, **options).settings
    expected = {**BEFORE, "edges": tiny.edges}  # a network that is given has edges of its own
    assert {name: settings[name] for name in BEFORE} == expected


def test_the_network_has_the_edges_of_the_settings(pair, monkeypatch):
    asked = []
    monkeypatch.setattr(
        builder, "load_vgg19", lambda *names, edges: asked.append(edges) or VGG19("random",
        channels=TINY, device="cpu", edges=edges),
    )  # fmt: skip
    pair = [image.float() for image in pair]
    for edges in EDGES:
        assert stylize(*pair, steps=1, edges=edges).settings["edges"] == edges
    assert asked == list(EDGES)


def test_a_sum_of_statistics_can_be_written_down():
    kernel = {"sum": [[1.0, Gaussian(0.5)], [2.0, "gram"]]}
    settings = replace(PRESETS["default"], kernel=kernel)
    assert get_kernel(json.loads(json.dumps(settings.as_dict()))["kernel"]) == get_kernel(kernel)


# --- names of version 0.1.0 -----------------------------------------------------------------------

OLD = {"weights": "random", "parameters": "pixel", "history": 7}


def test_options_by_their_old_names_still_count_and_say_what_they_are_called_now(pair, tiny):
    with pytest.warns(DeprecationWarning, match="is now called") as warned:
        old = quick(pair, tiny, steps=3, **OLD)
    said = {str(w.message) for w in warned if w.category is DeprecationWarning}
    assert said >= {
        "weights is now called vgg_weights",
        "parameters is now called parametrization",
        "history is now called lbfgs_pairs",
    }
    new = quick(pair, tiny, steps=3, vgg_weights="random", parametrization="pixel", lbfgs_pairs=7)
    assert torch.equal(old.image, new.image)
    assert old.settings["lbfgs_pairs"] == 7
    with pytest.raises(ValueError, match="history is now called lbfgs_pairs; give only"):
        quick(pair, tiny, steps=1, history=3, lbfgs_pairs=3)


def test_a_record_of_version_0_1_0_is_read():
    record = {**Settings().as_dict(), "weights": "original", "parameters": "pixel", "history": 7}
    for name in ("vgg_weights", "parametrization", "lbfgs_pairs"):
        del record[name]
    options = options_from(record)
    assert options["vgg_weights"] == "original"
    assert options["parametrization"] == "pixel"
    assert options["lbfgs_pairs"] == 7
    assert not {"weights", "parameters", "history"} & set(options)


def test_settings_are_checked_when_made_and_can_be_compared():
    assert Settings() == Settings() == PRESETS["default"]
    assert Settings(style_weight=3) != Settings()
    with pytest.raises(
        ValueError, match="color must be one of style, luminance, match, histogram; got 'red'"
    ):
        Settings(color="red")
    with pytest.raises(ValueError, match="lbfgs_pairs must be at most 1000, got 10000000"):
        Settings(lbfgs_pairs=10**7)
    with pytest.raises(ValueError, match="start must be a picture or one of content, noise"):
        Settings(start=torch.zeros(1, 3, 20, 20))


class Median:
    """The user's own idea of style, as far as it is written."""

    additive = False

    def statistic(self, features, mask=None):
        return features.median()

    def distance(self, x, y):
        return (x - y).square()

    def magnitude(self, y):
        return y.square()

    def fitted(self, target):
        return self


def test_an_incomplete_statistic_is_refused_before_any_work(pair, tiny):
    with pytest.raises(ValueError, match="it lacks contribution; see kernels.Statistic"):
        quick(pair, tiny, steps=1, kernel=Median())
    assert get_kernel({"sum": [[1.0, "gram"]]}).additive


def test_the_style_weight_goes_along_with_the_kernel_unless_it_is_given():
    """`kernel="gram"` alone is the preset gram, but for its number of evaluations."""
    ours, gram = get_preset("default"), get_preset("gram")
    alone = settings_from("default", {"kernel": "gram"})
    assert replace(alone, source=gram.source, steps=gram.steps) == gram
    for kernel in ("distribution", {"name": "distribution"}, get_kernel("distribution")):
        assert settings_from("default", {"kernel": kernel}).style_weight == ours.style_weight
    for kernel in ("gaussian", dict.fromkeys(ours.style_layers, "bn")):
        assert settings_from("default", {"kernel": kernel}).style_weight == gram.style_weight
    given = {"kernel": "gram", "style_weight": 2.0}
    assert settings_from("default", given).style_weight == 2.0
    assert settings_from("default", {"kernel": "gram", "balance": "gradient"}).style_weight == 1.0
    assert settings_from("gatys2016", {"kernel": "bn"}).style_weight == 1.0


def test_the_default_kernel_is_the_gaussian_with_half_as_much_of_bn_statistics():
    features = torch.rand(1, 4, 6, 6, generator=torch.Generator().manual_seed(0))
    other = features.flip(1) * 0.7
    fitted, target = fit("distribution", features)
    expected = 0.0
    for weight, name in ((1.0, "gaussian"), (0.5, "bn")):
        kernel, y = fit(name, features)
        part = kernel.distance(kernel.statistic(other), y) / kernel.magnitude(y)
        expected += weight * float(part)
    found = float(fitted.distance(fitted.statistic(other), target))
    assert found == pytest.approx(expected, rel=1e-5)
    assert float(fitted.magnitude(target)) == pytest.approx(1.5, rel=1e-6)
