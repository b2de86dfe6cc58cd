"""A picture in the colours of another: their whole distribution, by sliced optimal transport.

Along one axis the transport that moves least sorts: the darkest of the one becomes the darkest of
the other. In three dimensions it is hard, so it is done along three perpendicular axes at a time,
turned anew each time, until the distributions agree along all of them (Pitié, Kokaram & Dahyot
2007, "Automated colour grading using colour distribution transfer"; Bonneel et al. 2015, "Sliced
and Radon Wasserstein barycenters of measures"). Here in CIE Lab, where distances are nearly those
of the eye.

This is colour transfer and nothing else: it knows no textures and no places, but for the masks. A
method that calls itself better has to beat it. Pictures are (1, 3, H, W), sRGB, 0..1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..checks import check_image, check_integer

Array = NDArray[np.float64]

SAMPLES = 2**15
"""Pixels that the map is fitted to, drawn from a larger picture; all others follow it."""

FAINTEST = 1 / 255  # a mask below one grey level is none


def transport_colors(
    picture: Tensor,
    reference: Tensor,
    mask: Tensor | Sequence[Tensor] | None = None,
    reference_mask: Tensor | Sequence[Tensor] | None = None,
    *,
    iterations: int = 20,
    seed: int = 0,
) -> Tensor:
    """Return the picture with the reference's distribution of colours, region by region.

    >>> import nst_tutorial as nst
    >>> photo, evening = nst.load_image("temple", 64), nst.load_image("coffee", 64)
    >>> graded = transport_colors(photo, evening)
    >>> torch.allclose(graded.mean((2, 3)), evening.mean((2, 3)), atol=0.02)
    True

    Parameters
    ----------
    picture, reference
        (1, 3, H, W), sRGB, 0..1; any two sizes. Values outside 0..1 are cut off.
    mask, reference_mask
        Regions: a mask (1, 1, H, W) in 0..1 of each picture, or as many of the one as of the other.
        Colours inside one go to those inside its counterpart, and between regions they blend.
        Outside of all masks nothing changes. None: everywhere.
    iterations
        Turns of the three axes. The first are those of Lab: lightness, green–red, blue–yellow.
    seed
        Of the turns, and of the `SAMPLES` pixels looked at of a larger picture.

    Returns
    -------
    Tensor
        (1, 3, H, W), 0..1, like `picture`.

    Raises
    ------
    ValueError
        No picture; an empty mask, one of another size than its picture, or of values outside 0..1;
        not as many masks of the one picture as of the other.
    """
    check_image("picture", picture)
    check_image("reference", reference)
    iterations = check_integer("iterations", iterations, 1)
    seed = check_integer("seed", seed, 0)
    masks = _masks("mask", mask, picture)
    sources = _masks("reference_mask", reference_mask, reference)
    if len(masks) != len(sources):
        raise ValueError(
            f"mask and reference_mask must be as many; got {len(masks)} and {len(sources)}"
        )
    colors, palette = _lab(picture), _lab(reference)
    moved = np.zeros_like(colors)
    for into, out_of in zip(masks, sources, strict=True):
        inside = into > 0
        graded = sliced_transport(
            colors[inside], into[inside], palette[out_of > 0], out_of[out_of > 0], iterations, seed
        )
        moved[inside] += into[inside, None] * (graded - colors[inside])
    covered = sum(masks)
    moved /= np.maximum(covered, 1)[:, None]  # where masks overlap to more than 1, their mean
    changed = _picture(colors + moved, picture)
    untouched = torch.from_numpy(covered == 0).reshape(1, 1, *picture.shape[2:])
    return torch.where(untouched.to(picture.device), picture.detach().clamp(0, 1), changed)


def sliced_transport(
    x: Array, weights: Array, y: Array, y_weights: Array, iterations: int = 20, seed: int = 0
) -> Array:
    """Return the points x (N, D), moved to where the distribution of y (M, D) has them.

    Both are weighted. Each turn moves every point, along each axis, as the transport along that
    axis does; the cost of the whole comes out near the least there is, and the distribution right.
    """
    generator = np.random.default_rng(seed)
    some, those = _sample(len(x), seed), _sample(len(y), seed)
    w, y, v = weights[some], y[those], y_weights[those]
    x = x.copy()
    for axes in _rotations(x.shape[1], iterations, generator):
        along, targets = x @ axes, y @ axes
        for axis in range(x.shape[1]):
            knots, values = monotone_map(along[some, axis], w, targets[:, axis], v)
            along[:, axis] += np.interp(along[:, axis], knots, values - knots)
        x = along @ axes.T
    return x


def monotone_map(x: Array, weights: Array, y: Array, y_weights: Array) -> tuple[Array, Array]:
    """Return the different values of x (N,), ascending, and where the distribution of y has them.

    A value that holds the levels a..b of the cumulative distribution goes to the mean of the
    quantile function Q of y over them, ∫ₐᵇ Q / (b - a): the barycentre of the optimal plan. Equal
    values stay equal, so a flat sky stays flat; the mean becomes exactly that of y; and of as many
    values as y has, all different, each goes to the one of its rank.
    """
    values, atom = np.unique(x, return_inverse=True)
    levels = _levels(np.bincount(atom.ravel(), weights).astype(float))
    order = np.argsort(y, kind="stable")
    integral = np.concatenate([[0.0], np.cumsum(y[order] * y_weights[order])]) / y_weights.sum()
    means = np.diff(np.interp(levels, _levels(y_weights[order]), integral)) / np.diff(levels)
    return values, means


def _levels(weights: Array) -> Array:
    """Of the cumulative distribution, from 0 to 1, between which each weight lies."""
    total = np.concatenate([[0.0], np.cumsum(weights)])
    return total / total[-1]


def _rotations(size: int, count: int, generator: np.random.Generator) -> Iterator[Array]:
    """Orthogonal matrices: the identity, then uniformly distributed ones."""
    yield np.eye(size)
    for _ in range(count - 1):
        q, r = np.linalg.qr(generator.normal(size=(size, size)))
        yield q * np.sign(np.diag(r))


def _sample(count: int, seed: int) -> NDArray[np.intp] | slice:
    """Which of so many points are looked at: of two clouds alike, the same."""
    if count <= SAMPLES:
        return slice(None)
    return np.random.default_rng(seed).choice(count, SAMPLES, replace=False, shuffle=False)


def _masks(name: str, masks: object, picture: Tensor) -> list[Array]:
    """The weight of each pixel, (H · W,), in each region."""
    if masks is None:
        return [np.ones(picture.shape[2] * picture.shape[3])]
    each: list[object] = list(masks) if isinstance(masks, list | tuple) else [masks]
    if not each:
        raise ValueError(f"{name} must be a mask or several; there is none")
    return [_weights(name, mask, picture) for mask in each]


def _weights(name: str, mask: object, picture: Tensor) -> Array:
    """A mask as the weight of each pixel, or a ValueError: 0, or at least `FAINTEST`."""
    if not isinstance(mask, Tensor) or mask.shape != (1, 1, *picture.shape[2:]):
        shape = tuple(mask.shape) if isinstance(mask, Tensor) else type(mask).__name__
        raise ValueError(
            f"{name} must be (1, 1, {picture.shape[2]}, {picture.shape[3]}), of the size of its "
            f"picture; got {shape}"
        )
    if not ((mask >= 0) & (mask <= 1)).all():
        raise ValueError(f"{name} must have values in 0..1")
    if not (mask >= FAINTEST).any():
        raise ValueError(f"{name} is empty: no pixel counts")
    weights = mask.detach().cpu().double().flatten()
    return torch.where(weights < FAINTEST, 0.0, weights).numpy()


def _lab(image: Tensor) -> Array:
    """sRGB (1, 3, H, W) → CIE Lab (H · W, 3): lightness 0..100, two axes of hue about ±100."""
    from kornia.color import rgb_to_lab

    lab = rgb_to_lab(image.detach().cpu().double().clamp(0, 1))
    return np.ascontiguousarray(lab[0].flatten(1).T.numpy())


def _picture(lab: Array, like: Tensor) -> Tensor:
    from kornia.color import lab_to_rgb

    colors = torch.from_numpy(np.ascontiguousarray(lab.T)).reshape(1, 3, *like.shape[2:])
    return lab_to_rgb(colors).clamp(0, 1).to(like)
