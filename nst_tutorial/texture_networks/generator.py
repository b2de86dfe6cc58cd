"""Texture networks: a small network that makes a texture, or repaints a picture, in one pass.

Ulyanov, Lebedev, Vedaldi & Lempitsky 2016, "Texture Networks", arXiv 1603.03417. Optimisation looks
for one picture with the style's statistics. Here the search is done once, in `training`, for a
network g that maps *any* noise z to such a picture x = g(z). Noise comes at several scales, each
half as wide as the next; each has a branch of its own, and the branches join coarse to fine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checks import check_choice, check_integer, check_number, check_pictures, output_shape
from ..images.resizing import resize
from .layers import SLOPE, Convolution, InstanceNorm
from .layers import padded as padded
from .planning import IN_ONE_PIECE, choose_way
from .strips import generate_in_strips

PADDINGS = ("circular", "replicate")
NORMALIZATIONS = ("instance", "batch")
MOST_SCALES = 16  # the coarsest noise of the largest picture has only 2×2 pixels by then
MOST_CHANNELS = 1024  # a branch's: the weights alone take gigabytes by then


class Generator(nn.Module):
    """Noise at several scales → a picture; for stylisation, noise and a content → a picture.

    Parameters
    ----------
    stylizes
        Every branch sees the content picture at its own scale beside the noise.
    scales, width, depth
        Number of scales; channels that each branch adds; channels of the noise. The paper's are
        6, 8 and 3: noise at 1/32, 1/16, … 1 of the size, and 8, 16, … 48 channels.
    normalization
        "batch": over the pictures of a batch, as in the paper. "instance": over each picture by
        itself (Ulyanov, Vedaldi & Lempitsky, arXiv 1607.08022).
    padding
        "circular": the picture continues on the opposite side, so that copies laid side by side
        show no seam. "replicate": the border is repeated. None: circular for textures, replicate
        for stylisation, as in the paper.
    seed
        Of the weights before training.
    """

    def __init__(
        self,
        *,
        stylizes: bool = False,
        scales: int = 6,
        width: int = 8,
        depth: int = 3,
        normalization: str = "instance",
        padding: str | None = None,
        seed: int = 0,
    ):
        super().__init__()
        padding = padding or ("replicate" if stylizes else "circular")
        check_choice("normalization", normalization, NORMALIZATIONS)
        check_choice("padding", padding, PADDINGS)
        scales = check_integer("scales", scales, 1, MOST_SCALES)
        width = check_integer("width", width, 1, MOST_CHANNELS)
        depth = check_integer("depth", depth, 1, MOST_CHANNELS)
        self.design: dict[str, Any] = {
            "stylizes": bool(stylizes), "scales": scales, "width": width, "depth": depth,
            "normalization": normalization, "padding": padding,
        }  # fmt: skip
        self.settings: dict = {}  # how it was trained
        inputs = depth + 3 * self.design["stylizes"]
        norm = {"instance": InstanceNorm, "batch": nn.BatchNorm2d}[normalization]

        def block(channels: int, out: int) -> nn.Sequential:
            """conv 3×3, conv 3×3, conv 1×1, each normalised, and a leaky ReLU after it."""
            sizes = ((channels, out, 3), (out, out, 3), (out, out, 1))
            return nn.Sequential(
                *(
                    layer
                    for a, b, side in sizes
                    for layer in (Convolution(a, b, side, padding), norm(b), nn.LeakyReLU(SLOPE))
                )
            )

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(check_integer("seed", seed, 0))
            self.branches = nn.ModuleList(block(inputs, width) for _ in range(scales))
            self.norms = nn.ModuleList(norm(width) for _ in range(scales))
            self.coarse = nn.ModuleList(norm(i * width) for i in range(2, scales))
            self.joins = nn.ModuleList(block(i * width, i * width) for i in range(2, scales + 1))
            self.last = nn.Conv2d(scales * width, 3, 1)
        # Begin near grey: loud noise has gradients a hundred times as large as all later ones, and
        # Adam, which divides by the root of their mean square, would take small steps for long.
        weight, bias = self.last.parameters()
        nn.init.constant_(bias, 0.5)
        weight.data.mul_(0.1)
        self.to(memory_format=torch.channels_last)

    def forward(
        self,
        noise: Sequence[Tensor],
        content: Tensor | None = None,
        strengths: Sequence[float] | None = None,
    ) -> Tensor:
        """Return pictures (N, 3, H, W), sRGB around 0..1, not clamped.

        Parameters
        ----------
        noise
            One tensor (N, depth, H_k, W_k) a scale, coarse to fine, as `draw` gives them.
        content
            (N, 3, H, W), sRGB, for a network that stylises.
        strengths
            How much each scale's branch counts where it joins the others, coarse to fine; 1 as
            trained, 0 switches a scale off.
        """
        self._check_inputs(noise, content, strengths)
        contents = None
        if content is not None:
            contents = [resize(content, (z.shape[2], z.shape[3])) for z in noise]
        return self.join(noise, contents, strengths)

    def join(
        self,
        noise: Sequence[Tensor],
        contents: Sequence[Tensor] | None = None,
        strengths: Sequence[float] | None = None,
    ) -> Tensor:
        """The same, unchecked, from the content at each scale, as large as the noise there."""
        y = None
        for k, z in enumerate(noise):
            if contents is not None:
                z = torch.cat([z, contents[k].to(z)], dim=1)
            z = z.contiguous(memory_format=torch.channels_last)
            # Both sides are normalised before they join: else one of them would drown the other.
            z = self.norms[k](self.branches[k](z))
            z = z if strengths is None else strengths[k] * z
            if y is None:
                y = z
                continue
            if k > 1:
                y = self.coarse[k - 2](y)
            y = F.interpolate(y, size=z.shape[2:], mode="nearest")
            y = self.joins[k - 1](torch.cat([y, z], dim=1))
        return self.last(y)

    def _check_inputs(self, noise, content, strengths) -> None:
        scales = self.design["scales"]
        for name, values in (("noise", noise), ("strengths", strengths)):
            if values is not None and len(values) != scales:
                raise ValueError(f"{name} must be given for {scales} scales, got {len(values)}")
        if (content is None) == self.design["stylizes"]:
            raise ValueError(
                "this generator repaints a picture: give a content"
                if content is None
                else "this generator makes textures from noise alone: it takes no content"
            )

    def draw(self, size: int | tuple[int, int], seed: int = 0, count: int = 1) -> list[Tensor]:
        """Noise for `count` pictures, coarse to fine: uniform in 0..1, the same on every device."""
        numbers = torch.Generator().manual_seed(check_integer("seed", seed, 0))
        shape = check_integer("count", count, 1), self.design["depth"]
        sizes = pyramid(size, self.design["scales"])
        return [torch.rand((*shape, *s), generator=numbers).to(self.last.weight) for s in sizes]

    def sample(
        self,
        size: int | tuple[int, int] = 256,
        seed: int = 0,
        *,
        count: int = 1,
        content: Tensor | None = None,
        strengths: Sequence[float] | None = None,
        noise: Sequence[Tensor] | None = None,
        memory: float | None = None,
    ) -> Tensor:
        """Return finished pictures (count, 3, H, W), sRGB, 0..1.

        From a megapixel on each is computed in strips: the same picture in less memory.

        >>> import nst_tutorial as nst
        >>> generator = nst.load_generator("tissue_stain", device="cpu")
        >>> generator.sample((64, 96), seed=3).shape
        torch.Size([1, 3, 64, 96])

        Parameters
        ----------
        size
            Pixels of a square, or (H, W); a network that stylises takes the content's.
        seed
            Of the noise: another seed, another picture.
        content
            The picture to repaint, (1, 3, H, W), sRGB, 0..1.
        strengths
            As in `forward`.
        noise
            The noise itself, from `draw`, instead of `seed` and `count`.
        memory
            GB that the process may use; None: four fifths of what is free, and what it has already.

        Raises
        ------
        ValueError
            A size too small or too large for the memory, a content missing or out of place; the
            message says so.
        """
        if content is not None:
            check_pictures({"content": content})
            size = (content.shape[2], content.shape[3])
        if strengths is not None:
            strengths = [check_number("a strength", value) for value in strengths]
        self._check_inputs(noise, content, strengths)
        count = check_integer("count", count, 1) if noise is None else len(noise[0])
        if noise is not None:
            size = (noise[-1].shape[2], noise[-1].shape[3])
        shape = output_shape(size)
        way = choose_way(self.design, shape, count, self.last.weight.device, memory)
        noise = self.draw(shape, seed, count) if noise is None else noise
        # Several small pictures at once, large ones one after the other.
        each = count if count * shape[0] * shape[1] <= IN_ONE_PIECE else 1
        was_training = self.training
        self.eval()
        try:
            with torch.inference_mode():
                content = None if content is None else content.to(noise[0])
                parts = [[z[i : i + each] for z in noise] for i in range(0, count, each)]
                del noise  # of which strips let go on their way
                images = [
                    self._generate(parts.pop(0), content, strengths, way) for _ in range(len(parts))
                ]
        finally:
            self.train(was_training)
        # An ordinary tensor again, that may have a gradient
        return torch.cat(images).contiguous().clone()

    def _generate(self, noise, content, strengths, way: str) -> Tensor:
        if way == "whole":
            if content is not None:
                content = content.expand(len(noise[0]), -1, -1, -1)
            return self(noise, content, strengths).clamp_(0, 1)
        stored = way == "stored"
        return generate_in_strips(self, noise, content, strengths, stored=stored).clamp_(0, 1)


# --- sizes -----------------------------------------------------------------------------------


def pyramid(size: int | tuple[int, int], scales: int) -> list[tuple[int, int]]:
    """The sizes of the noise, coarse to fine: each half of the next, rounded up, 2 at least."""
    height, width = output_shape(size)
    return [
        (max(2, -(-height // 2**k)), max(2, -(-width // 2**k))) for k in reversed(range(scales))
    ]
