"""Regions that two pictures have in common: their VGG19 features, clustered together.

Every position of both pictures is a point: what deep layers see there, a little of its colour, less
of its height. k-means puts the points of both into the same k clusters, so region r of the content
has its counterpart in the style: sky meets sky. (Regions by hand, and what they are good for:
Gatys et al. 2017, arXiv 1611.07865; by a network that segments: Luan et al. 2017, arXiv
1703.07511. This one asks for neither.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..checks import check_integer, check_pictures, warn
from ..vgg.network import VGG19, load_vgg19
from .clusters import Clusters, Labels, clustered, most_shared, squared_distances
from .guided import guided_upsampling
from .points import SMOOTHING, Points, Shape, has_features, points_of

NOTHING = 0.05  # of a region of average size: one that is smaller in a picture is not in it


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
        Not a whole number ≥ 1; more regions than can be told apart.

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
    points, shapes = points_of((content, style), model or load_vgg19())
    if wanted == "auto":
        clusters = most_shared(points, shapes, seed) if has_features(points) else None
        if clusters is None:
            warn('regions="auto": these pictures have no regions in common; the style goes '
                 "everywhere")  # fmt: skip
            return _everywhere(content, style)
    else:
        clusters = _clusters(points, shapes, int(wanted), seed)
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


def _clusters(points: Points, shapes: Sequence[Shape], k: int, seed: int) -> Clusters:
    """k clusters, or a ValueError."""
    if not has_features(points):
        raise ValueError(
            f"content and style are of one colour each: there are no {k} regions to tell apart"
        )
    if k > len(points):
        raise ValueError(
            f"regions must be at most {len(points)}, the positions at which these pictures are "
            f"looked at; got {k}"
        )
    clusters = clustered(points, k, shapes, seed)
    if clusters is None:
        raise ValueError(f"{k} regions cannot be told apart in these pictures; take fewer")
    return clusters


def _counterparts(clusters: Clusters) -> tuple[list[list[int]], list[int]]:
    """Clusters of each region of the content, largest first; the cluster whose style it takes."""
    in_content, in_style = clusters.shares
    least = NOTHING / len(clusters.centres)
    away = squared_distances(clusters.centres, clusters.centres)

    def nearest(cluster: int, shares: Points) -> int:
        """The cluster itself, if it is there."""
        return min(np.flatnonzero(shares >= least).tolist(), key=lambda c: away[cluster, c])

    order = np.argsort(-in_content, kind="stable").tolist()
    regions = {cluster: [cluster] for cluster in order if in_content[cluster] >= least}
    taken = [nearest(cluster, in_style) for cluster in regions]
    _tell_of_strays(list(regions), taken, in_content, in_style, least)
    for cluster in order[len(regions) :]:
        regions[nearest(cluster, in_content)].append(cluster)  # a few positions, if any
    return list(regions.values()), taken


def _tell_of_strays(
    regions: list[int], taken: list[int], in_content: Points, in_style: Points, least: float
) -> None:
    """Warn of each region that is in one picture alone, and say what becomes of it."""
    for number, (cluster, source) in enumerate(zip(regions, taken, strict=True), start=1):
        if source != cluster:
            like = (
                f"region {regions.index(source) + 1}" if source in regions
                else f"another {in_style[source]:.0%} of it"
            )  # fmt: skip
            warn(
                f"regions: region {number}, {in_content[cluster]:.0%} of the content, is not in "
                f"the style; it takes that of {like}, which is most like it"
            )
    for cluster in np.flatnonzero(in_style >= least).tolist():
        if cluster not in taken:
            warn(
                f"regions: {in_style[cluster]:.0%} of the style is like nothing in the content, "
                "and is left out"
            )


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
