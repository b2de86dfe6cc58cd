"""Statistics by name, described as JSON can hold them, combined, and one for each layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

import torch
from torch import Tensor

from ..checks import check_number, did_you_mean
from .autocorrelation import Autocorrelation
from .central_moments import CentralMoments
from .gaussian import Gaussian
from .moments import BatchNormStatistics, Gram, Linear, Polynomial, Wasserstein
from .nearest_neighbours import NearestNeighbours
from .sliced_wasserstein import SlicedWasserstein
from .statistic import Moments, Statistic, is_preliminary, kept_of, reach_of


@dataclass(frozen=True)
class WeightedSum:
    """Several statistics at once; the distance is Σ weight · distance of each.

    Distances come in very different units. If `relative`, `fitted` divides each by its magnitude
    for the style, so that equal weights mean equal say.
    """

    parts: tuple[tuple[float, Statistic], ...]
    relative: bool = True
    additive: bool = field(init=False)

    def __post_init__(self):
        if not self.parts:
            raise ValueError("a weighted sum of kernels needs at least one")
        parts = tuple(
            (check_number(f"the weight of {kernel}", weight), get_kernel(kernel))
            for weight, kernel in self.parts
        )
        if not any(weight for weight, _ in parts):
            raise ValueError("a weighted sum of kernels needs a weight above 0")
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "additive", all(kernel.additive for _, kernel in self.parts))

    @property
    def reach(self) -> int:
        """The longest of its parts'."""
        return max(reach_of(kernel) for _, kernel in self.parts)

    def kept(self, channels: int, positions: int) -> int:
        """How many numbers its parts have that grow with a layer."""
        return sum(kept_of(kernel, channels, positions) for _, kernel in self.parts)

    def description(self) -> dict:
        parts = [[weight, describe(part)] for weight, part in self.parts]
        return {"sum": parts, "relative": self.relative}

    @property
    def preliminary(self) -> bool:
        """Whether any part is."""
        return any(is_preliminary(kernel) for _, kernel in self.parts)

    def statistic(self, features: Tensor, mask: Tensor | None = None) -> tuple[Moments, ...]:
        return tuple(kernel.statistic(features, mask) for _, kernel in self.parts)

    def distance(self, x: Moments, y: Moments) -> Tensor:
        triples = zip(self.parts, x, y, strict=True)
        return reduce(
            torch.add, (weight * kernel.distance(a, b) for (weight, kernel), a, b in triples)
        )

    def magnitude(self, y: Moments) -> Tensor:
        pairs = zip(self.parts, y, strict=True)
        return reduce(torch.add, (weight * kernel.magnitude(b) for (weight, kernel), b in pairs))

    def fitted(self, target: Moments) -> WeightedSum:
        pairs = list(zip(self.parts, target, strict=True))
        if self.preliminary:  # magnitudes must wait until there are statistics
            fitted = ((w, k.fitted(part) if is_preliminary(k) else k) for (w, k), part in pairs)
            return replace(self, parts=tuple(fitted))
        parts = []
        for (weight, kernel), part in pairs:
            kernel = kernel.fitted(part)
            unit = float(kernel.magnitude(part)) if self.relative else 1.0
            parts.append((weight / (unit or 1.0), kernel))
        return WeightedSum(tuple(parts), relative=False)


def distribution() -> WeightedSum:
    """The Gaussian kernel, and half as much of BN statistics.

    Under the Gaussian kernel MMD is 0 only where two distributions are one, but it is loose about
    what lies far out; the second part holds each channel's mean and contrast.
    """
    return WeightedSum(((1.0, Gaussian()), (0.5, BatchNormStatistics())))


KERNELS: dict[str, Callable[..., Statistic]] = {
    "distribution": distribution,
    "gram": Gram,
    "linear": Linear,
    "polynomial": Polynomial,
    "gaussian": Gaussian,
    "bn": BatchNormStatistics,
    "wasserstein": Wasserstein,
    "central_moments": CentralMoments,
    "autocorrelation": Autocorrelation,
    "sliced_wasserstein": SlicedWasserstein,
    "nearest_neighbours": NearestNeighbours,
}

PARTS = ("additive", "statistic", "distance", "magnitude", "fitted")
"""What a statistic must have; one that is not additive needs `contribution` as well."""

Kernel = str | Mapping | Statistic


def get_kernel(kernel: Kernel) -> Statistic:
    """Return a statistic from its description.

    A name ("gram"); a mapping with a name and parameters ({"name": "polynomial", "offset": 1});
    a mapping {"sum": [[weight, description], …]}; or a statistic, which is returned as it is.

    Raises
    ------
    ValueError
        An unknown name or parameter; the message lists what there is.
    """
    if isinstance(kernel, str):
        kernel = {"name": kernel}
    if not isinstance(kernel, Mapping):
        return _checked(kernel)
    if "sum" in kernel:
        try:
            options = {key: value for key, value in kernel.items() if key != "sum"}
            return WeightedSum(tuple((weight, part) for weight, part in kernel["sum"]), **options)
        except TypeError as error:
            raise ValueError(
                f"a sum of kernels is {{'sum': [[weight, kernel], …]}}, got {kernel!r}"
            ) from error
    name = kernel.get("name")
    if not isinstance(name, str) or name not in KERNELS:
        raise ValueError(
            f"unknown kernel {name!r}; there are {', '.join(KERNELS)}{did_you_mean(name, KERNELS)}"
        )
    parameters = {key: value for key, value in kernel.items() if key != "name"}
    try:
        return KERNELS[name](**parameters)
    except TypeError as error:
        raise ValueError(f"kernel {name} takes no such parameters: {parameters}") from error


def _checked(kernel: object) -> Statistic:
    """Return a statistic, or raise a ValueError that names what it lacks."""
    if isinstance(kernel, WeightedSum):  # whose parts were checked when it was made
        return kernel
    if isinstance(kernel, type) or not any(hasattr(kernel, part) for part in PARTS):
        raise ValueError(f"a kernel is a name or a statistic, got {kernel!r}")
    needed = PARTS if getattr(kernel, "additive", True) else (*PARTS, "contribution")
    missing = [part for part in needed if not hasattr(kernel, part)]
    if missing:
        raise ValueError(
            f"{kernel!r} is no complete statistic: it lacks {', '.join(missing)}; see "
            "kernels.Statistic and kernels.SpatialStatistic"
        )
    return kernel  # type: ignore[return-value]  # that is what was checked


def describe(kernel: Statistic) -> dict:
    """Return the description from which `get_kernel` makes an equal statistic, as JSON holds it."""
    description = getattr(kernel, "description", None)
    return {"name": repr(kernel)} if description is None else description()


def fit(kernel: Kernel, features: Tensor, mask: Tensor | None = None) -> tuple[Statistic, Moments]:
    """Return a kernel with its constants chosen for a style's features, and their statistic.

    >>> import torch
    >>> kernel, target = fit("gaussian", torch.tensor([[[[0.0, 2.0]]]]))
    >>> kernel.bandwidth  # squared distances are 0, 4, 4 and 0, and 2σ² is their mean
    1.0

    Parameters
    ----------
    kernel
        A statistic, or the description of one.
    features, mask
        (1, C, H, W), and how much each position counts, (1, 1, H, W).
    """
    kernel = get_kernel(kernel)
    target = kernel.statistic(features, mask)
    fitted = kernel.fitted(target)
    if not is_preliminary(kernel):
        return fitted, target
    target = fitted.statistic(features, mask)
    return fitted.fitted(target), target


def kernels_of_layers(
    kernel: Kernel | Mapping[str, Kernel], layers: Mapping[str, float]
) -> dict[str, Statistic]:
    """Return layer → statistic from one description for all layers, or one for each."""
    if not isinstance(kernel, Mapping) or {"name", "sum"} & set(kernel) or not kernel:
        return dict.fromkeys(layers, get_kernel(kernel))
    if set(kernel) != set(layers):
        raise ValueError(f"kernels for layers {sorted(kernel)}, but styles at {sorted(layers)}")
    return {layer: get_kernel(kernel[layer]) for layer in layers}
