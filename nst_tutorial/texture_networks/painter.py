"""A painter: a small network that repaints any picture in one style, in one pass.

As in Johnson, Alahi & Fei-Fei 2016 (arXiv 1603.08155) a picture is made small, changed by residual
blocks, and made large again, with instance normalisation (Ulyanov, Vedaldi & Lempitsky, arXiv
1607.08022). What differs makes it small and fast: no layer but the last two sees the picture in
full size, the blocks are separable convolutions (Howard et al. 2017, arXiv 1704.04861) at an eighth
of it, where each sees far, and what they lose of the picture is handed around them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checks import check_integer, check_number, check_pictures
from ..machine.memory import usable
from .layers import InstanceNorm, padded

MOST_BLOCKS = 64
MOST_WIDTH = 512
BYTES = 13  # of memory for each pixel and channel of `width`; measured: 12, 512 to 1536 px
BASE = 0.6e9  # bytes: torch


class Painter(nn.Module):
    """A picture → the picture repainted.

    Parameters
    ----------
    width
        Channels at half size; twice as many at a quarter, four times at an eighth.
    blocks
        Residual blocks at an eighth of the size.
    seed
        Of the weights before training.
    """

    def __init__(self, *, width: int = 32, blocks: int = 6, seed: int = 0):
        super().__init__()
        width = check_integer("width", width, 2, MOST_WIDTH)
        blocks = check_integer("blocks", blocks, 0, MOST_BLOCKS)
        self.design: dict[str, int] = {"width": width, "blocks": blocks}
        self.settings: dict = {}  # how it was trained
        w = width
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(check_integer("seed", seed, 0))
            self.enter = Layer(3, w, 5, stride=2)
            self.shrink = Layer(w, 2 * w, 3, stride=2)
            self.shrink_again = Layer(2 * w, 4 * w, 3, stride=2)
            self.blocks = nn.Sequential(*(SeparableBlock(4 * w) for _ in range(blocks)))
            self.to_quarter = Layer(4 * w, 2 * w, 3)
            self.refine = ResidualBlock(2 * w)
            self.to_half = Layer(2 * w, w, 3)
            self.narrow = Layer(w, w // 2, 3)
            self.to_whole = Layer(w // 2, w // 2, 3)
            self.last = nn.Conv2d(w // 2, 3, 3)
        weight, bias = self.last.parameters()
        nn.init.constant_(bias, 0.5)  # begin near grey, as a generator
        weight.data.mul_(0.1)
        self.to(memory_format=torch.channels_last)

    def forward(self, content: Tensor) -> Tensor:
        """Return the pictures (N, 3, H, W) repainted, sRGB around 0..1, not clamped."""
        x = (content - 0.5).contiguous(memory_format=torch.channels_last)
        half = self.enter(x)
        quarter = self.shrink(half)
        y = self.blocks(self.shrink_again(quarter))
        y = self.refine(self.to_quarter(enlarged(y, quarter)) + quarter)
        y = self.narrow(self.to_half(enlarged(y, half)) + half)
        y = self.to_whole(enlarged(y, x))
        return self.last(padded(y, "reflect"))

    def repaint(self, content: Tensor, *, memory: float | None = None) -> Tensor:
        """Return the picture (1, 3, H, W), sRGB, 0..1, repainted.

        >>> import torch
        >>> Painter(width=4, blocks=1).repaint(torch.rand(1, 3, 33, 40)).shape
        torch.Size([1, 3, 33, 40])

        Parameters
        ----------
        content
            The picture, any size from 16 pixels a side.
        memory
            GB that the process may use; None: four fifths of what is free, and what it has already.

        Raises
        ------
        ValueError
            No picture, or one that is too large for the memory.
        """
        check_pictures({"content": content})
        weight = self.last.weight
        budget = 1e9 * check_number("memory", memory, above=0) if memory else usable(weight.device)
        height, width = content.shape[2:]
        need = BASE + BYTES * self.design["width"] * height * width
        if budget is not None and need > budget:
            raise ValueError(
                f"a picture of {width}×{height} pixels would take {need / 1e9:.1f} GB, more than "
                f"the {budget / 1e9:.1f} GB that may be used: take a smaller size"
            )
        with torch.inference_mode():
            painted = self(content.to(weight)).clamp_(0, 1)
        return painted.contiguous().clone()  # an ordinary tensor again, that may have a gradient


def enlarged(x: Tensor, like: Tensor) -> Tensor:
    """Each position repeated up to the size of another tensor: then a convolution leaves no grid.

    (Odena, Dumoulin & Olah 2016, doi 10.23915/distill.00003.)
    """
    return F.interpolate(x, size=like.shape[2:], mode="nearest")


class Layer(nn.Module):
    """A convolution with reflected borders, instance normalisation, ReLU: of size ⌈H / stride⌉."""

    def __init__(self, inputs: int, outputs: int, side: int, stride: int = 1):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, side, stride=stride, bias=False)
        self.norm = InstanceNorm(outputs)
        self.reach = side // 2

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.convolution(padded(x, "reflect", self.reach))).relu_()


class ResidualBlock(nn.Module):
    """x + two convolutions of it (He et al. 2016, arXiv 1512.03385), nothing after the sum."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = Layer(channels, channels, 3)
        self.second = nn.Conv2d(channels, channels, 3, bias=False)
        self.norm = InstanceNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.norm(self.second(padded(self.first(x), "reflect")))


class SeparableBlock(nn.Module):
    """The same; each convolution 3×3 is of every channel by itself, and one 1×1 joins them."""

    def __init__(self, channels: int):
        super().__init__()
        self.depthwise = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, groups=channels, bias=False) for _ in range(2)
        )
        self.pointwise = nn.ModuleList(
            nn.Conv2d(channels, channels, 1, bias=False) for _ in range(2)
        )
        self.norms = nn.ModuleList(InstanceNorm(channels) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for number, norm in enumerate(self.norms):
            y = self.depthwise[number](padded(y, "reflect"))
            y = norm(self.pointwise[number](y))
            y = y if number else y.relu_()
        return x + y
