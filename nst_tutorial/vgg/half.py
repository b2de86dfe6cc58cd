"""Convolutions in float16, for GPUs that have nothing faster: CUDA below 8.0, as the T4.

float16 ends at 65504, which features of the original VGG19 come near, and gradients of a picture
may be as small as 1e-12, where float16 has only 0. Two scales keep both in range, and no result
depends on them but by rounding:

* VGG19 is positively homogeneous: with the normalised picture and all biases multiplied by s > 0,
  every feature f becomes s f, because ReLU and both poolings commute with s. `scale_for` chooses
  the power of two s such that the largest feature stays far below 65504.
* A gradient's map through a layer is linear. Before each layer it is divided by a power of two that
  makes its largest magnitude lie in [1, 2), measured on the device, without waiting for it; the
  product of these powers, a float32, multiplies the result (`run`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .layers import CONVOLUTIONS

LARGEST = torch.finfo(torch.float16).max  # 65504
MARGIN = 8  # between the largest feature of a bundled picture and LARGEST
LARGEST_INPUT = 255.0  # no preprocessing gives a normalised picture larger numbers

# The largest |feature| of the original weights: conv4_2, `woodcut_waves` at 192 px, max pooling
# (average: 10203).
#     python -c "import nst_tutorial as nst; from nst_tutorial.vgg.half import *;
#     print(largest_feature(nst.VGG19(precision='float32', device='cpu'), SIZES))"
ORIGINAL = 35506.14
SIZES = (64, 128, 192, 256, 512)
SMALL = 64  # pixels, at which other weights are measured …
SMALL_MARGIN = 4  # … since features of larger pictures are larger: 1.5 times, 2.1 if rescaled

Network = Callable[[Tensor, Iterable[str]], Mapping[str, Tensor]]
Step = Callable[[Tensor], Tensor]


# --- features --------------------------------------------------------------------------------


def scale_for(network: Network, original: bool, device: torch.device | str = "cpu") -> float:
    """Return the power of two by which the normalised picture and all biases are multiplied.

    It is the largest for which the features of the bundled pictures, and the pictures themselves,
    stay a factor `MARGIN` below float16's largest number.

    Parameters
    ----------
    network
        (picture, names of layers) → features, in float32: a `VGG19`.
    original
        Whether its weights are the original ones as they are. The largest feature of others is
        measured, on the bundled pictures at 64 pixels, and taken four times. (A bound from the
        weights alone, the product of Σ|w| over the layers, is 1e11 times what pictures reach.)
    device
        Where the network takes its pictures.

    Raises
    ------
    ValueError
        The network's features are not finite.
    """
    largest = ORIGINAL if original else SMALL_MARGIN * largest_feature(network, (SMALL,), device)
    if not math.isfinite(largest):
        raise ValueError("the network's features are not finite; check its weights")
    return 2.0 ** math.floor(math.log2(LARGEST / (MARGIN * max(largest, LARGEST_INPUT))))


@torch.no_grad()
def largest_feature(
    network: Network, sizes: Iterable[int], device: torch.device | str = "cpu"
) -> float:
    """Return the largest magnitude of any convolution over the bundled pictures at these sizes."""
    from ..images.reading import bundled_images

    pictures = (image for size in sizes for image in bundled_images(size))
    largest = [
        torch.linalg.vector_norm(features, torch.inf).cpu()
        for image in pictures
        for features in network(image.to(device), CONVOLUTIONS).values()
    ]
    return float(torch.stack(largest).max())


def parameters(name: str, weight: Tensor, bias: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Return a convolution's weight and its bias × scale in float16.

    Raises
    ------
    ValueError
        float16 cannot hold them, or not the gradients: its weights add up to too much.
    """
    half, scaled = weight.half(), (scale * bias).half()
    error = torch.linalg.vector_norm(half.float() - weight)
    exact = error <= 2.0**-10 * torch.linalg.vector_norm(weight)
    # A gradient below 2 is, after this layer, below twice the sum of the weights that it meets.
    bounded = 2 * weight.abs().sum(dim=(0, 2, 3)).max() < LARGEST
    if not (exact & bounded & scaled.isfinite().all()):
        raise ValueError(f'float16 cannot hold the weights of {name}; use precision="float32"')
    return half, scaled


# --- the network between two float32 tensors ------------------------------------------------


def run(x: Tensor, steps: Sequence[Step], scale: float) -> Tensor:
    """Return the features after some layers that are computed in float16.

    The gradient neither overflows nor becomes 0, whatever its magnitude in float32; one that is
    not finite makes all of the result NaN.

    Parameters
    ----------
    x
        (N, C, H, W) float32: a normalised picture, or features that an earlier `run` returned.
    steps
        One after the other, each from float16 to float16: a convolution with `parameters`, then
        what follows it (ReLU, pooling). None may change its input in place.
    scale
        The same for all of a network: `scale_for`.
    """
    return _Float16.apply(x, steps, scale)


class _Float16(torch.autograd.Function):
    """Each step keeps a graph of its own, so that the gradient can be rescaled between two."""

    @staticmethod
    def forward(ctx, x: Tensor, steps: Sequence[Step], scale: float) -> Tensor:
        graph = ctx.needs_input_grad[0]
        y = torch.mul(x, scale, out=torch.empty_like(x, dtype=torch.float16))
        ends = []
        for step in steps:
            start = y.detach().requires_grad_(graph)
            with torch.set_grad_enabled(graph):
                y = step(start)
            ends += [start, y]
        if graph:
            ctx.save_for_backward(*ends)  # let go by autograd after the backward pass, graphs too
        return y.detach().float().div_(scale)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        # The scale needs no attention: s on the way in and 1 / s on the way out cancel.
        ends = ctx.saved_tensors
        power = _power_of_two(gradient)
        g = torch.div(gradient, power, out=torch.empty_like(gradient, dtype=torch.float16))
        for start, y in reversed(list(zip(ends[::2], ends[1::2], strict=True))):
            more = _power_of_two(g)
            (g,) = torch.autograd.grad(y, start, g.div_(more), retain_graph=True)
            power = power * more
        return g.float().mul_(power), None, None


def _power_of_two(x: Tensor) -> Tensor:
    """The power of two p, a float32 on the device of x, for which max |x| / p is in [1, 2).

    NaN where x is not finite; for x = 0 any power.
    """
    largest = torch.linalg.vector_norm(x, torch.inf).float().clamp(min=torch.finfo(x.dtype).tiny)
    mantissa, _ = torch.frexp(largest)  # in [½, 1)
    return largest / (2 * mantissa)
