"""A pass through the network's layers, each block by its path.

What the paths need of the weights, transformed or rounded, is kept from pass to pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from . import half, winograd
from .first_layer import ConvReLU, convolve
from .layers import CONVOLUTIONS
from .paths import FLOAT16, PATHS
from .products import PRODUCTS, Products
from .winograd_layers import Conv3x3ReLU, Conv3x3ReLUPool

if TYPE_CHECKING:
    from .network import VGG19


def run(network: VGG19, x: Tensor, names: Sequence[str], wanted: set[str]) -> dict[str, Tensor]:
    """Return the features at the wanted ones of the named layers, as they were computed.

    `x` is a normalised picture, channels last; `names` are all layers up to the deepest.
    """
    features = {}
    steps: list[half.Step] = []  # in float16: they wait to be run from one float32 to the next
    groups = _groups(names, wanted)
    for group, following in zip_longest(groups, groups[1:]):
        if path_of(network, group[0]) == FLOAT16 and group[0] != CONVOLUTIONS[0]:
            steps.append(partial(_run_in_float16, network, group))
            last = following is None or path_of(network, following[0]) != FLOAT16
            if last or group[-1] in wanted:
                x, steps = half.run(x.float(), steps, _scale(network)), []
        else:
            x = _run(network, group, x)
        if group[-1] in wanted:
            features[group[-1]] = x
    return features


def path_of(network: VGG19, layer: str) -> str:
    """The path by which a layer is computed."""
    if network.mean.dtype != torch.float32:
        return "direct"
    return network.paths[int(layer[4]) - 1]  # conv4_2, relu4_2 and pool4 are in the fourth block


def _groups(names: Sequence[str], wanted: set[str]) -> list[list[str]]:
    """Cut the network before each convolution and after each wanted layer."""
    groups: list[list[str]] = []
    for name in names:
        if name.startswith("conv") or groups[-1][-1] in wanted:
            groups.append([])
        groups[-1].append(name)
    return groups


def _run(network: VGG19, group: Sequence[str], x: Tensor) -> Tensor:
    """A convolution, the ReLU and the pooling after it, or a part of these."""
    conv, *rest = group
    if not conv.startswith("conv"):
        return _rectify_and_pool(network, group, x)
    weight, bias = network.parameters_of(conv)
    path = path_of(network, conv)
    dtype = PATHS[path].dtype if weight.dtype == torch.float32 else weight.dtype
    in_place_of_autograd = bool(rest) and network.padding == "zeros" and x.device.type == "cpu"
    if conv == CONVOLUTIONS[0]:  # neither the picture nor its gradient is rounded
        dtype = x.dtype if path == FLOAT16 else dtype
        if in_place_of_autograd:
            return ConvReLU.apply(x, weight, bias, dtype, network.border)
        x = convolve(x, weight, bias, network.border)
        x = _rectify_and_pool(network, rest, x, in_place=True)
        return x.to(dtype)
    if in_place_of_autograd and path in PRODUCTS and winograd.pays_off(x, weight):
        products = network.kept.products_of(path, conv, weight)
        if len(rest) == 1:
            return Conv3x3ReLU.apply(x, products, bias)
        return Conv3x3ReLUPool.apply(x, products, bias, network.pooling)
    x = _convolve(network, x.to(dtype), weight.to(dtype), bias.to(dtype))
    return _rectify_and_pool(network, rest, x, in_place=True)


def _run_in_float16(network: VGG19, group: Sequence[str], x: Tensor) -> Tensor:
    """The same from float16 to float16: a step of `half.run`."""
    conv, *rest = group
    if not conv.startswith("conv"):
        return _rectify_and_pool(network, group, x)
    parameters = network.kept.halves_of(conv, *network.parameters_of(conv), _scale(network))
    return _rectify_and_pool(network, rest, _convolve(network, x, *parameters), in_place=True)


def _scale(network: VGG19) -> float:
    """What float16 needs so that no feature is too large for it."""
    kept, now = network.kept, Versions(*network.buffers())
    if kept.scale is None or kept.scale[0] != now:
        original = network.weights == "original" and now == kept.first
        exact = network.with_paths("direct")
        kept.scale = now, half.scale_for(exact, original, network.device)
    return kept.scale[1]


def _convolve(network: VGG19, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Of any layer but the first, before whose border there are features and no picture."""
    return convolve(x, weight, bias, network.padding)


def _rectify_and_pool(
    network: VGG19, names: Sequence[str], x: Tensor, in_place: bool = False
) -> Tensor:
    """ReLU and pooling, or one of them, or none. In place: a convolution needs no output."""
    pool = F.max_pool2d if network.pooling == "max" else F.avg_pool2d
    if len(names) == 2 and network.pooling == "max":  # they commute, and a quarter is left to do
        return pool(x, 2).relu_()
    rectify = Tensor.relu_ if in_place else Tensor.relu
    for name in names:
        x = rectify(x) if name.startswith("relu") else pool(x, 2)
    return x


class Versions:
    """Some tensors as they are now: equal while they are the same and torch counts no change."""

    def __init__(self, *tensors: Tensor):
        self.tensors = tensors
        self.counts = [None if t.is_inference() else t._version for t in tensors]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Versions) or len(self.tensors) != len(other.tensors):
            return False
        pairs = zip(self.tensors, other.tensors, strict=True)
        return all(a is b for a, b in pairs) and self.counts == other.counts


@dataclass
class Kept:
    """The weights in the forms that paths need, made once."""

    products: dict[tuple[str, str], tuple[Tensor, Products]] = field(default_factory=dict)
    halves: dict[str, tuple[Versions, float, tuple[Tensor, Tensor]]] = field(default_factory=dict)
    scale: tuple[Versions, float] | None = None
    first: Versions | None = None  # the network's tensors when its weights had just been read
    cosines: dict[tuple[str, ...], float] = field(default_factory=dict)  # see `calibration`

    def products_of(self, path: str, conv: str, weight: Tensor) -> Products:
        """The weights as `winograd` needs them, until they change.

        Whether they did is seen by their sums: torch's count of changes (`_version`) knows nothing
        of those by way of `.data`, and inference tensors have none.
        """
        sums = winograd.weighted_sums(weight)
        kept = self.products.get((path, conv))
        if kept is None or not torch.equal(kept[0], sums):
            with torch.inference_mode(False):  # else they were of no use outside that mode
                kept = sums, PRODUCTS[path](winograd.transform_weights(weight))
            self.products[path, conv] = kept
        return kept[1]

    def halves_of(
        self, conv: str, weight: Tensor, bias: Tensor, scale: float
    ) -> tuple[Tensor, Tensor]:
        """The weights in float16, until torch counts a change: sums would have to be waited for."""
        now, kept = Versions(weight, bias), self.halves.get(conv)
        if kept is None or kept[:2] != (now, scale):
            with torch.inference_mode(False):
                kept = now, scale, half.parameters(conv, weight, bias, scale)
            self.halves[conv] = kept
        return kept[2]
