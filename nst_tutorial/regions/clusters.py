"""The points of several pictures in common clusters, by k-means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .points import Points, Shape

MOST_REGIONS = 6
"""That regions="auto" looks for."""

LEAST_SHARE = 0.1
"""Of each picture: the smallest region that regions="auto" accepts."""

RESTARTS, ROUNDS = 6, 40  # of k-means

Labels = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Clusters:
    """Centres (k, D), and for each picture the cluster (h, w) of each position."""

    centres: Points
    labels: tuple[Labels, ...]

    @property
    def shares(self) -> NDArray[np.float64]:
        """(pictures, k): the part of each picture that each cluster covers."""
        k = len(self.centres)
        return np.stack(
            [np.bincount(each.ravel(), minlength=k) / each.size for each in self.labels]
        )


def most_shared(points: Points, shapes: Sequence[Shape], seed: int) -> Clusters | None:
    """The most clusters each of which covers `LEAST_SHARE` of every picture; None: not even two."""
    for k in range(MOST_REGIONS, 1, -1):
        clusters = clustered(points, k, shapes, seed)
        if clusters is not None and clusters.shares.min() >= LEAST_SHARE:
            return clusters
    return None


def clustered(points: Points, k: int, shapes: Sequence[Shape], seed: int) -> Clusters | None:
    """Lloyd's k-means from several starts, and of them the one of least variance inside.

    None: there are no k clusters, since there are hardly more points that differ, or fewer.
    """
    from scipy.cluster.vq import ClusterError, kmeans2

    generator = np.random.default_rng(seed)
    best: tuple[float, Points, Labels] | None = None
    for _ in range(RESTARTS):
        start = _spread_out(points, k, generator)
        try:
            centres, _ = kmeans2(points, start, ROUNDS, minit="matrix", missing="raise")
        except ClusterError:  # one was left without points
            continue
        distances = squared_distances(points, centres)
        inside = float(distances.min(axis=1).sum())
        if best is None or inside < best[0]:
            best = inside, centres, distances.argmin(axis=1)
    if best is None:
        return None
    ends = np.cumsum([h * w for h, w in shapes])[:-1]
    each = zip(np.split(best[2], ends), shapes, strict=True)
    return Clusters(best[1], tuple(labels.reshape(shape) for labels, shape in each))


def _spread_out(points: Points, k: int, generator: np.random.Generator) -> Points:
    """k-means++ (Arthur & Vassilvitskii 2007): each next centre likelier the farther it is."""
    centres = points[generator.integers(len(points), size=1)]
    while len(centres) < k:
        away = squared_distances(points, centres).min(axis=1)
        odds = away / away.sum() if away.any() else None  # None: no point is anywhere else
        centres = np.vstack([centres, points[generator.choice(len(points), p=odds)]])
    return centres


def squared_distances(points: Points, centres: Points) -> Points:
    """(N, k)."""
    from scipy.spatial.distance import cdist

    return cdist(points, centres, "sqeuclidean")
