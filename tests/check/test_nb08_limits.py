import pytest
import torch

from nst_tutorial import check


def corners(x):
    return x[:-1, :-1], x[:-1, 1:], x[1:, :-1], x[1:, 1:]


def differences(x):
    a, b, c, d = corners(x)
    return a - b - c + d


def level(x):
    return (differences(x) / 2).abs().median() / 0.6745


def not_halved(x):
    return differences(x).abs().median() / 0.6745


def plain_median(x):
    return (differences(x) / 2).abs().median()


def mean_square(x):
    return (differences(x) / 2).square().mean().sqrt()


def other_signs(x):
    a, b, c, d = corners(x)
    return ((a + b - c - d) / 2).abs().median() / 0.6745


def whole_spread(x):
    return x.std(correction=0)


def matrix(n):
    D = torch.eye(n).double().diff(dim=0)
    return D.T @ D


def poisson(r, c, strength):
    L = matrix(len(r))
    return torch.linalg.solve(torch.eye(len(r)).double() + strength * L, r + strength * L @ c)


def mixed_values(r, c, strength):
    return (r + strength * c) / (1 + strength)


def always_colours(r, c, strength):
    return r


def circular(r, c, strength):
    L = 2 * torch.eye(len(r)).double()
    L = L - torch.eye(len(r)).double().roll(1, 0) - torch.eye(len(r)).double().roll(-1, 0)
    return torch.linalg.solve(torch.eye(len(r)).double() + strength * L, r + strength * L @ c)


def fixed_end(r, c, strength):
    L = matrix(len(r))
    L[0, 0] = 2.0
    return torch.linalg.solve(torch.eye(len(r)).double() + strength * L, r + strength * L @ c)


def half_strength(r, c, strength):
    return poisson(r, c, strength / 2)


def overhead(tile, margin):
    return ((tile + 2 * margin) / tile) ** 2


def assembled(shape, blocks):
    gradient = torch.zeros(shape)
    for rows, columns, block in blocks:
        gradient[rows, columns] += block
    return gradient


def last_wins(shape, blocks):
    gradient = torch.zeros(shape)
    for rows, columns, block in blocks:
        gradient[rows, columns] = block
    return gradient


def mean_of_blocks(shape, blocks):
    count = torch.zeros(shape)
    for rows, columns, _ in blocks:
        count[rows, columns] += 1
    return assembled(shape, blocks) / count


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("noise_level", level),
        ("screened_poisson", poisson),
        ("overhead", overhead),
        ("assemble", assembled),
    ],
)
def test_right_answers(capsys, name, answer):
    getattr(check, name)(answer)
    assert capsys.readouterr().out.startswith("✔ right")
    getattr(check, name)(lambda *arguments: ...)
    assert capsys.readouterr().out.startswith("not yet")


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("noise_level", not_halved, "four values of noise add up"),
        ("noise_level", plain_median, "0.6745 for normal noise"),
        ("noise_level", mean_square, "one strong line"),
        ("noise_level", other_signs, "a ramp has no noise"),
        ("noise_level", whole_spread, "a ramp has no noise"),
        ("noise_level", lambda x: torch.tensor(1.0), "no noise"),
        ("screened_poisson", mixed_values, "the values of r and the differences of c"),
        ("screened_poisson", always_colours, "not the minimum"),
        ("screened_poisson", circular, "not the minimum"),
        ("screened_poisson", fixed_end, "the mean of u should be that of r"),
        ("screened_poisson", half_strength, "not the minimum"),
        ("overhead", lambda t, m: (t + 2 * m) / t, "the ratio of two sides"),
        ("overhead", lambda t, m: ((t + m) / t) ** 2, "both sides of the tile"),
        ("overhead", lambda t, m: 1.0, "seen as 672 × 672"),
        ("overhead", lambda t, m: (2 * m / t) ** 2, "without a margin"),
        ("assemble", last_wins, "wiped out the others"),
        ("assemble", mean_of_blocks, "sum, not mean"),
        ("assemble", lambda shape, blocks: torch.zeros(shape), "only one block lies"),
    ],
)
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    getattr(check, name)(answer)
    assert hint in capsys.readouterr().out
