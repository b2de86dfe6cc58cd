import pytest
import torch
from runs import TINY

from nst_tutorial.images.reading import load_image
from nst_tutorial.kernels.gaussian import Gaussian
from nst_tutorial.kernels.registry import fit
from nst_tutorial.transfer.textures import noise, reconstruct, synthesize_texture
from nst_tutorial.vgg.network import VGG19

LAYERS = ("relu1_1", "relu2_1", "relu3_1")


@pytest.fixture(scope="module")
def grain():
    """A picture of diagonal stripes: a texture whose layout is easily told from its statistics."""
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    stripes = torch.sin((x + y) / 3)
    return torch.stack([0.5 + 0.4 * stripes, 0.5 + 0.2 * stripes, 0.6 - 0.3 * stripes])[
        None
    ].double()


def distances(model, kernel, image, style, layers=LAYERS):
    """The kernel's distance at each layer, its bandwidth fitted to the style."""
    ours, theirs = model(image, layers), model(style, layers)
    found = []
    for layer in layers:
        fitted, target = fit(kernel, theirs[layer])
        found.append(float(fitted.distance(fitted.statistic(ours[layer]), target)))
    return found


def test_noise_has_the_moments_of_the_style(grain):
    z = noise((200, 150), 3, grain)
    assert z.shape == (1, 3, 200, 150)
    torch.testing.assert_close(z.mean((2, 3)), grain.mean((2, 3)), atol=0.01, rtol=0)
    torch.testing.assert_close(z.std((2, 3)), grain.std((2, 3)), atol=0.01, rtol=0)
    assert torch.equal(z, noise((200, 150), 3, grain))


EVERY = [
    *["linear", "gram", "bn", "wasserstein", "gaussian", "central_moments", "autocorrelation"],
    "sliced_wasserstein",
    "nearest_neighbours",
    Gaussian(pairs=300),
]


@pytest.mark.parametrize("kernel", EVERY)
def test_texture_lowers_its_own_distance(tiny, grain, kernel):
    start = synthesize_texture(grain, 48, LAYERS, kernel, model=tiny, steps=1)
    found = synthesize_texture(grain, 48, LAYERS, kernel, model=tiny, steps=120)
    before, after = (sum(distances(tiny, kernel, r.image, grain)) for r in (start, found))
    assert after < before / 5


def test_shape_seed_and_record(tiny, grain):
    def run(**options):
        return synthesize_texture(grain, (40, 56), LAYERS, model=tiny, steps=5, **options)

    one, two, other = run(seed=1), run(seed=1), run(seed=2)
    assert one.image.shape == (1, 3, 40, 56)
    assert torch.equal(one.image, two.image)
    assert not torch.equal(one.image, other.image)
    assert one.settings["style_layers"] == dict.fromkeys(LAYERS, 1.0)
    assert one.settings["seed"] == 1
    assert list(one.term_weights) == [f"style {layer}" for layer in LAYERS] + ["out of range"]


def test_balanced_texture(tiny, grain):
    found = synthesize_texture(grain, 48, LAYERS, model=tiny, steps=3, balance="gradient")
    pulls = [found.gradient_norms[n] * w for n, w in found.term_weights.items() if n[:5] == "style"]
    assert len(pulls) == 3
    assert max(pulls) == pytest.approx(min(pulls))


def test_the_grain_stays_the_same_through_the_scales(tiny, monkeypatch):
    """At half the size of the result the style is half as large too."""
    seen = []
    look = VGG19.look
    monkeypatch.setattr(
        VGG19, "look", lambda m, x, n: seen.append(max(x.shape[2:])) or look(m, x, n)
    )
    style = torch.rand(1, 3, 60, 100).double()
    found = synthesize_texture(style, (24, 400), ["relu1_1"], model=tiny, steps=3)
    assert [row["size"] for row in found.history] == [400, 400, 400]  # 24 / 2 is too small
    seen.clear()
    found = synthesize_texture(style, (48, 400), ["relu1_1"], model=tiny, steps=3)
    assert [row["size"] for row in found.history] == [200, 200, 400]
    assert [seen[0], seen[3]] == [50, 100]


def test_pairs_need_room_at_every_scale(vgg):
    style = torch.rand(1, 3, 48, 48)
    pairs = {"name": "gaussian", "estimator": "pairs"}
    found = synthesize_texture(style, 400, ["relu5_1"], pairs, model=vgg, steps=2)
    assert {row["size"] for row in found.history} == {400}
    with pytest.raises(ValueError, match="two positions at least, got 1 of 1×1"):
        synthesize_texture(style[..., :20, :20], 32, ["relu5_1"], pairs, model=vgg, steps=2)


def test_a_tileable_texture_has_no_seam(grain):
    """Across the seam it is as smooth as inside, and rolling it changes no statistic."""
    model = VGG19("random", channels=TINY, pooling="average", device="cpu", padding="circular")
    model = model.double()
    image = synthesize_texture(grain, 48, LAYERS, model=model, tileable=True, steps=80).image

    def seam(picture):
        inside = picture.diff(dim=3).abs().mean()
        return float((picture[..., 0] - picture[..., -1]).abs().mean() / inside)

    assert seam(image) < 1.3
    one, rolled = (model(z, ["relu3_1"])["relu3_1"] for z in (image, image.roll(16, dims=3)))
    torch.testing.assert_close(rolled, one.roll(4, dims=3))


def test_tileable_by_default_takes_a_circular_network():
    style = load_image("stained_glass", 64)
    image = synthesize_texture(
        style, 64, ("relu1_1", "relu2_1"), tileable=True, steps=30, device="cpu"
    ).image
    inside = image.diff(dim=3).abs().mean()
    assert (image[..., 0] - image[..., -1]).abs().mean() < 1.4 * inside


def test_reconstruction_finds_the_features_and_from_a_shallow_layer_the_picture(picture):
    model = VGG19("random", channels=(32, 16, 8, 8, 8), pooling="average", device="cpu").double()
    error = {}
    for layer in ("relu1_1", "relu3_2"):
        found = reconstruct(picture, layer, model=model, steps=200).image
        P, F = (model(image, [layer])[layer] for image in (picture, found))
        assert (F - P).square().sum() < 1e-2 * P.square().sum()
        error[layer] = float((found - picture).square().mean())
    assert error["relu1_1"] < 1e-3
    assert error["relu3_2"] > 10 * error["relu1_1"]  # deep features have forgotten the pixels


def test_reconstruction_depends_on_its_seed_alone(tiny, picture):
    one, same, other = (
        reconstruct(picture, "relu1_1", seed, model=tiny, steps=3).image for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 8}, "size must be a whole number ≥ 16, got 8"),
        ({"size": 48.5}, "size must be a whole number ≥ 16, got 48.5"),
        ({"size": None}, "size must be a whole number ≥ 16, got None"),
        ({"size": (64, 64, 64)}, "size must be one or two"),
        ({"size": 10**6}, "size must be one or two numbers up to 30000"),
        ({"layers": "relu7_1"}, "unknown layer 'relu7_1'"),
        ({"style_scale": 2.0}, "unknown option 'style_scale'"),
        ({"balance": "fair"}, "balance must be one of"),
        ({"layers": ["relu7_1"]}, "unknown layer 'relu7_1'"),
        ({"layers": []}, "at least one layer"),
        ({"kernel": "square"}, "unknown kernel 'square'"),
        ({"steps": -1}, "steps must be"),
        ({"tileable": True}, "needs a model with padding='circular'"),
    ],
)
def test_bad_values_are_named(tiny, grain, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        synthesize_texture(grain, model=tiny, **options)
    with pytest.raises(ValueError, match="unknown layer 'pool6'"):
        reconstruct(grain, "pool6", model=tiny)


# --- the real network on real textures -------------------------------------------------------

STYLES = ("stained_glass", "woodcut_waves", "confetti_dots")
REAL = ("relu1_1", "relu2_1", "relu3_1")


@pytest.fixture(scope="module")
def styles():
    return {name: load_image(name, 128) for name in STYLES}


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("linear", "bn", "wasserstein")]


@pytest.mark.parametrize("kernel", ["gram", "gaussian", *SLOW])
def test_every_kernel_makes_a_texture_nearest_to_its_source(vgg, styles, kernel):
    """Its own distance falls at least 20-fold, and the two other styles are farther away."""
    source = styles["stained_glass"]
    start, end = (
        synthesize_texture(source, 96, REAL, kernel, model=vgg, steps=steps, style_weight=1.0).image
        for steps in (1, 80)
    )
    before, after = (sum(distances(vgg, kernel, image, source, REAL)) for image in (start, end))
    assert after < before / 20
    for name, other in styles.items():
        if name != "stained_glass":
            far = distances(vgg, kernel, end, other, REAL)
            near = distances(vgg, kernel, end, source, REAL)
            assert all(a < b for a, b in zip(near, far, strict=True)), name
