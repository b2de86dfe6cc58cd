import pytest
import torch
from tensors import features, relative

from nst_tutorial.kernels.moments import gram_matrix
from nst_tutorial.widgets import gram_explorer
from nst_tutorial.widgets.explorers.style_gram import ALONE, BLUR, DEEDS, MASK, SHUFFLE, treat

F = features(1, 5, 8, 6).abs()


def gram_of(deed, amount):
    return gram_matrix(*treat(F, deed, amount))[0]


G = gram_matrix(F)[0]


@pytest.mark.parametrize("deed", DEEDS)
def test_nothing_done_changes_nothing(deed):
    changed, mask = treat(F, deed, 0.0)
    assert changed is F
    assert mask is None


def test_shuffled_vectors_have_the_same_gram_matrix_and_another_map():
    for amount in (0.25, 0.75):
        changed, _ = treat(F, SHUFFLE, amount)
        torch.testing.assert_close(gram_of(SHUFFLE, amount), G, rtol=1e-12, atol=1e-12)
        moved = (changed != F).any(dim=1).sum()
        assert 0 < moved <= round(amount * 48)
        before, after = F.flatten(2)[0].T.tolist(), changed.flatten(2)[0].T.tolist()
        assert sorted(before) == sorted(after)  # the same vectors, elsewhere


def test_channels_shuffled_alone_keep_their_strength_and_lose_their_friends():
    H = gram_of(ALONE, 0.75)
    torch.testing.assert_close(H.diagonal(), G.diagonal())
    assert relative(H, G) > 1e-3
    changed, _ = treat(F, ALONE, 0.75)
    assert torch.equal(changed.flatten(2).sort(dim=2).values, F.flatten(2).sort(dim=2).values)


@pytest.mark.parametrize("amount", [0.25, 0.5])
def test_a_gram_matrix_is_the_weighted_mean_of_its_parts(amount):
    changed, mask = treat(F, MASK, amount)
    assert changed is F
    share = float(mask.mean())
    assert share == pytest.approx(1 - amount)
    hidden = gram_matrix(F, 1 - mask)[0]
    torch.testing.assert_close(share * gram_of(MASK, amount) + (1 - share) * hidden, G)


def test_blurring_keeps_each_mean_and_weakens_the_squares():
    strengths = [float(G.trace())]
    for amount in (0.25, 0.5, 0.75):
        changed, _ = treat(F, BLUR, amount)
        torch.testing.assert_close(changed.mean(dim=(2, 3)), F.mean(dim=(2, 3)))
        strengths.append(float(gram_of(BLUR, amount).trace()))
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[0] > strengths[-1]
    mu = F.mean(dim=(2, 3))[0]
    assert strengths[-1] > float(mu @ mu)  # Jensen: the mean of squares, the square of means


@pytest.mark.parametrize("amount", [-0.1, 1.0, float("nan")])
def test_amounts_out_of_range_are_refused(amount):
    with pytest.raises(ValueError, match="the amount must be"):
        treat(F, MASK, amount)


@pytest.fixture
def explorer(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE", str(tmp_path))
    return gram_explorer("starry_night", 96, tiny, side=32, steps=4)


def shown(explorer):
    assert explorer.error is None, explorer.words.value
    return [picture.light for picture in explorer.pictures]


def test_the_explorer_shows_what_the_matrix_minds(explorer):
    deed, amount = explorer.controls["deed"], explorer.controls["amount"]
    deed.value, amount.value = SHUFFLE, 0.0
    maps, matrices, textures = shown(explorer)
    amount.value = 0.75
    shuffled = shown(explorer)
    assert "the same G, so the same texture" in explorer.words.value
    assert shuffled[0] != maps
    assert shuffled[2] == textures
    for other in (ALONE, MASK, BLUR):
        deed.value = other
        changed = shown(explorer)
        assert "the same G" not in explorer.words.value
        assert changed[1] != matrices
        assert changed[2] != textures


def test_the_layer_chooses_what_is_looked_at_and_not_the_texture(explorer):
    explorer.controls["deed"].value = MASK
    explorer.controls["layer"].value = "relu2_1"
    before = shown(explorer)
    explorer.controls["layer"].value = "relu4_1"
    after = shown(explorer)
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert before[2] == after[2]
    with pytest.raises(FileNotFoundError, match="no such picture"):
        gram_explorer("no_such_style")
