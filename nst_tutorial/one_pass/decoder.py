"""A decoder: from the features of one layer of VGG19 back to a picture."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checks import check_choice, check_integer
from ..vgg.layers import CHANNELS, stride

LAYERS = ("relu2_1", "relu3_1", "relu4_1")
MOST_WIDTH = 1024


class Decoder(nn.Module):
    """Features of a layer → a picture. As Huang & Belongie's the mirror image of VGG19 up to it,
    without normalisation, which would take away the style; a quarter as wide.

    Parameters
    ----------
    layer
        One of `LAYERS`. The deeper it is, the larger the patterns that a style brings.
    channels
        Of that layer; None: VGG19's.
    width
        Channels of the first convolution; half as many after each enlargement.
    seed
        Of the weights before training.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        *,
        layer: str = "relu4_1",
        channels: int | None = None,
        width: int = 128,
        seed: int = 0,
    ):
        super().__init__()
        check_choice("layer", layer, LAYERS)
        if channels is None:
            channels = CHANNELS[int(layer[4]) - 1]
        channels = check_integer("channels", channels, 1, max(CHANNELS))
        width = check_integer("width", width, 1, MOST_WIDTH)
        self.design: dict[str, Any] = {"layer": layer, "channels": channels, "width": width}
        self.settings: dict = {}  # how it was trained
        self.stride = stride(layer)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(check_integer("seed", seed, 0))
            self.enter = nn.Conv2d(channels, width, 3)
            stages = []  # of two each; after a pair the picture doubles
            for _ in range(self.stride.bit_length() - 1):
                narrow = max(8, width // 2)
                stages += [nn.Conv2d(width, width, 3), nn.Conv2d(width, narrow, 3)]
                width = narrow
            self.stages = nn.ModuleList(stages)
            self.last_but_one = nn.Conv2d(width, width, 3)
            self.last = nn.Conv2d(width, 3, 3)
            for name, parameter in self.named_parameters():
                if name.endswith("bias"):
                    nn.init.zeros_(parameter)
                else:  # variances stay as they are through ReLU
                    nn.init.kaiming_normal_(parameter)
        weight, bias = self.last.parameters()
        nn.init.constant_(bias, 0.5)  # begin near grey
        weight.data.mul_(0.1)
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("scale", torch.ones(1, channels, 1, 1))
        self.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def normalize(self, features: Tensor) -> None:
        """Choose the units in which features enter: those of these, (N, C, H, W)."""
        self.mean.copy_(features.mean(dim=(0, 2, 3), keepdim=True))
        deviation = features.std(dim=(0, 2, 3), keepdim=True)
        self.scale.copy_(deviation.clamp(min=1e-2 * deviation.mean() + 1e-12))

    def forward(self, features: Tensor) -> Tensor:
        """Return pictures (N, 3, stride · H, stride · W), sRGB around 0..1, not clamped."""
        y = (features - self.mean) / self.scale
        y = _convolved(self.enter, y.contiguous(memory_format=torch.channels_last)).relu_()
        for number, convolution in enumerate(self.stages):
            y = _convolved(convolution, y).relu_()
            if number % 2:
                y = F.interpolate(y, scale_factor=2.0, mode="nearest")
        y = _convolved(self.last_but_one, y).relu_()
        return _convolved(self.last, y)


def _convolved(convolution: nn.Module, x: Tensor) -> Tensor:
    """A convolution of x with reflected borders, as large as x."""
    # A single row or column has no reflection
    mode = "reflect" if min(x.shape[2:]) > 1 else "replicate"
    return convolution(F.pad(x, (1, 1, 1, 1), mode=mode))
