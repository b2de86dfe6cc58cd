"""Pictures and masks at another size."""

from __future__ import annotations

from numbers import Integral

import torch.nn.functional as F
from torch import Tensor

# --- resizing --------------------------------------------------------------------------------


def fit(width: int, height: int, size: int) -> tuple[int, int]:
    """(width, height) of the same shape, the longer side being `size`."""
    longer = max(width, height)
    return max(1, round(width * size / longer)), max(1, round(height * size / longer))


def resize(image: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Resize (N, C, H, W) with antialiasing: bicubic, so values may leave 0..1 a little.

    `size` is the longer side in pixels, which keeps the shape, or (H, W).
    """
    if isinstance(size, Integral):
        width, height = fit(image.shape[3], image.shape[2], int(size))
        size = (height, width)
    if tuple(image.shape[2:]) == tuple(size):
        return image
    # On the CPU: once a scale, the same on every device, and Apple's MPS does not have it.
    resized = F.interpolate(
        image.cpu(), size=size, mode="bicubic", antialias=True, align_corners=False
    )
    return resized.to(image.device)


def resize_mask(mask: Tensor | None, shape: tuple[int, int]) -> Tensor | None:
    """A mask at another (H, W): each value a mean of those around it, so it stays in 0..1."""
    if mask is None or tuple(mask.shape[2:]) == tuple(shape):
        return mask
    # On the CPU, as `images.resize`. Bicubic weights can be negative, bilinear ones cannot.
    small = F.interpolate(
        mask.cpu(), size=shape, mode="bilinear", antialias=True, align_corners=False
    )
    return small.clamp(0, 1).to(mask.device)
