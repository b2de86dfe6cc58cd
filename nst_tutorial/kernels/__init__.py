"""Style statistics: what is kept of a layer's features when their positions are forgotten.

Write f_p for the C features at position p, M for the number of positions. Matching statistics of
two pictures x and y means minimising the squared maximum mean discrepancy under a kernel k (Li et
al. 2017, "Demystifying Neural Style Transfer", arXiv 1701.01036, section 3),

    MMD²(x, y) = mean k(f_p(x), f_q(x)) + mean k(f_p(y), f_q(y)) - 2 mean k(f_p(x), f_q(y)),

over all pairs of positions p, q. A kernel k(a, b) = <φ(a), φ(b)> with a finite feature map φ needs
no pairs: MMD² = ‖S_x - S_y‖² with the statistic S = mean φ(f_p). For k = (aᵀb)² the map is
φ(a) = a aᵀ, so S is the Gram matrix, and this is the style loss of Gatys et al. 2016.

Each class is one statistic. Those that know means and products of two features are in `moments`;
`central_moments` sees more of each channel's distribution, `sliced_wasserstein` all of it along
many directions, `autocorrelation` what stands where; `nearest_neighbours` compares each feature
with the one most like it. The Gaussian kernel has no finite feature map,
but a nearly exact one, by random frequencies (`random_features`), and an estimate on pairs of
positions (`pairs`); `gaussian` chooses. All share one protocol (`statistic.Statistic`) and hold no
state, so that every user of one can switch to another. `registry` combines them and finds them by
name, `mmd` evaluates them by brute force.
"""

from .autocorrelation import Autocorrelation
from .bandwidth import SMALLEST
from .central_moments import LARGEST_ORDER, CentralMoments
from .gaussian import ESTIMATORS, Gaussian
from .mmd import mmd2
from .moments import (
    BatchNormStatistics,
    Gram,
    Linear,
    Polynomial,
    Wasserstein,
    check_comparable,
    gram_matrix,
    mean,
    positions,
    pull_of_moments,
)
from .nearest_neighbours import NearestNeighbours
from .pairs import MOST_NUMBERS, GaussianPairs
from .random_features import GaussianFeatures
from .registry import (
    KERNELS,
    PARTS,
    Kernel,
    WeightedSum,
    describe,
    fit,
    get_kernel,
    kernels_of_layers,
)
from .sliced_wasserstein import SlicedWasserstein
from .statistic import (
    Moments,
    Part,
    PullingStatistic,
    SpatialStatistic,
    Statistic,
    is_preliminary,
    reach_of,
)

__all__ = [
    "ESTIMATORS",
    "KERNELS",
    "LARGEST_ORDER",
    "MOST_NUMBERS",
    "PARTS",
    "SMALLEST",
    "Autocorrelation",
    "BatchNormStatistics",
    "CentralMoments",
    "Gaussian",
    "GaussianFeatures",
    "GaussianPairs",
    "Gram",
    "Kernel",
    "Linear",
    "Moments",
    "NearestNeighbours",
    "Part",
    "Polynomial",
    "PullingStatistic",
    "SlicedWasserstein",
    "SpatialStatistic",
    "Statistic",
    "Wasserstein",
    "WeightedSum",
    "check_comparable",
    "describe",
    "fit",
    "get_kernel",
    "gram_matrix",
    "is_preliminary",
    "kernels_of_layers",
    "mean",
    "mmd2",
    "positions",
    "pull_of_moments",
    "reach_of",
]
