import pytest
import torch

from nst_tutorial import check, resize


def only_white(x):
    return (x - 1).clamp(min=0).square().mean()


def absolute(x):
    return (x - x.clamp(0, 1)).abs().mean()


def summed(x):
    return (x - x.clamp(0, 1)).square().sum()


def without_gradient(x):
    return (x - x.clamp(0, 1)).square().mean().item()


def from_grey(x):
    return (x - 0.5).square().mean()


def relative(G, A):
    return (G - A).square().sum() / A.square().sum()


def absolute_style(grams, targets, weights):
    return sum(w * (grams[n] - targets[n]).square().sum() for n, w in weights.items())


def by_the_picture(grams, targets, weights):
    return sum(
        w * (grams[n] - targets[n]).square().sum() / (grams[n].square().sum() + 1e-9)
        for n, w in weights.items()
    )


def unweighted(grams, targets, weights):
    return sum(relative(grams[n], targets[n]) for n in weights)


def mean_of_layers(grams, targets, weights):
    return sum(w * relative(grams[n], targets[n]) for n, w in weights.items()) / sum(
        weights.values()
    )


def fine_to_coarse(size, coarsest):
    found = [size]
    while found[-1] >= 2 * coarsest:
        found.append(found[-1] // 2)
    return found


def too_far(size, coarsest):
    found = [size]
    while found[0] > coarsest:
        found.insert(0, found[0] // 2)
    return found[0:]


def below(size, coarsest):
    return [size // 8, size // 4, size // 2, size]


def not_the_last(size, coarsest):
    found = [size]
    while found[0] > 2 * coarsest:
        found.insert(0, found[0] // 2)
    return found


def only_enlarged(image, small, large):
    return resize(image, large.shape[2:])


def only_large(image, small, large):
    return large


def large_on_top(image, small, large):
    return resize(image, large.shape[2:]) + large


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("out_of_range", only_white, "0.5 below black"),
        ("out_of_range", absolute, "four times as much"),
        ("out_of_range", summed, "side by side"),
        ("out_of_range", without_gradient, "no gradient"),
        ("out_of_range", from_grey, "should cost nothing"),
        ("weighted_style", absolute_style, "exactly 1 away"),
        ("weighted_style", by_the_picture, "exactly 1 away"),
        ("weighted_style", unweighted, "exactly 1 away"),
        ("weighted_style", mean_of_layers, "each layer should count"),
        ("scales", fine_to_coarse, "smallest size comes first"),
        ("scales", below, "below the coarsest size"),
        ("scales", not_the_last, "is 192, 384, 768"),
        ("scales", too_far, "at one size"),
        ("put_back_detail", only_enlarged, "has not come back"),
        ("put_back_detail", only_large, "what is left is the enlarged picture"),
        ("put_back_detail", large_on_top, "should give back the large one"),
    ],
)
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    getattr(check, name)(answer)
    assert hint in capsys.readouterr().out


def test_equal_grams_with_a_loss_that_is_never_zero(capsys):
    check.weighted_style(lambda G, A, w: torch.tensor(1.0))
    assert "should give a loss of 0" in capsys.readouterr().out
