import pytest
import torch

from nst_tutorial import check
from nst_tutorial.images.color import match_color
from nst_tutorial.kernels.moments import gram_matrix
from nst_tutorial.looks.grid import apply_grid


def pixels(image):
    return image[0].flatten(1)


def moments(image):
    F = pixels(image)
    centred = F - F.mean(1, keepdim=True)
    return F.mean(1), centred @ centred.T / F.shape[1]


def with_map(A, style, content):
    (mean_s, cov_s), (mean_c, cov_c) = moments(style), moments(content)
    moved = A(cov_s, cov_c) @ (pixels(style) - mean_s[:, None]) + mean_c[:, None]
    return moved.reshape(style.shape)


def by_cholesky(style, content):
    def A(cov_s, cov_c):
        L = torch.linalg.cholesky
        return L(cov_c) @ torch.linalg.inv(L(cov_s))

    return with_map(A, style, content)


def only_gains(style, content):
    def A(cov_s, cov_c):
        return torch.diag((cov_c.diagonal() / cov_s.diagonal()).sqrt())

    return with_map(A, style, content)


def only_mean(style, content):
    return with_map(lambda s, c: torch.eye(3), style, content)


def other_way_round(style, content):
    def A(cov_s, cov_c):
        L = torch.linalg.cholesky
        return torch.linalg.inv(L(cov_c)) @ L(cov_s)

    return with_map(A, style, content)


def mean_forgotten(style, content):
    return by_cholesky(style, content) - moments(content)[0].view(1, 3, 1, 1)


def turned(style, content):
    def A(cov_s, cov_c):
        L, turn = torch.linalg.cholesky, torch.eye(3)[[1, 2, 0]]
        return L(cov_c) @ turn @ torch.linalg.inv(L(cov_s))

    return with_map(A, style, content)


def guided(F, mask):
    F, T = F[0].flatten(1), mask.flatten()
    return (F * T) @ F.T / T.sum()


def squared(F, mask):
    F, T = F[0].flatten(1), mask.flatten()
    return (F * T) @ (F * T).T / T.square().sum()


def by_all_positions(F, mask):
    return guided(F, mask) * mask.mean()


def mask_ignored(F, mask):
    return gram_matrix(F)[0]


def not_divided(F, mask):
    F, T = F[0].flatten(1), mask.flatten()
    return (F * T) @ F.T


def hard(F, mask):
    return guided(F, (mask >= 0.5).float())


def sliced(maps, picture, guide):
    place = (guide[0, 0] * len(maps) - 0.5).clamp(0, len(maps) - 1)
    weights = (1 - (place[..., None] - torch.arange(len(maps))).abs()).clamp(min=0)  # (H, W, D)
    return mapped(weights, maps, picture)


def extrapolated(maps, picture, guide):
    place = guide[0, 0] * len(maps) - 0.5
    low = place.floor().clamp(0, len(maps) - 2)
    share = (place - low)[..., None]
    one, other = (torch.nn.functional.one_hot((low + k).long(), len(maps)) for k in (0, 1))
    return mapped((1 - share) * one + share * other, maps, picture)


def mapped(weights, maps, picture):
    A = torch.einsum("hwd,doj->hwoj", weights, maps)
    ones = torch.ones_like(picture[:, :1])
    return torch.einsum("hwoj,njhw->nohw", A, torch.cat([picture, ones], dim=1))


def by_apply_grid(maps, picture, guide):
    return apply_grid(maps.permute(1, 2, 0).reshape(1, 12, len(maps), 1, 1), picture, guide)


def nearest_bin(maps, picture, guide):
    bins = (guide * len(maps)).long().clamp(max=len(maps) - 1)
    return sliced(maps, picture, (bins + 0.5) / len(maps))


def no_offset(maps, picture, guide):
    return sliced(torch.cat([maps[..., :3], torch.zeros(len(maps), 3, 1)], 2), picture, guide)


def centres_at_the_ends(maps, picture, guide):
    return sliced(maps, picture, (guide * (len(maps) - 1) + 0.5) / len(maps))


def one_guide(maps, picture, guide):
    return sliced(maps, picture, guide.mean().expand_as(guide))


def rows(image):
    return image[0].flatten(1).T


def least_squares(content, target):
    X = torch.cat([rows(content), torch.ones(rows(content).shape[0], 1)], dim=1)
    return torch.linalg.lstsq(X, rows(target)).solution.T


def without_offset(content, target):
    A = torch.linalg.lstsq(rows(content), rows(target)).solution.T
    return torch.cat([A, torch.zeros(3, 1)], dim=1)


def by_moments(content, target):
    """The same mean and covariance, but not the nearest picture."""
    moved = match_color(content, target)
    return least_squares(content, moved)


def gains(content, target):
    centred = [rows(x) - rows(x).mean(0) for x in (content, target)]
    gain = (centred[0] * centred[1]).sum(0) / centred[0].square().sum(0)
    offset = rows(target).mean(0) - gain * rows(content).mean(0)
    return torch.cat([torch.diag(gain), offset[:, None]], dim=1)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("matched_colors", by_cholesky),
        ("matched_colors", match_color),
        ("matched_colors", lambda s, c: match_color(s, c, "pca")),
        ("guided_gram", guided),
        ("guided_gram", lambda F, mask: gram_matrix(F, mask)[0]),
        ("sliced_maps", sliced),
        ("sliced_maps", by_apply_grid),
        ("fitted_map", least_squares),
    ],
)
def test_right_answers_are_right(capsys, name, answer):
    getattr(check, name)(answer)
    assert capsys.readouterr().out.startswith("✔ right: ")


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("matched_colors", only_gains, "not vary *together*"),
        ("matched_colors", only_mean, "variances of red, green and blue"),
        ("matched_colors", other_way_round, "variances of red, green and blue"),
        ("matched_colors", mean_forgotten, "the mean colour is not"),
        ("matched_colors", turned, "stay as it is"),
        ("matched_colors", lambda style, content: style, "comes back as it was"),
        ("guided_gram", squared, "should count half as much"),
        ("guided_gram", by_all_positions, "positions *inside*"),
        ("guided_gram", mask_ignored, "should not matter"),
        ("guided_gram", not_divided, "plain Gram matrix"),
        ("guided_gram", hard, "weaker everywhere"),
        ("sliced_maps", lambda maps, picture, guide: 2 * sliced(maps, picture, guide), "(1 | 0)"),
        ("sliced_maps", no_offset, "the guide should not matter"),
        ("sliced_maps", centres_at_the_ends, "at the centre of a bin"),
        ("sliced_maps", extrapolated, "beyond the outermost centres"),
        ("sliced_maps", nearest_bin, "should count ¾ and ¼"),
        ("sliced_maps", one_guide, "its own place in the guide"),
        ("fitted_map", lambda *pair: least_squares(*pair[::-1]), "should give that map back"),
        ("fitted_map", lambda content, target: 2 * torch.eye(3, 4), "(1 | 0)"),
        ("fitted_map", without_offset, "should give that map back"),
        ("fitted_map", by_moments, "should give that map back"),
        ("fitted_map", gains, "should give that map back"),
    ],
)
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    getattr(check, name)(answer)
    assert hint in capsys.readouterr().out
