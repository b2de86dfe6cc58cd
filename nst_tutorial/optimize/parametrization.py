"""What is optimised: the pixels, the picture seen through a filter, or the maps of its colours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor


class Penalty(NamedTuple):
    """What coordinates themselves cost, before its weight, and its gradient."""

    value: float
    gradient: Tensor


class Parametrization(Protocol):
    """Coordinates z of pictures x, in which an optimiser works; x is linear in z, or affine."""

    @property
    def every_picture(self) -> bool:
        """Whether every picture has coordinates."""

    @property
    def longest_step(self) -> float:
        """Root mean square of the longest step that is taken; infinity: no step is too long."""

    @property
    def term_weights(self) -> Mapping[str, float]:
        """Each penalty on the coordinates by name, and its weight in the total."""

    def to_image(self, z: Tensor) -> Tensor:
        """Return the picture (1, 3, H, W)."""

    def from_image(self, image: Tensor) -> Tensor:
        """Return the coordinates of a picture, or of the nearest that has any."""

    def pull_back(self, gradient: Tensor) -> Tensor:
        """The gradient with respect to z from that with respect to the image."""

    def penalties(self, z: Tensor) -> Mapping[str, Penalty]:
        """What the coordinates cost, for each name in `term_weights`."""


class Pixels:
    """The picture itself: z = x."""

    every_picture = True
    longest_step = math.inf
    term_weights: ClassVar[Mapping[str, float]] = {}

    def __init__(self, shape: torch.Size, device: torch.device | str = "cpu"):
        pass

    def to_image(self, z: Tensor) -> Tensor:
        return z

    def from_image(self, image: Tensor) -> Tensor:
        return image

    def pull_back(self, gradient: Tensor) -> Tensor:
        return gradient

    def penalties(self, z: Tensor) -> Mapping[str, Penalty]:
        return {}


class Fourier:
    """Pixels seen through a filter that weakens fine detail: x = P z.

    P multiplies the Fourier coefficient of frequency f by f^-exponent, the same in all directions
    (f in cycles along the longer side, at least 1), and by a factor that leaves the mean power of
    white noise as it is. In such coordinates coarse and fine parts have changes of like size to
    make, and the optimiser needs fewer evaluations (notebook 06 measures both). They are known from
    feature visualisation (Olah et al., "Feature Visualization", Distill 2017, doi
    10.23915/distill.00007).
    P is symmetric, so the gradient with respect to z is P times that with respect to x.
    """

    exponent = 0.5
    every_picture = True
    longest_step = math.inf
    term_weights: ClassVar[Mapping[str, float]] = {}

    def __init__(self, shape: torch.Size, device: torch.device | str = "cpu"):
        height, width = shape[-2:]
        longer = max(height, width)
        single = {"device": device, "dtype": torch.float32}
        down = torch.fft.fftfreq(height, 1 / longer, **single)[:, None]
        across = torch.fft.rfftfreq(width, 1 / longer, **single)
        frequency = (down.square() + across.square()).sqrt().clamp(min=1)
        scale = frequency**-self.exponent
        self.scale = scale / scale.square().mean().sqrt()
        self.size = (height, width)

    def _filter(self, x: Tensor, scale: Tensor) -> Tensor:
        return torch.fft.irfft2(torch.fft.rfft2(x) * scale, s=self.size)

    def to_image(self, z: Tensor) -> Tensor:
        return self._filter(z, self.scale)

    def from_image(self, image: Tensor) -> Tensor:
        return self._filter(image, 1 / self.scale)

    def pull_back(self, gradient: Tensor) -> Tensor:
        return self._filter(gradient, self.scale)

    def penalties(self, z: Tensor) -> Mapping[str, Penalty]:
        return {}


PARAMETRIZATIONS: dict[str, type[Pixels] | type[Fourier]] = {"pixel": Pixels, "fourier": Fourier}
"""Those that need to know no more than the shape of the picture; `grid.Grid` is of a content."""
