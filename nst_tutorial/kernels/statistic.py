"""What a style statistic is: the parts that every user of one may rely on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from torch import Tensor

Moments = Tensor | tuple  # a tensor, or a tuple of such


class Statistic(Protocol):
    """What a style can be: something of a layer's features, and a distance between two of them.

    If `additive`, the statistic is a mean over positions, so that of a large picture is the mean
    of those of its tiles, weighted with their numbers of positions. If not, it must be a
    `SpatialStatistic`. Each kind has its own `Moments`, which its other methods take.
    """

    @property
    def additive(self) -> bool: ...

    def statistic(self, features: Tensor, mask: Tensor | None = None) -> Moments:
        """(N, C, H, W) → the statistic of each of the N, in float32 at least.

        `mask` (1, 1, H, W), ≥ 0 and somewhere above 0, says how much each position counts.
        """

    def distance(self, x: Any, y: Any) -> Tensor:
        """The squared distance of two statistics, summed over the batch: a scalar."""

    def magnitude(self, y: Any) -> Tensor:
        """The distance of y from features that are all zero, or its natural unit: a scalar."""

    def fitted(self, target: Any) -> Statistic:
        """The same with every free constant chosen for a style's statistic, once for all.

        If the statistic is `preliminary`, only the constants that the statistic itself needs.
        """


def is_preliminary(kernel: Statistic) -> bool:
    """Whether a statistic needs a constant of the style before it can be what it is to be.

    Such a one has `preliminary`, True until it is fitted. Until then its `statistic` holds what
    `fitted` chooses the constant from, and no distance can be taken: the style is measured with the
    fitted kernel once more. `registry.fit` and `tiling.targets.fit_kernels` do all that.
    """
    return getattr(kernel, "preliminary", False)


class PullingStatistic(Statistic, Protocol):
    """A statistic whose gradient needs less work than autograd makes of it.

    Whoever overrides `statistic` overrides `pull` too, or autograd does the work (see `pulls`).
    """

    def pull(
        self, features: Tensor, slopes: Sequence[Tensor], mask: Tensor | None = None
    ) -> Tensor:
        """∂ Σᵢ <slopeᵢ, Sᵢ> / ∂features, (N, C, H, W), without computing the statistic S again.

        That is the vector–Jacobian product of `statistic`, the slopes being the upstream gradient.
        Sᵢ are the tensors of `statistic(features, mask)`, one slope of the same shape for each.
        Features of reduced precision come as they are, not in float32 as to `statistic`.
        """


def pulls(kernel: Statistic) -> bool:
    """Whether a statistic's own `pull` is to be used: one that fits its own `statistic`.

    A subclass that overrides `statistic` alone inherits the gradient of another one.
    """
    kinds = type(kernel).__mro__
    owners = [next((c for c in kinds if name in vars(c)), None) for name in ("pull", "statistic")]
    pull, statistic = owners
    return pull is not None and statistic is not None and issubclass(pull, statistic)


class Part(Protocol):
    """A part of a layer's features; `tiling.windows.FeatureWindow` is one."""

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the whole layer."""

    @property
    def rows(self) -> slice:
        """Those of the layer that are the part's."""

    @property
    def columns(self) -> slice:
        """Those of the layer that are the part's."""

    @property
    def mask(self) -> Tensor | None:
        """How much each position of the whole layer counts, (1, 1, H, W); None: all the same."""


class SpatialStatistic(Statistic, Protocol):
    """A statistic that is no mean over positions: it must know where a part of a picture lies.

    One that relates positions to others has a property `reach`: see `reach_of`. One whose size
    grows with the layer has a method `kept`: see `kept_of`.
    """

    def contribution(self, features: Tensor, place: Part) -> Moments:
        """What a part adds to the statistic of the whole: (N, C, h, w) → the same as `statistic`.

        The contributions of all parts add up to the statistic. The features are those of the part
        and, on every side, of `reach` positions around it, or as many as the layer has there.
        """


def kept_of(statistic: Statistic, channels: int, positions: int) -> int:
    """How many numbers the statistic of a layer has that grow with it: `kept` where there is one.

    For the plan of a machine's memory. Means over positions have none.
    """
    kept = getattr(statistic, "kept", None)
    return kept(channels, positions) if kept else 0


def reach_of(statistic: Statistic) -> int:
    """How many positions around a part its contribution needs: `reach` where there is one, or 0."""
    return getattr(statistic, "reach", 0)
