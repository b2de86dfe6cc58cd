"""Training a decoder: the losses by hand, what it learns, going on after an interruption."""

import numpy as np
import pytest
import torch
from PIL import Image
from runs import TINY
from tensors import relative

from nst_tutorial.learning.stream import PictureStream
from nst_tutorial.one_pass.decoder import Decoder
from nst_tutorial.one_pass.training import (
    losses,
    moved,
    relative_error,
    statistics_of,
    train_decoder,
)
from nst_tutorial.one_pass.views import draw_styles, recolored
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
    return Decoder(layer=LAYER, channels=TINY[:2], width=12, **options)


def test_it_learns_to_invert_features(streams):
    """Of photographs that it has not seen; with a first layer that forgets nothing."""
    model = VGG19("random", channels=(12, 24, 8, 8, 8), device="cpu").double()
    decoder = Decoder(layer=LAYER, channels=[12, 24], width=16)
    learnt = train_decoder(
        decoder, *streams, steps=100, model=model, batch=2, learning_rate=0.003, decay=0.9
    )
    unseen = streams[0].batch(6, np.random.default_rng(12345)).double()
    with torch.no_grad():
        error = (decoder(model(unseen, list(decoder.layers))) - unseen).square().mean()
    spread = (unseen - unseen.mean(dim=(2, 3), keepdim=True)).square().mean()
    assert error < 0.6 * spread
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
    layers = ["relu1_1", LAYER]
    images = torch.rand(3, 3, 12, 12).double() * 1.5 - 0.2
    own = torch.rand(1, 3, 12, 12).double()
    seen = model(images[:2], layers)
    t = {layer: torch.rand_like(seen[layer]) for layer in layers}
    style = model(torch.rand(2, 3, 10, 14).double(), layers)
    found = losses(seen, t, style, images, own)
    by_hand = 0.0
    for layer in layers:
        for i in range(2):
            x, y = (f[layer][i].flatten(1) for f in (seen, style))
            pairs = [(x.mean(dim=1), y.mean(dim=1))]
            pairs += [tuple((f.var(dim=1, correction=0) + 1e-5).sqrt() for f in (x, y))]
            pairs += [tuple(f @ f.T / f.shape[1] for f in (x, y))]
            for a, b in pairs:
                by_hand += float((a - b).square().sum() / b.square().sum()) / 2 / 2
    assert float(found["style"]) == pytest.approx(by_hand)
    errors = [
        float((seen[LAYER][i] - t[LAYER][i]).square().sum() / t[LAYER][i].square().sum())
        for i in (0, 1)
    ]
    assert float(found["features"]) == pytest.approx(sum(errors) / 2)
    assert float(found["reconstruction"]) == pytest.approx(
        float((images[2:] - own).square().mean())
    )
    outside = (images.clamp(max=0) + (images - 1).clamp(min=0)).square().mean()
    assert float(found["out of range"]) == pytest.approx(float(outside))


def test_a_perfect_decoder_has_no_loss(model):
    """If the pictures have the features asked for, and statistics are those of these."""
    images = torch.rand(3, 3, 16, 16).double()
    seen = model(images[:2], ["relu1_1", LAYER])
    assert all(float(v) < 1e-12 for v in losses(seen, seen, seen, images, images[2:]).values())


@pytest.mark.parametrize("by_wct", [False, True])
def test_features_move_to_the_style_that_stands_beside_them(model, by_wct):
    f, style = (model(torch.rand(2, 3, 24, 24).double() ** p, [LAYER])[LAYER] for p in (1, 3))
    t = moved(f, style, by_wct)
    for i in range(2):
        ours, theirs = (statistics_of(x[i : i + 1]) for x in (t, style))
        assert relative(ours[0], theirs[0]) < 1e-9
        assert relative(ours[1], theirs[1]) < 1e-2  # a channel that is flat gets its ε twice
        alike = relative(ours[2], theirs[2])
        assert alike < 1e-4 if by_wct else alike > 1e-3


def test_relative_errors_do_not_depend_on_units():
    x, y = torch.rand(2, 2, 3, 4, 4).double()
    assert float(relative_error(7 * x, 7 * y)) == pytest.approx(float(relative_error(x, y)))
    assert float(relative_error(torch.zeros_like(y), y)) == 1


def test_styles_are_many_and_the_same_by_the_same_numbers(streams):
    a, b, c = (draw_styles(streams[1:], 5, np.random.default_rng(n)) for n in (1, 1, 2))
    assert a.shape == (5, 3, 32, 32)
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert all(not torch.equal(a[0], other) for other in a[1:])


def test_colours_change_and_edges_stay():
    picture = torch.rand(1, 3, 8, 8) * 0.2 + 0.4
    for seed in range(8):
        other = recolored(picture, np.random.default_rng(seed))
        assert 0 <= other.min() <= other.max() <= 1
        both = torch.cat([picture[0].flatten(1), other[0].flatten(1)])
        alike = torch.corrcoef(both)[:3, 3:].abs()
        assert torch.allclose(alike.max(dim=0).values, torch.ones(3), atol=1e-4)
