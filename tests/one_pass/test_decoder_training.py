"""Training a decoder: the losses by hand, what it learns, going on after an interruption."""

import numpy as np
import pytest
import torch
from PIL import Image
from runs import TINY
from tensors import relative

from nst_tutorial.learning.stream import PictureStream
from nst_tutorial.one_pass.decoder import Decoder
from nst_tutorial.one_pass.statistics import adain, mean_and_deviation
from nst_tutorial.one_pass.training import losses, relative_error, train_decoder
from nst_tutorial.one_pass.views import StyleViews, recolored
from nst_tutorial.vgg.network import VGG19

LAYER = "relu2_1"


@pytest.fixture(scope="module")
def model():
    return VGG19("random", channels=TINY, device="cpu").double()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Soft blobs as photographs, stripes as styles."""
    root, numbers = tmp_path_factory.mktemp("learn"), np.random.default_rng(0)
    for kind in ("photos", "styles"):
        (root / kind).mkdir()
        for i in range(4):
            coarse = numbers.uniform(0, 255, (5, 5, 3)).astype(np.uint8)
            if kind == "styles":
                coarse = np.repeat(numbers.uniform(0, 255, (1, 12, 3)), 12, 0).astype(np.uint8)
            size, way = (64, 56), Image.Resampling.BICUBIC
            Image.fromarray(coarse).resize(size, way).save(root / kind / f"{i}.png")
    return root


@pytest.fixture
def streams(folders):
    photographs = PictureStream(folders / "photos", 32, sides=(40, 64))
    return photographs, PictureStream(folders / "styles", 32, sides=(40, 64), grey=True)


def small(**options):
    return Decoder(layer=LAYER, channels=TINY[1], width=12, **options)


def best_linear_decoding(features, pictures):
    """How far the best linear map of each position's features is from its pixels' means."""
    means = torch.nn.functional.avg_pool2d(pictures, 2).permute(0, 2, 3, 1).flatten(0, 2)
    known = features.permute(0, 2, 3, 1).flatten(0, 2)
    known = torch.cat([known, torch.ones_like(known[:, :1])], dim=1)
    return (known @ torch.linalg.lstsq(known, means).solution - means).square().mean()


def test_it_learns_to_invert_features(streams):
    """Of photographs that it has not seen. How much can be known, a linear decoder tells."""
    model = VGG19("random", channels=(12, 24, 8, 8, 8), device="cpu").double()
    decoder = Decoder(layer=LAYER, channels=24, width=16)
    learnt = train_decoder(
        decoder, *streams, steps=100, model=model, batch=2, learning_rate=0.006, decay=0.9
    )
    unseen = streams[0].batch(6, np.random.default_rng(12345)).double()
    with torch.no_grad():
        features = model(unseen, [LAYER])[LAYER]
        error = (decoder(features) - unseen).square().mean()
    spread = (unseen - unseen.mean(dim=(2, 3), keepdim=True)).square().mean()
    assert error < 0.6 * spread
    assert error < 1.8 * best_linear_decoding(features, unseen)
    for term in ("features", "style", "reconstruction"):
        values = [row[term] for row in learnt.history]
        assert sum(values[-10:]) < 0.75 * sum(values[:10]), term
    assert decoder.settings["steps"] == 100
    assert decoder.settings["styles"] == 4


def test_resumed_is_uninterrupted(tmp_path, model, streams):
    options = {"steps": 6, "model": model, "batch": 2, "decay": 0.5}
    whole = small()
    train_decoder(whole, *streams, **options)
    path = tmp_path / "run.training"

    def kill(progress):
        if progress.evaluation == 5:
            raise MemoryError

    with pytest.raises(MemoryError):
        train_decoder(small(), *streams, checkpoint=path, checkpoint_every=2, callback=kill,
                      **options)  # fmt: skip
    again = small()
    learnt = train_decoder(again, *streams, checkpoint=path, **options)
    assert len(learnt.history) == 6
    for a, b in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(ValueError, match="seed was 0 and is 1 now"):
        train_decoder(small(), *streams, checkpoint=path, seed=1, **options)


def test_the_losses_by_hand(model):
    t, f = torch.rand(2, TINY[1], 6, 6).double(), torch.rand(1, 3, 12, 12).double()
    images = torch.rand(3, 3, 12, 12).double() * 1.5 - 0.2
    style = {
        name: mean_and_deviation(torch.rand(2, channels, 5, 5).double())
        for name, channels in (("relu1_1", TINY[0]), (LAYER, TINY[1]))
    }
    found = losses(model, images, t, style, LAYER, f)
    seen = model(images[:2], list(style))
    by_hand = 0.0
    for name, (mean, deviation) in style.items():
        for i in range(2):
            m = seen[name][i].mean(dim=(1, 2))
            s = (seen[name][i].flatten(1).var(dim=1, correction=0) + 1e-5).sqrt()
            for a, b in ((m, mean[i].flatten()), (s, deviation[i].flatten())):
                by_hand += float((a - b).square().sum() / b.square().sum()) / 2 / 2
    assert float(found["style"]) == pytest.approx(by_hand)
    errors = [float((seen[LAYER][i] - t[i]).square().sum() / t[i].square().sum()) for i in (0, 1)]
    assert float(found["features"]) == pytest.approx(sum(errors) / 2)
    assert float(found["reconstruction"]) == pytest.approx(float((images[2:] - f).square().mean()))
    outside = (images.clamp(max=0) + (images - 1).clamp(min=0)).square().mean()
    assert float(found["out of range"]) == pytest.approx(float(outside))


def test_a_perfect_decoder_has_no_loss(model):
    """If the pictures have the features asked for, and statistics are those of these."""
    images = torch.rand(3, 3, 16, 16).double()
    seen = model(images[:2], ["relu1_1", LAYER])
    style = {name: mean_and_deviation(features) for name, features in seen.items()}
    t = adain(seen[LAYER], *style[LAYER])
    assert all(
        float(v) < 1e-12 for v in losses(model, images, t, style, LAYER, images[2:]).values()
    )


def test_relative_errors_do_not_depend_on_units():
    x, y = torch.rand(2, 2, 3, 4, 4).double()
    assert float(relative_error(7 * x, 7 * y)) == pytest.approx(float(relative_error(x, y)))
    assert float(relative_error(torch.zeros_like(y), y)) == 1


def test_views_are_many_and_always_the_same(model, streams):
    views = StyleViews(streams[1:], model, ["relu1_1", LAYER], seed=3)
    other = StyleViews(streams[1:], model, ["relu1_1", LAYER], seed=3)
    other.draw(5, np.random.default_rng(1))
    assert torch.equal(views.picture(7), other.picture(7))
    assert not torch.equal(views.picture(7), views.picture(8))
    drawn = views.draw(3, np.random.default_rng(2))
    assert drawn[LAYER][0].shape == (3, TINY[1], 1, 1)
    i = int(np.random.default_rng(2).integers(views.count))
    expected = mean_and_deviation(model(views.picture(i).double(), [LAYER])[LAYER])
    assert relative(drawn[LAYER][1][:1], expected[1]) < 1e-12


def test_colours_change_and_edges_stay():
    picture = torch.rand(1, 3, 8, 8) * 0.2 + 0.4
    for seed in range(8):
        other = recolored(picture, np.random.default_rng(seed))
        assert 0 <= other.min() <= other.max() <= 1
        both = torch.cat([picture[0].flatten(1), other[0].flatten(1)])
        alike = torch.corrcoef(both)[:3, 3:].abs()
        assert torch.allclose(alike.max(dim=0).values, torch.ones(3), atol=1e-4)
