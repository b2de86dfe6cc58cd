"""Exercises of notebook 09: colours as statistics, statistics inside a region, maps of colours."""

from __future__ import annotations

import torch
from torch import Tensor

from ..images.color import color_statistics, luminance
from ..looks.grid import apply_grid
from .exercise import ask, close, exercise, expect, features, tensor


@exercise
def matched_colors(answer):
    """(style, content) → the style with the content's mean colour and covariance."""
    style, content = _picture(1), _picture(2, 14, 18) ** 2

    def matched(style: Tensor, content: Tensor) -> Tensor:
        return tensor(ask(answer, style, content), tuple(style.shape), "the matched style")

    result = matched(style, content)
    expect(
        not close(result, style),
        "the style comes back as it was",
        "A (s - mean_s) + mean_c, for all",
    )
    (mean, covariance), (wanted_mean, wanted) = map(color_statistics, (result, content))
    expect(
        float((mean - wanted_mean).abs().max()) < 1e-4,
        "the mean colour is not the content's",
        "take the style's mean away before you multiply by A, and add the content's afterwards",
    )
    expect(
        float((covariance.diagonal() - wanted.diagonal()).abs().max()) < 1e-4,
        "the variances of red, green and blue are not the content's",
        "A must turn the style's covariance into the content's: A Σ_s Aᵀ = Σ_c",
    )
    expect(
        float((covariance - wanted).abs().max()) < 1e-4,
        "each channel varies as the content's does, but they do not vary *together* as there",
        "a gain for each channel is not enough: A = L_c L_s⁻¹ with torch.linalg.cholesky",
    )
    expect(
        close(matched(content, content), content, 1e-3),
        "matched to itself, a picture should stay as it is",
        "the matrix for equal covariances should be the identity",
    )
    return "mean and covariance agree, channel by channel and between them"


@exercise
def guided_gram(answer):
    """(features (1, C, H, W), mask (1, 1, H, W)) → the Gram matrix (C, C) inside the mask."""
    F = features(1, 4, 5, 6)
    mask = torch.zeros(1, 1, 5, 6)
    mask[..., 1:4, 2:] = 1

    def gram(F: Tensor, mask: Tensor) -> Tensor:
        return tensor(ask(answer, F, mask), (4, 4), "the Gram matrix")

    plain = F[0].flatten(1) @ F[0].flatten(1).T / 30
    expect(
        close(gram(F, torch.ones_like(mask)), plain),
        "with a mask of ones it should be the plain Gram matrix, F Fᵀ / M",
        "divide by the sum of the mask: with ones that is the number of positions",
    )
    other = torch.where(mask > 0, F, 9 * torch.ones_like(F))
    expect(
        close(gram(other, mask), gram(F, mask)),
        "features where the mask is 0 should not matter",
        "multiply the features by the mask before, or while, you form the products",
    )
    inside = F[..., 1:4, 2:][0].flatten(1)
    expect(
        close(gram(F, mask), inside @ inside.T / inside.shape[1]),
        "it should be a mean over the positions *inside*",
        "divide by mask.sum(), not by the number of all positions",
    )
    soft = torch.where(mask > 0, mask, 0.5 * torch.ones_like(mask))
    expect(
        close(gram(F, 0.6 * soft), gram(F, soft)),
        "a mask that is weaker everywhere says the same: only shares count",
        "divide by mask.sum()",
    )
    flat, T = F[0].flatten(1), soft.flatten()
    expect(
        close(gram(F, soft), (flat * T) @ flat.T / T.sum()),
        "a position with a mask of one half should count half as much",
        "the product of two features should get the mask once: (F * T) @ F.T, not (F T)(F T)ᵀ",
    )
    return "each position counts as much as the mask says"


@exercise
def sliced_maps(answer):
    """(maps (D, 3, 4), picture, guide (1, 1, H, W)) → the picture (1, 3, H, W), each pixel mapped.

    Of D bins on 0..1, bin k has its centre at (k + ½) / D; between centres maps are interpolated.
    """
    picture, depth = _picture(5), 4
    identity = torch.eye(3, 4).expand(depth, -1, -1)
    some = identity + 0.3 * features(1, depth, 3, 4, seed=6)[0]

    def sliced(maps: Tensor, guide: Tensor) -> Tensor:
        return tensor(ask(answer, maps, picture, guide), tuple(picture.shape), "the picture")

    def by(A: Tensor) -> Tensor:
        return torch.einsum("oj,njhw->nohw", A[:, :3], picture) + A[:, 3].view(1, 3, 1, 1)

    def level(value: float) -> Tensor:
        return torch.full_like(picture[:, :1], value)

    guide = luminance(picture)
    expect(
        close(sliced(identity, guide), picture),
        "maps of no change, (1 | 0) in every bin, should leave the picture as it is",
        "the weights of the bins should sum to 1 at each pixel, and a map is A[:, :3] c + A[:, 3]",
    )
    expect(
        close(sliced(some[:1].expand(depth, -1, -1), guide), by(some[0])),
        "with the same map in every bin the guide should not matter: A[:, :3] c + A[:, 3]",
        "did you add the offset, the fourth column, and multiply from the left?",
    )
    expect(
        close(sliced(some, level(1.5 / depth)), by(some[1])),
        "at the centre of a bin its own map alone should count",
        "bin k has its centre at (k + ½) / D: a guide g lies at g · D - ½ between bins",
    )
    expect(
        close(sliced(some, level(0.0)), by(some[0]))
        and close(sliced(some, level(1.0)), by(some[-1])),
        "beyond the outermost centres the outermost map should go on as it is",
        "clamp the place g · D - ½ to 0..D - 1 before you look for neighbours",
    )
    expect(
        close(sliced(some, level(1.75 / depth)), 0.75 * by(some[1]) + 0.25 * by(some[2])),
        "a quarter of the way from one centre to the next the maps should count ¾ and ¼",
        "the weight of bin k is max(0, 1 - |place - k|): a hat",
    )
    wanted = apply_grid(some.permute(1, 2, 0).reshape(1, 12, depth, 1, 1), picture, guide)
    expect(
        close(sliced(some, guide), wanted),
        "each pixel should be mapped by its own place in the guide",
        "the weights are (H, W, D): one set for each pixel, not one for the picture",
    )
    return "a bilateral grid of one cell: what `apply_grid` does at every position"


@exercise
def fitted_map(answer):
    """(content, target) → A (3, 4), for which A (c, 1) comes nearest to the target."""
    content, target = _picture(7), _picture(8)
    some = torch.eye(3, 4) + 0.3 * features(1, 1, 3, 4, seed=9)[0, 0]

    def fitted(target: Tensor) -> Tensor:
        return tensor(ask(answer, content, target), (3, 4), "the map")

    def by(A: Tensor) -> Tensor:
        return torch.einsum("oj,njhw->nohw", A[:, :3], content) + A[:, 3].view(1, 3, 1, 1)

    expect(
        close(fitted(content), torch.eye(3, 4), 1e-3),
        "from a picture to itself the best map is that of no change, (1 | 0)",
        "X has a row (red, green, blue, 1) for each pixel; lstsq(X, Y) solves X Aᵀ ≈ Y",
    )
    expect(
        close(fitted(by(some)), some, 1e-3),
        "a target that *is* an affine map of the content should give that map back",
        "is your matrix transposed, or the column of ones missing?",
    )
    residual = target - by(fitted(target))
    expect(
        float(residual.mean(dim=(0, 2, 3)).abs().max()) < 1e-4,
        "what is left should have a mean of 0 in each channel: else another offset is nearer",
    )
    left = torch.einsum("nchw,ndhw->cd", residual, content) / content[0, 0].numel()
    expect(
        float(left.abs().max()) < 1e-4,
        "what is left still goes with the content's colours: another matrix is nearer",
        "least squares: torch.linalg.lstsq(X, Y).solution.T",
    )
    return "twelve numbers, and what is left is perpendicular to all that they can do"


def _picture(seed: int, height: int = 12, width: int = 16) -> Tensor:
    """Some picture with channels that vary together."""
    mix = torch.tensor([[1.0, 0.3, 0.0], [0.4, 0.8, 0.2], [0.1, 0.5, 0.9]])
    raw = torch.einsum("ij,njyx->niyx", mix, features(1, 3, height, width, seed=seed))
    return (1.5 * raw).sigmoid()
