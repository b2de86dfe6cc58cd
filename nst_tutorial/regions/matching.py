"""Regions that two pictures have in common: their VGG19 features, clustered together.

Every position of both pictures is a point: what deep layers see there, a little of its colour, less
of its height. k-means puts the points of both into the same k clusters, so region r of the content
has its counterpart in the style: sky meets sky. (Regions by hand, and what they are good for:
Gatys et al. 2017, arXiv 1611.07865; by a network that segments: Luan et al. 2017, arXiv
1703.07511. This one asks for neither.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..checks import check_integer, check_pictures, warn
from ..images.resizing import resize, shape_of
from ..vgg.layers import stride
from ..vgg.network import VGG19, load_vgg19
from .guided import guided_upsampling, working_shape

LAYERS = ("relu4_1", "relu5_1")
STEP = stride(LAYERS[0])  # pixels from one point to the next
MARGIN = 2 * stride(LAYERS[-1])  # by which pictures are mirrored: the network pads with a grey
COLOR, HEIGHT = 0.5, 0.2  # spread of colour and height beside that of a layer, 1
COMPONENTS = 24  # principal ones, of all features
SMOOTHING = 1.0  # standard deviation in positions, of features and of regions

MOST_REGIONS = 6
"""That regions="auto" looks for."""

LEAST_SHARE = 0.1
"""Of each picture: the smallest region that regions="auto" accepts."""

NOTHING = 0.01  # of a picture: what is smaller than this is not in it
RESTARTS, ROUNDS = 6, 40  # of k-means

Points = NDArray[np.float64]
Labels = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class _Clusters:
    """Centres (k, D), and for each picture the cluster (h, w) of each position."""

    centres: Points
    labels: tuple[Labels, ...]

    @property
    def shares(self) -> NDArray[np.float64]:
        """(pictures, k): the part of each picture that each cluster covers."""
        k = len(self.centres)
        return np.stack([np.bincount(l.ravel(), minlength=k) / l.size for l in self.labels])


def match_regions(
    content: Tensor,
    style: Tensor,
    regions: int | str = "auto",
    *,
    seed: int = 0,
    model: VGG19 | None = None,
) -> tuple[list[Tensor], list[Tensor]]:
    """Return masks of matching regions: (of the content, of the style), as `stylize` takes them.

    `stylize(content, [style] * len(masks), content_masks=…, style_masks=…)` repaints each in the
    style of its counterpart, and so does `stylize(content, style, regions="auto")`. To see them:
    `plots.matched_regions`.

    Parameters
    ----------
    content, style
        (1, 3, H, W), sRGB, 0..1; any two sizes. They are looked at with 256 pixels a side.
    regions
        How many. "auto": the most, from 2 to 6, each of which covers at least a tenth of *both*
        pictures. More regions are always more alike inside, but one without a counterpart has no
        style to take, and a small one no statistics. If not even 2 do, the pictures have nothing to
        tell apart in common, and there is one region: everywhere.
    seed
        Of the first centres of k-means, the best of 6 attempts.
    model
        A network; None: `VGG19()`.

    Returns
    -------
    tuple
        Two lists of as many masks (1, 1, H, W) in 0..1, at the size of their picture, the largest
        region of the content first. Those of the content sum to 1 at each pixel.

    Raises
    ------
    ValueError
        Not a whole number ≥ 1; more regions than positions that differ.

    Warns
    -----
    UserWarning
        A region exists in one picture only. One of the content takes the style of the region most
        like it, by the distance of their centres; one of the style is left out.
    """
    check_pictures({"content": content, "style": style})
    wanted = regions if regions == "auto" else check_integer("regions", regions, 1)
    if wanted == 1:
        return _everywhere(content, style)
    points, shapes = _points((content, style), model or load_vgg19())
    if wanted == "auto":
        clusters = _most_shared(points, shapes, seed)
        if clusters is None:
            warn('regions="auto": the pictures have no regions in common; the style goes everywhere')
            return _everywhere(content, style)
    else:
        clusters = _cluster(points, int(wanted), shapes, seed)
    into, out_of = _counterparts(clusters)
    content_maps, style_maps = (_soft(labels, len(clusters.centres)) for labels in clusters.labels)
    content_masks = guided_upsampling(_merged(content_maps, into), content)
    style_masks = guided_upsampling(style_maps, style)
    return (
        [content_masks[:, r : r + 1].to(content) for r in range(len(into))],
        [style_masks[:, r : r + 1].to(style) for r in out_of],
    )


def _everywhere(content: Tensor, style: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    return [torch.ones_like(content[:, :1])], [torch.ones_like(style[:, :1])]


# --- points --------------------------------------------------------------------------------------


@torch.no_grad()
def _points(
    pictures: Sequence[Tensor], model: VGG19
) -> tuple[Points, tuple[tuple[int, int], ...]]:
    """Return the positions of all pictures as points (N, D), and the (h, w) of each picture."""
    small = [_small(picture) for picture in pictures]
    shapes = tuple((s.shape[2] // STEP, s.shape[3] // STEP) for s in small)
    seen = [_features(picture, model, shape) for picture, shape in zip(small, shapes, strict=True)]
    spreads = [*(1.0 for _ in LAYERS), COLOR]
    parts = [
        spread * _balanced(kind) for spread, kind in zip(spreads, zip(*seen, strict=True), strict=True)
    ]
    points = _principal(torch.cat(parts, dim=1))
    heights = [torch.linspace(-1, 1, h).double().repeat_interleave(w) for h, w in shapes]
    points = torch.cat([points, HEIGHT * 3**0.5 * torch.cat(heights)[:, None]], dim=1)
    return np.concatenate(
        [_smoothed(part.numpy(), shape) for part, shape in
         zip(points.split([h * w for h, w in shapes]), shapes, strict=True)]
    ), shapes  # fmt: skip


def _small(picture: Tensor) -> Tensor:
    """The picture at the size at which it is looked at: whole positions of the deepest layer."""
    step = stride(LAYERS[-1])
    height, width = working_shape(shape_of(picture), least=2 * MARGIN)
    shape = height // step * step, width // step * step
    return resize(picture.detach().cpu().float(), shape).clamp(0, 1)


def _features(picture: Tensor, model: VGG19, shape: tuple[int, int]) -> list[Tensor]:
    """Each layer, and the colours in Lab, as (C, h, w): pictures of one colour have zeros.

    Roots of features: no channel that fires strongly decides alone.
    """
    from kornia.color import rgb_to_lab

    flat = float((picture.amax(dim=(2, 3)) - picture.amin(dim=(2, 3))).max()) < 1 / 255
    mirrored = F.pad(picture, (MARGIN,) * 4, mode="reflect").to(model.mean)
    kinds = []
    for layer, features in model(mirrored, LAYERS).items():
        edge = MARGIN // stride(layer)
        inside = features[..., edge:-edge, edge:-edge].cpu().double().clamp(min=0).sqrt()
        kinds.append(F.interpolate(inside, shape, mode="bilinear", align_corners=False)[0])
    kinds.append(rgb_to_lab(F.avg_pool2d(picture.double(), STEP))[0])
    return [torch.zeros_like(kind) if flat else kind for kind in kinds]


def _balanced(kind: Sequence[Tensor]) -> Tensor:
    """Features (C, h, w) of each picture → points (N, C) about 0, of mean square 1.

    Each picture's own mean is taken off: a night and a day, or a painting and a photograph, differ
    by it everywhere, and would else be clusters of their own.
    """
    parts = [features.flatten(1).T for features in kind]
    points = torch.cat([part - part.mean(dim=0) for part in parts])
    return points / points.square().sum(dim=1).mean().sqrt().clamp(min=1e-6)


def _principal(points: Tensor) -> Tensor:
    """The points along their principal axes, of which the last are noise and left out."""
    values, axes = torch.linalg.eigh(points.T @ points)
    return points @ axes[:, -COMPONENTS:]


def _smoothed(points: Points, shape: tuple[int, int]) -> Points:
    """Each point a mean of those around it: a region is in one piece, or in few."""
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(
        points.reshape(*shape, -1), (SMOOTHING, SMOOTHING, 0), mode="nearest"
    ).reshape(len(points), -1)


# --- clusters ------------------------------------------------------------------------------------


def _most_shared(points: Points, shapes, seed: int) -> _Clusters | None:
    """The most clusters each of which covers `LEAST_SHARE` of every picture; None: not even two."""
    candidates = range(MOST_REGIONS, 1, -1)
    if len(np.unique(points, axis=0)) < MOST_REGIONS:
        return None
    for k in candidates:
        clusters = _cluster(points, k, shapes, seed)
        if clusters.shares.min() >= LEAST_SHARE:
            return clusters
    return None


def _cluster(points: Points, k: int, shapes, seed: int) -> _Clusters:
    """Lloyd's k-means from several starts, and of them the one of least variance inside."""
    from scipy.cluster.vq import ClusterError, kmeans2

    distinct = len(np.unique(points, axis=0))
    if k > distinct:
        raise ValueError(
            f"regions must be at most {distinct}, as many as there are positions that differ in "
            f"these pictures; got {k}"
        )
    generator = np.random.default_rng(seed)
    best: tuple[float, Points, Labels] | None = None
    for _ in range(RESTARTS):
        try:
            centres, _ = kmeans2(
                points, _spread_out(points, k, generator), ROUNDS, minit="matrix", missing="raise"
            )
        except ClusterError:  # one was left without points
            continue
        distances = _squared_distances(points, centres)
        inside = float(distances.min(axis=1).sum())
        if best is None or inside < best[0]:
            best = inside, centres, distances.argmin(axis=1)
    if best is None:
        raise ValueError(f"{k} regions cannot be told apart in these pictures; take fewer")
    ends = np.cumsum([h * w for h, w in shapes])[:-1]
    each = zip(np.split(best[2], ends), shapes, strict=True)
    return _Clusters(best[1], tuple(labels.reshape(shape) for labels, shape in each))


def _spread_out(points: Points, k: int, generator: np.random.Generator) -> Points:
    """k-means++ (Arthur & Vassilvitskii 2007): each next centre likelier the farther it is."""
    centres = points[generator.integers(len(points), size=1)]
    while len(centres) < k:
        away = _squared_distances(points, centres).min(axis=1)
        centres = np.vstack([centres, points[generator.choice(len(points), p=away / away.sum())]])
    return centres


def _squared_distances(points: Points, centres: Points) -> Points:
    """(N, k)."""
    from scipy.spatial.distance import cdist

    return cdist(points, centres, "sqeuclidean")


# --- masks ---------------------------------------------------------------------------------------


def _counterparts(clusters: _Clusters) -> tuple[list[list[int]], list[int]]:
    """Clusters of each region of the content, largest first; the cluster whose style it takes."""
    in_content, in_style = clusters.shares
    order = np.argsort(-in_content, kind="stable")
    away = _squared_distances(clusters.centres, clusters.centres)

    def nearest(cluster: int, shares) -> int:
        candidates = [c for c in range(len(shares)) if shares[c] >= NOTHING]
        return min(candidates, key=lambda c: away[cluster, c])

    regions = {int(c): [int(c)] for c in order if in_content[c] >= NOTHING}
    numbers = {cluster: number for number, cluster in enumerate(regions, start=1)}
    for cluster in set(range(len(in_content))) - set(regions):
        regions[nearest(cluster, in_content)].append(cluster)  # a few positions, if any
        if in_style[cluster] >= NOTHING:
            warn(f"regions: {in_style[cluster]:.0%} of the style is like nothing in the content, "
                 "and is left out")  # fmt: skip
    taken = [nearest(cluster, in_style) for cluster in regions]
    for cluster, source in zip(regions, taken, strict=True):
        if source != cluster:
            like = f"region {numbers[source]}" if source in numbers else "what is left of it"
            warn(f"regions: region {numbers[cluster]} ({in_content[cluster]:.0%} of the content) "
                 f"is not in the style; it takes the style of {like}, the most like it")  # fmt: skip
    return list(regions.values()), taken


def _soft(labels: Labels, k: int) -> Tensor:
    """Cluster of each position (h, w) → shares (1, k, h, w), blurred by `SMOOTHING`."""
    from scipy.ndimage import gaussian_filter

    hard = (labels == np.arange(k)[:, None, None]).astype(float)
    return torch.from_numpy(
        gaussian_filter(hard, (0, SMOOTHING / 2, SMOOTHING / 2), mode="nearest")
    )[None]


def _merged(maps: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
    """The sum of the maps of each group."""
    return torch.cat([maps[:, group].sum(dim=1, keepdim=True) for group in groups], dim=1)
