"""A decoder: from what VGG19 sees in a picture, at several scales, back to a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checks import check_choice, check_integer
from ..vgg.layers import CHANNELS, stride

LAYERS = ("relu2_1", "relu3_1", "relu4_1")
MOST_WIDTH = 1024

Features = dict[str, Tensor]  # layer → (N, C, H, W)


def layers_to(layer: str) -> tuple[str, ...]:
    """The first layer of each block, down to this one: at one scale each, fine to coarse.

    >>> layers_to("relu3_1")
    ('relu1_1', 'relu2_1', 'relu3_1')
    """
    return tuple(f"relu{block}_1" for block in range(1, int(layer[4]) + 1))


class Decoder(nn.Module):
    """Features of a layer, and of a finer one at each doubling → a picture.

    As Huang & Belongie's decoder the mirror image of VGG19 up to a layer, without normalisation,
    which would take away the style, and narrower. From the deepest layer alone a small network
    learns slowly what is fine in a picture; so each scale is also given what VGG19 sees there, as
    in the hourglass of Sheng, Lin, Shao & Wang 2018, "Avatar-Net", arXiv 1805.03857. The style is
    put into all of them.

    Parameters
    ----------
    layer
        The deepest, one of `LAYERS`. The deeper it is, the larger the patterns that a style brings.
    channels
        Of the layers, fine to coarse; None: VGG19's.
    width
        Channels at the coarsest scale; half as many after each enlargement.
    seed
        Of the weights before training.
    """

    def __init__(
        self,
        *,
        layer: str = "relu3_1",
        channels: Sequence[int] | None = None,
        width: int = 128,
        seed: int = 0,
    ):
        super().__init__()
        check_choice("layer", layer, LAYERS)
        self.layers = layers_to(layer)  # those it takes, fine to coarse
        counts = list(CHANNELS[: len(self.layers)] if channels is None else channels)
        if len(counts) != len(self.layers):
            raise ValueError(f"channels: one number for each of {', '.join(self.layers)}")
        counts = [check_integer("channels", count, 1, max(CHANNELS)) for count in counts]
        width = check_integer("width", width, 1, MOST_WIDTH)
        self.design: dict[str, Any] = {"layer": layer, "channels": counts, "width": width}
        self.settings: dict = {}  # how it was trained
        self.stride = stride(layer)  # pixels between positions of the deepest
        coarsest = len(self.layers) - 1
        widths = [max(8, width >> coarsest - level) for level in range(coarsest)] + [width]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(check_integer("seed", seed, 0))
            self.enter = nn.ModuleList(
                [nn.Conv2d(c, w, 3) for c, w in zip(counts, widths, strict=True)]
            )
            self.refine = nn.ModuleList([nn.Conv2d(w, w, 3) for w in widths])
            self.narrow = nn.ModuleList([nn.Conv2d(wide, w, 3) for w, wide in pairwise(widths)])
            self.last = nn.Conv2d(widths[0], 3, 3)
            for name, parameter in self.named_parameters():
                if name.endswith("bias"):
                    nn.init.zeros_(parameter)
                else:  # variances stay as they are through ReLU
                    nn.init.kaiming_normal_(parameter)
        for level in range(coarsest):  # where two are added up, half of the variance each
            for convolution in (self.enter[level], self.narrow[level]):
                next(convolution.parameters()).data.mul_(0.5**0.5)
        weight, bias = self.last.parameters()
        nn.init.constant_(bias, 0.5)  # begin near grey
        weight.data.mul_(0.1)
        for layer, count in zip(self.layers, counts, strict=True):
            self.register_buffer(f"mean_{layer}", torch.zeros(1, count, 1, 1))
            self.register_buffer(f"scale_{layer}", torch.ones(1, count, 1, 1))
        self.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def normalize(self, features: Mapping[str, Tensor]) -> None:
        """Choose the units in which features enter: those of these, (N, C, H, W) of each layer."""
        for layer in self.layers:
            seen = features[layer]
            deviation = seen.std(dim=(0, 2, 3), keepdim=True)
            least = 1e-2 * deviation.mean() + 1e-12  # of a channel that is hardly ever on
            mean, scale = self.units(layer)
            mean.copy_(seen.mean(dim=(0, 2, 3), keepdim=True))
            scale.copy_(deviation.clamp(min=least))

    def units(self, layer: str) -> tuple[Tensor, Tensor]:
        """The mean and the deviation by which features of a layer are standardised."""
        return self.get_buffer(f"mean_{layer}"), self.get_buffer(f"scale_{layer}")

    def standardized(self, layer: str, features: Tensor) -> Tensor:
        """Features of a layer as they enter."""
        mean, scale = self.units(layer)
        y = features.contiguous(memory_format=torch.channels_last)
        return (y - mean) / scale

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return pictures (N, 3, H, W), sRGB around 0..1, not clamped.

        `features` are those of `layers`, (N, C, H, W), (N, C, H/2, W/2), …
        """
        coarser: Tensor | float = 0.0
        for level, layer in reversed(list(enumerate(self.layers))):
            seen = _convolved(self.enter[level], self.standardized(layer, features[layer]))
            y = _convolved(self.refine[level], (seen + coarser).relu_()).relu_()
            if level:
                coarser = _convolved(self.narrow[level - 1], y)
                coarser = F.interpolate(coarser, scale_factor=2.0, mode="nearest")
        return _convolved(self.last, y)


def _convolved(convolution: nn.Module, x: Tensor) -> Tensor:
    """A convolution of x with reflected borders, as large as x."""
    # A single row or column has no reflection
    mode = "reflect" if min(x.shape[2:]) > 1 else "replicate"
    return convolution(F.pad(x, (1, 1, 1, 1), mode=mode))
