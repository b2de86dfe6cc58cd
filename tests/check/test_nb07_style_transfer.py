import pytest
import torch

from nst_tutorial import check, resize


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


def impatient(totals, window, share):
    return totals[-1] >= (1 - share) * totals[-2]


def last_only(totals, window, share):
    return len(totals) > window and totals[-1] > (1 - share) * totals[-1 - window]


def absolute_share(totals, window, share):
    return len(totals) > window and min(totals[-window:]) > min(totals[:-window]) - share


def turned_round(totals, window, share):
    return len(totals) > window and min(totals[-window:]) < (1 - share) * min(totals[:-window])


def one_before(totals, window, share):
    return len(totals) > window and min(totals[-window:]) > (1 - share) * totals[-1 - window]


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("weighted_style", absolute_style, "exactly 1 away"),
        ("weighted_style", by_the_picture, "exactly 1 away"),
        ("weighted_style", unweighted, "exactly 1 away"),
        ("weighted_style", mean_of_layers, "each layer should count"),
        ("scales", fine_to_coarse, "smallest size comes first"),
        ("scales", below, "below the coarsest size"),
        ("scales", not_the_last, "is 192, 384, 768"),
        ("scales", too_far, "at one size"),
        ("should_stop", impatient, "nothing before the window"),
        ("should_stop", last_only, "one bad evaluation"),
        ("should_stop", absolute_share, "the share decides"),
        ("should_stop", turned_round, "without any progress"),
        ("should_stop", one_before, "2.0 was reached long ago"),
        ("should_stop", lambda *a: 1.0, "should be True or False"),
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
