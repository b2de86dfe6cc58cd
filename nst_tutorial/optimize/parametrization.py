"""What is optimised: the pixels, or the picture seen through a filter."""

from __future__ import annotations

import torch
from torch import Tensor


class Pixels:
    """The picture itself: z = x."""

    def __init__(self, shape: torch.Size, device: torch.device | str = "cpu"):
        pass

    def to_image(self, z: Tensor) -> Tensor:
        return z

    def from_image(self, image: Tensor) -> Tensor:
        return image

    def pull_back(self, gradient: Tensor) -> Tensor:
        """The gradient with respect to z from that with respect to the image."""
        return gradient


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


PARAMETRIZATIONS: dict[str, type[Pixels] | type[Fourier]] = {"pixel": Pixels, "fourier": Fourier}
