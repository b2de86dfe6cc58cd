"""Colour: keep the content's, by painting in luminance alone or by matching the style's first.

Both ways are those of Gatys et al. 2017, "Controlling Perceptual Factors in Neural Style Transfer"
(arXiv 1611.07865, section 5), and of "Preserving Color in Neural Artistic Style Transfer"
(arXiv 1606.05897). Pictures are (1, 3, H, W), sRGB, 0..1; masks (1, 1, H, W), see `transfer.masks`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..checks import check_choice, check_image
from ..presets import COLOR_METHODS

GREY_LEVEL = 1 / 255


def luminance(image: Tensor) -> Tensor:
    """Y = 0.299 R + 0.587 G + 0.114 B, (1, 1, H, W), ITU-R BT.601."""
    from kornia.color import rgb_to_grayscale

    return rgb_to_grayscale(image)


def grey(image: Tensor) -> Tensor:
    """The picture without its colours: its luminance in all three channels."""
    return luminance(image).expand(-1, 3, -1, -1).contiguous()


def keep_luminance(image: Tensor, colors: Tensor) -> Tensor:
    """Return the luminance of `image` in the colours of another picture of the same size.

    Chroma is what is left of a colour without its luminance, c - Y(c); it has none itself. So

        Y(image) + t · (colors - Y(colors)),    0 ≤ t ≤ 1,

    has exactly the luminance of the one and the hue of the other. t is 1 wherever that is a colour
    of the screen; elsewhere it is the largest that is one, pixel by pixel: a blue sky painted
    nearly white keeps its hue and loses some of its strength.

    Raises
    ------
    ValueError
        The two differ in size; one is no picture (1, 3, H, W) of finite values.
    """
    check_image("the picture", image)
    check_image("the picture of colours", colors)
    if image.shape != colors.shape:
        raise ValueError(f"pictures differ in size: {tuple(image.shape)}, {tuple(colors.shape)}")
    Y = luminance(image).clamp(0, 1)
    colors = colors.to(Y)
    chroma = colors - luminance(colors)
    room = torch.where(chroma > 0, 1 - Y, Y)  # up to white, or down to black
    t = (room / chroma.abs().clamp(min=1e-12)).amin(dim=1, keepdim=True).clamp(max=1)
    return (Y + t * chroma).clamp(0, 1)


def match_luminance(
    style: Tensor,
    content: Tensor,
    style_mask: Tensor | None = None,
    content_mask: Tensor | None = None,
) -> Tensor:
    """Return the style in grey, its luminance with the mean and the deviation of the content's.

    (σ_c / σ_s) (Y_s - μ_s) + μ_c, arXiv 1606.05897, section 3.1, cut to 0..1. A style that varies
    by less than a grey level is taken to vary by one.

    Raises
    ------
    ValueError
        One is no picture (1, 3, H, W) of finite values; a mask is empty, or of another size.
    """
    check_image("style", style)
    check_image("content", content)
    Y = luminance(style)
    (mean_s, variance_s), (mean_c, variance_c) = (
        color_statistics(luminance(image), mask)
        for image, mask in ((style, style_mask), (content, content_mask))
    )
    gain = (variance_c[0, 0].sqrt() / variance_s[0, 0].sqrt().clamp(min=GREY_LEVEL)).to(Y)
    return (gain * (Y - mean_s.to(Y)) + mean_c.to(Y)).clamp(0, 1).expand(-1, 3, -1, -1).contiguous()


def match_color(
    style: Tensor,
    content: Tensor,
    method: str = "symmetric",
    style_mask: Tensor | None = None,
    content_mask: Tensor | None = None,
) -> Tensor:
    """Return the style with the mean and the covariance of the content's colours.

    Every pixel s becomes A (s - μ_s) + μ_c with A Σ_s Aᵀ = Σ_c. Many A do that:

        "cholesky"    A = L_c L_s⁻¹, with Σ = L Lᵀ; depends on the order of the channels.
        "pca"         A = Σ_c^½ Σ_s^-½, with the roots from eigenvectors; "image analogies".
        "symmetric"   A = Σ_s^-½ (Σ_s^½ Σ_c Σ_s^½)^½ Σ_s^-½, the one that moves colours least
                      (optimal transport between Gaussians; Pitié & Kokaram 2007).

    The first two are arXiv 1606.05897, section 3.2. Colours along which the style varies by less
    than a grey level, as in a grey picture, are stretched as if it varied by one: its rounding is
    not made into colours. Otherwise the covariances agree exactly.

    With masks, the colours inside one are matched to those inside the other; all of the style is
    mapped.

    >>> import nst_tutorial as nst
    >>> style, content = nst.load_image("starry_night", 64), nst.load_image("temple", 64)
    >>> matched = match_color(style, content)
    >>> torch.allclose(matched.mean((2, 3)), content.mean((2, 3)), atol=1e-5)
    True

    Returns
    -------
    Tensor
        (1, 3, H, W). Values may leave 0..1; cutting them off changes the statistics a little.

    Raises
    ------
    ValueError
        An unknown method; one is no picture (1, 3, H, W) of finite values; a mask is empty, or of
        another size.
    """
    check_choice("the method of matching colours", method, COLOR_METHODS)
    check_image("style", style)
    check_image("content", content)
    mean_s, cov_s = color_statistics(style, style_mask)
    mean_c, cov_c = color_statistics(content, content_mask)
    A = _MAPS[method](_at_least(cov_s, GREY_LEVEL**2), _at_least(cov_c, 1e-10))
    moved = A.to(style) @ (style[0].flatten(1) - mean_s.to(style)[:, None])
    return (moved + mean_c.to(style)[:, None]).reshape(style.shape)


def color_statistics(image: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return mean (C,) and covariance (C, C) of the pixels of (1, C, H, W), in float64."""
    pixels = image[0].detach().flatten(1).cpu().double()
    if mask is not None and mask.shape != (1, 1, *image.shape[2:]):
        shapes = tuple(mask.shape), tuple(image.shape)
        raise ValueError("the mask {} must be of the size of its picture {}".format(*shapes))
    count = torch.ones_like(pixels[0]) if mask is None else mask.flatten().to(pixels)
    if not count.sum() > 0:
        raise ValueError("the mask is empty: no pixel counts")
    share = count / count.sum()
    mean = pixels @ share
    centred = pixels - mean[:, None]
    return mean, (share * centred) @ centred.T


def _at_least(covariance: Tensor, variance: float) -> Tensor:
    """The covariance with no variance below a bound, in any direction."""
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * values.clamp(min=variance)) @ vectors.T


def _root(covariance: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def _cholesky(cov_s: Tensor, cov_c: Tensor) -> Tensor:
    return torch.linalg.cholesky(cov_c) @ torch.linalg.inv(torch.linalg.cholesky(cov_s))


def _pca(cov_s: Tensor, cov_c: Tensor) -> Tensor:
    return _root(cov_c) @ torch.linalg.inv(_root(cov_s))


def _symmetric(cov_s: Tensor, cov_c: Tensor) -> Tensor:
    root = _root(cov_s)
    inverse = torch.linalg.inv(root)
    return inverse @ _root(root @ cov_c @ root) @ inverse


_MAPS = {"symmetric": _symmetric, "pca": _pca, "cholesky": _cholesky}
