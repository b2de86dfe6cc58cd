"""The terms of an objective: what content, style, smoothness and range cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from torch import Tensor

from ..kernels.statistic import Moments, Statistic
from ..noise.level import fine_detail


class Cut(Protocol):
    """How tensors of a layer's size (…, H, W) are cut to a tile's part of it."""

    def cut(self, whole: Tensor) -> Tensor: ...

    def cut_mask(self) -> Tensor | None: ...


class Window(Protocol):
    """What a term must know of a tile of a picture; `tiling.windows.Window` is one."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the whole picture."""

    @property
    def rows(self) -> slice:
        """Those of the picture that are the tile's own."""

    @property
    def columns(self) -> slice:
        """Those of the picture that are the tile's own."""

    def at(self, layer: str, mask: Tensor | None = None) -> Cut:
        """The tile's part of a layer's features."""

    def pixels(self, block: Tensor) -> Tensor:
        """The tile's own pixels, of the block that the network sees."""

    def of_picture(self, block: Tensor, rows: slice, columns: slice) -> Tensor:
        """Pixels of the picture, by their rows and columns there, of the block."""


class Term(Protocol):
    """One summand of an objective, before its weight."""

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose features it needs."""

    def value(self, features: Mapping[str, Tensor], image: Tensor) -> Tensor:
        """A scalar ≥ 0 from the features at `layers` and the image (1, 3, H, W)."""


class LocalTerm(Term, Protocol):
    """A term that is a sum over positions: all but `Style`, whose statistic is of the whole."""

    def part(self, features: Mapping[str, Tensor], block: Tensor, window: Window) -> Tensor:
        """A tile's share of the value, from its own features and the block of pixels around it.

        The parts of all tiles add up to the value.
        """


@dataclass(frozen=True)
class Content:
    """factor · Σ (F - P)², the features F of a layer against those of the content picture, P.

    Gatys et al. 2016, equation 1, with the factor ½; `content_factor` names the common choices.
    A mask (1, 1, H, W) at the layer's size says how much each position counts.
    """

    layer: str
    target: Tensor
    factor: float
    mask: Tensor | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        return (self.layer,)

    def value(self, features: Mapping[str, Tensor], image: Tensor) -> Tensor:
        squares = (features[self.layer] - self.target).square()
        return self.factor * (squares if self.mask is None else self.mask * squares).sum()

    def part(self, features: Mapping[str, Tensor], block: Tensor, window: Window) -> Tensor:
        here = window.at(self.layer, self.mask)
        target = here.cut(self.target)
        return replace(self, target=target, mask=here.cut_mask()).value(features, block)


@dataclass(frozen=True)
class Style:
    """factor · distance of a layer's statistic from that of the style picture.

    With the Gram matrix: Gatys et al. 2016, equation 4; `style_factor` names the common choices.
    A mask (1, 1, H, W) at the layer's size says how much each position counts.
    """

    layer: str
    kernel: Statistic
    target: Moments
    factor: float
    mask: Tensor | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        return (self.layer,)

    def value(self, features: Mapping[str, Tensor], image: Tensor) -> Tensor:
        return self.of(self.kernel.statistic(features[self.layer], self.mask))

    def of(self, statistic: Moments) -> Tensor:
        """The term's value, given the statistic of the whole picture."""
        return self.factor * self.kernel.distance(statistic, self.target)


@dataclass(frozen=True)
class TotalVariation:
    """Mean absolute difference of neighbouring pixels, down and across: rough pictures cost."""

    layers: tuple[str, ...] = ()

    def value(self, features: Mapping[str, Tensor], image: Tensor) -> Tensor:
        down, across = image.diff(dim=2).abs(), image.diff(dim=3).abs()
        return down.mean() + across.mean()

    def part(self, features: Mapping[str, Tensor], block: Tensor, window: Window) -> Tensor:
        height, width = window.size
        rows, columns = window.pixels(block).shape[2:]
        # With the neighbours of its last row and column, but none beyond the picture.
        extended = (
            slice(own.start, min(own.stop + 1, side))
            for own, side in zip((window.rows, window.columns), window.size, strict=True)
        )
        image = window.of_picture(block, *extended)
        down, across = image[..., :columns].diff(dim=2), image[..., :rows, :].diff(dim=3)
        return down.abs().sum() / (3 * (height - 1) * width) + across.abs().sum() / (
            3 * height * (width - 1)
        )


@dataclass(frozen=True)
class Grain:
    """Mean square of a picture's finest detail, each pixel counting as a mask (1, 1, H, W) says.

    For white noise it is its variance. With the mask `noise.flatness` of the content it charges in
    advance for what `noise_level` finds there afterwards, and leaves texture elsewhere alone. It
    looks in all directions: if only diagonal differences cost, as `noise_level` has them, the
    optimiser would answer with stripes along the axes. Pixels on the border count for nothing.
    """

    mask: Tensor
    layers: tuple[str, ...] = ()

    def value(self, features: Mapping[str, Tensor], image: Tensor) -> Tensor:
        squares = self.mask[..., 1:-1, 1:-1] * fine_detail(image).square()
        return squares.sum() / image.numel()

    def part(self, features: Mapping[str, Tensor], block: Tensor, window: Window) -> Tensor:
        height, width = window.size
        rows, columns = (
            slice(max(own.start, 1) - 1, min(own.stop, side - 1) + 1)
            for own, side in zip((window.rows, window.columns), window.size, strict=True)
        )
        here = Grain(self.mask[..., rows, columns])
        image = window.of_picture(block, rows, columns)
        return here.value(features, image) * image[0, 0].numel() / (height * width)


@dataclass(frozen=True)
class OutOfRange:
    """Mean squared distance of the pixels from 0..1: a soft wall instead of clamping.

    Clamping inside the optimisation would make its gradients lie; see `optimize.minimize`.
    """

    layers: tuple[str, ...] = ()

    def value(self, features: Mapping[str, Tensor], image: Tensor) -> Tensor:
        return (image - image.clamp(0, 1)).square().mean()

    def part(self, features: Mapping[str, Tensor], block: Tensor, window: Window) -> Tensor:
        image = window.pixels(block)
        height, width = window.size
        return (image - image.clamp(0, 1)).square().sum() / (3 * height * width)
