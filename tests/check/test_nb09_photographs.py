import pytest
import torch

from nst_tutorial import check
from nst_tutorial.images.color import keep_luminance, luminance, match_color
from nst_tutorial.kernels.moments import gram_matrix


def pixels(image):
    return image[0].flatten(1)


def moments(image):
    F = pixels(image)
    centred = F - F.mean(1, keepdim=True)
    return F.mean(1), centred @ centred.T / F.shape[1]


def not_centred(image):
    F = pixels(image)
    return F.mean(1), F @ F.T / F.shape[1]


def one_less(image):
    F = pixels(image)
    return F.mean(1), torch.cov(F)


def summed(image):
    mean, covariance = moments(image)
    return mean, covariance * image[0, 0].numel()


def deviations(image):
    mean, covariance = moments(image)
    return mean, covariance.abs().sqrt() * covariance.sign()


def mean_of_rows(image):
    return image.mean(dim=(0, 1, 3))[:3], moments(image)[1]


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


def clamped(image, colors):
    return (luminance(image) + colors - luminance(colors)).clamp(0, 1)


def not_clamped(image, colors):
    return luminance(image) + colors - luminance(colors)


def one_factor(image, colors):
    Y, chroma = luminance(image), colors - luminance(colors)
    room = torch.where(chroma > 0, 1 - Y, Y) / chroma.abs()
    return Y + room.min().clamp(max=1) * chroma


def too_careful(image, colors):
    Y, chroma = luminance(image), colors - luminance(colors)
    room = torch.where(chroma > 0, 1 - Y, Y) / chroma.abs().clamp(min=1e-12)
    t = room.amin(1, keepdim=True)
    return Y + torch.where(t < 1, 0.5 * t, 1) * chroma


def mean_for_luminance(image, colors):
    return image.mean(1, keepdim=True) + colors - colors.mean(1, keepdim=True)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("color_moments", moments),
        ("matched_colors", by_cholesky),
        ("matched_colors", match_color),
        ("matched_colors", lambda s, c: match_color(s, c, "pca")),
        ("guided_gram", guided),
        ("guided_gram", lambda F, mask: gram_matrix(F, mask)[0]),
        ("kept_luminance", keep_luminance),
    ],
)
def test_right_answers_are_right(capsys, name, answer):
    getattr(check, name)(answer)
    assert capsys.readouterr().out.startswith("✔ right: ")


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("color_moments", not_centred, "does not vary"),
        ("color_moments", one_less, "the same picture twice"),
        ("color_moments", summed, "the same picture twice"),
        ("color_moments", deviations, "4 times as large"),
        ("color_moments", mean_of_rows, "the mean is not that of each channel"),
        ("color_moments", lambda image: moments(image)[1], "should return two things"),
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
        ("kept_luminance", clamped, "luminance is not the image's everywhere"),
        ("kept_luminance", not_clamped, "values outside 0..1"),
        ("kept_luminance", one_factor, "pixels that fit have lost"),
        ("kept_luminance", too_careful, "more of their colour than they must"),
        ("kept_luminance", mean_for_luminance, "it should be grey"),
        ("kept_luminance", lambda image, colors: colors, "it should be grey"),
    ],
)
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    getattr(check, name)(answer)
    assert hint in capsys.readouterr().out
