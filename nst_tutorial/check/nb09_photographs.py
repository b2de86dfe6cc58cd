"""Exercises of notebook 09: colours as statistics, luminance, statistics inside a region."""

from __future__ import annotations

import torch
from torch import Tensor

from ..images.color import color_statistics, luminance
from .exercise import Wrong, ask, close, exercise, expect, features, tensor


@exercise
def color_moments(answer):
    """A picture (1, 3, H, W) → the mean (3,) and the covariance (3, 3) of its colours."""
    image = _picture(0)

    def moments(image: Tensor) -> tuple[Tensor, Tensor]:
        result = ask(answer, image)
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise Wrong("your function should return two things: the mean, and the covariance")
        return tensor(result[0], (3,), "the mean"), tensor(result[1], (3, 3), "the covariance")

    mean, covariance = moments(image)
    expect(
        close(mean, image.mean(dim=(0, 2, 3))),
        "the mean is not that of each channel over all pixels",
        "image[0].flatten(1) has a row for each channel: take the mean of each row",
    )
    expect(close(covariance, covariance.T), "a covariance is symmetric, and yours is not")
    flat = torch.full_like(image, 0.7)
    expect(
        float(moments(flat)[1].abs().max()) < 1e-5,
        "a picture of one colour does not vary: its covariance should be 0",
        "take the mean from the pixels before you multiply",
    )
    expect(
        close(moments(image.repeat(1, 1, 2, 1))[1], covariance),
        "the same picture twice, one below the other, has the same colours, so the same covariance",
        "divide by the number of pixels M, not by M - 1, and do not forget to divide",
    )
    expect(
        close(moments(2 * image)[1], 4 * covariance),
        "a picture twice as bright varies twice as much, so its covariance is 4 times as large",
        "multiply the centred pixels by themselves, transposed, and take no root",
    )
    expect(close(covariance, color_statistics(image)[1].float()), "the numbers are still others")
    return "a mean and a covariance: all that linear colour transfer looks at"


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
def kept_luminance(answer):
    """(image, colors) → the luminance of the one in the colours of the other, in 0..1."""
    image, colors = _picture(3), _picture(4)

    def kept(image: Tensor, colors: Tensor) -> Tensor:
        return tensor(ask(answer, image, colors), tuple(image.shape), "the picture")

    grey = luminance(colors).expand(-1, 3, -1, -1)
    expect(
        close(kept(image, grey), luminance(image).expand(-1, 3, -1, -1), 1e-3),
        "in the colours of a grey picture it should be grey, as light and dark as the image",
        "chroma is colors - Y(colors); of a grey picture it is zero",
    )
    middle, weak = 0.4 + 0.2 * image, 0.45 + 0.1 * colors
    expect(
        close(kept(middle, weak), luminance(middle) + weak - luminance(weak), 1e-3),
        "where everything fits into 0..1 it should simply be Y(image) + colors - Y(colors)",
    )
    result = kept(image, colors)
    expect(
        bool((result >= -1e-5).all() and (result <= 1 + 1e-5).all()),
        "there are values outside 0..1, which no screen can show",
        "shrink the chroma of such a pixel by a factor t until it fits",
    )
    expect(
        close(luminance(result), luminance(image), 1e-3),
        "the luminance is not the image's everywhere",
        "do not clamp the sum: clamping one channel changes Y. Shrink the chroma instead",
    )
    chroma, wanted = result - luminance(result), colors - luminance(colors)
    fits = (luminance(image) + wanted).clamp(0, 1) == luminance(image) + wanted
    fits = fits.all(dim=1, keepdim=True).expand_as(wanted)
    expect(
        close(chroma[fits], wanted[fits], 1e-3),
        "pixels that fit have lost some of their colour",
        "t belongs to each pixel, (1, 1, H, W): take the smallest over the channels, not over all",
    )
    edge = torch.minimum(result, 1 - result).amin(dim=1, keepdim=True).expand_as(wanted)[~fits]
    expect(
        float(edge.max()) < 1e-3,
        "pixels that do not fit have lost more of their colour than they must",
        "the largest t: (1 - Y) / chroma where chroma > 0, Y / -chroma where it is < 0, at most 1",
    )
    return "light and dark from the one, hue from the other, and nothing cut off"


def _picture(seed: int, height: int = 12, width: int = 16) -> Tensor:
    """Some picture with channels that vary together."""
    mix = torch.tensor([[1.0, 0.3, 0.0], [0.4, 0.8, 0.2], [0.1, 0.5, 0.9]])
    raw = torch.einsum("ij,njyx->niyx", mix, features(1, 3, height, width, seed=seed))
    return (1.5 * raw).sigmoid()
